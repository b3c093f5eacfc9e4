//! The breakers of a policy as a chain: what they remember, and when one of them trips.
//!
//! A rule that only notes does nothing that a walk could see, so it is left out. A count that holds whatever else
//! happens is not followed further.

use std::cell::Cell;

use super::OutOfScope;
use dryroll_engine::fleet::At;
use dryroll_engine::{
    BreakerScope, FailureCount, Failures, Limit, Moments, Plan, Reason, Rule, RuleKind, Scene, Sprt, Then, Threshold,
    Whole,
};
use dryroll_stats::exact::{Chain, Group, Moment, Rules, Turn};

/// The largest number of states of a chain.
const MOST_STATES: usize = 4_000_000;
/// The largest number of rules.
const MOST_RULES: usize = 100;
/// A likelihood ratio so close to a bound may be on either side of it in the engine, which adds verdict by verdict.
const TOO_CLOSE: f64 = 1e-9;

/// The rules of a rollout as a chain.
#[derive(Clone, Debug)]
pub(super) struct RuleChain {
    pub chain: Chain,
    /// By rule of the chain: what follows a trip.
    pub thens: Vec<Then>,
}

impl RuleChain {
    /// The chain of these rules through groups of instances of a plan.
    pub fn new(rules: &[Rule], plan: &Plan, groups: &[Group]) -> Result<Self, OutOfScope> {
        let sizes = (0..plan.batch_count()).map(|index| plan.batch(index).len() as u32).collect();
        let largest = Scene {
            now: At(0),
            batch: 0,
            batch_size: plan.batch_size(),
            planned: plan.total_instances(),
            judged: plan.total_instances(),
        };
        let counted: Vec<Counted> =
            rules.iter().map(|rule| Counted::new(&rule.kind, &largest)).collect::<Result<_, _>>()?;
        if counted.len() > MOST_RULES {
            return Err(OutOfScope::new("the rollout has too many rules"));
        }
        let counted = Counting { rules: counted, sizes, planned: plan.total_instances(), is_close: Cell::new(false) };
        let chain = Chain::new(&counted, rules.len(), groups, MOST_STATES)
            .map_err(|_| OutOfScope::new("the fleet and the breakers have too many counts to compute every one"))?;
        if counted.is_close.get() {
            return Err(OutOfScope::new("the sequential test can reach a bound exactly, where rounding decides"));
        }
        Ok(Self { chain, thens: rules.iter().map(|rule| rule.then).collect() })
    }
}

/// Whether a trip may depend on the order of the verdicts in a batch. A total only grows, so it does not, unless the
/// rule is judged within the batch against a number that grows too, or may cease to hold there.
pub(super) fn depends_on_order(rule: &Rule) -> bool {
    match &rule.kind {
        RuleKind::Failures(Failures { how: FailureCount::Total, check: Moments::BatchEnd, .. }) => false,
        RuleKind::Failures(Failures { how: FailureCount::Total, threshold, armed, .. }) => {
            armed.until_pct.is_some() || (threshold.of == Whole::Judged && matches!(threshold.limit, Limit::Share(_)))
        }
        _ => true,
    }
}

/// A rule that counts verdicts.
enum Counted {
    Failures {
        rule: Failures,
        /// The least count that holds at any moment: larger ones are not told apart.
        cap: u32,
        /// Whether a reported failure counts, and a silent one.
        counts: [bool; 2],
    },
    Test(Sprt),
}

impl Counted {
    fn new(kind: &RuleKind, largest: &Scene) -> Result<Self, OutOfScope> {
        let why = match kind {
            RuleKind::Failures(rule) if !matches!(rule.how, FailureCount::Window(_)) => {
                let holds = |count: &u32| rule.threshold.holds(*count, largest);
                let cap = (1..=largest.planned).find(holds).unwrap_or(largest.planned.saturating_add(1));
                let counts = |reason: Reason| rule.reasons.as_ref().is_none_or(|reasons| reasons.contains(&reason));
                let counts = [Reason::UpgradeFailed, Reason::HealthTimeout].map(counts);
                return Ok(Self::Failures { rule: rule.clone(), cap, counts });
            }
            RuleKind::Sprt(rule) => return Ok(Self::Test(*rule)),
            RuleKind::Failures(_) => "a rule counts the failures of a stretch of time",
            RuleKind::FailedBatches(_) => "a rule counts failed batches",
            RuleKind::Unwell(_) => "a rule counts instances that are unwell",
            RuleKind::NoProgress(_) => "a rule measures the time without a healthy verdict",
        };
        Err(OutOfScope::new(why))
    }

