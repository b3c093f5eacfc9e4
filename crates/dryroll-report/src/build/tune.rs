//! A tune report from a search and what it found.

pub mod advice;
mod hints;
pub mod posterior;
mod spread;

use self::posterior::PosteriorFindings;
use crate::build::tune::spread::{notes, spread};
use crate::judge::conditional::beside;
use crate::model::Estimate;
use crate::model::ScenarioRef;
use crate::model::posterior::PosteriorReport;
use crate::model::tune::{
    Candidate, Evidence, FrontPoint, KeepsReport, LimitCheck, LimitText, Named, Recommended, Sensitivity, Standing,
    TuneReport,
};
use crate::words::completed::stops;
use crate::words::replay;
use crate::words::tune::value_in_words;
use crate::words::{NOTHING, Unit, called, number, plural};
use dryroll_sim::scenario::{Advice, MIN_COMPLETED};
use dryroll_sim::text::Foreign;
use dryroll_study::study::Policy;
use dryroll_study::study::completed;
use dryroll_study::study::sweep::CONFIDENCE;
use dryroll_study::study::tune::front::Point;
use dryroll_study::study::tune::hints::Hints;
use dryroll_study::study::tune::limits::{Held, meets};
use dryroll_study::study::tune::sensitivity::{AtFactor, End, Keeps};
use dryroll_study::study::tune::{Estimated, Known, State, Tune, Tuned};

/// What a report is made of, beside the search itself.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Where every policy stands on the plane.
    pub points: Vec<Point>,
    /// The version of the plane's blast radius, by its place in the search.
    pub worst: Option<usize>,
    /// Other failure rates.
    pub sensitivity: dryroll_study::study::tune::sensitivity::Sensitivity,
    /// What other rules could do.
    pub hints: Hints,
    /// About the scenario.
    pub advice: Vec<Advice>,
    /// Where the rates are not known.
    pub posterior: Option<PosteriorFindings>,
}

/// Policies that a warning names.
const MOST_NAMED: usize = 3;

