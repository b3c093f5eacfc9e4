//! A second implementation of the whole simulation, written from the documented rules in the plainest way: every
//! heartbeat of every planned instance is an event, outages are a list, every question is a loop. It shares the draws
//! with the real one, and nothing else.

pub mod coverage;
mod environment;
mod machine;
mod person;
mod policy_generator;
mod replicate_draws;
mod rules;
mod run;
pub mod scenario_generator;
mod shrink;
mod verdicts;
mod walk;

pub use run::run;
pub use shrink::shrink;
