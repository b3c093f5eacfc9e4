//! Drills: one rollout with a real person as its operator.
//!
//! - [`Drill`]: a run that advances on request and takes a person's answers. Time is a parameter: a drill has no wall
//!   clock, and the same answers at the same moments give the same run.
//! - [`Decision`], [`Record`]: what was decided, and the file that keeps it.
//! - [`Pace`]: the speed of the simulated clock. [`Controller`]: a drill and its pace, with the controls of a console;
//!   terminal and browser both use one.
//! - [`Briefing`]: the names that a person sees. [`Cell`]: what an operator sees of an instance, never the ground
//!   truth.
//! - [`Pack`]: the built-in drills, and the random choice of a surprise drill among them.
//! - [`branch`]: the same replicate under other decisions. [`score`]: the cost of a run compared with alternatives.
//!
//! Data flows one way: answers → simulator → engine → events → observers.

pub mod branch;
mod briefing;
mod cell;
mod controller;
mod decision;
mod error;
mod heartbeat_summary;
mod layout;
mod pace;
mod pack;
mod record;
pub mod score;
mod session;

pub use briefing::Briefing;
pub use cell::Cell;
pub use controller::{Control, Controller};
pub use decision::{Asked, Decision, Recorded};
pub use error::DrillError;
pub use heartbeat_summary::HeartbeatSummary;
pub use layout::BatchLayout;
pub use pace::{Pace, Speed};
pub use pack::{Drawn, Pack, REPLICATES};
pub use record::Record;
pub use session::Drill;