impl TuneReport {
    /// The report. `file` is the scenario's path, for the command that makes it again.
    #[must_use]
    pub fn new(tune: &Tune, file: &str, tuned: &Tuned, findings: &Findings) -> Self {
        let scenario = &tune.scenario;
        let id = |version: usize| tune.cells.scenarios[tune.cell(0, version)].target().id.clone();
        let policy = |place: usize| tune.named_policy(place);
        let evidence = |place: usize| evidence(tune, &tuned.policies[place], &findings.points[place]);
        let places = 0..tuned.policies.len();
        let named = |state: State| {
            let places = places.clone().filter(move |&place| tuned.policies[place].state == state);
            let all = places.map(|place| Named {
                policy: policy(place),
                why: why(tune, tuned, place),
                would_save: would_save(tuned, place),
                evidence: evidence(place),
            });
            all.collect()
        };
        let mut front: Vec<FrontPoint> = places
            .clone()
            // Without a defective version there is one axis, and no front.
            .filter(|&place| findings.worst.is_some() && findings.points[place].on_front != Some(false))
            .map(|place| FrontPoint {
                policy: policy(place),
                objective: estimate(&tuned.policies[place].goal),
                blast_radius_pct: estimate(&findings.points[place].blast),
                decided: findings.points[place].on_front == Some(true),
            })
            .collect();
        front.sort_by(|a, b| order(a.objective.best()).total_cmp(&order(b.objective.best())));
        let candidates = places.clone().map(|place| Candidate {
            policy: policy(place),
            standing: match tuned.policies[place].state {
                State::Incumbent => Standing::Recommended,
                State::AsGood => Standing::AsGood,
                State::Open => Standing::Undecided,
                State::Slower => Standing::Slower,
                State::Breaks(_) => Standing::BreaksLimit,
                State::NeverTrips => Standing::NeverTrips,
            },
            why: why(tune, tuned, place),
            evidence: evidence(place),
            slower_by: estimate(&tuned.policies[place].slower_by),
            on_front: if findings.worst.is_some() { findings.points[place].on_front } else { Some(false) },
            gives_up: gives_up(tune, &tuned.policies[place]),
        });
        let hints = hints::HintWords::new(tune, &findings.hints);
        Self {
            schema: "dryroll.tune/1".into(),
            scenario: ScenarioRef::of(scenario),
            seed: scenario.seed,
            command: replay::tune(
                file,
                scenario.seed,
                tune.replicates,
                tune.tolerance,
                findings.posterior.as_ref().map(|found| found.calibration.file.raw()),
                tune.policies_file.as_ref().map(Foreign::raw),
            )
            .into(),
            replicates: tuned.replicates,
            rollouts: tuned.rollouts,
            confidence: CONFIDENCE,
            good: id(0),
            defective: (1..tune.versions()).map(id).collect(),
            worst: findings.worst.map(id),
            minimise: tune.minimise,
            tolerance: tune.tolerance,
            limits: tune
                .limits
                .iter()
                .enumerate()
                .map(|(place, limit)| LimitText {
                    key: (place >= tune.written).then(|| "min_completed".to_owned()),
                    says: limit.says(),
                    metric: limit.spec.metric,
                    versions: limit.versions.iter().map(|&version| id(version)).collect(),
                    bound_of_mean: limit.of_mean(),
                })
                .collect(),
            min_completed: Some(completed::least(scenario)),
            limit_tolerance: Some(tune.limit_tolerance),
            decided: tuned.decided,
            says: says(tune, tuned),
            recommended: tuned.incumbent.map(|place| Recommended { policy: policy(place), evidence: evidence(place) }),
            as_good: named(State::AsGood),
            undecided: named(State::Open),
            front,
            binding: tuned.incumbent.is_none().then(|| binding(tune, tuned)),
            candidates: candidates.collect(),
            sensitivity: findings.sensitivity.factors.iter().map(|at| sensitivity(tune, tuned, at)).collect(),
            keeps: findings.sensitivity.keeps.filter(|_| !tune.limits.is_empty()).map(|ends| keeps(tune, ends)),
            hints: hints.hints,
            hints_with: findings.hints.policy.map(policy),
            hints_say: Some(hints.says),
            warnings: no_limit(tune)
                .into_iter()
                .chain(no_front(tune))
                .chain(stopped_early(tune, tuned))
                .chain(out_for_stopping(tune, tuned))
                .chain(findings.posterior.iter().flat_map(|found| found.calibration.warnings.clone()))
                .collect(),
            advice: findings.advice.clone(),
            spread: tuned
                .incumbent
                .filter(|_| findings.posterior.is_none())
                .and_then(|place| spread(tune.policy(place))),
            spread_notes: notes(tune, tuned.incumbent, findings.posterior.is_some()),
            posterior: findings.posterior.as_ref().map(|found| PosteriorReport::new(tune, tuned, found)),
        }
    }
}

fn order(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::INFINITY)
}

fn estimate(of: &Estimated) -> Estimate {
    Estimate { value: of.mean, ci: of.interval, n: of.n, exact: of.exact }
}

fn evidence(tune: &Tune, known: &Known, point: &Point) -> Evidence {
    let limits = known.limits.iter().map(|held| limit_check(tune, held));
    Evidence {
        replicates: known.replicates,
        objective: estimate(&known.goal),
        blast_radius_pct: estimate(&point.blast),
        harmed_pct: estimate(&point.harmed),
        limits: limits.collect(),
    }
}

fn limit_check(tune: &Tune, held: &Held) -> LimitCheck {
    LimitCheck {
        limit: tune.limits[held.limit].says(),
        metric: tune.limits[held.limit].spec.metric,
        bound: tune.limits[held.limit].spec.bound.number(),
        version: tune.cells.scenarios[tune.cell(0, held.version)].target().id.clone(),
        observed: Estimate { value: held.observed, ci: held.interval, n: held.n, exact: held.exact },
        holds: held.holds,
        by_tolerance: held.by_tolerance,
    }
}

