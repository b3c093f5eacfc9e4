//! Studies: what many runs of a scenario come to, and what theory says they come to.

pub mod exact;
pub mod rare;
