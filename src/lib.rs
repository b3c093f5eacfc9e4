//! dryroll
pub mod engine;
pub mod fleet;
pub mod scenario;
pub mod sim;
