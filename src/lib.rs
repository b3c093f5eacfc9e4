//! dryroll rehearses a rolling upgrade: the real rollout engine against virtual fleets, on a simulated clock.
//!
//! Its crates, from the top down; each reads only what stands below it (`ARCHITECTURE.md` has the picture):
//!
//! - `dryroll`: [`cli`] is the command line, one file a command. [`console`] is a drill on a terminal: a screen, or a
//!   dialogue in plain lines. [`web`] is a drill in a browser.
//! - `dryroll-learning`: [`learning`] is the memory of studies: what a report teaches, and which records apply today.
//! - `dryroll-report`: [`report`] is what rollouts and studies say: models, and one renderer a medium.
//! - `dryroll-study`: [`study`] is many rollouts and what they say together: sweeps, comparisons, tuning, shards.
//!   [`calibrate`] goes from the events of real rollouts to the numbers of a scenario. [`drill`] is one rollout with a
//!   person as its operator: sessions, decisions, their record, and what others would have done.
//! - `dryroll-sim`: [`scenario`] is the scenario file, read, checked with exact places, and described by a JSON Schema.
//!   [`sim`] is the virtual fleet on a virtual clock. It drives the engine.
//! - `dryroll-stats`: intervals, quantiles and exact results: numbers in, numbers out.
//! - `dryroll-engine`: THE ENGINE. It plans, asks, walks batches, judges, trips, rolls back. No clock, no randomness,
//!   no I/O: inputs with a time go in, events and commands come out. [`fleet`] has the nouns that all share.

pub mod cli;
pub mod console;
pub mod web;

pub use dryroll_engine as engine;
pub use dryroll_engine::fleet;
pub use dryroll_learning as learning;
pub use dryroll_report as report;
pub use dryroll_sim::{SEMANTICS_VERSION, scenario, sim, text};
pub use dryroll_stats as stats;
pub use dryroll_study::{calibrate, drill, study};
