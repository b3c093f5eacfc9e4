//! Reports: what a run says to people and to machines. Everything here reads; nothing here decides.
//!
//! [`Chronicle`], [`EventLog`] and [`Account`] are observers that a simulator passes its events to while it runs.
//! [`RunReport`], [`PlanAnswer`], [`Timeline`] and [`trace`] are made of what is there afterwards. [`study`] has the reports of
//! many runs.

mod account;
mod chronicle;
mod error;
mod event_log;
mod output;
mod plan;
pub mod page;
pub mod plot;
mod reading;
mod run;
pub mod study;
pub mod timeline;
pub mod trace;
mod wording;

pub use account::Account;
pub use chronicle::{BatchRecord, Chronicle, RequestRecord, TripRecord};
pub use error::ReportError;
pub use event_log::EventLog;
pub use output::{Output, Written, discard_unfinished};
pub use plan::PlanAnswer;
pub use run::{FaultReport, RunReport};
pub use timeline::Timeline;
