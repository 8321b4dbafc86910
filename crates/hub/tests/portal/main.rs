//! Tests of the portal: the whole application, asked without a socket.

mod authorization;
mod claim;
mod coverage;
mod cross;
mod elsewhere;
mod find;
mod hostile;
mod law;
mod people;
mod records;
mod representatives;
mod sharing;
mod sign_in;
mod staff;
mod status;
mod support;
mod transfers;
mod truth;
mod values;
mod visit;
