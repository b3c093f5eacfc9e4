//! From the results of rollouts and studies to the models that are written: one file a kind of report.

pub mod baseline;
mod calibration;
mod check;
mod compare;
mod drill;
pub mod plan;
mod run;
mod sweep;
pub mod timeline;
pub mod tune;