    fn scope(&self) -> BreakerScope {
        match self {
            Self::Failures { rule, .. } => rule.scope,
            Self::Test(rule) => rule.scope,
        }
    }

    fn check(&self) -> Moments {
        match self {
            Self::Failures { rule, .. } => rule.check,
            Self::Test(rule) => rule.check,
        }
    }
}

/// All rules of a chain.
struct Counting {
    rules: Vec<Counted>,
    /// By batch.
    sizes: Vec<u32>,
    planned: u32,
    /// Whether a test comes too close to one of its bounds.
    is_close: Cell<bool>,
}

/// What a rule remembers: failures, and of a test the passes too.
type Memory = [u32; 2];

impl Counting {
    fn ratio(rule: &Sprt, [failed, passed]: Memory) -> f64 {
        f64::from(failed) * rule.failed.0 + f64::from(passed) * rule.healthy.0
    }

    fn reaches(&self, ratio: f64, bound: f64) -> bool {
        if (ratio - bound).abs() < TOO_CLOSE * bound.abs().max(1.0) {
            self.is_close.set(true);
        }
        ratio >= bound
    }

    fn tripped(&self, state: &[Memory], moment: Moment, check: Moments) -> Option<u8> {
        let scene = Scene {
            now: At(0),
            batch: moment.batch,
            batch_size: self.sizes.get(moment.batch as usize).copied().unwrap_or(0),
            planned: self.planned,
            judged: moment.judged,
        };
        let holds = |(rule, memory): (&Counted, &Memory)| {
            rule.check() == check
                && match rule {
                    Counted::Failures { rule, .. } => {
                        rule.armed.is_armed(&scene) && rule.threshold.holds(memory[0], &scene)
                    }
                    Counted::Test(rule) => self.reaches(Self::ratio(rule, *memory), rule.upper.0),
                }
        };
        self.rules.iter().zip(state).position(holds).map(|place| place as u8)
    }
}

impl Rules for Counting {
    type State = Vec<Memory>;

    fn start(&self) -> Vec<Memory> {
        vec![[0; 2]; self.rules.len()]
    }

    fn begin(&self, state: &Vec<Memory>) -> Vec<Memory> {
        let keeps = |(rule, memory): (&Counted, &Memory)| match rule.scope() {
            BreakerScope::Rollout => *memory,
            BreakerScope::Batch => [0; 2],
        };
        self.rules.iter().zip(state).map(keeps).collect()
    }

    fn count(&self, state: &Vec<Memory>, turn: Turn) -> Vec<Memory> {
        let after = |(rule, &memory): (&Counted, &Memory)| match rule {
            Counted::Failures { rule, cap, counts } => {
                let counts = match turn {
                    Turn::Passes if rule.how == FailureCount::InARow => return [0; 2],
                    Turn::Passes => false,
                    Turn::Fails => counts[0],
                    Turn::Silent => counts[1],
                };
                [(memory[0] + u32::from(counts)).min(*cap), 0]
            }
            Counted::Test(rule) => {
                let [failed, passed] = memory;
                let memory = if turn == Turn::Passes { [failed, passed + 1] } else { [failed + 1, passed] };
                // The engine sets a ratio to zero that does not stay above the lower bound.
                if self.reaches(-Self::ratio(rule, memory), -rule.lower.0) { [0; 2] } else { memory }
            }
        };
        self.rules.iter().zip(state).map(after).collect()
    }

    fn trips_at_verdict(&self, state: &Vec<Memory>, moment: Moment) -> Option<u8> {
        self.tripped(state, moment, Moments::Verdict)
    }

    fn trips_at_end(&self, state: &Vec<Memory>, moment: Moment) -> Option<u8> {
        self.tripped(state, moment, Moments::BatchEnd)
    }
}

/// The first rule as one of the list: failures in a row, at every verdict.
pub(super) fn first_rule(limit: u32, scope: BreakerScope) -> Rule {
    Rule {
        kind: RuleKind::Failures(Failures {
            how: FailureCount::InARow,
            threshold: Threshold { limit: Limit::Count(limit), of: Whole::Planned, exceeds: false },
            armed: dryroll_engine::Armed::default(),
            check: Moments::Verdict,
            reasons: None,
            scope,
        }),
        then: Then::Ask,
    }
}
