//! Reports: what a run says to people and to machines. Everything here reads; nothing here decides.
//!
//! [`Chronicle`], [`EventLog`] and [`Transcript`] are observers that a simulator passes its events to while it runs.
//! [`RunReport`], [`PlanAnswer`], [`Timeline`] and [`trace`] are made of what is there afterwards. [`study`] has the
//! reports of many runs, [`learning`] what any report teaches.

mod advice_table;
mod baseline_table;
pub mod calibration;
mod cells;
mod check_table;
pub mod checked;
mod chronicle;
mod compare_table;
pub mod completed;
pub mod conditional;
pub mod drill;
mod drill_table;
mod error;
mod event_log;
pub mod forecast;
pub mod github;
pub mod harm;
pub mod heartbeat_summary;
pub mod junit;
pub mod learning;
pub mod markdown;
mod output;
pub mod page;
mod plan;
pub mod plot;
pub mod reading;
pub mod replay;
mod run;
mod runs;
mod shared;
pub mod study;
mod sweep_table;
pub mod table;
pub mod timeline;
pub mod trace;
mod transcript;
mod tune_table;
pub mod unfinished;
pub mod wording;

pub use advice_table::advice_table;
pub use cells::write_cells;
pub use check_table::{check_table, verdict as check_verdict};
pub use chronicle::{BatchRecord, Chronicle, RequestRecord, TripRecord};
pub use compare_table::compare_table;
pub use drill::DrillReport;
pub use drill_table::drill_table;
pub use error::ReportError;
pub use event_log::EventLog;
pub use forecast::Forecast;
pub use output::{Output, Written};
pub use plan::PlanAnswer;
pub use run::{FaultReport, RunReport};
pub use runs::RunsWriter;
pub use sweep_table::sweep_table;
pub use timeline::Timeline;
pub use transcript::Transcript;
pub use tune_table::tune_table;
