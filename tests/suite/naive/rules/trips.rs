//! When to stop: which rule holds at a moment, and the trip.

use dryroll::engine::{
    BreakerOrder, BreakerScope, EventBody, Finding, Moments, Reason, RequestKind, RuleKind, Then, TripReason,
};

use super::super::coverage::{saw, saw_if};
use super::super::verdicts::{Sizes, Verdict};
use super::super::walk::Phase;
use super::Rules;

impl Rules<'_> {
    /// The limit of the first rule in the rollout that goes on.
    fn first_limit(&self) -> Option<usize> {
        let of_rollback = self.scenario.rollout.rollback_max_consecutive_failures.map(|limit| limit.get() as usize);
        if self.walk().id == 2 { of_rollback.or(self.limit) } else { self.limit }
    }

    /// Counts one verdict in the first rule; whether that holds.
    fn count_in_first(&mut self, batch: usize, position: usize, failed: bool) -> bool {
        let limit = self.first_limit();
        let place = if self.scenario.rollout.breaker_scope == BreakerScope::Batch { batch } else { 0 };
        let runs = &mut self.walk_mut().runs;
        runs.resize(runs.len().max(place + 1), Vec::new());
        if failed {
            runs[place].push(position);
        } else {
            runs[place].clear();
        }
        Some(runs[place].len()) == limit
    }

    fn trip_first(&mut self, now: u64, batch: usize) -> Option<Then> {
        let limit = self.first_limit().unwrap_or(0);
        let place = if self.scenario.rollout.breaker_scope == BreakerScope::Batch { batch } else { 0 };
        let failed = self.walk().runs[place].clone();
        let reason = TripReason::ConsecutiveFailures { limit: limit as u32 };
        self.trip(now, batch, None, &failed, reason, Then::Ask);
        Some(Then::Ask)
    }

    /// A verdict or relapse counts for all rules, and those of verdicts are judged.
    pub(super) fn count_and_judge(
        &mut self,
        now: u64,
        batch: usize,
        position: usize,
        failure: Option<Reason>,
    ) -> Option<Then> {
        let (id, waits) = (self.walk().id, self.walk().tripped);
        if id == 1 {
            let verdict = Verdict { position, batch, at: now, failure };
            self.breakers.iter_mut().for_each(|breaker| breaker.verdicts.push(verdict));
        }
        if waits {
            return None;
        }
        if self.scenario.rollout.breaker_order == BreakerOrder::Observed
            && self.count_in_first(batch, position, failure.is_some())
        {
            return self.trip_first(now, batch);
        }
        if id == 1 { self.judge_breakers(now, batch, Moments::Verdict) } else { None }
    }

    /// A batch is completed, and no trip waits.
    pub(super) fn judge_batch_end(&mut self, now: u64, batch: usize) -> Option<Then> {
        if self.scenario.rollout.breaker_order == BreakerOrder::Listed {
            for place in self.walk().batches[batch].places.clone() {
                let (position, failed) = (self.walk().members[place], self.walk().standings[place] != Phase::Healthy);
                if self.count_in_first(batch, position, failed) {
                    return self.trip_first(now, batch);
                }
            }
        }
        if self.walk().id == 1 { self.judge_breakers(now, batch, Moments::BatchEnd) } else { None }
    }

    fn sizes(&self, batch: usize) -> Sizes {
        let walk = self.walk();
        let of_batch = walk.batches.get(batch).map_or(0, |batch| batch.places.len());
        Sizes { planned: self.ids.len() as u32, batch: of_batch as u32, judged: walk.judged() as u32 }
    }

    fn judge_breakers(&mut self, now: u64, batch: usize, moment: Moments) -> Option<Then> {
        let sizes = self.sizes(batch);
        for rule in 0..self.breakers.len() {
            if self.breakers[rule].moments() != Some(moment) {
                continue;
            }
            if let Some((failed, finding)) = self.breakers[rule].judge(now, batch, &sizes)
                && let Some(then) = self.found(now, batch, rule, &failed, finding)
            {
                return Some(then);
            }
        }
        None
    }

    /// The rules that are judged on the tick that would begin a batch; whether one tripped.
    pub(super) fn judge_unwell(&mut self, now: u64, next: usize) -> bool {
        if self.walk().id != 1 {
            return false;
        }
        let (sizes, unwell) = (self.sizes(next), self.unwell());
        for rule in 0..self.breakers.len() {
            let RuleKind::Unwell(of) = self.breakers[rule].rule.kind else { continue };
            if let Some((failed, finding)) = self.breakers[rule].judge_unwell(&of, &unwell, &sizes)
                && let Some(then) = self.found(now, next, rule, &failed, finding)
            {
                saw("a batch held back by unwell ones");
                self.go_on_after(now, Some(then));
                return true;
            }
        }
        false
    }

    /// The moment at which a rule of no progress would hold.
    pub fn no_progress_at(&self) -> Option<u64> {
        let walk = self.walks.last()?;
        let waits_for_something = walk.in_flight() > 0 || walk.next_place().is_some();
        if walk.id != 1 || self.question.is_some() || !waits_for_something || self.outcome.is_some() {
            return None;
        }
        (0..self.breakers.len()).filter_map(|rule| self.no_progress_of(rule)).min()
    }

    fn no_progress_of(&self, rule: usize) -> Option<u64> {
        let RuleKind::NoProgress(of) = self.breakers[rule].rule.kind else { return None };
        let since = self.begun_at?.max(self.healthy_at).max(self.decided_at);
        (!self.breakers[rule].noted).then_some(since + of.after.0)
    }

    /// Nobody got a healthy verdict for too long, at a moment that may be past.
    pub fn no_progress(&mut self, now: u64, due: u64) {
        let batch = self.walk().batches.len() - 1;
        for rule in 0..self.breakers.len() {
            let RuleKind::NoProgress(of) = self.breakers[rule].rule.kind else { continue };
            if self.no_progress_of(rule) != Some(due) {
                continue;
            }
            let finding = Finding::NoProgress { after: of.after };
            if let Some(then) = self.found(now, batch, rule, &[], finding) {
                return self.go_on_after(now, Some(then));
            }
        }
    }

    /// A rule of `breakers` holds: what follows, unless it only notes.
    fn found(&mut self, now: u64, batch: usize, rule: usize, failed: &[usize], finding: Finding) -> Option<Then> {
        let then = self.breakers[rule].rule.then;
        saw(kind_and_then(&self.breakers[rule].rule.kind, then));
        let reason = TripReason::Rule { rule: rule as u32 + 1, finding };
        if then != Then::Note {
            let noted = self.events.iter().any(|event| matches!(event.body, EventBody::BreakerNoted { .. }));
            saw_if(noted, "a note and a trip at one moment");
            self.trip(now, batch, Some(rule), failed, reason, then);
            return Some(then);
        }
        if !self.breakers[rule].noted {
            self.breakers[rule].noted = true;
            let failed = failed.iter().map(|&position| self.ids[position]).collect();
            self.say(now, 1, EventBody::BreakerNoted { batch_index: batch as u32, failed, reason });
        }
        None
    }

    fn trip(&mut self, now: u64, batch: usize, rule: Option<usize>, failed: &[usize], reason: TripReason, then: Then) {
        self.tripped_by = rule;
        let walk = self.walk_mut();
        let id = walk.id;
        walk.tripped = true;
        if let Some(last) = walk.batches.last_mut()
            && last.bake_end.is_some()
        {
            saw_if(!last.bake_over, "a trip in a bake");
            saw_if(!last.bake_over && then == Then::RollBack, "a rollback out of a bake by a rule");
            last.bake_over = true;
        }
        if let Some((_, RequestKind::Promotion)) = self.question {
            saw("a promotion became void");
            self.question = None;
        }
        let failed = failed.iter().map(|&position| self.ids[position]).collect();
        self.say(now, id, EventBody::CircuitBreakerTripped { batch_index: batch as u32, failed, reason });
        if then == Then::Ask {
            let kind =
                if id == 2 { RequestKind::RollbackContinuation } else { RequestKind::RollingUpgradeContinuation };
            self.ask(now, id, kind);
        }
    }
}

