//! Studies: many rollouts, and the results over all of them.
//!
//! # How it is built
//!
//! - [`policy`]: a policy. [`grid`]: the policies × versions of a study, as cells with a compiled scenario each.
//! - [`row`]: one replicate as numbers. [`result_log`]: where rows are written as they are computed. [`round`]:
//!   replicates of cells on all cores, into a result log. [`results`]: the rows of a cell, read back.
//! - [`bounds`]: what no replicate exceeds. [`mean`]: the interval of a mean that decisions can rest on. [`theory`]:
//!   exact values of cells.
//! - [`summary`]: the summary of a cell's replicates. [`analysis`]: how it is computed.
//!
//! - [`sweep`]: a whole grid. [`manifest`]: a sweep cut into shards. [`exact`]: exact results of a cell. [`compare`]:
//!   two policies, replicate by replicate. [`tune`]: the best of many policies. [`check`]: the rules of a scenario.
//!   [`baseline`]: accepted results of a scenario. [`faults`]: faults without effect. [`completed`]: policies that stop
//!   good rollouts.
//!
//! All cells meet the same replicates: replicate 7 of one policy and replicate 7 of another have the same fleet,
//! instance by instance. So a difference between two policies is taken replicate by replicate, and common chance
//! cancels.
//!
//! Memory does not grow with the number of replicates: rows go to the result log, and a statistic that needs all of
//! them (a quantile) reads them again.

pub mod analysis;
pub mod baseline;
pub mod bounds;
pub mod check;
pub mod compare;
pub mod completed;
pub mod exact;
pub mod faults;
pub mod grid;
pub mod manifest;
pub mod mean;
pub mod policy;
pub mod rare;
pub mod result_log;
pub mod results;
pub mod round;
pub mod row;
pub mod summary;
pub mod sweep;
pub mod theory;
pub mod tune;

pub use policy::{AtOnce, Policy};
pub use summary::{Figure, Share, Summaries, Summary};
