//! Rules that compete with failures in a row: shares of those judged, totals, and sequential tests.
//!
//! For each choice of the other keys and for each kind of rule, the search gets the one that promises most: it breaks
//! the fewest limits, and bad versions get least far. Exact values decide where theory has them; elsewhere the rules
//! are applied to the verdicts of rollouts without a breaker. The search then judges what is chosen like any other
//! policy.

use rayon::prelude::*;

use super::hints::{Counted, REPLICATES, Verdicts, observe};
use super::limits::Limit;
use crate::study::exact::Depth;
use crate::study::exact::fleet::Tables;
use crate::study::theory::{Theory, fits};
use dryroll_sim::scenario::{Bound, Measure, Metric, Rate, RolloutSpec, Scenario, VersionIndex};
use dryroll_sim::sim::CompiledScenario;

/// The largest fleet for which exact values choose the rules.
const MOST_EXACT: u32 = 1000;
/// The largest fleet for which verdicts are kept.
const MOST_OBSERVED: u32 = 5000;
/// Shares of those judged, in percent.
const SHARES: [u32; 8] = [5, 10, 15, 20, 25, 30, 40, 50];
/// How many are judged first.
const AFTER: [u32; 6] = [5, 8, 12, 16, 20, 30];
/// Totals.
const TOTALS: [u32; 17] = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100];
/// Error rates of tests: of a trip for nothing, and of no trip.
const ERRORS: [(f64, f64); 7] =
    [(0.1, 0.1), (0.05, 0.1), (0.01, 0.1), (0.01, 0.01), (0.001, 0.1), (0.001, 0.01), (0.0001, 0.01)];

/// A rule that may compete.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Candidate {
    /// A share of those judged, once so many are.
    Judged { percent: u32, after: u32 },
    /// So many failures in all.
    Total(u32),
    /// Wald's test.
    Test { good: f64, bad: f64, alpha: f64, beta: f64 },
}

impl Candidate {
    /// The value of `breakers`.
    fn text(self) -> String {
        match self {
            Self::Judged { percent, after } => {
                format!("[{{limit = \"{percent}%\", of = \"judged\", after_judged = {after}}}]")
            }
            Self::Total(limit) => format!("[{{limit = {limit}}}]"),
            Self::Test { good, bad, alpha, beta } => {
                format!("[{{how = \"sprt\", good = {good}, bad = {bad}, alpha = {alpha}, beta = {beta}}}]")
            }
        }
    }

    /// The scenario with this rule alone; `None` where it does not fit the other keys.
    fn with(self, base: &Scenario) -> Option<Scenario> {
        let mut with = base.clone();
        with.set_rollout("max_consecutive_failures", "none").ok()?;
        with.set_rollout("breakers", &self.text()).ok()?;
        with.rollout.max_consecutive_failures = None;
        Some(with)
    }

    /// The verdict at which it trips.
    fn trips(self, verdicts: &[Counted]) -> Option<usize> {
        let mut failed = 0_u32;
        let mut ratio = 0.0;
        (0..verdicts.len()).find(|&place| {
            let has_failed = verdicts[place].failed;
            failed += u32::from(has_failed);
            let judged = place as u32 + 1;
            match self {
                Self::Judged { percent, after } => judged >= after && failed > 0 && failed * 100 >= percent * judged,
                Self::Total(limit) => failed >= limit,
                Self::Test { good, bad, alpha, beta } => {
                    ratio += libm::log(if has_failed { bad / good } else { (1.0 - bad) / (1.0 - good) });
                    if ratio <= libm::log(beta / (1.0 - alpha)) {
                        ratio = 0.0;
                    }
                    ratio >= libm::log((1.0 - beta) / alpha)
                }
            }
        })
    }
}

/// The limits that break, how far bad versions get, and the good rollouts that trip: less is better.
type Rank = (usize, f64, f64);

fn is_less(a: Rank, b: Rank) -> bool {
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)).is_lt()
}

/// The rollouts with the rules that promise most, over scenarios with the good version as their target. Without a bad
/// version there is nothing to choose by.
pub(super) fn choose(bases: &[Scenario], bad: &[VersionIndex], limits: &[Limit]) -> Vec<RolloutSpec> {
    if bad.is_empty() {
        return Vec::new();
    }
    let of = |tables: &mut Tables, base: &Scenario| of_base(base, bad, limits, tables);
    let all: Vec<Vec<RolloutSpec>> = bases.par_iter().map_init(Tables::default, of).collect();
    all.concat()
}

