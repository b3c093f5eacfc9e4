//! One planned instance: its version, its current process, its heartbeats.

use dryroll::scenario::{StartState, UpgradeOutcome};
use dryroll::sim::Release;
use dryroll::sim::compiled::Member;
use dryroll::sim::sampled_upgrade::SampledUpgrade;

use super::coverage::{saw, saw_if};
use super::environment::Environment;
use super::replicate_draws::Digests;

/// What an instance is doing, kills aside.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    /// Nothing in particular.
    Running,
    /// An upgrade that still takes this many milliseconds of progress.
    Upgrading { to: Release, sampled_upgrade: SampledUpgrade, left: u64 },
    /// Silent since the end of an upgrade.
    Hung,
    /// Crashed because of its version.
    Crashed,
    /// Nothing brings it back.
    Bricked,
}

/// What a heartbeat says.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// The digest that the instance runs.
    pub runs: usize,
    /// Whether it serves.
    pub healthy: bool,
    /// To which digest an upgrade failed.
    pub report: Option<usize>,
}

/// A planned instance.
pub struct Machine<'c> {
    /// Its draws and traits.
    pub member: Member<'c>,
    position: usize,
    digests: Digests,
    /// The digest that it runs.
    runs: usize,
    /// What it runs came up unhealthy.
    sick: bool,
    /// It was unhealthy at the request, and no upgrade has ended since.
    sick_from_start: bool,
    doing: Doing,
    dies_at: Option<u64>,
    degrades_at: Option<u64>,
    has_degraded: bool,
    report: Option<usize>,
    waiting: Option<(Release, SampledUpgrade)>,
    harmed_at: Option<u64>,
    /// When its last upgrade ended.
    ended_at: Option<u64>,
    killed: bool,
}

impl<'c> Machine<'c> {
    /// An instance that runs a digest, in a state.
    pub fn new(member: Member<'c>, position: usize, digests: Digests, runs: usize, state: StartState) -> Self {
        saw(match state {
            StartState::Well => "well at the start",
            StartState::Unhealthy => "unhealthy at the start",
            StartState::Silent => "silent at the start",
        });
        saw_if(runs != digests.of_release(Release::Previous), "another version at the start");
        Self {
            member,
            position,
            digests,
            runs,
            sick: false,
            sick_from_start: state == StartState::Unhealthy,
            doing: if state == StartState::Silent { Doing::Hung } else { Doing::Running },
            dies_at: None,
            degrades_at: None,
            has_degraded: false,
            report: None,
            waiting: None,
            harmed_at: None,
            ended_at: None,
            killed: false,
        }
    }

    /// Lets its upgrade progress from one moment to a later one; nothing begins or ends between.
    pub fn progress(&mut self, from: u64, to: u64, environment: &Environment<'_>) {
        let Doing::Upgrading { left, .. } = &mut self.doing else { return };
        if environment.registry_out(&self.member, from) {
            saw("an upgrade stood still");
        } else {
            *left -= to - from;
        }
    }

    /// The next moment at which it changes by itself.
    pub fn next_change(&self, now: u64, environment: &Environment<'_>) -> Option<u64> {
        match self.doing {
            Doing::Upgrading { left, .. } if !environment.registry_out(&self.member, now) => Some(now + left),
            _ => self.dies_at.into_iter().chain(self.degrades_at).min(),
        }
    }

    /// The process changes of the instance in this millisecond.
    pub fn change(&mut self, now: u64, environment: &Environment<'_>) {
        self.killed = environment.killed(self.position, &self.member, now);
        if self.killed {
            self.note_what_a_kill_takes(now);
            if self.doing != Doing::Bricked {
                self.doing = Doing::Running;
            }
            self.dies_at = None;
            self.degrades_at = None;
            self.report = None;
            return;
        }
        if let Doing::Upgrading { to, sampled_upgrade, left: 0 } = self.doing {
            self.end_upgrade(now, to, sampled_upgrade);
        }
        if self.dies_at.is_some_and(|at| at <= now) {
            saw("a crashing one died");
            self.dies_at = None;
            self.doing = Doing::Crashed;
            self.harm_by_what_runs(now);
        }
        if self.degrades_at.is_some_and(|at| at <= now) {
            saw("a degrading one became unhealthy");
            self.degrades_at = None;
            self.has_degraded = true;
            self.sick = true;
        }
        if !self.killed && self.doing == Doing::Running && self.sick {
            self.harm_by_what_runs(now);
        }
        self.take_command(now, environment);
    }

    fn note_what_a_kill_takes(&self, now: u64) {
        match self.doing {
            Doing::Upgrading { left: 0, .. } => saw("a kill took an upgrade in its last millisecond"),
            Doing::Upgrading { .. } => saw("a kill took an upgrade"),
            Doing::Hung => saw("a kill revived a hung one"),
            Doing::Crashed => saw("a kill revived a crashed one"),
            Doing::Bricked => saw("a kill met a bricked one"),
            Doing::Running => {
                saw_if(self.dies_at.is_some_and(|at| at >= now), "a kill took a pending crash");
                saw_if(self.degrades_at.is_some_and(|at| at >= now), "a kill took a pending degrade");
            }
        }
    }

