//! Studies: many rollouts, and what they say together.
//!
//! - [`policy`]: what a policy is. [`grid`]: the policies and versions of a sweep, as cells.
//! - [`summary`]: what many replicates of one cell come to.

pub mod policy;
pub mod summary;

pub use policy::Policy;
pub use summary::{Figure, Share, Summaries, Summary};
