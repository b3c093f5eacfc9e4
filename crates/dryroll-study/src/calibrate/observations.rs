//! Observations from histories, by version and for the operator.

use std::collections::BTreeMap;

use super::history::{CommandOutcome, History, Reply, ReplyKind};
use super::sample::Times;
use dryroll_engine::OperatorDecision;
use dryroll_sim::text::Foreign;

/// Counts of commands by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttemptCounts {
    /// Healthy verdicts.
    pub healthy: u64,
    /// Reported failures.
    pub failed: u64,
    /// Health windows that closed without a verdict from the instance.
    pub timed_out: u64,
    /// Commands whose observation was cut short.
    pub cut_short: u64,
}

impl AttemptCounts {
    /// The total.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.healthy + self.failed + self.timed_out + self.cut_short
    }

    /// Reported failures, and the number of commands that came to an end.
    #[must_use]
    pub fn failures(&self) -> (u64, u64) {
        (self.failed, self.failed + self.healthy)
    }

    /// Timeouts, and the number of commands that were observed to their end.
    #[must_use]
    pub fn timeouts(&self) -> (u64, u64) {
        (self.timed_out, self.failed + self.healthy + self.timed_out)
    }
}

/// The observations of a version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VersionObservations {
    /// The version's id.
    pub version: Foreign,
    /// The counts over all histories.
    pub counts: AttemptCounts,
    /// The counts by history, for histories with a command to the version.
    pub by_history: Vec<AttemptCounts>,
    /// The upgrade times in each of these histories.
    pub times_by_history: Vec<Times>,
    /// Times from a command to its healthy verdict, milliseconds.
    pub healthy: Vec<u64>,
    /// Times from a command to its reported failure, milliseconds.
    pub failed: Vec<u64>,
    /// Times from a command to the end of its health window, milliseconds.
    pub timed_out: Vec<u64>,
    /// Times from a command to the end of its observation, milliseconds.
    pub cut_short: Vec<u64>,
    /// Whether a rollback went to it.
    pub restored: bool,
    /// Healthy verdicts that relapsed later. They are healthy in the counts.
    pub relapsed: u64,
}

impl VersionObservations {
    /// The times of its upgrades.
    #[must_use]
    pub fn times(&self) -> Times {
        let both = |a: &[u64], b: &[u64]| a.iter().chain(b).copied().collect();
        Times { seen: both(&self.healthy, &self.failed), open: both(&self.timed_out, &self.cut_short) }
    }

    fn count(&mut self, outcome: CommandOutcome, in_history: usize) {
        let counts = [&mut self.counts, &mut self.by_history[in_history]];
        for counts in counts {
            match outcome {
                CommandOutcome::Healthy(_) => counts.healthy += 1,
                CommandOutcome::Failed(_) => counts.failed += 1,
                CommandOutcome::TimedOut(_) => counts.timed_out += 1,
                CommandOutcome::CutShort(_) => counts.cut_short += 1,
            }
        }
        let times = &mut self.times_by_history[in_history];
        match outcome {
            CommandOutcome::Healthy(took) | CommandOutcome::Failed(took) => times.seen.push(took),
            CommandOutcome::TimedOut(took) | CommandOutcome::CutShort(took) => times.open.push(took),
        }
        match outcome {
            CommandOutcome::Healthy(took) => self.healthy.push(took),
            CommandOutcome::Failed(took) => self.failed.push(took),
            CommandOutcome::TimedOut(took) => self.timed_out.push(took),
            CommandOutcome::CutShort(took) => self.cut_short.push(took),
        }
    }
}

/// The observations of the operator.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperatorObservations {
    /// How long answers to a plan took, milliseconds.
    pub approvals: Times,
    /// How long decisions on trips took, milliseconds.
    pub decisions: Times,
    /// Plans that were approved.
    pub approved: u64,
    /// Plans that were edited.
    pub edited: u64,
    /// Plans that were rejected.
    pub rejected: u64,
    /// How long answers to promotions took, milliseconds.
    pub promotions: Times,
    /// Promotions that were given.
    pub promoted: u64,
    /// Promotions that were answered with a rollback or an abort.
    pub not_promoted: u64,
    /// The decisions on trips and their counts, most frequent first.
    pub on_trip: Vec<(OperatorDecision, u64)>,
}

