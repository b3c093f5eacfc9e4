//! The simulator: a virtual fleet on a virtual clock, driving the real engine.

pub mod draws;
pub mod fate;
pub mod fault;
pub mod heartbeats;
pub mod life;
mod metrics;
mod normal;
mod observer;
pub mod operator;
pub mod outages;
mod queue;
mod run;
pub mod sampler;
pub mod scene;
mod ticks;
mod truth;
pub mod world;

pub use fault::{Fault, Window};
pub use life::{Doing, Segment};
pub use metrics::Metrics;
pub use observer::{Observer, Unobserved};
pub use run::{FaultEffect, Simulator};
pub use world::{Release, World};
