//! Checking: each `[[expect]]` rule of a scenario passes, fails or is undecided.
//!
//! # How it decides
//!
//! A rule on each replicate ([`replicates`]: an outcome, an event, a figure of one replicate) is a fact: it holds or it
//! does not. So is a rule on the smallest or largest value of a given number of replicates. A rule on a mean, a
//! percentile or a rate ([`Kind::Estimated`]) is about all possible replicates. Where theory has the value, that
//! decides. Otherwise the rule is looked at after as many replicates as it states, then after twice, four times … as
//! many. It passes or fails as soon as its interval lies on one side of the limit, and is undecided if that has not
//! happened after the largest number of replicates.
//!
//! All intervals of all looks of all rules that are checked together hold simultaneously at the confidence of the
//! report: each look has its share of the error ([`Looks`]), and Bonferroni's inequality shares it between the rules.

mod error;
mod finding;
pub mod replicates;
mod rule;

use std::io;
use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::analysis::{self, Certainty};
use super::exact::Depth;
use super::faults::idle_faults;
use super::grid::{Cells, GridError, GridPolicy, policy_called};
use super::result_log::{Identity, ResultLog};
use super::results::CellRows;
use super::round::{self, Work, WorkPlan, rows_a_block};
use super::row::speaks_of;
use super::sweep::CONFIDENCE;
use super::theory::Theory;
use super::tune::limits::observe;
use dryroll_engine::Outcome;
use dryroll_sim::scenario::{
    Bound, Demand, ExpectSpec, Expected, LimitSpec, Measure, Replicates, Scenario, VersionIndex,
};
use dryroll_sim::text::Foreign;
use dryroll_stats::sequential::Looks;
use dryroll_stats::simultaneous;
pub use error::CheckError;
pub use finding::{Checked, Doubt, Finding, Verdict};
use rule::replicates_of;
pub use rule::{Kind, RuleWords, kind};

/// Replicates before the first look at a rule that does not state a number.
pub const FIRST_LOOK: u64 = 256;
/// Replicates of a version that are searched for an effect of each fault.
const LOOKED_AT_FOR_FAULTS: u64 = 256;

/// The rules of a scenario, ready to be checked.
#[derive(Clone, Debug)]
pub struct Check {
    /// The scenario.
    pub scenario: Scenario,
    /// A cell for each version that a rule is about.
    pub cells: Cells,
    /// The path of the file of named policies, if there is one.
    pub policies: Option<Foreign>,
    /// The rules, in the order of the file.
    pub rules: Vec<Rule>,
}

/// A rule and a policy, by their indices in the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The policy among those that the scenario names; `None`: its own.
    pub policy: Option<usize>,
    /// The rule.
    pub rule: usize,
}

/// A rule and the cell of its policy and version.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The rule's text in the scenario, parsed.
    pub spec: ExpectSpec,
    /// The index of the cell.
    pub cell: usize,
}

/// The limits of the work for a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// The largest number of replicates of a rule.
    pub max_replicates: u64,
    /// The number of estimated rules that are decided together, including those of other scenarios.
    pub together: u64,
    /// Whether the check ends with the first rule that fails.
    pub fail_fast: bool,
}

impl Check {
    /// The result log of a check is never shared, so it needs no identity of its own.
    pub const IDENTITY: Identity = *b"dryroll check, not kept.........";

    /// All rules of a scenario, for its own policy and each that it names.
    #[must_use]
    pub fn all(scenario: &Scenario) -> Vec<Wanted> {
        let policies = std::iter::once(None).chain((0..scenario.policies.len()).map(Some));
        policies.flat_map(|policy| (0..scenario.expect.len()).map(move |rule| Wanted { policy, rule })).collect()
    }

