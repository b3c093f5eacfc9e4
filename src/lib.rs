//! dryroll
pub mod engine;
pub mod fleet;
pub mod scenario;