/// Without a limit nothing stands against the largest batches.
fn no_limit(tune: &Tune) -> Option<String> {
    (tune.written == 0).then(|| {
        "[tune] has no limits, so nothing stands against large batches and high limits: add `limits`, such as \
         {metric = \"blast_radius_pct\", at_most = 25}"
            .to_owned()
    })
}

/// Without a defective version the safety of a policy is unknown.
fn no_front(tune: &Tune) -> Option<String> {
    (tune.versions() == 1).then(|| {
        format!(
            "[tune] names no defective version, so policies differ in {} alone and there is no front of fast against \
             safe: add `defective` to see how far a bad version gets",
            called(tune.minimise.name())
        )
    })
}

/// Least of anything is what a rollout that does not come far has. Where `min_completed` lets such a policy in, this is
/// said of it.
fn stopped_early(tune: &Tune, tuned: &Tuned) -> Option<String> {
    let completed = tuned.completed.filter(|&share| share < MIN_COMPLETED)?;
    Some(format!(
        "{}: only {} of the good rollouts complete with the recommended policy; raise min_completed, or add or \
         tighten a limit on false_trip_rate or completed in [tune]",
        why_it_pays(tune),
        Unit::Share.say(completed)
    ))
}

fn why_it_pays(tune: &Tune) -> &'static str {
    match Unit::of_metric(tune.minimise) {
        Unit::Seconds => "a rollout that is stopped early is short",
        _ => "a rollout that is stopped early costs little",
    }
}

/// The policies that nothing but the good rollouts that they stop keeps from being the answer.
fn out_for_stopping(tune: &Tune, tuned: &Tuned) -> Option<String> {
    let best = tuned.incumbent.and_then(|place| tuned.policies[place].goal.value());
    let is_rival = |known: &Known| {
        let others = known.limits.iter().filter(|held| Some(held.limit) != tune.completes);
        let meets = others.clone().all(|held| held.holds != Some(false));
        let less = known.goal.value().zip(best).is_none_or(|(goal, best)| goal < best);
        meets && less && tune.completes_enough(known) == Some(false)
    };
    let out: Vec<usize> = (0..tuned.policies.len()).filter(|&place| is_rival(&tuned.policies[place])).collect();
    let first = *out.first()?;
    let named: Vec<String> = out.iter().take(MOST_NAMED).map(|&place| short(tune, &tune.named_policy(place))).collect();
    let more = out.len() - named.len();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let completes = |held: &&Held| Some(held.limit) == tune.completes;
    let completed = tuned.policies[first].limits.iter().find(completes).and_then(|held| held.exact.or(held.observed));
    let (of_first, cure) = match completed.is_some_and(|completed| stall(&tuned.policies[first], completed)) {
        true => ("of the first, ", "A longer `horizon_sec` lets them end"),
        false => ("the first ", "For rules that trip less see false_trip_rate in [tune]"),
    };
    Some(format!(
        "{}, and {} out for that ({}{more}): {of_first}{}. {cure}",
        why_it_pays(tune),
        plural(out.len() as u64, "policy is", "policies are"),
        named.join("; "),
        gives_up(tune, &tuned.policies[first]).unwrap_or_default()
    ))
}

/// What a policy does with which too few good rollouts complete; `None` of another.
fn gives_up(tune: &Tune, known: &Known) -> Option<String> {
    let held = known.limits.iter().find(|held| Some(held.limit) == tune.completes && held.holds == Some(false))?;
    let completed = held.exact.or(held.observed)?;
    Some(match stall(known, completed) {
        true => format!("{} of good rollouts are not over at the horizon", Unit::Share.say(1.0 - completed)),
        false => stops(completed),
    })
}

