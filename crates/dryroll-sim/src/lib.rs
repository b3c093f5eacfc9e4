//! Virtual fleets: the scenario file, read and checked with exact places, and the simulator that drives the engine.
//!
//! - [`scenario`]: the scenario file: model, checks, JSON Schema, metrics.
//! - [`sim`]: the virtual fleet on a virtual clock: keyed draws, heartbeats, network, faults, operator, ground truth.
//! - [`text`]: text from outside, and how it is shown. [`json`] and [`digest`]: reading JSON with places, and digests.

pub mod digest;
pub mod json;
pub mod scenario;
mod semantics;
pub mod sim;
pub mod text;

pub use semantics::SEMANTICS_VERSION;
