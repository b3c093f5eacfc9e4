//! What today's numbers say to what a record claims. One replicate contradicts "never", an exact claim about that very
//! replicate, and what 99 of 100 replicates do; it does not contradict another single replicate.

use super::Learning;
use super::claims::Claims;
use super::facts::{BATCH_SIZES, Facts, policy_facts};
use super::phrases::{self, say, time};
use super::recall::{Numbers, PlanNumbers, RunNumbers, Today};
use dryroll_report::model::{Candidate, Standing, TuneReport};
use dryroll_report::words::{called, plural};
use dryroll_study::study::Policy;

/// A rate that is surely below this is as good as never, when one replicate is held against it.
const RARE: f64 = 0.01;

/// What today says to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both cannot be so.
    Contradicts(String),
    /// Something is otherwise, and both can be so.
    Differs(String),
    /// Today says the same.
    Agrees(String),
}

/// All that can be said. Of another case what was measured may well be otherwise: it then differs and contradicts
/// nothing. What a plan counts follows from its own numbers, whatever the rest of the case.
pub fn verdicts(claims: &Claims, record: &Learning, today: &Today<'_>, is_elsewhere: bool) -> Vec<Verdict> {
    let mut said = Vec::new();
    match &today.numbers {
        Numbers::Plan(_) => {}
        Numbers::Run(_, run) => of_run(claims, today, run, &mut said),
        Numbers::Tune(tune) => of_tune(claims, record, tune, &mut said),
    }
    if is_elsewhere {
        said.iter_mut().for_each(Verdict::of_another_case);
    }
    if let Numbers::Plan(plan) | Numbers::Run(plan, _) = &today.numbers {
        of_plan(claims, today, plan, &mut said);
    }
    said
}

impl Verdict {
    fn of_another_case(&mut self) {
        if let Self::Contradicts(why) = self {
            *self = Self::Differs(std::mem::take(why));
        }
    }
}

fn of_plan(claims: &Claims, today: &Today<'_>, plan: &PlanNumbers, said: &mut Vec<Verdict>) {
    let Some(policy) = &today.policy else { return };
    let planned = claims.facts.as_ref().and_then(|facts| facts.count("planned")).or(claims.instances);
    let same_batches = match claims.batch_pct {
        Some(batch) => Some(batch) == policy.batch_pct,
        // Batches that are no share of the plan follow from further keys.
        None => claims.facts.as_ref().is_some_and(|facts| facts.batch_sizes().is_some() && facts.has_policy(policy)),
    };
    if planned == Some(plan.total) && same_batches {
        if let Some(batches) = claims.batches.filter(|&batches| batches != plan.batches) {
            said.push(Verdict::Contradicts(format!(
                "it counts {}, today's plan of as many instances {}",
                plural(batches, "batch", "batches"),
                plan.batches
            )));
        }
        let window = claims.facts.as_ref().and_then(|facts| facts.number("health_timeout_sec"));
        let ours = policy.health_timeout_sec.as_secs_f64();
        let same_window = window.is_none_or(|window| window == ours);
        let off = claims.estimate_sec.filter(|&estimate| (estimate - plan.estimate_sec).abs() > 0.5);
        match off {
            Some(estimate) if same_window => said.push(Verdict::Contradicts(format!(
                "it estimates {}, today's plan {} ({} × {})",
                time(estimate),
                time(plan.estimate_sec),
                plan.batches,
                time(ours)
            ))),
            Some(estimate) => said.push(Verdict::Differs(format!(
                "it estimates {} with a health window of {}; today's is {}",
                time(estimate),
                time(window.unwrap_or_default()),
                time(ours)
            ))),
            None => {}
        }
    }
    let other_batch = match claims.batch_pct {
        Some(batch) => Some(batch) != policy.batch_pct,
        None => !has_same(claims, policy, BATCH_SIZES),
    };
    let other_rules = !has_same(claims, policy, "breakers");
    let other_limit = claims.limit.is_some_and(|limit| Some(limit) != policy.max_consecutive_failures);
    let orders = [order(claims), Some(policy.order.name())];
    let other_order = orders[0].is_some() && orders[0] != orders[1];
    if claims.recommends && (other_batch || other_limit || other_rules || other_order) {
        let keys: &[&str] = if other_order { &["order"] } else { &[] };
        said.push(Verdict::Differs(format!(
            "it recommends {}; today's policy is {}",
            recommended(claims, keys),
            phrases::policy(policy, keys)
        )));
    }
}

/// Whether a record with facts of a policy has the same at a further key, or nothing as well.
fn has_same(claims: &Claims, policy: &Policy, key: &str) -> bool {
    let told = claims.facts.as_ref().filter(|facts| facts.get("batch_pct").or(facts.batch_sizes()).is_some());
    told.is_none_or(|facts| facts.get(key) == policy_facts(policy).get(key))
}

