//! What an operator sees of an instance: what the engine knows, never the ground truth.

use dryroll_engine::{Direction, Engine, Phase, Reason, Verdict};

/// An instance on the operator's console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// Not dispatched yet.
    Waiting,
    /// Commanded to the target; awaits a verdict.
    Upgrading,
    /// Runs the target and reports that it is healthy.
    Healthy,
    /// It reported that its upgrade failed.
    UpgradeFailed,
    /// No decisive heartbeat arrived in time.
    TimedOut,
    /// It was healthy and is unwell since.
    Relapsed,
    /// To be rolled back, and not commanded yet.
    ToGoBack,
    /// Commanded back; awaits a verdict.
    GoingBack,
    /// Rolled back, and healthy.
    Restored,
    /// It reported that its rollback failed.
    BackFailed,
    /// Commanded back; no decisive heartbeat arrived in time.
    BackTimedOut,
}

impl Cell {
    /// All cells, in the order of the legend.
    pub const ALL: [Cell; 11] = [
        Self::Waiting,
        Self::Upgrading,
        Self::Healthy,
        Self::UpgradeFailed,
        Self::TimedOut,
        Self::Relapsed,
        Self::ToGoBack,
        Self::GoingBack,
        Self::Restored,
        Self::BackFailed,
        Self::BackTimedOut,
    ];

    /// The cell of the instance at a position of the plan.
    #[must_use]
    pub fn of(engine: &Engine, position: u32) -> Self {
        let taken_back = engine.direction() == Direction::Back && position < engine.dispatched();
        let direction = if taken_back { Direction::Back } else { Direction::Forward };
        match (direction, engine.phase(position, direction)) {
            (Direction::Forward, Phase::Waiting) => Self::Waiting,
            (Direction::Forward, Phase::InFlight) => Self::Upgrading,
            (Direction::Forward, Phase::Judged(Verdict::Healthy)) => Self::Healthy,
            (Direction::Forward, Phase::Judged(Verdict::Failed(Reason::UpgradeFailed))) => Self::UpgradeFailed,
            (Direction::Forward, Phase::Judged(Verdict::Failed(Reason::HealthTimeout))) => Self::TimedOut,
            (_, Phase::Judged(Verdict::Failed(Reason::Relapsed))) => Self::Relapsed,
            (Direction::Back, Phase::Waiting) => Self::ToGoBack,
            (Direction::Back, Phase::InFlight) => Self::GoingBack,
            (Direction::Back, Phase::Judged(Verdict::Healthy)) => Self::Restored,
            (Direction::Back, Phase::Judged(Verdict::Failed(Reason::UpgradeFailed))) => Self::BackFailed,
            (Direction::Back, Phase::Judged(Verdict::Failed(Reason::HealthTimeout))) => Self::BackTimedOut,
        }
    }

    /// Its letter in compact lists.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Waiting => '.',
            Self::Upgrading => 'u',
            Self::Healthy => 'h',
            Self::UpgradeFailed => 'f',
            Self::TimedOut => 't',
            Self::Relapsed => 'l',
            Self::ToGoBack => 'w',
            Self::GoingBack => 'b',
            Self::Restored => 'r',
            Self::BackFailed => 'x',
            Self::BackTimedOut => 'z',
        }
    }

    /// Its shape, so that nobody depends on colour.
    #[must_use]
    pub fn shape(self) -> char {
        match self {
            Self::Waiting => '·',
            Self::Upgrading => '◌',
            Self::Healthy => '●',
            Self::UpgradeFailed => '✗',
            Self::TimedOut => '⏱',
            Self::Relapsed => '↓',
            Self::ToGoBack => '◂',
            Self::GoingBack => '◃',
            Self::Restored => '○',
            Self::BackFailed => '✘',
            Self::BackTimedOut => '⧖',
        }
    }

    /// Its description in words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Upgrading => "upgrading",
            Self::Healthy => "healthy",
            Self::UpgradeFailed => "upgrade failed",
            Self::TimedOut => "health timeout",
            Self::Relapsed => "relapsed",
            Self::ToGoBack => "waits to go back",
            Self::GoingBack => "going back",
            Self::Restored => "restored",
            Self::BackFailed => "going back failed",
            Self::BackTimedOut => "going back: health timeout",
        }
    }

    /// Whether it has a failed verdict.
    #[must_use]
    pub fn is_failed(self) -> bool {
        matches!(self, Self::UpgradeFailed | Self::TimedOut | Self::Relapsed | Self::BackFailed | Self::BackTimedOut)
    }
}
