//! Tests of the portal: the whole application, asked without a socket.

mod authorization;
mod coverage;
mod find;
mod hostile;
mod law;
mod logs;
mod records;
mod sign_in;
mod status;
mod support;
mod truth;
mod values;
