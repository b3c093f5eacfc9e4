//! What is kept of the events of one run, as they happen: in memory, as NDJSON, as a trace.

pub mod bakes;
pub mod chronicle;
pub mod log;
pub mod trace;
