//! Wald's sequential probability ratio test of the failure rate.
//!
//! Each verdict adds to the log-likelihood ratio of the rate `bad` against the rate `good`. The rule holds when the
//! ratio reaches `log((1 − β) / α)`; the ratio is set to zero when it falls to `log(β / (1 − α))`. Source: A. Wald,
//! "Sequential Tests of Statistical Hypotheses", Annals of Mathematical Statistics 16 (1945).
//!
//! The engine has no logarithm of its own: whoever makes the settings computes the four numbers.

use super::{Counted, Finding};
use crate::BreakerScope;
use crate::breaker::Moments;

/// A logarithm of a ratio: a finite number.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct LogRatio(pub f64);

impl PartialEq for LogRatio {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for LogRatio {}

/// A sequential test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sprt {
    /// What a failed verdict adds: `log(bad / good)`, above zero.
    pub failed: LogRatio,
    /// What a healthy verdict adds: `log((1 − bad) / (1 − good))`, below zero.
    pub healthy: LogRatio,
    /// Where it holds: `log((1 − β) / α)`.
    pub upper: LogRatio,
    /// Where it begins anew: `log(β / (1 − α))`.
    pub lower: LogRatio,
    /// When it is judged.
    pub check: Moments,
    /// Whether each batch has a test of its own.
    pub scope: BreakerScope,
}

/// One test in progress.
#[derive(Clone, Debug, Default)]
struct Test {
    ratio: f64,
    /// The failures since the last reset, oldest first.
    failed: Vec<u32>,
    verdicts: u32,
}

impl Test {
    fn reset(&mut self) {
        self.ratio = 0.0;
        self.failed.clear();
        self.verdicts = 0;
    }
}

/// The tests of a rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// By batch, or one for the whole rollout.
    tests: Vec<Test>,
}

impl State {
    /// Begins anew.
    pub fn restart(&mut self) {
        self.tests.iter_mut().for_each(Test::reset);
    }
}

impl Sprt {
    fn scope_of(&self, batch: u32) -> usize {
        match self.scope {
            BreakerScope::Rollout => 0,
            BreakerScope::Batch => batch as usize,
        }
    }

    /// Adds one verdict. While a person is asked, the test stands still.
    pub(crate) fn count(&self, state: &mut State, verdict: &Counted, is_waiting: bool) {
        if is_waiting {
            return;
        }
        let scope = self.scope_of(verdict.batch);
        if state.tests.len() <= scope {
            state.tests.resize_with(scope + 1, Test::default);
        }
        let test = &mut state.tests[scope];
        test.verdicts += 1;
        if verdict.failure.is_some() {
            test.ratio += self.failed.0;
            test.failed.push(verdict.position);
        } else {
            test.ratio += self.healthy.0;
        }
        if test.ratio <= self.lower.0 {
            test.reset();
        }
    }

    /// What it finds if it holds.
    pub(crate) fn judge(&self, state: &State, batch: u32) -> Option<Finding> {
        let test = state.tests.get(self.scope_of(batch))?;
        (test.ratio >= self.upper.0)
            .then_some(Finding::Sprt { failures: test.failed.len() as u32, verdicts: test.verdicts })
    }

    pub(crate) fn positions<'a>(&self, state: &'a State, batch: u32) -> &'a [u32] {
        state.tests.get(self.scope_of(batch)).map_or(&[], |test| &test.failed)
    }
}
