//! The life of one virtual instance under its commands, as a sequence of segments in which nothing changes.
//!
//! A [`Trajectory`] is what becomes of one command if nothing interferes: four numbers. [`InstanceHistory`] is the
//! whole story with everything that can: kills, background deaths, a command that waits for the network, one that
//! replaces another. It is a function of the scene and the commands, walked from t = 0 whenever somebody asks, so there
//! is nothing to undo when a fault or a rollback changes what was foreseen.

use super::compiled::{Member, Release};
use super::environment::Environment;
use super::outages::Outage;
use super::sampled_upgrade::SampledUpgrade;
use crate::scenario::UpgradeOutcome;

/// A command to one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// When it was dispatched.
    pub at: u64,
    /// To which release.
    pub to: Release,
    /// What it would come to.
    pub sampled: SampledUpgrade,
}

/// What becomes of one command if nothing interferes; milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trajectory {
    /// When the command reached the instance.
    pub reached: u64,
    /// When the upgrade ended.
    pub ends: u64,
    /// When it dies of the version; never, for most.
    pub dies: u64,
    /// How the upgrade ended.
    pub outcome: UpgradeOutcome,
}

impl Trajectory {
    /// The course of a command that reaches the instance at `reached`.
    #[inline(always)]
    pub fn new(environment: &Environment<'_>, reached: u64, sampled: &SampledUpgrade) -> Self {
        let ends = if reached == u64::MAX { u64::MAX } else { environment.upgrade_end(reached, sampled.upgrade) };
        Self { reached, ends, dies: ends.saturating_add(sampled.crash_after), outcome: sampled.outcome }
    }
}

/// What an instance does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doing {
    /// Serving.
    Serving,
    /// Being upgraded: heartbeats the old digest, not healthy.
    Upgrading,
    /// Runs the new digest, and says that it is not healthy.
    Unhealthy,
    /// Its upgrade hangs: silent.
    Hung,
    /// Died of its version: silent.
    Crashed,
    /// Killed, or died in the background: silent.
    Dead,
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

    /// A word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Upgrading => "upgrading",
            Self::Unhealthy => "unhealthy",
            Self::Hung => "hung",
            Self::Crashed => "crashed",
            Self::Dead => "dead",
        }
    }
}

/// A stretch of time, `[from, to)` milliseconds, in which nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its first millisecond.
    pub from: u64,
    /// The first one after it.
    pub to: u64,
    /// What the instance does.
    pub doing: Doing,
    /// What it runs. During an upgrade: the old one.
    pub running: Release,
    /// The version whose upgrade failed, as its heartbeats report.
    pub report: Option<Release>,
    /// The release of the last command that reached it.
    pub commanded: Release,
    /// Whether the target version keeps it from serving: hung, crashed or unhealthy for it.
    pub harms: bool,
}

/// Walks the life of an instance: an iterator of [`Segment`]s without gaps from t = 0 up to a moment.
#[derive(Clone, Debug)]
pub struct InstanceHistory<'a> {
    environment: Environment<'a>,
    member: Member<'a>,
    orders: [Option<Order>; 2],
    until: u64,
    now: u64,
    doing: Doing,
    running: Release,
    report: Option<Release>,
    commanded: Release,
    /// The course that is under way, and to what; its next change is at `change`.
    trajectory: Option<Trajectory>,
    change: u64,
    /// A command on its way, and when it reaches the instance.
    waiting: Option<(Order, u64)>,
    dead: Option<Outage>,
    /// Whether the version that it runs is wrong in itself there: whatever brings it back to that version, it is
    /// unhealthy.
    sick: bool,
}

impl<'a> InstanceHistory<'a> {
    /// The life up to `until`, under commands in the order of their times.
    pub fn new(environment: Environment<'a>, member: Member<'a>, orders: [Option<Order>; 2], until: u64) -> Self {
        Self {
            environment,
            member,
            orders,
            until,
            now: 0,
            doing: Doing::Serving,
            running: Release::Previous,
            report: None,
            commanded: Release::Previous,
            trajectory: None,
            change: u64::MAX,
            waiting: None,
            dead: environment.dead_next(&member, 0, until),
            sick: false,
        }
    }

    /// The moment at or after `at` when a command gets through: the network up, and the machine not dead.
    fn reach(&self, at: u64) -> u64 {
        let mut reach = at;
        loop {
            reach = self.environment.network_up_from(&self.member, reach).0;
            // What comes later is not seen, whenever it is.
            if reach >= self.until {
                return u64::MAX;
            }
            match self.environment.dead_next(&self.member, reach, reach + 1) {
                Some(dead) if dead.start <= reach => reach = dead.end,
                _ => return reach,
            }
        }
    }

    /// The next moment at which something changes.
    fn next_change(&self) -> u64 {
        let dead = self.dead.map_or(u64::MAX, |dead| if self.doing == Doing::Dead { dead.end } else { dead.start });
        let reach = self.waiting.map_or(u64::MAX, |(_, reach)| reach);
        let order = self.orders[0].map_or(u64::MAX, |order| order.at);
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
        if let Some(order) = self.orders[0]
            && order.at == now
        {
            self.orders = [self.orders[1], None];
            self.waiting = Some((order, self.reach(now)));
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
            Doing::Hung => self.commanded == Release::Target,
            Doing::Crashed | Doing::Unhealthy => self.running == Release::Target,
            Doing::Serving | Doing::Upgrading | Doing::Dead => false,
        }
    }

    /// What it does when nothing keeps it from its version.
    fn steady(&self) -> Doing {
        if self.sick { Doing::Unhealthy } else { Doing::Serving }
    }

    /// A restart cures what hangs or has crashed; what is wrong in itself stays wrong.
    fn die(&mut self) {
        self.doing = Doing::Dead;
        self.report = None;
        self.trajectory = None;
        self.change = u64::MAX;
    }

    fn come_back(&mut self) {
        self.doing = self.steady();
        self.dead = self.environment.dead_next(&self.member, self.now, self.until);
    }

    fn begin(&mut self, order: &Order) {
        let trajectory = Trajectory::new(&self.environment, self.now, &order.sampled);
        self.doing = Doing::Upgrading;
        self.report = None;
        self.commanded = order.to;
        self.change = trajectory.ends;
        self.trajectory = Some(trajectory);
    }

    fn take_effect(&mut self) {
        let Some(trajectory) = self.trajectory else { return };
        self.change = u64::MAX;
        if self.doing == Doing::Serving {
            self.doing = Doing::Crashed;
            return;
        }
        if let UpgradeOutcome::Ok | UpgradeOutcome::Crash | UpgradeOutcome::Unhealthy = trajectory.outcome {
            self.running = self.commanded;
            self.sick = trajectory.outcome == UpgradeOutcome::Unhealthy;
        }
        self.doing = match trajectory.outcome {
            UpgradeOutcome::Hang => Doing::Hung,
            _ => self.steady(),
        };
        match trajectory.outcome {
            UpgradeOutcome::Fail => self.report = Some(self.commanded),
            UpgradeOutcome::Crash => self.change = trajectory.dies,
            _ => {}
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
            self.now = self.next_change().min(self.until);
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