/// Whether good rollouts that do not complete mostly end at the horizon.
fn stall(known: &Known, completed: f64) -> bool {
    known.stalled.is_some_and(|stalled| stalled > (1.0 - completed) / 2.0)
}

/// How much less of the goal a policy has than the recommended one, if an undecided limit is what keeps it from being
/// the answer.
fn would_save(tuned: &Tuned, place: usize) -> Option<f64> {
    let known = &tuned.policies[place];
    let is_undecided = known.state == State::Open && known.limits.iter().any(|held| held.holds.is_none());
    known.slower_by.value().filter(|&more| is_undecided && more < 0.0).map(|more| -more)
}

/// A policy of a search in a few words. The order of its plan is one of them where not all policies have the fleet's.
#[must_use]
pub fn short(tune: &Tune, policy: &Policy) -> String {
    if let Some(name) = &policy.policy {
        return format!("policy {name}");
    }
    let all_listed = (0..tune.policies()).all(|place| tune.policy(place).rollout.order.is_listed());
    let order = if all_listed { String::new() } else { format!(", order {}", policy.order.name()) };
    let further: String =
        tune.further_keys().iter().map(|key| format!(", {key} {}", value_in_words(policy, key))).collect();
    let batches = if policy.batch_pct.is_some() { "batch_pct" } else { "batches" };
    format!("{batches} {}, max_consecutive_failures {}{order}{further}", policy.batches(), policy.limit())
}

/// Why a policy stands where it stands.
pub fn why(tune: &Tune, tuned: &Tuned, place: usize) -> String {
    let known = &tuned.policies[place];
    let unit = Unit::of_metric(tune.minimise);
    let by = known.slower_by.value().map(|mean| unit.say_difference(mean)).unwrap_or_default();
    match known.state {
        State::Incumbent => "the best of those whose limits surely hold".into(),
        State::AsGood => {
            let tolerance = Unit::Share.say(tune.tolerance);
            let of = match known.slower_by.exact {
                Some(_) => "exactly".to_owned(),
                None => format!("in {}", plural(known.slower_by.n, "replicate", "replicates")),
            };
            format!("as good as the recommended one, within {tolerance} ({by} {of})")
        }
        State::Slower => format!("{} is {by}", called(tune.minimise.name())),
        State::Breaks(held) => known.limits.get(held).map_or_else(String::new, |held| {
            let limit = &tune.limits[held.limit];
            let gives_up = gives_up(tune, known).map(|does| format!("{does}; ")).unwrap_or_default();
            let version = &tune.cells.scenarios[tune.cell(0, held.version)].target().id;
            let (name, bound) = (limit.spec.metric.name(), limit.spec.bound.number());
            let say = |value: Option<f64>| match (value, bound) {
                (Some(value), Some(bound)) => Unit::of(name).say_against(value, bound),
                _ => Unit::of(name).say_or_nothing(value),
            };
            let seen = match held.exact {
                Some(exact) => format!("{}, exactly", say(Some(exact))),
                None => say(held.observed) + &beside(name, held.n, known.replicates),
            };
            format!("{gives_up}{} does not hold for {version}: {seen}", limit.says())
        }),
        State::NeverTrips => "its breaker can never trip".into(),
        State::Open => {
            let limit = known.limits.iter().find(|held| held.holds.is_none());
            match limit {
                Some(held) => {
                    let saves = would_save(tuned, place).map(|saves| format!("; if so, it saves {}", unit.say(saves)));
                    let says = tune.limits[held.limit].says();
                    format!("whether {says} holds is not decided{}", saves.unwrap_or_default())
                }
                None => format!("no clear difference from the recommended one: {by}"),
            }
        }
    }
}

