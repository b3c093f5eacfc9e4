//! Reports for people at a terminal, who read from top to bottom: one file a kind of report, and what these share.

pub mod advice;
mod baseline;
pub mod calibration;
pub mod check;
pub mod compare;
pub mod drill;
pub mod plan;
pub mod sweep;
pub mod table;
pub mod transcript;
pub mod tune;
