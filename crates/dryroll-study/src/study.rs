//! Studies: many rollouts, and what they say together.
//!
//! # How it is built
//!
//! - [`policy`]: what a policy is. [`grid`]: the policies × versions of a study, as cells with a replicate each.
//! - [`row`]: one replicate as numbers. [`log`]: where rows go as they come. [`round`]: replicates of cells on all
//!   cores, onto a tape. [`results`]: the rows of a cell, read back.
//! - [`bounds`]: what no replicate exceeds. [`mean`]: an interval of a mean that can be decided on. [`theory`]: exact
//!   values of cells.
//! - [`summary`]: what the replicates of a cell come to. [`analysis`]: how it is computed.
//!
//! - [`sweep`]: a grid, start to end. [`manifest`]: the same, cut into shards. [`exact`]: what theory says of a cell.
//!   [`compare`]: two policies, replicate by replicate. [`tune`]: the best of many. [`check`]: the rules of a scenario.
//!   [`baseline`]: what was accepted of one. [`faults`]: those that make no difference. [`completed`]: policies that
//!   stop good rollouts.
//!
//! Every cell meets the same replicates: replicate 7 of one policy and replicate 7 of another have the same fleet,
//! instance by instance. So a difference between two policies is taken replicate by replicate, and what is only luck
//! cancels.
//!
//! Memory does not grow with the replicates: rows go to the tape, and what needs all of them (a quantile) reads them
//! again.

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

pub use policy::Policy;
pub use summary::{Figure, Share, Summaries, Summary};
