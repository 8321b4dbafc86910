//! The authorization server without HTTP: each way to a token, and every condition under which there is none. The
//! tables follow the list of negative cases of the handbook (trust-and-exchange, 3.4).

mod assertions;
mod certificates;
mod codes;
mod grants;
mod proofs;
mod registration;
mod requests;
mod support;
mod tokens;
