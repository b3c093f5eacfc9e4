//! The history of one virtual instance under its commands, as a sequence of segments in which nothing changes.
//!
//! A [`Trajectory`] is the result of one command if nothing interferes: three moments and an outcome.
//! [`InstanceHistory`] includes everything that can interfere: kills, background deaths, a command that waits for the
//! network, one that replaces another. It is a function of the environment and the commands, walked from t = 0 on each
//! call, so there is nothing to undo when a fault or a rollback changes what was predicted.

use super::compiled::{Member, Release};
use super::environment::Environment;
use super::known::Stretch;
use super::next_at::NextAt;
use super::sampled_upgrade::SampledUpgrade;
use crate::scenario::{StartState, UpgradeOutcome};
use dryroll_engine::fleet::{At, DigestId, Span};

/// A command to one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// When it was dispatched.
    pub at: At,
    /// To which release.
    pub to: Release,
    /// The upgrade that was sampled for it.
    pub sampled: SampledUpgrade,
    /// Whether the heartbeats of the millisecond of its dispatch came after it.
    pub before_heartbeats: bool,
}

/// The result of one command if nothing interferes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trajectory {
    /// When the command reached the instance.
    pub reached: NextAt,
    /// When the upgrade ended.
    pub ends: NextAt,
    /// When the instance dies of the version, or becomes unhealthy; never, for most.
    pub dies: NextAt,
    /// How the upgrade ended.
    pub outcome: UpgradeOutcome,
}

impl Trajectory {
    /// The trajectory of a command that reaches the instance at `reached`.
    #[inline(always)]
    pub fn new(environment: &Environment<'_>, reached: NextAt, sampled: &SampledUpgrade) -> Self {
        let ends = reached.get().map_or(NextAt::NEVER, |reached| environment.upgrade_end(reached, sampled.upgrade));
        let dies = sampled.fails_after.map_or(NextAt::NEVER, |after| ends + after);
        Self { reached, ends, dies, outcome: sampled.outcome }
    }
}

/// What an instance does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doing {
    /// Serving.
    Serving,
    /// Being upgraded: heartbeats the old digest, not healthy.
    Upgrading,
    /// Runs the new digest, and reports that it is not healthy.
    Unhealthy,
    /// Its upgrade hangs: silent.
    Hung,
    /// Died of its version: silent.
    Crashed,
    /// Killed, or died in the background: silent.
    Dead,
    /// Its upgrade bricked it: silent, and nothing brings it back.
    Bricked,
}

impl Doing {
    /// Whether it serves.
    #[must_use]
    pub fn serves(self) -> bool {
        self == Self::Serving
    }

    /// Whether it heartbeats.
    #[must_use]
    pub fn heartbeats(self) -> bool {
        matches!(self, Self::Serving | Self::Upgrading | Self::Unhealthy)
    }

    /// A word for the state.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Upgrading => "upgrading",
            Self::Unhealthy => "unhealthy",
            Self::Hung => "hung",
            Self::Crashed => "crashed",
            Self::Dead => "dead",
            Self::Bricked => "bricked",
        }
    }
}

/// A stretch of time, `[from, to)`, in which nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its first millisecond.
    pub from: At,
    /// The first one after it.
    pub to: At,
    /// What the instance does.
    pub doing: Doing,
    /// The digest of what it runs. During an upgrade: of the old one.
    pub running: DigestId,
    /// The version whose upgrade failed, as its heartbeats report.
    pub report: Option<Release>,
    /// The release of the last command that reached it.
    pub commanded: Release,
    /// Whether the target version keeps it from serving: hung, crashed or unhealthy for it.
    pub harms: bool,
}

/// Walks the history of an instance: an iterator of [`Segment`]s without gaps from t = 0 up to a moment.
#[derive(Clone, Debug)]
pub struct InstanceHistory<'a> {
    environment: Environment<'a>,
    member: Member<'a>,
    /// The commands that are still to come, the next one first.
    upcoming: &'a [Order],
    until: At,
    now: At,
    doing: Doing,
    running: DigestId,
    report: Option<Release>,
    commanded: Release,
    /// The trajectory of the last command that reached it; its next change is at `change`.
    trajectory: Option<Trajectory>,
    change: NextAt,
    /// A command on its way, and when it reaches the instance.
    waiting: Option<(Order, NextAt)>,
    dead: Option<Stretch>,
    /// Whether the version that it runs is broken on this instance: after every restart of that version it is
    /// unhealthy.
    sick: bool,
    /// Whether it is so since the request, which any upgrade that ends cures.
    sick_from_start: bool,
}

impl<'a> InstanceHistory<'a> {
    /// The history up to `until`, under commands in the order of their times.
    pub fn new(environment: Environment<'a>, member: Member<'a>, orders: &'a [Order], until: At) -> Self {
        let (running, state) = environment.compiled.start(&member);
        Self {
            environment,
            member,
            upcoming: orders,
            until,
            now: At::ZERO,
            doing: match state {
                StartState::Well => Doing::Serving,
                StartState::Unhealthy => Doing::Unhealthy,
                StartState::Silent => Doing::Hung,
            },
            running,
            report: None,
            commanded: Release::Previous,
            trajectory: None,
            change: NextAt::NEVER,
            waiting: None,
            dead: environment.dead_next(&member, At::ZERO, until),
            sick: false,
            sick_from_start: state == StartState::Unhealthy,
        }
    }

