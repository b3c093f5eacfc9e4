//! What breakers hold against what: each keeps the verdicts since it last began anew, and counts them all each time.

use dryroll::engine::{
    BreakerScope, FailedBatches, FailureCount, Failures, Finding, Limit, Moments, Reason, Rounding, Rule, RuleKind,
    Sprt, Threshold, Unwell, Whole,
};

/// One verdict, or a relapse.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    /// The position in the plan.
    pub position: usize,
    /// The index of its batch.
    pub batch: usize,
    /// When it was given.
    pub at: u64,
    /// Why it failed.
    pub failure: Option<Reason>,
}

/// The sizes at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// All that were planned.
    pub planned: u32,
    /// The batch that the moment is about.
    pub batch: u32,
    /// All that are judged.
    pub judged: u32,
}

/// A rule of `breakers`, and what it has seen.
#[derive(Clone, Debug)]
pub struct Breaker {
    /// The rule.
    pub rule: Rule,
    /// The verdicts since it began anew.
    pub verdicts: Vec<Verdict>,
    /// Whether batches failed, in the order of their completion, since it began anew.
    pub batches: Vec<bool>,
    /// How many batches have completed at all.
    pub completed: u32,
    /// Unwell when a person decided to go on, and not called well since.
    pub left_out: Vec<usize>,
    /// It has noted already.
    pub noted: bool,
}

/// What a rule found: whom it counted, and the figures.
pub type Found = (Vec<usize>, Finding);

fn reaches(threshold: &Threshold, count: usize, sizes: &Sizes) -> bool {
    let whole = u64::from(whole(threshold, sizes));
    // Both sides in thousandths of a percent.
    let count = count as u64 * 100_000;
    let limit = match threshold.limit {
        Limit::Count(limit) => u64::from(limit) * 100_000,
        Limit::Share(share) => u64::from(share.thousandths()) * whole,
        Limit::Clamped { share, least, most } => {
            let number = share.of(sizes.planned, Rounding::Up);
            u64::from(number.max(least).min(most)) * 100_000
        }
    };
    count > 0 && if threshold.exceeds { count > limit } else { count >= limit }
}

fn whole(threshold: &Threshold, sizes: &Sizes) -> u32 {
    match threshold.of {
        Whole::Planned => sizes.planned,
        Whole::Batch => sizes.batch,
        Whole::Judged => sizes.judged,
    }
}

fn is_armed(armed: &dryroll::engine::Armed, sizes: &Sizes) -> bool {
    let over = armed.until_pct.is_some_and(|pct| sizes.judged * 100 >= pct * sizes.planned);
    sizes.judged >= armed.after_judged && !over
}

impl Breaker {
    /// One that has seen nothing.
    pub fn new(rule: Rule) -> Self {
        Self { rule, verdicts: vec![], batches: vec![], completed: 0, left_out: vec![], noted: false }
    }

    /// When it is judged; of `unwell` and `no_progress` neither.
    pub fn moments(&self) -> Option<Moments> {
        match &self.rule.kind {
            RuleKind::Failures(rule) => Some(rule.check),
            RuleKind::Sprt(rule) => Some(rule.check),
            RuleKind::FailedBatches(_) => Some(Moments::BatchEnd),
            RuleKind::Unwell(_) | RuleKind::NoProgress(_) => None,
        }
    }

    /// A person decided to go on: whether this rule tripped.
    pub fn go_on(&mut self, tripped: bool, unwell: &[usize]) {
        let in_a_row = match &self.rule.kind {
            RuleKind::Failures(rule) => rule.how == FailureCount::InARow,
            RuleKind::Sprt(_) | RuleKind::FailedBatches(_) => true,
            RuleKind::Unwell(_) | RuleKind::NoProgress(_) => false,
        };
        if tripped || in_a_row {
            self.verdicts.clear();
            self.batches.clear();
        }
        if tripped && matches!(self.rule.kind, RuleKind::Unwell(_)) {
            self.left_out = unwell.to_vec();
        }
    }

    /// What it finds, at a verdict or at the end of a batch, if it holds.
    pub fn judge(&self, now: u64, batch: usize, sizes: &Sizes) -> Option<Found> {
        let seen = |scope: BreakerScope| -> Vec<Verdict> {
            let here = |verdict: &&Verdict| scope == BreakerScope::Rollout || verdict.batch == batch;
            self.verdicts.iter().filter(here).copied().collect()
        };
        match &self.rule.kind {
            RuleKind::Failures(rule) => judge_failures(rule, now, &seen(rule.scope), sizes),
            RuleKind::Sprt(rule) => judge_sprt(rule, &seen(rule.scope)),
            RuleKind::FailedBatches(rule) => self.judge_batches(rule, sizes),
            RuleKind::Unwell(_) | RuleKind::NoProgress(_) => None,
        }
    }

    fn judge_batches(&self, rule: &FailedBatches, sizes: &Sizes) -> Option<Found> {
        let count = self.batches.iter().rev().take_while(|&&failed| failed).count() as u32;
        let holds = if rule.exceeds { count > rule.limit } else { count >= rule.limit };
        let finding = Finding::FailedBatches { count, completed: self.completed };
        (count > 0 && holds && is_armed(&rule.armed, sizes)).then_some((vec![], finding))
    }

    /// What it finds before a batch begins, of those who are unwell.
    pub fn judge_unwell(&self, rule: &Unwell, unwell: &[usize], sizes: &Sizes) -> Option<Found> {
        let counted: Vec<usize> = unwell.iter().copied().filter(|position| !self.left_out.contains(position)).collect();
        let holds = is_armed(&rule.armed, sizes) && reaches(&rule.threshold, counted.len(), sizes);
        let finding = Finding::Unwell {
            count: counted.len() as u32,
            whole: whole(&rule.threshold, sizes),
            of: rule.threshold.of,
        };
        holds.then_some((counted, finding))
    }
}

fn judge_failures(rule: &Failures, now: u64, seen: &[Verdict], sizes: &Sizes) -> Option<Found> {
    let mut failed: Vec<usize> = Vec::new();
    for verdict in seen {
        let Some(reason) = verdict.failure else {
            if rule.how == FailureCount::InARow {
                failed.clear();
            }
            continue;
        };
        let in_time = match rule.how {
            FailureCount::Window(window) => verdict.at + window.0 > now,
            FailureCount::Total | FailureCount::InARow => true,
        };
        if in_time && rule.reasons.as_ref().is_none_or(|reasons| reasons.contains(&reason)) {
            failed.push(verdict.position);
        }
    }
    let holds = is_armed(&rule.armed, sizes) && reaches(&rule.threshold, failed.len(), sizes);
    let finding = Finding::Failures {
        count: failed.len() as u32,
        whole: whole(&rule.threshold, sizes),
        of: rule.threshold.of,
        how: rule.how,
    };
    holds.then_some((failed, finding))
}

fn judge_sprt(rule: &Sprt, seen: &[Verdict]) -> Option<Found> {
    let (mut ratio, mut failed, mut verdicts) = (0.0, Vec::new(), 0);
    for verdict in seen {
        verdicts += 1;
        if verdict.failure.is_some() {
            ratio += rule.failed.0;
            failed.push(verdict.position);
        } else {
            ratio += rule.healthy.0;
        }
        if ratio <= rule.lower.0 {
            (ratio, verdicts) = (0.0, 0);
            failed.clear();
        }
    }
    let finding = Finding::Sprt { failures: failed.len() as u32, verdicts };
    (ratio >= rule.upper.0).then_some((failed, finding))
}