/// The observations of all histories.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observations {
    /// The number of histories.
    pub histories: u64,
    /// How many have their end in the log.
    pub finished: u64,
    /// Verdicts whose start is not in the log.
    pub orphans: u64,
    /// By version, those that a rollback went to first.
    pub versions: Vec<VersionObservations>,
    /// The operator.
    pub operator: OperatorObservations,
    /// Pairs of heartbeats of one instance: how many there are, and how many lie whole intervals apart.
    pub rhythm: (u64, u64),
}

impl Observations {
    /// The observations of histories, if heartbeats come at this interval, milliseconds.
    #[must_use]
    pub fn of(histories: &[History], interval: u64) -> Self {
        let mut all = Self { histories: histories.len() as u64, ..Self::default() };
        for history in histories {
            all.add(history, interval.max(1));
        }
        all.versions.sort_by_key(|version| !version.restored);
        all.operator.on_trip.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        all
    }

    fn add(&mut self, history: &History, interval: u64) {
        self.finished += u64::from(history.finished);
        self.orphans += history.orphans;
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut heard: BTreeMap<&str, u64> = BTreeMap::new();
        for attempt in &history.attempts {
            let place = match places.get(attempt.version.raw()) {
                Some(&place) => place,
                None => {
                    let place = self.place(attempt.version.raw());
                    self.versions[place].by_history.push(AttemptCounts::default());
                    self.versions[place].times_by_history.push(Times::default());
                    places.insert(attempt.version.raw(), place);
                    place
                }
            };
            let version = &mut self.versions[place];
            version.restored |= history.restored.contains(&attempt.version);
            version.relapsed += u64::from(attempt.relapsed);
            let in_history = version.by_history.len() - 1;
            version.count(attempt.outcome, in_history);
            if let CommandOutcome::Healthy(took) | CommandOutcome::Failed(took) = attempt.outcome {
                let now = attempt.started + took;
                if let Some(before) = heard.insert(attempt.instance.raw(), now) {
                    let off = now.abs_diff(before) % interval;
                    self.rhythm.0 += 1;
                    // Both ends are rounded to a millisecond.
                    self.rhythm.1 += u64::from(off.min(interval - off) <= 2);
                }
            }
        }
        let operator = &mut self.operator;
        for (replies, times) in [
            (&history.approvals, &mut operator.approvals),
            (&history.decisions, &mut operator.decisions),
            (&history.promotions, &mut operator.promotions),
        ] {
            for &Reply { took, answer } in replies {
                if answer.is_some() { &mut times.seen } else { &mut times.open }.push(took);
            }
        }
        for reply in &history.promotions {
            match reply.answer {
                None => {}
                Some(ReplyKind::Promote) => operator.promoted += 1,
                Some(_) => operator.not_promoted += 1,
            }
        }
        for reply in history.approvals.iter().chain(&history.decisions) {
            match reply.answer {
                // Not offered there.
                None | Some(ReplyKind::Promote) => {}
                Some(ReplyKind::Approve) => operator.approved += 1,
                Some(ReplyKind::Edit) => operator.edited += 1,
                Some(ReplyKind::Reject) => operator.rejected += 1,
                Some(ReplyKind::OnTrip(decision)) => match operator.on_trip.iter_mut().find(|one| one.0 == decision) {
                    Some((_, count)) => *count += 1,
                    None => operator.on_trip.push((decision, 1)),
                },
            }
        }
    }

    fn place(&mut self, version: &str) -> usize {
        self.versions.iter().position(|known| known.version == version).unwrap_or_else(|| {
            self.versions.push(VersionObservations { version: version.into(), ..Default::default() });
            self.versions.len() - 1
        })
    }
}