    /// The moment at or after `at` when a command gets through: the network up, and the machine not dead.
    fn reach(&self, at: At) -> NextAt {
        let mut next = NextAt::from(at);
        // What comes later than `until` is not seen, whenever it is.
        while let Some(reach) = next.get().and_then(|at| self.network_up_from(at)).filter(|&up| up < self.until) {
            match self.environment.dead_next(&self.member, reach, reach + Span(1)) {
                Some(dead) if dead.start <= reach => next = dead.end,
                _ => return reach.into(),
            }
        }
        NextAt::NEVER
    }

    fn network_up_from(&self, at: At) -> Option<At> {
        self.environment.network_up_from(&self.member, at).from.get()
    }

    /// The next moment at which something changes.
    fn next_change(&self) -> NextAt {
        let back_or_dead = |dead: Stretch| if self.doing == Doing::Dead { dead.end } else { dead.start.into() };
        let dead = self.dead.map_or(NextAt::NEVER, back_or_dead);
        let reach = self.waiting.map_or(NextAt::NEVER, |(_, reach)| reach);
        let order = NextAt::from(self.upcoming.first().map(|order| order.at));
        dead.min(self.change).min(reach).min(order)
    }

    /// Everything that changes at `now`: death and return first, then what the version brings, then commands.
    fn change_now(&mut self) {
        let now = self.now;
        if let Some(dead) = self.dead {
            if self.doing == Doing::Dead && dead.end == now {
                self.come_back();
            } else if self.doing != Doing::Dead && dead.start <= now {
                self.die();
            }
        }
        if self.change == now {
            self.take_effect();
        }
        while let Some((order, rest)) = self.upcoming.split_first()
            && order.at == now
        {
            self.upcoming = rest;
            self.waiting = Some((*order, self.reach(now)));
        }
        if let Some((order, reach)) = self.waiting
            && reach == now
        {
            self.waiting = None;
            self.begin(&order);
        }
    }

    fn harms(&self) -> bool {
        match self.doing {
            Doing::Hung | Doing::Bricked => self.commanded == Release::Target,
            Doing::Crashed | Doing::Unhealthy => self.running == self.environment.compiled.digest(Release::Target),
            Doing::Serving | Doing::Upgrading | Doing::Dead => false,
        }
    }

    /// The state of the instance if nothing keeps it from running its version.
    fn steady(&self) -> Doing {
        if self.sick || self.sick_from_start { Doing::Unhealthy } else { Doing::Serving }
    }

    /// A restart cures a hang or a crash; a version that is broken on the instance stays broken.
    fn die(&mut self) {
        self.doing = Doing::Dead;
        self.report = None;
        self.trajectory = None;
        self.change = NextAt::NEVER;
    }

    fn come_back(&mut self) {
        self.doing = self.steady();
        self.dead = self.environment.dead_next(&self.member, self.now, self.until);
    }

    fn begin(&mut self, order: &Order) {
        let trajectory = Trajectory::new(&self.environment, self.now.into(), &order.sampled);
        self.doing = Doing::Upgrading;
        self.report = None;
        self.commanded = order.to;
        self.change = trajectory.ends;
        self.trajectory = Some(trajectory);
    }

    fn take_effect(&mut self) {
        let Some(trajectory) = self.trajectory else { return };
        self.change = NextAt::NEVER;
        if self.doing == Doing::Serving {
            // A restart cures a crash alone.
            self.sick = trajectory.outcome == UpgradeOutcome::Degrade;
            self.doing = if self.sick { Doing::Unhealthy } else { Doing::Crashed };
            return;
        }
        match trajectory.outcome {
            UpgradeOutcome::Ok | UpgradeOutcome::Crash | UpgradeOutcome::Degrade | UpgradeOutcome::Unhealthy => {
                self.running = self.environment.compiled.digest(self.commanded);
                self.sick = trajectory.outcome == UpgradeOutcome::Unhealthy;
                self.sick_from_start = false;
            }
            UpgradeOutcome::Fail => self.sick_from_start = false,
            UpgradeOutcome::Hang | UpgradeOutcome::Brick => {}
        }
        self.doing = match trajectory.outcome {
            UpgradeOutcome::Hang => Doing::Hung,
            UpgradeOutcome::Brick => Doing::Bricked,
            _ => self.steady(),
        };
        match trajectory.outcome {
            UpgradeOutcome::Fail => self.report = Some(self.commanded),
            UpgradeOutcome::Crash | UpgradeOutcome::Degrade => self.change = trajectory.dies,
            UpgradeOutcome::Brick => (self.upcoming, self.waiting, self.dead) = (&[], None, None),
            UpgradeOutcome::Ok | UpgradeOutcome::Hang | UpgradeOutcome::Unhealthy => {}
        }
        if self.change == self.now {
            self.take_effect();
        }
    }
}

impl Iterator for InstanceHistory<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        while self.now < self.until {
            self.change_now();
            let from = self.now;
            self.now = self.next_change().or_by(self.until);
            if self.now > from {
                return Some(Segment {
                    from,
                    to: self.now,
                    doing: self.doing,
                    running: self.running,
                    report: self.report,
                    commanded: self.commanded,
                    harms: self.harms(),
                });
            }
        }
        None
    }
}
