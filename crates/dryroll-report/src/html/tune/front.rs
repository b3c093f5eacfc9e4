//! The plot of a search: where each policy stands to the limits, and its front.

use super::names;
use crate::html::policies::Policies;
use crate::model::{Candidate, LimitText, Standing, TuneReport};
use crate::svg::Plot;
use crate::svg::pareto::{Bound, Marker, Pareto, Place, Point};
use crate::words::{Unit, called, plural};
use dryroll_sim::scenario::{Measure, Metric};
use dryroll_sim::text::Foreign;

/// The plot of a tuning: where each policy stands to the limits, and its front.
#[must_use]
pub fn plots(report: &TuneReport) -> Vec<Plot> {
    // A plot needs both axes.
    if report.worst.is_none() {
        return Vec::new();
    }
    let names = names(report);
    let point = |candidate: &Candidate| {
        let marker = marker(candidate);
        Point {
            label: names.short(&candidate.policy),
            policy: names.long(&candidate.policy),
            x: candidate.evidence.objective.clone(),
            y: candidate.evidence.blast_radius_pct.clone(),
            place: match candidate.on_front {
                _ if candidate.gives_up.is_some() => Place::Stops,
                Some(true) => Place::Front,
                None => Place::Undecided,
                Some(false) => Place::Behind,
            },
            stands: candidate.gives_up.clone().unwrap_or_else(|| candidate.standing.label().to_owned()),
            marker,
        }
    };
    let pareto = Pareto {
        reading: format!(
            "Further left is better for {}, further down is safer. Crosses are {} intervals; a point without one is \
             exact, by theory. Dashed lines are the limits on what the axes measure{}. Points are means: a limit on \
             another figure, such as p95, is about the spread around them. The line joins the front: no other \
             policy is better in both. Labels are {}.",
            report.good,
            Unit::Share.say(report.confidence),
            others(report),
            names.key()
        ),
        x_name: format!("{} with {}", called(report.minimise.name()), report.good),
        x_unit: Unit::of_metric(report.minimise),
        y_name: "blast radius of the worst version".to_owned(),
        y_unit: Unit::Percent,
        legend: legend(report, &names),
        bounds: bounds(report),
        points: report.candidates.iter().map(point).collect(),
    };
    pareto.draw().into_iter().collect()
}

/// What is known of a policy's limits: whether all surely hold, or one surely does not.
fn meets(candidate: &Candidate) -> Option<bool> {
    let mut limits = candidate.evidence.limits.iter().map(|check| check.holds);
    match candidate.standing {
        Standing::BreaksLimit => Some(false),
        Standing::Recommended | Standing::AsGood => Some(true),
        _ if limits.clone().any(|holds| holds == Some(false)) => Some(false),
        _ => limits.all(|holds| holds == Some(true)).then_some(true),
    }
}

fn marker(candidate: &Candidate) -> Marker {
    match (candidate.standing, meets(candidate)) {
        (Standing::Recommended, _) => Marker::Recommended,
        (Standing::NeverTrips, _) => Marker::Breaks,
        (_, Some(true)) => Marker::Meets,
        (_, Some(false)) => Marker::Breaks,
        (_, None) => Marker::Open,
    }
}

/// The number of a limit on another figure than the mean, as on a p95.
fn bound_of(report: &TuneReport, limit: &LimitText) -> Option<f64> {
    let mut checks = report.candidates.iter().flat_map(|candidate| &candidate.evidence.limits);
    checks.find(|check| check.limit == limit.says)?.bound
}

/// The limits on what the axes measure.
fn bounds(report: &TuneReport) -> Vec<Bound> {
    let of = |limit: &LimitText| {
        let at = limit.bound_of_mean.or_else(|| bound_of(report, limit))?;
        let is_about = |version: &Foreign| limit.versions.contains(version);
        let on_x = limit.metric == Measure::Metric(report.minimise) && is_about(&report.good);
        let on_y =
            limit.metric == Measure::Metric(Metric::BlastRadiusPct) && report.worst.as_ref().is_some_and(is_about);
        (on_x || on_y).then(|| Bound { says: format!("limit: {}", limit.says), at, on_x })
    };
    report.limits.iter().filter_map(of).collect()
}

/// The limits that no axis can show.
fn others(report: &TuneReport) -> String {
    let drawn = bounds(report);
    let is_drawn = |limit: &&LimitText| drawn.iter().any(|bound| bound.says == format!("limit: {}", limit.says));
    let others: Vec<&str> =
        report.limits.iter().filter(|limit| !is_drawn(limit)).map(|limit| limit.says.as_str()).collect();
    if others.is_empty() { String::new() } else { format!("; on no axis: {}", others.join(", ")) }
}

/// What each marker means, with why the policies that have it are not the answer.
fn legend(report: &TuneReport, names: &Policies) -> Vec<(Marker, String)> {
    let with = |marker: Marker| report.candidates.iter().filter(move |one| self::marker(one) == marker);
    let count = |marker: Marker| with(marker).count() as u64;
    let stand = |marker: Marker, standing: Standing| with(marker).filter(|one| one.standing == standing).count() as u64;
    let joined = |parts: Vec<(u64, String)>| {
        let parts: Vec<String> =
            parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, says)| format!("{n} {says}")).collect();
        parts.join(", ")
    };
    let mut lines = Vec::new();
    if let Some(found) = &report.recommended {
        lines.push((Marker::Recommended, format!("recommended: {}", names.long(&found.policy))));
    }
    let n = count(Marker::Meets);
    if n > 0 {
        let why = joined(vec![
            (stand(Marker::Meets, Standing::AsGood), "as good as the recommended one".into()),
            (stand(Marker::Meets, Standing::Slower), format!("surely have more {}", called(report.minimise.name()))),
            (stand(Marker::Meets, Standing::Undecided), "without a clear difference from it".into()),
        ]);
        lines
            .push((Marker::Meets, format!("every limit surely holds, for {}: {why}", plural(n, "policy", "policies"))));
    }
    let n = count(Marker::Open);
    if n > 0 {
        let slower = stand(Marker::Open, Standing::Slower);
        let why = if slower > 0 {
            format!("; {slower} surely have more {}", called(report.minimise.name()))
        } else {
            String::new()
        };
        let of = plural(n, "policy", "policies");
        lines.push((Marker::Open, format!("whether a limit holds is undecided, for {of}{why}")));
    }
    let n = count(Marker::Breaks);
    if n > 0 {
        let broken = |limit: &LimitText| {
            let breaks = |one: &&Candidate| {
                one.evidence.limits.iter().any(|check| check.limit == limit.says && check.holds == Some(false))
            };
            (with(Marker::Breaks).filter(breaks).count() as u64, format!("by {}", limit.says))
        };
        let never = (stand(Marker::Breaks, Standing::NeverTrips), "whose breaker can never trip".to_owned());
        let why = joined(report.limits.iter().map(broken).chain([never]).collect());
        let why = if why.is_empty() { why } else { format!(": {why}") };
        lines.push((
            Marker::Breaks,
            format!("a limit surely does not hold, for {}{why}", plural(n, "policy", "policies")),
        ));
    }
    lines
}
