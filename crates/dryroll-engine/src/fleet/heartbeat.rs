//! Heartbeats: all that a controller ever learns of an instance.

use super::{At, DigestId, InstanceId};

/// One heartbeat of an instance's agent, about one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Heartbeat {
    /// Who sends it.
    pub instance: InstanceId,
    /// When the agent sent it. A heartbeat sent earlier than one that was already taken says nothing.
    pub sent_at: At,
    /// The digest of the module that the instance runs.
    pub digest: DigestId,
    /// Whether the module is healthy there.
    pub healthy: bool,
    /// The agent's report of an upgrade that failed: the digest that it could not bring up.
    pub failed_upgrade: Option<DigestId>,
}
