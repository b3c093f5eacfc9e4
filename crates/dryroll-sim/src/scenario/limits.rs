//! The largest and smallest values that a file may hold.

/// The most instances of a fleet.
pub(super) const MAX_INSTANCES: u32 = 100_000_000;
/// The longest duration, in seconds.
pub const MAX_SECONDS: f64 = 1e9;
/// The shortest interval, in seconds: simulated time is whole milliseconds.
pub(super) const MIN_SECONDS: f64 = 0.001;
/// The highest rate by the hour: ten a second.
pub(super) const MAX_PER_HOUR: f64 = 36_000.0;
/// The highest rate by the day: one a second.
pub(super) const MAX_PER_DAY: f64 = 86_400.0;
/// The highest rate by 1000 days: a death every minute and a half.
pub(super) const MAX_PER_1000_DAYS: f64 = 1e6;
/// How far a drawn rate can be spread, and how little.
pub(super) const MIN_CONCENTRATION: f64 = 0.1;
pub(super) const MAX_CONCENTRATION: f64 = 1e9;
/// The least shape of a rate's beta distribution: with less, rates of nearly all replicates are 0 to machine precision.
pub(super) const MIN_SHAPE: f64 = 0.03;
/// The largest factor of a duration.
pub(super) const MAX_FACTOR: f64 = 1e6;
/// The largest factor of one batch to the next.
pub(super) const MAX_GROWTH: f64 = 1e6;
/// The most attempts after the first.
pub(super) const MAX_RETRIES: u32 = 100;
/// The largest file, in bytes.
pub(super) const MAX_FILE_BYTES: u64 = 16 << 20;

/// How many errors of one file are told one by one.
pub(super) const MAX_DIAGNOSTICS: usize = 20;
