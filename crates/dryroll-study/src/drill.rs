//! Drills: one rollout with a real person as its operator.
//!
//! - [`Drill`]: a run that goes on as far as somebody lets it, and takes a person's answers. Time is a parameter: it
//!   knows no wall clock, and the same answers at the same moments make the same run.
//! - [`Decision`], [`Record`]: what was decided, and the file that keeps it.
//! - [`Pace`]: how fast the simulated clock goes for whoever watches. [`Controller`]: a drill and its pace, with the
//!   controls of a console; terminal and browser both sit at one.
//! - [`Briefing`]: the names that a person is told. [`Cell`]: what an operator sees of an instance, never the truth.
//! - [`Pack`]: the drills that are built in, and the draw of a surprise from them.
//! - [`branch`]: the same replicate under other decisions. [`score`]: what a run cost beside what it might have.
//!
//! Data flows one way: answers → simulator → engine → events → whoever watches.

pub mod branch;
mod briefing;
mod cell;
mod controller;
mod decision;
mod error;
mod heartbeat_summary;
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
pub use pace::{Pace, Speed};
pub use pack::{Drawn, Pack, REPLICATES};
pub use record::Record;
pub use session::Drill;
