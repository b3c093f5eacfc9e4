//! The rules of a rollout with their counts.

use super::{Counted, Finding, Moments, Rule, RuleKind, Scene, Then, failed_batches, failures, sprt, unwell};
use crate::fleet::Span;

/// A moment at which rules are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judge {
    /// A verdict was given.
    Verdict,
    /// A batch is completed.
    BatchEnd,
    /// A tick would begin a batch.
    BatchStart,
    /// So much time has passed without a healthy verdict.
    NoProgress {
        /// How much.
        passed: Span,
    },
}

/// The counts of one rule.
#[derive(Clone, Debug)]
enum State {
    Failures(failures::State),
    FailedBatches(failed_batches::State),
    Unwell(unwell::State),
    Sprt(sprt::State),
    NoProgress,
}

/// The rules that a rollout adds to its first one. Most rollouts have none, and then this costs one comparison.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    states: Vec<State>,
    /// Which rules have been noted.
    noted: Vec<bool>,
}

impl Rules {
    pub fn new(rules: &[Rule]) -> Self {
        let states = rules.iter().map(|rule| match rule.kind {
            RuleKind::Failures(_) => State::Failures(failures::State::default()),
            RuleKind::FailedBatches(_) => State::FailedBatches(failed_batches::State::default()),
            RuleKind::Unwell(_) => State::Unwell(unwell::State::default()),
            RuleKind::Sprt(_) => State::Sprt(sprt::State::default()),
            RuleKind::NoProgress(_) => State::NoProgress,
        });
        Self { states: states.collect(), noted: vec![false; rules.len()], rules: rules.to_vec() }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// A new rollout begins.
    pub fn reset(&mut self) {
        for state in &mut self.states {
            match state {
                State::FailedBatches(state) => *state = failed_batches::State::default(),
                state => restart(state),
            }
        }
        self.noted.fill(false);
    }

    /// Counts a verdict.
    pub fn count_verdict(&mut self, verdict: &Counted, is_waiting: bool) {
        for (rule, state) in self.rules.iter().zip(&mut self.states) {
            match (&rule.kind, state) {
                (RuleKind::Failures(rule), State::Failures(state)) => rule.count(state, verdict, is_waiting),
                (RuleKind::Sprt(rule), State::Sprt(state)) => rule.count(state, verdict, is_waiting),
                _ => {}
            }
        }
    }

    /// Counts a completed batch.
    pub fn count_batch(&mut self, failed: bool, is_waiting: bool) {
        for state in &mut self.states {
            if let State::FailedBatches(state) = state {
                state.count(failed, is_waiting);
            }
        }
    }

    /// A heartbeat calls an instance well.
    pub fn is_well(&mut self, position: u32) {
        for state in &mut self.states {
            if let State::Unwell(state) = state {
                state.is_well(position);
            }
        }
    }

    /// What rule `index` finds at a moment, if it is judged then and holds. A rule that was noted finds nothing more.
    /// `unwell` iterates over the positions that are unwell and not in flight.
    pub fn judge<I: Iterator<Item = u32>>(
        &mut self,
        index: usize,
        judge: Judge,
        scene: &Scene,
        unwell: impl Fn() -> I,
    ) -> Option<(Then, Finding)> {
        let then = self.rules[index].then;
        if then == Then::Note && self.noted[index] {
            return None;
        }
        let finding = match (&self.rules[index].kind, &mut self.states[index], judge) {
            (RuleKind::Failures(rule), State::Failures(state), judge) if is_moment(rule.check, judge) => {
                rule.judge(state, scene)
            }
            (RuleKind::Sprt(rule), State::Sprt(state), judge) if is_moment(rule.check, judge) => {
                rule.judge(state, scene.batch)
            }
            (RuleKind::FailedBatches(rule), State::FailedBatches(state), Judge::BatchEnd) => rule.judge(state, scene),
            (RuleKind::Unwell(rule), State::Unwell(state), Judge::BatchStart) => {
                rule.judge(unwell().filter(|&position| state.counts(position)).count() as u32, scene)
            }
            (RuleKind::NoProgress(rule), _, Judge::NoProgress { passed }) => {
                (rule.after <= passed).then_some(Finding::NoProgress { after: rule.after })
            }
            _ => None,
        };
        finding.map(|finding| (then, finding))
    }

    /// Marks a rule as noted.
    pub fn note(&mut self, index: usize) {
        self.noted[index] = true;
    }

    /// The positions that a rule counts, in the order in which an event lists them.
    pub fn positions<I: Iterator<Item = u32>>(
        &mut self,
        index: usize,
        scene: &Scene,
        unwell: impl Fn() -> I,
    ) -> Vec<u32> {
        match (&self.rules[index].kind, &mut self.states[index]) {
            (RuleKind::Failures(rule), State::Failures(state)) => rule.positions(state, scene),
            (RuleKind::Sprt(rule), State::Sprt(state)) => rule.positions(state, scene.batch).to_vec(),
            (_, State::Unwell(state)) => unwell().filter(|&position| state.counts(position)).collect(),
            _ => Vec::new(),
        }
    }

    /// A person decided to continue: the rule that tripped counts anew, and so does every run and every test.
    pub fn rearm<I: Iterator<Item = u32>>(&mut self, tripped: Option<usize>, unwell: impl Fn() -> I) {
        for (index, (rule, state)) in self.rules.iter().zip(&mut self.states).enumerate() {
            let is_run = match &rule.kind {
                RuleKind::Failures(rule) => rule.how == super::FailureCount::InARow,
                RuleKind::FailedBatches(_) | RuleKind::Sprt(_) => true,
                RuleKind::Unwell(_) | RuleKind::NoProgress(_) => false,
            };
            match state {
                State::Unwell(state) if tripped == Some(index) => state.leave_out(unwell()),
                State::Unwell(_) => {}
                state if is_run || tripped == Some(index) => restart(state),
                _ => {}
            }
        }
    }

    /// The shortest time without progress at which a rule is to be judged.
    pub fn shortest_no_progress(&self) -> Option<Span> {
        let due = self.rules.iter().zip(&self.noted).filter_map(|(rule, noted)| match rule.kind {
            RuleKind::NoProgress(no_progress) if !noted => Some(no_progress.after),
            _ => None,
        });
        due.min()
    }

    /// The rules with what each counts now, for whoever watches.
    pub fn view(&self, batch: u32) -> impl Iterator<Item = (&Rule, Option<u32>)> {
        self.rules.iter().zip(&self.states).map(move |(rule, state)| {
            let count = match (&rule.kind, state) {
                (RuleKind::Failures(rule), State::Failures(state)) => Some(rule.shown(state, batch)),
                (RuleKind::Sprt(rule), State::Sprt(state)) => Some(rule.positions(state, batch).len() as u32),
                (_, State::FailedBatches(state)) => Some(state.in_a_row()),
                _ => None,
            };
            (rule, count)
        })
    }
}

fn restart(state: &mut State) {
    match state {
        State::Failures(state) => state.restart(),
        State::FailedBatches(state) => state.restart(),
        State::Unwell(state) => state.restart(),
        State::Sprt(state) => state.restart(),
        State::NoProgress => {}
    }
}

fn is_moment(check: Moments, judge: Judge) -> bool {
    matches!((check, judge), (Moments::Verdict, Judge::Verdict) | (Moments::BatchEnd, Judge::BatchEnd))
}