fn kind_and_then(kind: &RuleKind, then: Then) -> &'static str {
    match (kind, then) {
        (RuleKind::Failures(_), Then::Ask) => "failures ask",
        (RuleKind::Failures(_), Then::Note) => "failures note",
        (RuleKind::Failures(_), Then::Abort) => "failures abort",
        (RuleKind::Failures(_), Then::RollBack) => "failures roll back",
        (RuleKind::FailedBatches(_), Then::Ask) => "failed batches ask",
        (RuleKind::FailedBatches(_), Then::Note) => "failed batches note",
        (RuleKind::FailedBatches(_), Then::Abort) => "failed batches abort",
        (RuleKind::FailedBatches(_), Then::RollBack) => "failed batches roll back",
        (RuleKind::Unwell(_), Then::Ask) => "unwell ask",
        (RuleKind::Unwell(_), Then::Note) => "unwell note",
        (RuleKind::Unwell(_), Then::Abort) => "unwell abort",
        (RuleKind::Unwell(_), Then::RollBack) => "unwell roll back",
        (RuleKind::Sprt(_), Then::Ask) => "sprt ask",
        (RuleKind::Sprt(_), Then::Note) => "sprt note",
        (RuleKind::Sprt(_), Then::Abort) => "sprt abort",
        (RuleKind::Sprt(_), Then::RollBack) => "sprt roll back",
        (RuleKind::NoProgress(_), Then::Ask) => "no progress ask",
        (RuleKind::NoProgress(_), Then::Note) => "no progress note",
        (RuleKind::NoProgress(_), Then::Abort) => "no progress abort",
        (RuleKind::NoProgress(_), Then::RollBack) => "no progress roll back",
    }
}