    /// Prepares some of a scenario's rules, each with a policy.
    ///
    /// # Errors
    /// When a version does not fit, its request is refused, or a rule does not apply to it.
    pub fn of(scenario: &Scenario, wanted: &[Wanted]) -> Result<Self, CheckError> {
        let wanted = || wanted.iter().filter_map(|one| Some((one.policy, scenario.expect.get(one.rule)?)));
        let version = |spec: &ExpectSpec| spec.version.unwrap_or(scenario.rollout.target);
        let mut versions: Vec<VersionIndex> = Vec::new();
        let mut policies: Vec<Option<usize>> = Vec::new();
        for (policy, spec) in wanted() {
            if !versions.contains(&version(spec)) {
                versions.push(version(spec));
            }
            if !policies.contains(&policy) {
                policies.push(policy);
            }
        }
        let place = |policy, spec| {
            let policy = policies.iter().position(|&one| one == policy).unwrap_or(0);
            let version = versions.iter().position(|&one| one == version(spec)).unwrap_or(0);
            policy * versions.len() + version
        };
        let rules: Vec<Rule> =
            wanted().map(|(policy, spec)| Rule { spec: spec.clone(), cell: place(policy, spec) }).collect();
        let with = |policy: &Option<usize>| match policy.and_then(|policy| scenario.policies.get(policy)) {
            None => Ok(GridPolicy::from(scenario.clone())),
            Some(named) => {
                let with = policy_called(scenario, named.name.raw(), &scenario.policies)?;
                Ok(GridPolicy { name: Some(named.name.clone()), ..with.into() })
            }
        };
        let cells = policies.iter().map(with).collect::<Result<Vec<_>, GridError>>()?;
        let cells = Cells::new(cells, &versions)?;
        for rule in &rules {
            let defective = cells.compiled[rule.cell].defective;
            let with = &cells.scenarios[rule.cell].rollout;
            if with.previous == Some(with.target) {
                return Err(CheckError::RunsAlready {
                    says: RuleWords::of(&rule.spec).to_string(),
                    line: rule.spec.line,
                    version: cells.scenarios[rule.cell].target().id.clone(),
                });
            }
            if let Demand::Limit(limit) = &rule.spec.demand
                && !speaks_of(limit.metric, defective)
            {
                return Err(CheckError::SaysNothing {
                    says: RuleWords::of(&rule.spec).to_string(),
                    line: rule.spec.line,
                    version: cells.scenarios[rule.cell].target().id.clone(),
                    defective,
                });
            }
        }
        Ok(Self { scenario: scenario.clone(), cells, policies: None, rules })
    }

    /// The number of rules that an interval decides.
    #[must_use]
    pub fn estimated(&self) -> u64 {
        self.rules.iter().filter(|rule| kind(&rule.spec) == Kind::Estimated).count() as u64
    }

    /// The largest number of rollouts that the rules may take.
    #[must_use]
    pub fn most_rollouts(&self, effort: &Effort) -> u64 {
        let of_replicates = self.rules.iter().filter(|rule| kind(&rule.spec) == Kind::EachReplicate);
        let of_replicates: u64 = of_replicates.map(|rule| replicates_of(&rule.spec).min(effort.max_replicates)).sum();
        (0..self.cells.compiled.len())
            .map(|cell| self.most_replicates(cell, effort))
            .fold(of_replicates, u64::saturating_add)
    }

    fn most_replicates(&self, cell: usize, effort: &Effort) -> u64 {
        let of_rule = |rule: &Rule| self.last_look(rule, effort);
        self.rules.iter().filter(|rule| rule.cell == cell).map(of_rule).max().unwrap_or(0)
    }

    fn last_look(&self, rule: &Rule, effort: &Effort) -> u64 {
        match kind(&rule.spec) {
            Kind::EachReplicate => 0,
            Kind::Extreme => replicates_of(&rule.spec).min(effort.max_replicates),
            Kind::Estimated => effort.max_replicates,
        }
    }

    /// The replicates to search for an effect of a fault: those that the rules are about, or the first of them.
    fn looked_at_for_faults(&self) -> impl Iterator<Item = (&dryroll_sim::sim::CompiledScenario, u64)> {
        self.rules.iter().flat_map(|rule| {
            let replicates = match rule.spec.replicates {
                Replicates::One(replicate) => replicate..replicate.saturating_add(1),
                Replicates::First(_) => 0..replicates_of(&rule.spec).clamp(1, LOOKED_AT_FOR_FAULTS),
            };
            replicates.map(|replicate| (&self.cells.compiled[rule.cell], replicate))
        })
    }

    /// A replicate in which an idle fault can be seen to have no effect: its cell and number.
    #[must_use]
    pub fn replicate_of_idle_fault(&self) -> Option<(usize, u64)> {
        let rule = self.rules.first()?;
        let replicate = if let Replicates::One(replicate) = rule.spec.replicates { replicate } else { 0 };
        Some((rule.cell, replicate))
    }

