//! Verdicts (§4): the final health result of one instance in one rollout.

/// Why a verdict is *failed*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Reason {
    /// The agent reported that the upgrade failed.
    UpgradeFailed,
    /// No healthy heartbeat with the right digest arrived in time.
    HealthTimeout,
    /// It got a healthy verdict and became unwell later.
    Relapsed,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 3] = [Self::UpgradeFailed, Self::HealthTimeout, Self::Relapsed];

    /// The reason's name in events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UpgradeFailed => "upgrade_failed",
            Self::HealthTimeout => "health_timeout",
            Self::Relapsed => "relapsed",
        }
    }
}

/// Why an instance relapsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Relapse {
    /// A heartbeat says that it is not healthy, or carries another digest.
    Unhealthy,
    /// No heartbeat came for too long.
    Silent,
}

impl Relapse {
    /// The reason's name in events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unhealthy => "unhealthy",
            Self::Silent => "silent",
        }
    }
}

/// The final health result of one instance in one rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It runs the version and reports that it is healthy.
    Healthy,
    /// It failed, for this reason.
    Failed(Reason),
}

impl Verdict {
    /// The reason of a failure; `None` for a healthy instance.
    #[must_use]
    pub fn failure(self) -> Option<Reason> {
        match self {
            Self::Healthy => None,
            Self::Failed(reason) => Some(reason),
        }
    }
}

/// The phase of a planned instance in one rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Phase {
    /// Not dispatched yet.
    #[default]
    Waiting,
    /// Dispatched, and awaiting its verdict.
    InFlight,
    /// Judged, with this verdict.
    Judged(Verdict),
}

/// A verdict that was just reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The instance's position in the plan.
    pub position: u32,
    /// The verdict.
    pub verdict: Verdict,
}