    fn end_upgrade(&mut self, now: u64, to: Release, sampled_upgrade: SampledUpgrade) {
        self.doing = Doing::Running;
        self.ended_at = Some(now);
        saw(name_of_end(to, sampled_upgrade.outcome));
        match sampled_upgrade.outcome {
            UpgradeOutcome::Fail => {
                self.report = Some(self.digests.of_release(to));
                self.sick_from_start = false;
            }
            UpgradeOutcome::Hang => {
                self.doing = Doing::Hung;
                self.harm(now, to);
            }
            UpgradeOutcome::Brick => {
                self.doing = Doing::Bricked;
                self.harm(now, to);
            }
            UpgradeOutcome::Ok => self.comes_to_run(to, false),
            UpgradeOutcome::Unhealthy => {
                self.comes_to_run(to, true);
                self.harm(now, to);
            }
            UpgradeOutcome::Crash => {
                self.comes_to_run(to, false);
                self.dies_at = sampled_upgrade.fails_after.map(|after| now + after.0);
            }
            UpgradeOutcome::Degrade => {
                self.comes_to_run(to, false);
                self.degrades_at = sampled_upgrade.fails_after.map(|after| now + after.0);
            }
        }
    }

    fn comes_to_run(&mut self, to: Release, sick: bool) {
        (self.runs, self.sick, self.sick_from_start) = (self.digests.of_release(to), sick, false);
    }

    fn harm_by_what_runs(&mut self, now: u64) {
        if self.runs == self.digests.of_release(Release::Target) {
            self.harm(now, Release::Target);
        }
    }

    fn harm(&mut self, now: u64, by: Release) {
        if by == Release::Target {
            self.harmed_at = self.harmed_at.or(Some(now));
        }
    }

    /// The controller commands it; the command arrives now, or waits.
    pub fn command(&mut self, now: u64, to: Release, sampled_upgrade: SampledUpgrade, environment: &Environment<'_>) {
        saw_if(self.waiting.is_some(), "a command replaced one that waited");
        self.waiting = Some((to, sampled_upgrade));
        self.take_command(now, environment);
        saw_if(self.waiting.is_some(), "a command waited");
    }

    fn take_command(&mut self, now: u64, environment: &Environment<'_>) {
        if self.killed || !environment.network_up(self.position, &self.member, now) {
            return;
        }
        let Some((to, sampled_upgrade)) = self.waiting.take() else { return };
        if self.doing == Doing::Bricked {
            return saw("a command met a bricked one");
        }
        saw_if(self.doing == Doing::Hung, "a command reached a hung one");
        saw_if(matches!(self.doing, Doing::Upgrading { .. }), "a command replaced one under way");
        saw_if(self.ended_at == Some(now), "a command reached in the millisecond of an end");
        let left = environment.upgrade_length(&self.member, now, sampled_upgrade.upgrade.0);
        self.doing = Doing::Upgrading { to, sampled_upgrade, left };
        self.dies_at = None;
        self.degrades_at = None;
        self.report = None;
        if self.harmed_at == Some(now) {
            // A change that begins in this same millisecond does not last.
            self.harmed_at = None;
            saw("a command undid harm in its first millisecond");
        }
    }

    /// Whether it serves.
    pub fn serves(&self) -> bool {
        !self.killed && self.doing == Doing::Running && !self.sick && !self.sick_from_start
    }

    /// Whether it has degraded.
    pub fn has_degraded(&self) -> bool {
        self.has_degraded
    }

    /// Whether an upgrade bricked it.
    pub fn is_bricked(&self) -> bool {
        self.doing == Doing::Bricked
    }

    /// The digest that it runs; while an upgrade is under way, the one from before.
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// Whether the target version has ever harmed it.
    pub fn harmed(&self) -> bool {
        self.harmed_at.is_some()
    }

    /// The heartbeat content at this moment, if it sends one.
    pub fn message(&self) -> Option<Message> {
        let silent = self.killed || matches!(self.doing, Doing::Hung | Doing::Crashed | Doing::Bricked);
        (!silent).then(|| Message { runs: self.runs, healthy: self.serves(), report: self.report })
    }
}

fn name_of_end(to: Release, outcome: UpgradeOutcome) -> &'static str {
    match (to, outcome) {
        (Release::Target, UpgradeOutcome::Ok) => "forward ok",
        (Release::Target, UpgradeOutcome::Fail) => "forward fail",
        (Release::Target, UpgradeOutcome::Hang) => "forward hang",
        (Release::Target, UpgradeOutcome::Unhealthy) => "forward unhealthy",
        (Release::Target, UpgradeOutcome::Crash) => "forward crash",
        (Release::Target, UpgradeOutcome::Brick) => "forward brick",
        (Release::Target, UpgradeOutcome::Degrade) => "forward degrade",
        (Release::Previous, UpgradeOutcome::Ok) => "back ok",
        (Release::Previous, UpgradeOutcome::Fail) => "back fail",
        (Release::Previous, UpgradeOutcome::Hang) => "back hang",
        (Release::Previous, UpgradeOutcome::Unhealthy) => "back unhealthy",
        (Release::Previous, UpgradeOutcome::Crash) => "back crash",
        (Release::Previous, UpgradeOutcome::Brick) => "back brick",
        (Release::Previous, UpgradeOutcome::Degrade) => "back degrade",
    }
}
