//! The ledger of ground truth: who did not serve, when, and whose fault it was, summed up over `[0, end)`.

use super::life::{Course, Segment};
use super::world::Release;
use crate::scenario::UpgradeOutcome;

/// Sums over the instances of one run.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    end: u64,
    /// Integral of not serving.
    pub capacity_loss: u128,
    /// Integral of harmed and not serving.
    pub unhealthy: u128,
    /// Instances ever harmed.
    pub harmed: u32,
    /// Harmed instances with a healthy verdict.
    pub escaped: u32,
    /// Planned instances that do not run the target at the end.
    pub drifted: u32,
    starts: Vec<u64>,
    ends: Vec<u64>,
}

/// A command and what became of it, where nothing interfered.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// When it was dispatched.
    pub dispatched: u64,
    /// To which release.
    pub to: Release,
    /// What became of it.
    pub course: Course,
}

impl Ledger {
    /// Empties it for a run whose integrals end at `end`; keeps its buffers.
    pub fn clear(&mut self, end: u64) {
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
    fn not_serving(&mut self, from: u64, to: u64) -> u64 {
        let to = to.min(self.end);
        if from >= to {
            return 0;
        }
        self.capacity_loss += u128::from(to - from);
        self.starts.push(from);
        self.ends.push(to);
        to - from
    }

    /// Books an instance that nobody commanded and nothing befell.
    pub fn untouched(&mut self) {
        self.drifted += 1;
    }

    /// Books an instance whose commands met with nothing else. `passed`: its verdict was healthy.
    #[inline]
    pub fn undisturbed(&mut self, steps: [Option<Step>; 2], passed: bool) {
        let mut running = Release::Previous;
        let mut harmed = false;
        for i in 0..2 {
            let Some(Step { course, to, .. }) = steps[i] else { break };
            let next = steps.get(i + 1).copied().flatten();
            // A newer command replaces one that still waits, and ends what the one before it came to.
            if course.reached > self.end || next.is_some_and(|next| course.reached > next.dispatched) {
                continue;
            }
            let cut = next.map_or(u64::MAX, |next| next.course.reached);
            let upgrade = self.not_serving(course.reached, course.ends.min(cut));
            if harmed {
                self.unhealthy += u128::from(upgrade);
            }
            if course.ends > self.end || course.ends >= cut {
                continue;
            }
            let down_from = match course.outcome {
                UpgradeOutcome::Ok => u64::MAX,
                UpgradeOutcome::Fail => continue,
                UpgradeOutcome::Hang | UpgradeOutcome::Unhealthy => course.ends,
                UpgradeOutcome::Crash => course.dies,
            };
            if course.outcome != UpgradeOutcome::Hang {
                running = to;
            }
            if down_from <= self.end && down_from < cut {
                let down = self.not_serving(down_from, cut);
                harmed |= to == Release::Target;
                if harmed {
                    self.unhealthy += u128::from(down);
                }
            }
        }
        self.close(running, harmed, passed);
    }

    /// Books an instance by its whole life, which must reach beyond the end.
    pub fn lived(&mut self, life: impl Iterator<Item = Segment>, passed: bool) {
        let mut harmed = false;
        let mut running = Release::Previous;
        let mut open: Option<u64> = None;
        for segment in life {
            running = segment.running;
            harmed |= segment.doing.is_of_the_version() && segment.commanded == Release::Target;
            if segment.doing.serves() {
                if let Some(from) = open.take() {
                    self.not_serving(from, segment.from);
                }
            } else {
                open = open.or(Some(segment.from));
                if harmed {
                    let to = segment.to.min(self.end);
                    self.unhealthy += u128::from(to.saturating_sub(segment.from));
                }
            }
        }
        if let Some(from) = open {
            self.not_serving(from, self.end);
        }
        self.close(running, harmed, passed);
    }

    fn close(&mut self, running: Release, harmed: bool, passed: bool) {
        self.harmed += u32::from(harmed);
        self.escaped += u32::from(harmed && passed);
        self.drifted += u32::from(running != Release::Target);
    }

    /// Most instances not serving at one moment: what has started by then less what has ended, at each start.
    pub fn most_not_serving(&mut self) -> u32 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_at_one_moment() {
        let mut ledger = Ledger::default();
        ledger.clear(1000);
        for (from, to) in [(0, 10), (0, 20), (10, 30), (15, 16), (20, 2000)] {
            ledger.not_serving(from, to);
        }
        assert_eq!(ledger.most_not_serving(), 3);
        assert_eq!(ledger.capacity_loss, 10 + 20 + 20 + 1 + 980);
    }
}
