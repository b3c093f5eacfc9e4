//! The ledger of ground truth: which instances did not serve, when, and whether the rollout caused it, summed over `[0,
//! end)`.

use super::compiled::Release;
use super::instance_history::{Doing, Segment, Trajectory};
use super::next_at::NextAt;
use crate::scenario::UpgradeOutcome;
use dryroll_engine::fleet::{At, DigestId, Span};

/// Sums over the instances of one run.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    end: At,
    /// Integral of not serving.
    pub capacity_loss: u128,
    /// Integral of harmed and not serving.
    pub unhealthy: u128,
    /// Instances ever harmed.
    pub harmed: u32,
    /// Harmed instances with a healthy verdict.
    pub escaped: u32,
    /// Harmed instances that do not serve at the end.
    pub still_down: u32,
    /// Instances that the target version takes down after the end, without those that something interferes with.
    pub pending: u32,
    /// Planned instances that do not run the target at the end.
    pub drifted: u32,
    /// Instances that an upgrade bricked.
    pub bricked: u32,
    starts: Vec<At>,
    ends: Vec<At>,
}

/// The state of an instance so far.
struct SoFar {
    running: Release,
    harmed: bool,
    /// The version that it runs is broken on this instance.
    sick: bool,
}

impl Ledger {
    /// Empties it for a run whose integrals end at `end`; keeps its buffers.
    pub fn clear(&mut self, end: At) {
        self.starts.clear();
        self.ends.clear();
        *self = Self {
            end,
            starts: std::mem::take(&mut self.starts),
            ends: std::mem::take(&mut self.ends),
            ..Self::default()
        };
    }

    #[inline]
    fn not_serving(&mut self, from: At, to: NextAt) -> Span {
        let to = to.or_by(self.end);
        if from >= to {
            return Span::ZERO;
        }
        let lost = to - from;
        self.capacity_loss += u128::from(lost.0);
        self.starts.push(from);
        self.ends.push(to);
        lost
    }

    /// Adds an instance that was never commanded and never failed.
    pub fn untouched(&mut self) {
        self.drifted += 1;
    }

    /// Adds an instance whose commands nothing interferes with: one of the rollout, and maybe one of its rollback.
    /// `passed`: its verdict was healthy.
    #[inline(always)]
    pub fn undisturbed(&mut self, first: &Trajectory, second: Option<(At, Trajectory)>, passed: bool) {
        let mut so_far = SoFar { running: Release::Previous, harmed: false, sick: false };
        match second {
            None => self.follow(first, Release::Target, NextAt::NEVER, &mut so_far),
            Some((dispatched, second)) => {
                // A newer command replaces one that still waits.
                if first.reached <= dispatched {
                    self.follow(first, Release::Target, second.reached, &mut so_far);
                }
                self.follow(&second, Release::Previous, NextAt::NEVER, &mut so_far);
            }
        }
        self.close(so_far.running == Release::Target, so_far.harmed, passed);
    }

