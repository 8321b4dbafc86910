//! Ieum.
fn main() {}