    /// The findings where an earlier scenario failed and `fail_fast` ends the check.
    #[must_use]
    pub fn skipped(&self) -> Checked {
        let skipped = Finding { verdict: Verdict::Skipped, ..Finding::OPEN };
        Checked { rules: vec![skipped; self.rules.len()], idle_faults: Vec::new(), rollouts: 0 }
    }

    /// Decides the rules. Those that are open when it is stopped are undecided for lack of time.
    ///
    /// # Errors
    /// When the result log cannot be written or read.
    pub fn run(&self, log: &ResultLog, workers: &WorkPlan<'_>, effort: &Effort) -> io::Result<Checked> {
        let mut found = vec![Finding::OPEN; self.rules.len()];
        let running = || {
            // A stop is requested from the progress callback.
            (workers.progress)(0);
            !workers.stop.load(Ordering::Relaxed)
        };
        let looked_at = self.looked_at_for_faults().take_while(|_| running());
        let idle = idle_faults(self.scenario.faults.len(), looked_at);
        let idle_faults = if running() { idle } else { Vec::new() };
        let enough = |found: &[Finding]| {
            effort.fail_fast && (!idle_faults.is_empty() || found.iter().any(|one| one.verdict == Verdict::Failed))
        };
        for (place, rule) in self.rules.iter().enumerate() {
            if kind(&rule.spec) == Kind::EachReplicate && running() && !enough(&found) {
                found[place] =
                    replicates::each(&rule.spec, &self.cells.compiled[rule.cell], workers, effort.max_replicates);
            }
        }
        let theory = if running() { workers.pool.install(|| self.theory()) } else { Vec::new() };
        let mut looks: Vec<u32> = vec![0; self.rules.len()];
        let mut done = 0;
        while running() && !enough(&found) {
            let next: Vec<(usize, u64)> =
                (0..self.rules.len()).filter_map(|rule| Some((rule, self.look(rule, looks[rule], effort)?))).collect();
            let Some(n) = next.iter().map(|&(_, n)| n).min() else { break };
            let mut cells: Vec<u32> = next.iter().map(|&(rule, _)| self.rules[rule].cell as u32).collect();
            cells.sort_unstable();
            cells.dedup();
            let rows = rows_a_block(self.scenario.fleet.instances);
            let work = Work { cells, replicates: done..n, rows };
            if !round::run(&self.cells.compiled, &work, 0..work.blocks(), log, workers)? {
                break;
            }
            done = n;
            let due: Vec<usize> = next.iter().filter(|&&(_, at)| at == n).map(|&(rule, _)| rule).collect();
            let seen: Vec<Finding> = workers.pool.install(|| {
                due.par_iter()
                    .map(|&rule| self.estimate(rule, &theory, log, looks[rule], n, effort))
                    .collect::<io::Result<_>>()
            })?;
            for (rule, finding) in due.into_iter().zip(seen) {
                looks[rule] = match finding.verdict {
                    Verdict::Undecided(_) => looks[rule] + 1,
                    _ => DECIDED,
                };
                found[rule] = finding;
            }
        }
        let failed_fast = enough(&found);
        self.close(&mut found, &looks, failed_fast, effort);
        let of_replicates = self.rules.iter().zip(&found).filter(|(rule, _)| kind(&rule.spec) == Kind::EachReplicate);
        let rollouts = log.rows() + of_replicates.map(|(_, finding)| finding.n).sum::<u64>();
        Ok(Checked { rules: found, idle_faults, rollouts })
    }

    /// The number of replicates of a rule at a look; `None` after the last look.
    fn look(&self, rule: usize, look: u32, effort: &Effort) -> Option<u64> {
        let spec = &self.rules[rule].spec;
        if look == DECIDED {
            return None;
        }
        match kind(spec) {
            Kind::EachReplicate => None,
            Kind::Extreme => (look == 0).then(|| replicates_of(spec).min(effort.max_replicates)),
            Kind::Estimated => looks(spec, effort).at(look),
        }
    }

