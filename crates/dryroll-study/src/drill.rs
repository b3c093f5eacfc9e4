//! Drills: one rollout with a real person as its operator.
//!
//! - [`Drill`]: a run that goes on as far as somebody lets it, and takes a person's answers. Time is a parameter: it
//!   knows no wall clock, and the same answers at the same moments make the same run.
//! - [`Decision`], [`Record`]: what was decided, and the file that keeps it.
//! - [`Pace`]: how fast the simulated clock goes for whoever watches. [`Desk`]: a drill and its pace, with the controls
//!   of a console; terminal and browser both sit at one.
//! - [`Briefing`]: the names that a person is told. [`Cell`]: what an operator sees of an instance, never the truth.
//! - [`Pack`]: the drills that are built in, and the draw of a surprise from them.
//! - [`branch`]: the same world under other decisions. [`score`]: what a run cost beside what it might have.
//!
//! Data flows one way: answers → simulator → engine → events → whoever watches.

pub mod branch;
mod briefing;
mod cell;
mod decision;
mod desk;
mod error;
mod pace;
mod pack;
mod record;
mod roll_call;
pub mod score;
mod session;

pub use briefing::Briefing;
pub use cell::Cell;
pub use decision::{Asked, Decision, Recorded};
pub use desk::{Control, Desk};
pub use error::DrillError;
pub use pace::{Pace, Speed};
pub use pack::{Drawn, Pack, REPLICATES};
pub use record::Record;
pub use roll_call::RollCall;
pub use session::Drill;