/// The order of the plan that a record speaks of: the fleet's, where it has facts that name no other.
fn order(claims: &Claims) -> Option<&str> {
    let facts = claims.facts.as_ref().filter(|facts| facts.get("batch_pct").or(facts.batch_sizes()).is_some())?;
    Some(facts.get("order").unwrap_or("listed"))
}

/// What a record recommends, in the words of a policy, with these further keys.
fn recommended(claims: &Claims, keys: &[&str]) -> String {
    let facts = claims.facts.as_ref();
    let sizes = || facts.and_then(Facts::batch_sizes).map(|sizes| format!("batches={}", sizes.replace('+', " ")));
    let batch = claims.batch_pct.map(|batch| format!("batch_pct={batch}%")).or_else(sizes);
    let rules = facts.and_then(|facts| facts.get("breakers")).map(|rules| format!("breakers={rules}"));
    let limit = claims.limit.map(|limit| format!("max_consecutive_failures={limit}"));
    let order = order(claims).filter(|_| keys.contains(&"order")).map(|order| format!("order={order}"));
    batch.into_iter().chain(limit).chain(rules).chain(order).collect::<Vec<_>>().join(", ")
}

fn of_run(claims: &Claims, today: &Today<'_>, run: &RunNumbers<'_>, said: &mut Vec<Verdict>) {
    let Some(policy) = &today.policy else { return };
    let as_ours = claims.batch_pct.is_none_or(|batch| Some(batch) == policy.batch_pct)
        && claims.limit.is_none_or(|limit| Some(limit) == policy.max_consecutive_failures);
    match &claims.facts {
        // What a person decides, nobody else need decide: neither then nor today.
        Some(facts) if facts.get("kind") == Some("drill") || (run.is_drill && facts.get("kind") == Some("run")) => {}
        Some(facts) if facts.get("kind") == Some("run") => of_one_replicate(facts, today, run, said),
        Some(facts) if facts.has_policy(policy) => of_many_replicates(facts, today, run, said),
        Some(_) => {}
        None if claims.trips == Some(0) && run.trips > 0 && !run.defective && as_ours => {
            said.push(Verdict::Contradicts(format!(
                "it speaks of zero trips; in today's replicate a good version met {}",
                plural(run.trips, "trip", "trips")
            )));
        }
        None => {}
    }
}

fn of_one_replicate(facts: &Facts, today: &Today<'_>, run: &RunNumbers<'_>, said: &mut Vec<Verdict>) {
    let Some(policy) = &today.policy else { return };
    if facts.get("version") != Some(today.version) || !facts.has_policy(policy) {
        return;
    }
    let is_same_scenario = facts.get("scenario") == Some(today.hash)
        && facts.count("seed") == Some(run.seed)
        && facts.count("replicate") == Some(run.replicate);
    let trips = facts.count("trips");
    if !is_same_scenario {
        if let Some(then) = trips.filter(|&then| (then > 0) != (run.trips > 0)) {
            said.push(Verdict::Differs(format!(
                "that replicate had {}, today's has {}: one replicate each, so neither says how often",
                plural(then, "trip", "trips"),
                run.trips
            )));
        }
        return;
    }
    let close = |then: f64, now: f64| (then - now).abs() <= 1e-5 * now.abs().max(1.0);
    let mut other = Vec::new();
    if let Some(outcome) = facts.get("outcome").filter(|&outcome| outcome != run.outcome) {
        other.push(format!("the outcome was {outcome} and is {}", run.outcome));
    }
    if let Some(then) = trips.filter(|&then| then != run.trips) {
        other.push(format!("trips were {then} and are {}", run.trips));
    }
    if let Some(then) = facts.number("duration_sec").filter(|&then| !close(then, run.duration_sec)) {
        other.push(format!("it took {} and takes {}", time(then), time(run.duration_sec)));
    }
    let blast = facts.number("blast_radius_pct").zip(run.blast_radius_pct);
    if let Some((then, now)) = blast.filter(|&(then, now)| !close(then, now)) {
        let say = |value| say("blast_radius_pct", value);
        other.push(format!("the blast radius was {} and is {}", say(then), say(now)));
    }
    said.push(match other.as_slice() {
        [] => Verdict::Agrees("the same replicate with the same numbers".into()),
        other => Verdict::Contradicts(format!(
            "the same replicate (seed {}, replicate {}) came out otherwise: {}; another version of the program made it",
            run.seed,
            run.replicate,
            other.join(", ")
        )),
    });
}

