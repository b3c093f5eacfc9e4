//! The simulator: a virtual fleet on a virtual clock, driving the real engine.
//!
//! # How it is built
//!
//! A [`CompiledScenario`] is what is the same in every replicate of a scenario. A [`Simulator`] runs replicates of it,
//! one after the other, and reuses every buffer. Nothing is scheduled that can be computed on request:
//!
//! - [`draws`]: every random number has a fixed place, so that nothing depends on the order of asking. [`sampler`]
//!   turns one into a duration (its normal quantile is [`dryroll_stats::normal`]'s), [`sampled_upgrade`] into what an
//!   upgrade comes to. [`name`] has the keys of what is drawn by what the scenario calls it.
//! - [`outages`]: flaps, zones and machines that fail by chance, looked up at a moment. [`fault`]: what is injected.
//!   [`known`] has what is known of the faults so far, and [`environment`] puts all together: from when is the network
//!   up, when is the machine dead?
//! - [`instance_history`]: what one instance does under its commands, as a function of the environment.
//!   [`heartbeats`]: the one heartbeat that decides its verdict, computed from its history.
//! - `queue`: one entry an instance in flight. `ticks`, [`operator`]: the reconciler's grid, and the person.
//! - `run`: the loop. It hands the engine what is due next, and carries out what the engine commands.
//! - [`importance_sampler`]: for trips that are too rare to wait for, another law of the outcomes, and the weight that
//!   makes up for it.
//! - [`shared`]: what is drawn once a replicate: rates, factors of upgrade times, places of blocks. [`posterior`]:
//!   rates that are not known, one of the sources of rates that are drawn.
//! - `truth`, `metrics`: ground truth, booked when a run is over. The engine sees none of it.
//! - [`next_at`], [`pairs`], `percent`: a moment that may never come, one value for each direction or release, a share.
//!
//! Most runs meet no fault. Then a command's trajectory is three moments and an outcome, and its decisive heartbeat
//! follows from them; a history is walked from its start only if something interferes. Both give the same result, and
//! so does a naive simulation in the tests, in which every heartbeat is an event.

pub mod arrivals;
pub mod compiled;
pub mod draws;
pub mod environment;
pub mod fault;
pub mod heartbeats;
pub mod importance_sampler;
pub mod instance_history;
pub mod known;
mod metrics;
pub mod name;
pub mod news;
pub mod next_at;
mod observer;
pub mod operator;
pub mod outages;
pub mod pairs;
mod percent;
mod places;
pub mod posterior;
mod queue;
mod run;
pub mod sampled_upgrade;
pub mod sampler;
pub mod shared;
mod ticks;
mod trail;
mod truth;

pub use compiled::{CompiledScenario, Release};
pub use fault::{Fault, Window};
pub use importance_sampler::ImportanceSampler;
pub use instance_history::{Doing, Segment};
pub use metrics::Metrics;
pub use next_at::NextAt;
pub use observer::{Observer, Unobserved};
pub use pairs::{PerDirection, PerRelease};
pub use percent::Percent;
pub use posterior::RatePosterior;
pub use run::{FaultEffect, Held, Simulator};
pub use shared::Shared;