    /// Open rules that could still be looked at are skipped where another rule failed; otherwise time ran out.
    fn close(&self, found: &mut [Finding], looks: &[u32], failed_fast: bool, effort: &Effort) {
        for (rule, finding) in found.iter_mut().enumerate() {
            let Verdict::Undecided(doubt) = finding.verdict else { continue };
            let is_open = doubt == Doubt::OutOfTime || self.look(rule, looks[rule], effort).is_some();
            if is_open {
                finding.verdict = if failed_fast { Verdict::Skipped } else { Verdict::Undecided(Doubt::OutOfTime) };
            }
        }
    }

    /// The exact values of the cells of estimated rules.
    fn theory(&self) -> Vec<Theory> {
        let of = |(cell, scenario): (usize, &Scenario)| {
            let mut depths =
                self.rules.iter().filter(|rule| rule.cell == cell).filter_map(|rule| match &rule.spec.demand {
                    Demand::Limit(limit) if kind(&rule.spec) == Kind::Estimated => Some(Depth::of(limit.metric)),
                    _ => None,
                });
            let depth = depths.next()?;
            Some(Theory::of(scenario, depths.fold(depth, Depth::max)))
        };
        let theory = self.cells.scenarios.par_iter().enumerate().map(of);
        theory.map(Option::unwrap_or_default).collect()
    }

    fn estimate(
        &self,
        rule: usize,
        theory: &[Theory],
        log: &ResultLog,
        look: u32,
        n: u64,
        effort: &Effort,
    ) -> io::Result<Finding> {
        let Rule { spec, cell } = &self.rules[rule];
        let Demand::Limit(limit) = &spec.demand else { return Ok(Finding::OPEN) };
        let compiled = &self.cells.compiled[*cell];
        let rows = CellRows::open(std::slice::from_ref(log), *cell as u32, n)?;
        let is_estimated = kind(spec) == Kind::Estimated;
        let confidence = simultaneous::each(looks(spec, effort).confidence(look, CONFIDENCE), effort.together);
        let held = observe(limit, &rows, compiled, &theory[*cell], Certainty { confidence, peeked: true }, None)?;
        let holds = match held.observed {
            Some(value) if !is_estimated => (replicates_of(spec) <= n).then(|| replicates::fits(&limit.bound, value)),
            _ => held.holds,
        };
        let verdict = match (holds, held.interval) {
            (Some(true), _) => Verdict::Passed,
            (Some(false), _) => Verdict::Failed,
            (None, _) if held.n == 0 => Verdict::Undecided(Doubt::NothingMeasured),
            (None, _) if !is_estimated => Verdict::Undecided(Doubt::TooManyWorlds),
            (None, Some(_)) => Verdict::Undecided(Doubt::WithinInterval),
            (None, None) => Verdict::Undecided(Doubt::NoInterval),
        };
        let worst = if verdict == Verdict::Passed { None } else { worst(limit, &rows)? };
        let mut stalled = 0;
        if verdict == Verdict::Passed {
            rows.endings(&mut |_, ending| stalled += u64::from(ending.outcome == Outcome::Stalled))?;
        }
        Ok(Finding {
            verdict,
            observed: held.observed.map(Expected::Number),
            interval: held.interval,
            exact: held.exact.filter(|_| is_estimated),
            confidence: is_estimated.then_some(confidence),
            n: held.n,
            of: n,
            stalled,
            worst,
        })
    }
}

/// The look of a rule that needs no further look.
const DECIDED: u32 = u32::MAX;

fn looks(spec: &ExpectSpec, effort: &Effort) -> Looks {
    Looks { first: replicates_of(spec), max: effort.max_replicates }
}

/// The replicate that is furthest beyond a limit; for a rate, the first replicate on the wrong side.
fn worst(limit: &LimitSpec, rows: &CellRows<'_>) -> io::Result<Option<u64>> {
    let from_above = !matches!(limit.bound, Bound::AtLeast(_));
    match limit.metric {
        Measure::Metric(metric) => {
            Ok(analysis::furthest(rows, metric, 1, from_above)?.first().map(|&(replicate, _)| replicate))
        }
        Measure::Rate(rate) => {
            let mut first = None;
            rows.endings(&mut |replicate, ending| {
                if first.is_none() && ending.hits(rate) == from_above {
                    first = Some(replicate);
                }
            })?;
            Ok(first)
        }
        Measure::Outcome => Ok(None),
    }
}
