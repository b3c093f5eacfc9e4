//! The types that every module shares: instance ids and statuses, versions and their digests, heartbeats, and time in
//! whole milliseconds.
//!
//! Nothing here decides anything. The engine, the simulator and the scenario file all use these types, so that none of
//! them depends on the others.

mod heartbeat;
mod instance;
mod time;
mod version;

pub use heartbeat::Heartbeat;
pub use instance::{InstanceId, InstanceNames, InstanceStatus};
pub use time::{At, Span};
pub use version::{DigestId, LifecycleState, VersionId};