fn says(tune: &Tune, tuned: &Tuned) -> String {
    let Some(place) = tuned.incumbent else {
        return match tuned.decided {
            true => "No policy meets the limits.".into(),
            false => "No policy surely meets the limits, and some are undecided: allow more replicates.".into(),
        };
    };
    let known = &tuned.policies[place];
    let unit = Unit::of_metric(tune.minimise);
    let goal = format!("{} {}", called(tune.minimise.name()), unit.say_or_nothing(known.goal.value()));
    let good = tuned.policies.iter().filter(|known| known.state == State::AsGood).count() as u64;
    let beside = match good {
        0 => String::new(),
        _ => {
            format!("; {} within {} of it", plural(good, "policy is", "policies are"), Unit::Share.say(tune.tolerance))
        }
    };
    let open = tuned.policies.iter().filter(|known| known.state == State::Open).count() as u64;
    let still = match open {
        0 => String::new(),
        _ => format!("; {} undecided", plural(open, "policy is", "policies are")),
    };
    let answer = format!("{}: {goal}{beside}{still}.", short(tune, &tune.named_policy(place)));
    match undecided_rival(tune, tuned, unit) {
        Some(rival) => format!("{answer} {rival}"),
        None => answer,
    }
}

/// The policy that would save most if the limits that are undecided hold: it does not lose to a slower one without a
/// word.
fn undecided_rival(tune: &Tune, tuned: &Tuned, unit: Unit) -> Option<String> {
    let saving = |place: usize| Some((place, would_save(tuned, place)?));
    let rivals: Vec<(usize, f64)> = (0..tuned.policies.len()).filter_map(saving).collect();
    let &(place, saves) = rivals.iter().reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    let known = &tuned.policies[place];
    let undecided = known.limits.iter().filter(|held| held.holds.is_none());
    let limits: Vec<String> = undecided.map(|held| tune.limits[held.limit].says()).collect();
    let goal = tuned.incumbent.and_then(|best| tuned.policies[best].goal.value()).filter(|goal| *goal > 0.0);
    let share = goal.map(|goal| format!(" ({})", Unit::Share.say(saves / goal))).unwrap_or_default();
    let more = match rivals.len() as u64 - 1 {
        0 => String::new(),
        n => format!("; {} faster if undecided limits hold", plural(n, "other is", "others are")),
    };
    let more = if unit == Unit::Seconds { more } else { more.replace("faster", "better") };
    Some(format!(
        "{} saves {}{share} if {} holds, which is not decided{more}.",
        short(tune, &tune.named_policy(place)),
        unit.say(saves),
        limits.join(" and ")
    ))
}

/// The limit that keeps most policies out; where none surely does, the one that is undecided for most.
fn binding(tune: &Tune, tuned: &Tuned) -> String {
    let of = |limit: usize, holds: Option<bool>| {
        let is_so = |known: &&Known| known.limits.iter().any(|held| held.limit == limit && held.holds == holds);
        tuned.policies.iter().filter(is_so).count()
    };
    let most = |holds: Option<bool>| {
        let counts = (0..tune.limits.len()).map(|limit| (limit, of(limit, holds)));
        counts.max_by_key(|&(limit, count)| (count, std::cmp::Reverse(limit)))
    };
    let all = tuned.policies.len();
    let says = |limit: usize| tune.limits[limit].says();
    let never = tuned.policies.iter().filter(|known| known.state == State::NeverTrips).count();
    if never == all {
        return "no policy of the grid has a breaker that can trip".into();
    }
    let Some((limit, count)) = most(Some(false)) else { return "no limit is set".into() };
    let name = says(limit);
    if count == 0 {
        let (limit, count) = most(None).unwrap_or((limit, all));
        return format!("{}: whether it holds is undecided for {count} of {all} policies", says(limit));
    }
    if count == all {
        return format!("{name}: it does not hold for any policy");
    }
    let others: Vec<String> = (0..tune.limits.len())
        .filter(|&other| other != limit)
        .map(|other| (other, of(other, Some(false))))
        .filter(|&(_, count)| count > 0)
        .map(|(other, count)| format!(", {} for {count}", says(other)))
        .collect();
    let rest = if tuned.decided { "together they leave none" } else { "the others are undecided" };
    format!("{name} does not hold for {count} of {all} policies{}; {rest}", others.concat())
}