fn of_many_replicates(facts: &Facts, today: &Today<'_>, run: &RunNumbers<'_>, said: &mut Vec<Verdict>) {
    let replicates = facts.count("replicates").unwrap_or(0);
    if facts.get("good") == Some(today.version) && !run.defective {
        let below = facts.number("false_trip_rate_below").filter(|&below| below <= RARE);
        if let Some(below) = below.filter(|_| run.trips > 0) {
            said.push(Verdict::Contradicts(format!(
                "it says that fewer than {} of good rollouts trip, and today's did",
                say("trip_rate", below)
            )));
        }
        longer(facts, "duration_sec", run.duration_sec, replicates, said);
    }
    if let Some(blast) = run.blast_radius_pct.filter(|_| facts.get("worst") == Some(today.version)) {
        longer(facts, "blast_radius_pct", blast, replicates, said);
    }
}

fn longer(facts: &Facts, name: &str, now: f64, replicates: u64, said: &mut Vec<Verdict>) {
    // Below, a 99th percentile is hardly more than the largest of few.
    const ENOUGH: u64 = 500;
    let p99 = facts.number(&format!("{name}_p99")).filter(|&p99| replicates >= ENOUGH && now > p99 * (1.0 + 1e-5));
    if let Some(p99) = p99 {
        said.push(Verdict::Contradicts(format!(
            "in 99 of 100 of its {replicates} replicates the {} is at most {}; today's is {}",
            called(name),
            say(name, p99),
            say(name, now)
        )));
    }
}

fn of_tune(claims: &Claims, record: &Learning, tune: &TuneReport, said: &mut Vec<Verdict>) {
    let facts = claims.facts.as_ref();
    if facts.is_some_and(|facts| facts.get("recommended") == Some("none")) {
        let same_limits = tune.limits.iter().all(|limit| record.content.contains(&limit.says));
        let decided = facts.is_some_and(|facts| facts.get("decided") == Some("yes"));
        match &tune.recommended {
            Some(best) if same_limits && decided => said.push(Verdict::Contradicts(format!(
                "it found no policy within these limits, and today {} is",
                super::tune::said(tune, &best.policy)
            ))),
            None if same_limits => said.push(Verdict::Agrees("no policy within the limits today either".into())),
            _ => {}
        }
        return;
    }
    let has_further = facts.is_some_and(|facts| facts.batch_sizes().or(facts.get("breakers")).is_some());
    if !claims.recommends || (claims.batch_pct.is_none() && claims.limit.is_none() && !has_further) {
        return;
    }
    let theirs = |candidate: &&Candidate| {
        claims.batch_pct.is_none_or(|batch| Some(batch) == candidate.policy.batch_pct)
            && claims.limit.is_none_or(|limit| Some(limit) == candidate.policy.max_consecutive_failures)
            && [BATCH_SIZES, "breakers"].iter().all(|key| has_same(claims, &candidate.policy, key))
            && order(claims).is_none_or(|order| order == candidate.policy.order.name())
    };
    let tried: Vec<&Candidate> = tune.candidates.iter().filter(theirs).collect();
    let keys = Policy::differing(tune.candidates.iter().map(|one| &one.policy));
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let what = recommended(claims, &keys);
    let best = tune.recommended.as_ref().map(|best| phrases::policy(&best.policy, &keys));
    if tried.iter().any(|one| one.standing == Standing::Recommended) {
        said.push(Verdict::Agrees(format!("today's search recommends {what} too")));
    } else if tried.is_empty() {
        said.push(Verdict::Differs(format!("it recommends {what}, which today's search did not try")));
    } else if let Some(open) = tried.iter().find(|one| matches!(one.standing, Standing::AsGood | Standing::Undecided)) {
        if let Some(best) = &best {
            said.push(Verdict::Differs(format!(
                "it recommends {what}; today's search {best}, and of the other: {}",
                phrases::plain(&open.why)
            )));
        }
    } else if let Some(out) = tried.first() {
        let surely = match out.standing {
            Standing::Slower => "is surely slower",
            _ => "surely breaks a limit",
        };
        let instead = best.map_or_else(String::new, |best| format!("; today's search recommends {best}"));
        said.push(Verdict::Contradicts(format!(
            "it recommends {what}, which today {surely} ({}){instead}",
            phrases::plain(&out.why)
        )));
    }
    goals(facts, tune, &tried, said);
}

/// A mean that both know with an interval, and the intervals do not meet.
fn goals(facts: Option<&Facts>, tune: &TuneReport, tried: &[&Candidate], said: &mut Vec<Verdict>) {
    let ([one], Some(facts)) = (tried, facts) else { return };
    let name = tune.minimise.name();
    if facts.get("good") != Some(tune.good.raw()) || !facts.has_policy(&one.policy) {
        return;
    }
    let then = facts.interval(&format!("{name}_ci"));
    let (Some(then), Some(now)) = (then, one.evidence.objective.ci) else { return };
    if then.high < now.low || now.high < then.low {
        said.push(Verdict::Contradicts(format!(
            "it has a mean {} of {} to {}, today's is {} to {}",
            called(name),
            say(name, then.low),
            say(name, then.high),
            say(name, now.low),
            say(name, now.high)
        )));
    }
}
