//! dryroll rehearses a rolling upgrade: the real rollout engine against virtual fleets, on a simulated clock.
//!
//! # The rooms
//!
//! - [`text`]: text from outside, and how it is shown. All rooms use it.
//! - [`fleet`]: the nouns that everyone shares: instances, versions, heartbeats, time in whole milliseconds.
//! - [`engine`]: THE ENGINE. Plans, asks, walks batches, judges, trips, rolls back. No clock, no randomness, no I/O:
//!   inputs with a time go in, events and commands come out.
//! - [`scenario`]: the scenario file, read, checked with exact places, and described by a JSON Schema.
//! - [`sim`]: the virtual fleet on a virtual clock: keyed draws, lives, heartbeats, network, faults, operator and
//!   ground truth. It drives the engine.
//! - [`stats`]: intervals, quantiles and exact results: numbers in, numbers out. It knows nothing of the crate.
//! - [`study`]: many runs and what they say together: sweeps, comparisons, tuning, shards.
//! - [`calibrate`]: from the events of real rollouts to the numbers of a scenario.
//! - [`drill`]: one run with a real person as its operator: sessions, decisions, their record, and what others would
//!   have done.
//! - [`report`]: what runs and studies say: event log, account for people, reports, timelines, pages.
//! - [`console`]: a drill on a terminal: a screen, or a dialogue in plain lines. [`web`]: a drill in a browser.
//! - [`cli`]: the command line, one file a command.
//!
//! Arrows run down only: `cli → console, web → report → drill → study → sim → engine → fleet`; `study` and `sim` use
//! `stats`, which knows nothing of
//! the crate. `calibrate` stands beside `study`: `report` reads it, and it reads `sim`, `scenario`, `engine` and
//! `stats`. `report`, `study` and `sim` read the [`scenario`]'s checked types, and these use the engine's and the
//! fleet's words. `engine` knows `fleet` and nothing else of the crate.

pub mod calibrate;
pub mod cli;
pub mod console;
mod digest;
pub mod drill;
pub mod engine;
pub mod fleet;
mod json;
pub mod report;
pub mod scenario;
mod semantics;
pub mod sim;
pub mod stats;
pub mod study;
pub mod text;
pub mod web;

pub use semantics::SEMANTICS_VERSION;