fn of_base(base: &Scenario, bad: &[VersionIndex], limits: &[Limit], tables: &mut Tables) -> Vec<RolloutSpec> {
    let others = bad.iter().map(|&version| {
        let mut scenario = base.clone();
        scenario.retarget(version).ok()?;
        Some(scenario)
    });
    let Some(bad) = others.collect::<Option<Vec<Scenario>>>() else { return Vec::new() };
    let kinds = kinds(base, &bad);
    let judged = match by_theory(base, &bad, limits, &kinds, tables) {
        Some(ranks) => Some(ranks),
        None => by_verdicts(base, &bad, limits, &kinds),
    };
    let Some(judged) = judged else { return Vec::new() };
    let best = |(kind, ranks): (&Vec<Candidate>, Vec<Option<Rank>>)| {
        let known = kind.iter().zip(ranks).filter_map(|(rule, rank)| Some((rule, rank?)));
        let best = known.reduce(|best, next| if is_less(next.1, best.1) { next } else { best });
        best.and_then(|(rule, _)| rule.with(base)).map(|scenario| scenario.rollout)
    };
    kinds.iter().zip(judged).filter_map(best).collect()
}

/// The candidates of each kind.
fn kinds(base: &Scenario, bad: &[Scenario]) -> [Vec<Candidate>; 3] {
    let planned = base.fleet.instances;
    let shares = SHARES.iter().flat_map(|&percent| AFTER.iter().map(move |&after| (percent, after)));
    let shares = shares.filter(|&(_, after)| after <= planned);
    let totals = TOTALS.iter().filter(|&&limit| limit <= planned).map(|&limit| Candidate::Total(limit));
    // To a thousandth: a policy is read by people.
    let rate = |scenario: &Scenario| (scenario.target().rates.sum() * 1000.0).round() / 1000.0;
    let good = rate(base).clamp(0.001, 0.9);
    let hardest = bad.iter().map(rate).fold(1.0, f64::min).min(0.999);
    let tests = ERRORS.iter().filter(|_| hardest > good);
    [
        shares.map(|(percent, after)| Candidate::Judged { percent, after }).collect(),
        totals.collect(),
        tests.map(|&(alpha, beta)| Candidate::Test { good, bad: hardest, alpha, beta }).collect(),
    ]
}

/// The ranks by exact values; `None` where theory has none of any rule.
fn by_theory(
    base: &Scenario,
    bad: &[Scenario],
    limits: &[Limit],
    kinds: &[Vec<Candidate>; 3],
    tables: &Tables,
) -> Option<[Vec<Option<Rank>>; 3]> {
    if base.fleet.instances > MOST_EXACT {
        return None;
    }
    let broken = |theory: &Theory, version: usize| {
        let about = limits.iter().filter(|limit| limit.versions.contains(&version));
        let values = about.filter_map(|limit| Some((theory.value(limit.spec.metric, limit.spec.stat)?, limit)));
        values.filter(|(value, limit)| !fits(*value, &limit.spec.bound)).count()
    };
    let mut any = false;
    let mut ranked = |kind: &Vec<Candidate>| -> Vec<Option<Rank>> {
        let good: Vec<Option<(usize, f64)>> = kind
            .iter()
            .map(|rule| {
                let theory = Theory::with(&rule.with(base)?, Depth::Chances, tables);
                let trips = theory.value(Measure::Rate(Rate::Trip), None)?;
                Some((broken(&theory, 0), trips))
            })
            .collect();
        // Of the rules that do better with the good version alone, one is chosen.
        let least = good.iter().flatten().map(|(broken, _)| *broken).min();
        let ranks = kind.iter().zip(good).map(|(rule, good)| {
            let (broken_good, trips) = good.filter(|(broken, _)| Some(*broken) == least)?;
            let (mut all, mut exposed) = (broken_good, 0.0);
            for (place, bad) in bad.iter().enumerate() {
                let theory = Theory::with(&rule.with(bad)?, Depth::Chances, tables);
                exposed += theory.mean(Metric::ExposedPct)?;
                all += broken(&theory, place + 1);
            }
            Some((all, exposed, trips))
        });
        let ranks: Vec<Option<Rank>> = ranks.collect();
        any |= ranks.iter().any(Option::is_some);
        ranks
    };
    let ranks = [ranked(&kinds[0]), ranked(&kinds[1]), ranked(&kinds[2])];
    any.then_some(ranks)
}

