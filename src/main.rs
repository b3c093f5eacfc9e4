//! dryroll
fn main() {}