fn sensitivity(tune: &Tune, today: &Tuned, at: &AtFactor) -> Sensitivity {
    let AtFactor { factor, tuned, kept } = at;
    let recommended = tuned.incumbent.map(|place| tune.named_policy(place));
    let stays = tuned.incumbent == today.incumbent;
    let answer = match &recommended {
        Some(_) if stays => "it stays the answer".to_owned(),
        Some(policy) => format!("the answer would be {}", short(tune, policy)),
        None if tuned.decided => "no policy meets the limits".into(),
        None => "no policy surely meets the limits".into(),
    };
    let undecided = if tuned.decided { "" } else { " (not decided)" };
    let own = today.incumbent.filter(|_| !kept.is_empty()).map(|_| own_limits(tune, kept));
    let own = own.map_or_else(String::new, |own| format!("{own}; "));
    Sensitivity {
        factor: *factor,
        decided: tuned.decided,
        meets: (!kept.is_empty()).then(|| meets(kept)).flatten(),
        limits: kept.iter().map(|held| limit_check(tune, held)).collect(),
        says: format!("with {factor} times the {}: {own}{answer}{undecided}", rates(tune)),
        recommended,
    }
}

/// The rates that a search goes by: where rollouts differ in one it is the mean that is scaled, and the spread stays.
fn rates(tune: &Tune) -> &'static str {
    if tune.has_spread() { "mean failure rates, with this spread" } else { "failure rates" }
}

/// How the recommended policy stands to its limits, in words.
fn own_limits(tune: &Tune, kept: &[Held]) -> String {
    let named = |holds: Option<bool>| -> Vec<String> {
        let broken = kept.iter().filter(|held| held.holds == holds);
        let says = broken.map(|held| {
            let check = limit_check(tune, held);
            let says = |value: f64| match check.bound {
                Some(bound) => Unit::of_measure(check.metric).say_against(value, bound),
                None => Unit::of_measure(check.metric).say(value),
            };
            let seen = check.observed.best().map_or_else(|| NOTHING.to_owned(), says);
            let of = if tune.limits[held.limit].versions.len() > 1 {
                format!(" of {}", check.version)
            } else {
                String::new()
            };
            format!("{}{of} ({seen})", check.limit)
        });
        says.collect()
    };
    match meets(kept) {
        Some(true) => "the recommended policy meets every limit".to_owned(),
        Some(false) => format!("the recommended policy breaks {}", named(Some(false)).join(" and ")),
        None => format!("whether the recommended policy meets {} is undecided", named(None).join(" and ")),
    }
}

fn keeps(tune: &Tune, Keeps { from, to }: Keeps) -> KeepsReport {
    let rates = if tune.has_spread() { "mean rates, with this spread" } else { "rates" };
    let factor = number;
    let low = match from.beyond {
        None => format!("{} (the least that was tried)", factor(from.meets)),
        Some(_) => factor(from.meets),
    };
    let high = match to.beyond {
        None => format!("{} (the most that was tried)", factor(to.meets)),
        Some(_) => factor(to.meets),
    };
    let beyond = |end: End| end.beyond.map(factor);
    let says = match (beyond(from), beyond(to)) {
        (Some(low), Some(high)) if from.meets == 1.0 && to.meets == 1.0 => {
            format!(
                "the recommended policy surely meets every limit at these {rates}; at {low} and at {high} times them \
                 that is not sure"
            )
        }
        _ => format!("the recommended policy surely meets every limit from {low} to {high} times these {rates}"),
    };
    KeepsReport { from: from.meets, not_sure_below: from.beyond, to: to.meets, not_sure_above: to.beyond, says }
}
