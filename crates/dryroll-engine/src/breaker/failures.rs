//! Counts of failed verdicts: in total, in a row, or within a window of time.

use super::threshold::{Armed, Threshold};
use super::{Counted, Finding, Scene};
use crate::fleet::{At, Span};
use crate::{BreakerScope, Reason};

/// Which failures count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum FailureCount {
    /// All so far.
    Total,
    /// Those since the last healthy verdict.
    InARow,
    /// Those of the last stretch of time, its begin excluded.
    Window(Span),
}

/// When a rule is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Moments {
    /// At every verdict.
    #[default]
    Verdict,
    /// When a batch is completed.
    BatchEnd,
}

/// A rule about failed verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Failures {
    /// Which count together.
    pub how: FailureCount,
    /// The limit.
    pub threshold: Threshold,
    /// When it can hold.
    pub armed: Armed,
    /// When it is judged.
    pub check: Moments,
    /// Which failures count; `None`: all.
    pub reasons: Option<Vec<Reason>>,
    /// Whether each batch has a count of its own.
    pub scope: BreakerScope,
}

/// The failures of one scope that count, oldest first.
#[derive(Clone, Debug, Default)]
struct Tally {
    failed: Vec<(u32, At)>,
    /// Those before this place are too old for the window.
    from: usize,
}

/// The counts of a rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// By batch, or one for the whole rollout.
    tallies: Vec<Tally>,
}

impl Failures {
    fn scope_of(&self, batch: u32) -> usize {
        match self.scope {
            BreakerScope::Rollout => 0,
            BreakerScope::Batch => batch as usize,
        }
    }

    /// Counts one verdict. While a person is asked, a run of failures stands still.
    pub(crate) fn count(&self, state: &mut State, verdict: &Counted, is_waiting: bool) {
        if is_waiting && self.how == FailureCount::InARow {
            return;
        }
        let scope = self.scope_of(verdict.batch);
        if state.tallies.len() <= scope {
            state.tallies.resize_with(scope + 1, Tally::default);
        }
        let tally = &mut state.tallies[scope];
        match verdict.failure {
            None if self.how == FailureCount::InARow => tally.failed.clear(),
            Some(reason) if self.reasons.as_ref().is_none_or(|reasons| reasons.contains(&reason)) => {
                tally.failed.push((verdict.position, verdict.at));
            }
            None | Some(_) => {}
        }
    }

    fn counted<'a>(&self, state: &'a mut State, scene: &Scene) -> &'a [(u32, At)] {
        let Some(tally) = state.tallies.get_mut(self.scope_of(scene.batch)) else { return &[] };
        if let FailureCount::Window(window) = self.how {
            while tally.failed.get(tally.from).is_some_and(|&(_, at)| at + window <= scene.now) {
                tally.from += 1;
            }
        }
        &tally.failed[tally.from..]
    }

    /// What it finds if it holds.
    pub(crate) fn judge(&self, state: &mut State, scene: &Scene) -> Option<Finding> {
        let count = self.counted(state, scene).len() as u32;
        (self.armed.is_armed(scene) && self.threshold.holds(count, scene)).then(|| Finding::Failures {
            count,
            whole: self.threshold.whole(scene),
            of: self.threshold.of,
            how: self.how,
        })
    }

    /// Its count as of the last moment at which it was judged.
    pub(crate) fn shown(&self, state: &State, batch: u32) -> u32 {
        state.tallies.get(self.scope_of(batch)).map_or(0, |tally| (tally.failed.len() - tally.from) as u32)
    }

    /// The positions that it counts, oldest first.
    pub(crate) fn positions(&self, state: &mut State, scene: &Scene) -> Vec<u32> {
        self.counted(state, scene).iter().map(|&(position, _)| position).collect()
    }
}

impl State {
    /// Counts anew.
    pub fn restart(&mut self) {
        for tally in &mut self.tallies {
            tally.failed.clear();
            tally.from = 0;
        }
    }
}
