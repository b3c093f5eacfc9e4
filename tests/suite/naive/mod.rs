//! A second implementation of the whole simulation, written from the documented rules in the plainest way: every heartbeat of
//! every planned instance is an event, outages are a list, every question is a loop. It shares the draws with the real
//! one, and nothing else.

pub mod coverage;
mod environment;
mod machine;
mod person;
mod replicate_draws;
mod rules;
mod run;
pub mod scenario_generator;
mod shrink;

pub use run::run;
pub use shrink::shrink;
