//! Heartbeats: the only way in which a controller learns about an instance.

use super::{At, DigestId, InstanceId};

/// One heartbeat of an instance's agent, about one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Heartbeat {
    /// The instance that sends it.
    pub instance: InstanceId,
    /// When the agent sent it. A heartbeat that was sent before one that the engine already took has no effect.
    pub sent_at: At,
    /// The digest of the module that the instance runs.
    pub digest: DigestId,
    /// Whether the module is healthy on the instance.
    pub healthy: bool,
    /// The digest of a failed upgrade: the agent reports that it could not start it.
    pub failed_upgrade: Option<DigestId>,
}