/// The ranks by the verdicts of rollouts without a breaker.
fn by_verdicts(
    base: &Scenario,
    bad: &[Scenario],
    limits: &[Limit],
    kinds: &[Vec<Candidate>; 3],
) -> Option<[Vec<Option<Rank>>; 3]> {
    if base.fleet.instances > MOST_OBSERVED {
        return None;
    }
    let of = |scenario: &Scenario| -> Option<Vec<Verdicts>> {
        let mut scenario = scenario.clone();
        scenario.rollout.breakers.clear();
        scenario.rollout.max_consecutive_failures = None;
        Some(observe(&CompiledScenario::new(&scenario).ok()?, 0..REPLICATES))
    };
    let good = of(base)?;
    let bad = bad.iter().map(of).collect::<Option<Vec<_>>>()?;
    let at_most = |is: &dyn Fn(Measure) -> bool, scale: f64| {
        let bounds = limits.iter().filter(|limit| is(limit.spec.metric)).filter_map(|limit| match limit.spec.bound {
            Bound::AtMost(most) => Some(most * scale),
            _ => None,
        });
        bounds.fold(f64::INFINITY, f64::min)
    };
    let allowed = at_most(&|metric| matches!(metric, Measure::Rate(Rate::FalseTrip | Rate::Trip)), 1.0);
    let least = limits.iter().find_map(|limit| match (limit.spec.metric, &limit.spec.bound) {
        (Measure::Rate(crate::study::completed::COMPLETED), Bound::AtLeast(least)) => Some(1.0 - least),
        _ => None,
    });
    let allowed = least.map_or(allowed, |least| allowed.min(least));
    let reach = at_most(&|metric| matches!(metric, Measure::Metric(Metric::BlastRadiusPct | Metric::ExposedPct)), 0.01);
    let planned = f64::from(base.fleet.instances.max(1));
    let rank = |rule: &Candidate| {
        let trips = good.iter().filter(|run| rule.trips(&run.counted).is_some()).count() as f64 / good.len() as f64;
        let dispatched = |run: &Verdicts| match rule.trips(&run.counted) {
            Some(at) => f64::from(run.counted[at].dispatched),
            None => planned,
        };
        let exposed = bad.iter().map(|runs| runs.iter().map(dispatched).sum::<f64>() / runs.len() as f64 / planned);
        let exposed: Vec<f64> = exposed.collect();
        let broken = usize::from(trips > allowed) + exposed.iter().filter(|&&share| share > reach).count();
        Some((broken, exposed.iter().sum(), trips))
    };
    Some(kinds.each_ref().map(|kind| kind.iter().map(rank).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(text: &str) -> Vec<Counted> {
        text.bytes().map(|byte| Counted { failed: byte == b'x', dispatched: 0, fresh: false }).collect()
    }

    #[test]
    fn rules_trip_where_they_should() {
        let judged = |percent, after| Candidate::Judged { percent, after };
        assert_eq!(judged(50, 4).trips(&verdicts("xx...xxx")), Some(3));
        assert_eq!(judged(60, 4).trips(&verdicts("xx...xxx")), Some(7));
        assert_eq!(judged(30, 3).trips(&verdicts("........")), None);
        assert_eq!(Candidate::Total(3).trips(&verdicts("x.x.x")), Some(4));
        let test = Candidate::Test { good: 0.1, bad: 0.5, alpha: 0.05, beta: 0.1 };
        // Two failures at 0 are enough, 2 ln 5 > ln 18; a pass before them is one too many. The fourth pass begins anew.
        assert_eq!(test.trips(&verdicts("....xx")), Some(5));
        assert_eq!(test.trips(&verdicts(".....xx")), None);
    }

    /// The shipped scenario: of each kind a rule is chosen, and it meets the limits by exact values, as no limit on
    /// failures in a row does.
    #[test]
    fn theory_chooses_rules_that_meet_the_limits() {
        let text = include_bytes!("../../../../../scenarios/share-beats-run.toml");
        let scenario = Scenario::parse("s.toml", text, dryroll_sim::scenario::Format::Toml)
            .unwrap_or_else(|error| panic!("{error}"));
        let tune = crate::study::tune::Tune::new(&scenario, 0.01, 1000).unwrap_or_else(|error| panic!("{error}"));
        // Five limits in a row, a named policy, and rules of which at least a share and a test are new.
        assert!(tune.policies() >= 8, "{}", tune.policies());
        for policy in 0..tune.policies() {
            let theory = Theory::of(&tune.cells.scenarios[tune.cell(policy, 1)], Depth::Chances);
            let exposed = theory.mean(Metric::ExposedPct).expect("exact");
            let theory = Theory::of(tune.policy(policy), Depth::Chances);
            let trips = theory.value(Measure::Rate(Rate::Trip), None).expect("exact");
            let is_run = tune.policy(policy).rollout.breakers.is_empty();
            let is_total = tune.named_policy(policy).beyond.get("breakers").is_some_and(|rules| {
                let rules = rules.to_string();
                !rules.contains("judged") && !rules.contains("sprt")
            });
            let meets = trips <= 0.01 && exposed <= 5.0;
            assert!(is_total || meets != is_run, "{:?}: {trips} {exposed}", tune.named_policy(policy));
        }
    }
}
