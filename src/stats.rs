//! Statistics: intervals, quantiles and exact results. Numbers in, numbers out; nothing here knows what a rollout is.

pub mod exact;
mod interval;

pub use interval::Interval;