    /// Adds the effects of one command up to `cut`, when the next command reaches the instance.
    #[inline(always)]
    fn follow(&mut self, trajectory: &Trajectory, to: Release, cut: NextAt, so_far: &mut SoFar) {
        let Some(reached) = trajectory.reached.get().filter(|&reached| reached <= self.end) else { return };
        let upgrade = self.not_serving(reached, trajectory.ends.min(cut));
        if so_far.harmed {
            self.unhealthy += u128::from(upgrade.0);
            self.still_down += u32::from(trajectory.ends.min(cut) > self.end);
        }
        if trajectory.ends > self.end || trajectory.ends > cut {
            return;
        }
        let down_from = match trajectory.outcome {
            UpgradeOutcome::Ok => NextAt::NEVER,
            // Back on the old version: healthy or not, as that version left it.
            UpgradeOutcome::Fail if !so_far.sick => NextAt::NEVER,
            UpgradeOutcome::Fail | UpgradeOutcome::Hang | UpgradeOutcome::Unhealthy | UpgradeOutcome::Brick => {
                trajectory.ends
            }
            UpgradeOutcome::Crash | UpgradeOutcome::Degrade => trajectory.dies,
        };
        if !matches!(trajectory.outcome, UpgradeOutcome::Hang | UpgradeOutcome::Fail | UpgradeOutcome::Brick) {
            so_far.running = to;
            so_far.sick = trajectory.outcome == UpgradeOutcome::Unhealthy;
        }
        let later = down_from.get().is_some_and(|from| from > self.end && cut > from);
        self.pending += u32::from(later && to == Release::Target);
        if let Some(down_from) = down_from.get().filter(|&from| from <= self.end && cut > from) {
            let down = self.not_serving(down_from, cut);
            // What an upgrade left in place goes on doing harm after one that failed.
            let by = if trajectory.outcome == UpgradeOutcome::Fail { so_far.running } else { to };
            so_far.harmed |= by == Release::Target;
            if so_far.harmed {
                self.unhealthy += u128::from(down.0);
                self.still_down += u32::from(cut > self.end);
            }
        }
    }

    /// Books an instance by its whole history, which must reach beyond the end. `target` is the digest of the target.
    pub fn by_history(&mut self, history: impl Iterator<Item = Segment>, target: DigestId, passed: bool) {
        let mut harmed = false;
        let (mut runs_target, mut is_bricked) = (false, false);
        let mut open: Option<At> = None;
        for segment in history {
            runs_target = segment.running == target;
            is_bricked = segment.doing == Doing::Bricked;
            harmed |= segment.harms;
            if segment.doing.serves() {
                if let Some(from) = open.take() {
                    self.not_serving(from, segment.from.into());
                }
            } else {
                open = open.or(Some(segment.from));
                if harmed {
                    let to = segment.to.min(self.end);
                    self.unhealthy += u128::from(to.since(segment.from).0);
                    self.still_down += u32::from(segment.from <= self.end && self.end < segment.to);
                }
            }
        }
        if let Some(from) = open {
            self.not_serving(from, self.end.into());
        }
        self.bricked += u32::from(is_bricked);
        self.close(runs_target, harmed, passed);
    }

    fn close(&mut self, runs_target: bool, harmed: bool, passed: bool) {
        self.harmed += u32::from(harmed);
        self.escaped += u32::from(harmed && passed);
        self.drifted += u32::from(!runs_target);
    }

    /// Most instances not serving at one moment: what has started by then less what has ended, at each start.
    pub fn most_not_serving(&mut self) -> u32 {
        if let Some(most) = self.most_of_separate_bursts() {
            return most;
        }
        self.starts.sort_unstable();
        self.ends.sort_unstable();
        let (mut ended, mut most) = (0, 0);
        for (i, &start) in self.starts.iter().enumerate() {
            while self.ends[ended] <= start {
                ended += 1;
            }
            most = most.max(i + 1 - ended);
        }
        most as u32
    }
}

impl Ledger {
    /// The common case without sorting: instances that start together are back before the next ones start.
    fn most_of_separate_bursts(&self) -> Option<u32> {
        let (mut most, mut burst) = (0, 0);
        let (mut started, mut all_back) = (At::ZERO, At::ZERO);
        for (&start, &end) in self.starts.iter().zip(&self.ends) {
            if start != started {
                if start < all_back {
                    return None;
                }
                (started, burst) = (start, 0);
            }
            burst += 1;
            most = most.max(burst);
            all_back = all_back.max(end);
        }
        Some(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_at_one_moment() {
        let mut ledger = Ledger::default();
        ledger.clear(At(1000));
        for (from, to) in [(0, 10), (0, 20), (10, 30), (15, 16), (20, 2000)] {
            ledger.not_serving(At(from), At(to).into());
        }
        assert_eq!(ledger.most_not_serving(), 3);
        assert_eq!(ledger.capacity_loss, 10 + 20 + 20 + 1 + 980);
    }
}
