//! Rules that stop a rollout: which keys each kind of rule takes, and what it becomes.

use super::super::file::{Breaker, CheckAt, Counted, How, Threshold as Number};
use super::super::tree::Cursor;
use super::context::Reports;
use super::shares::share;
use super::values::{nothing_twice, span};
use dryroll_engine::fleet::Span;
use dryroll_engine::{
    Armed, BreakerScope, FailedBatches, FailureCount, Failures, Limit, LogRatio, Moments, NoProgress, Rule, RuleKind,
    Sprt, Threshold, Unwell, Whole,
};

/// The rules, in their order. `scope` is the rollout's own.
pub(super) fn breakers(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &[Breaker], scope: BreakerScope) -> Vec<Rule> {
    let rules = file.iter().enumerate();
    rules.map(|(index, one)| rule(reports, &at.item(index), one, scope)).collect()
}

/// A kind of rule: what it is called, and its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Failures,
    FailedBatches,
    Unwell,
    Sprt,
    NoProgress,
}

impl Kind {
    fn of(file: &Breaker) -> Self {
        match (file.no_progress_sec, file.count.unwrap_or_default(), file.how.unwrap_or_default()) {
            (Some(_), _, _) => Self::NoProgress,
            (None, Counted::FailedBatches, _) => Self::FailedBatches,
            (None, Counted::Unwell, _) => Self::Unwell,
            (None, Counted::Failed, How::Sprt) => Self::Sprt,
            (None, Counted::Failed, How::Total | How::InARow | How::Window) => Self::Failures,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Failures => "that counts failures",
            Self::FailedBatches => "with `count = \"failed_batches\"`",
            Self::Unwell => "with `count = \"unwell\"`",
            Self::Sprt => "with `how = \"sprt\"`",
            Self::NoProgress => "with `no_progress_sec`",
        }
    }

    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Failures => &[
                "count",
                "how",
                "limit",
                "of",
                "clamp",
                "exceeds",
                "window_sec",
                "after_judged",
                "until_pct",
                "check",
                "reasons",
                "scope",
                "then",
            ],
            Self::FailedBatches => &["count", "how", "limit", "exceeds", "after_judged", "until_pct", "check", "then"],
            Self::Unwell => {
                &["count", "how", "limit", "of", "clamp", "exceeds", "after_judged", "until_pct", "check", "then"]
            }
            Self::Sprt => &["count", "how", "good", "bad", "alpha", "beta", "check", "scope", "then"],
            Self::NoProgress => &["no_progress_sec", "then"],
        }
    }
}

/// The keys that a rule gives.
fn given(file: &Breaker) -> impl Iterator<Item = &'static str> {
    let Breaker { count, how, limit, of, clamp, exceeds, window_sec, after_judged, .. } = file;
    let Breaker { until_pct, check, reasons, scope, then, no_progress_sec, good, bad, alpha, beta, .. } = file;
    let keys = [
        ("count", count.is_some()),
        ("how", how.is_some()),
        ("limit", limit.is_some()),
        ("of", of.is_some()),
        ("clamp", clamp.is_some()),
        ("exceeds", exceeds.is_some()),
        ("window_sec", window_sec.is_some()),
        ("after_judged", after_judged.is_some()),
        ("until_pct", until_pct.is_some()),
        ("check", check.is_some()),
        ("reasons", reasons.is_some()),
        ("scope", scope.is_some()),
        ("then", then.is_some()),
        ("no_progress_sec", no_progress_sec.is_some()),
        ("good", good.is_some()),
        ("bad", bad.is_some()),
        ("alpha", alpha.is_some()),
        ("beta", beta.is_some()),
    ];
    keys.into_iter().filter(|(_, given)| *given).map(|(key, _)| key)
}

fn rule(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Breaker, scope: BreakerScope) -> Rule {
    let kind = Kind::of(file);
    takes_its_keys(reports, at, file, kind);
    let armed = Armed { after_judged: file.after_judged.unwrap_or(0), until_pct: file.until_pct };
    let scope = file.scope.unwrap_or(scope);
    let kind = match kind {
        Kind::NoProgress => RuleKind::NoProgress(NoProgress { after: span(file.no_progress_sec.unwrap_or(0.0)) }),
        Kind::Sprt => RuleKind::Sprt(sprt(reports, at, file, scope)),
        Kind::FailedBatches => RuleKind::FailedBatches(failed_batches(reports, at, file, armed)),
        Kind::Unwell => {
            how_is_one_of(reports, at, file, &[How::Total], "unwell");
            check_is(reports, at, file, CheckAt::BatchStart);
            if file.of == Some(Whole::Batch) {
                reports.add(at.key("of").value(), |mark| {
                    mark.say("`of = \"batch\"` does not go with `count = \"unwell\"`")
                        .label("nobody who is unwell belongs to the batch that is to begin")
                        .allowed("planned, judged")
                });
            }
            RuleKind::Unwell(Unwell { threshold: threshold(reports, at, file), armed })
        }
        Kind::Failures => RuleKind::Failures(Failures {
            how: how(reports, at, file),
            threshold: threshold(reports, at, file),
            armed,
            check: moments(reports, at, file),
            reasons: file.reasons.clone(),
            scope,
        }),
    };
    Rule { kind, then: file.then.unwrap_or_default() }
}

/// Tells each key that such a rule does not have, and each that it lacks.
fn takes_its_keys(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Breaker, kind: Kind) {
    for key in given(file).filter(|key| !kind.keys().contains(key)) {
        let listed = kind.keys().iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        reports.add(at.key(key).name(), |mark| {
            let diagnostic = mark.say(format!("a rule {} has no `{key}`", kind.name())).allowed(listed);
            match (key, kind) {
                ("good" | "bad" | "alpha" | "beta", Kind::Failures) => {
                    diagnostic.help(format!("add `how = \"sprt\"`, or remove `{key}`"))
                }
                (_, Kind::NoProgress) => {
                    diagnostic.help("it is a rule of its own: write another `[[rollout.breakers]]`")
                }
                _ => diagnostic.help(format!("remove `{key}`")),
            }
        });
    }
    let wanted: &[(&str, &str)] = match kind {
        Kind::Failures | Kind::FailedBatches | Kind::Unwell => &[("limit", "limit = 3")],
        Kind::Sprt => {
            &[("good", "good = 0.01"), ("bad", "bad = 0.1"), ("alpha", "alpha = 0.05"), ("beta", "beta = 0.1")]
        }
        Kind::NoProgress => &[],
    };
    for (key, example) in wanted.iter().filter(|(key, _)| given(file).all(|given| given != *key)) {
        reports.add(at.value(), |mark| {
            mark.say(format!("a rule {} needs `{key}`", kind.name()))
                .label(format!("no `{key}`"))
                .help(format!("add it, for example `{example}`"))
        });
    }
}

fn how(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Breaker) -> FailureCount {
    let how = file.how.unwrap_or_default();
    if let Some(reasons) = &file.reasons {
        nothing_twice(reports, &at.key("reasons"), reasons.iter().map(|reason| reason.name()));
        if how == How::InARow {
            reports.add(at.key("reasons").name(), |mark| {
                mark.say("`reasons` does not go with `how = \"in_a_row\"`")
                    .allowed("`reasons` with `how = \"total\"` or `how = \"window\"`")
                    .help("remove `reasons`, or count in total")
            });
        }
    }
    match (how, file.window_sec) {
        (How::Window, Some(seconds)) => return FailureCount::Window(span(seconds)),
        (How::Window, None) => reports.add(at.key("how").value(), |mark| {
            mark.say("`how = \"window\"` needs `window_sec`").help("add it, for example `window_sec = 600`")
        }),
        (_, Some(_)) => reports.add(at.key("window_sec").name(), |mark| {
            mark.say("`window_sec` without `how = \"window\"`").help("add `how = \"window\"`, or remove `window_sec`")
        }),
        (_, None) => {}
    }
    match how {
        How::InARow => FailureCount::InARow,
        How::Window => FailureCount::Window(Span(1)),
        How::Total | How::Sprt => FailureCount::Total,
    }
}

fn name_of(how: How) -> &'static str {
    match how {
        How::Total => "total",
        How::InARow => "in_a_row",
        How::Window => "window",
        How::Sprt => "sprt",
    }
}

fn how_is_one_of(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Breaker, allowed: &[How], count: &str) {
    let how = file.how.unwrap_or_default();
    if allowed.contains(&how) {
        return;
    }
    let names = allowed.iter().map(|how| format!("`how = \"{}\"`", name_of(*how))).collect::<Vec<_>>().join(", ");
    let place = if file.how.is_some() { at.key("how") } else { at.key("count") };
    reports.add(place.value(), |mark| {
        mark.say(format!("`how = \"{}\"` does not go with `count = \"{count}\"`", name_of(how)))
            .label(if file.how.is_some() { "found here" } else { "`how` is left out, which is `total`" })
            .allowed(names)
    });
}

fn check_is(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Breaker, wanted: CheckAt) {
    if file.check == Some(wanted) {
        return;
    }
    let place = if file.check.is_some() { at.key("check") } else { at.key("count") };
    reports.add(place.value(), |mark| {
        mark.say("`count = \"unwell\"` is judged when a batch is to begin")
            .allowed("`check = \"batch_start\"`")
            .help("add `check = \"batch_start\"`")
    });
}

fn moments(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Breaker) -> Moments {
    match file.check.unwrap_or_default() {
        CheckAt::Verdict => Moments::Verdict,
        CheckAt::BatchEnd => Moments::BatchEnd,
        CheckAt::BatchStart => {
            reports.add(at.key("check").value(), |mark| {
                mark.say("`check = \"batch_start\"` is for `count = \"unwell\"` alone").allowed("verdict, batch_end")
            });
            Moments::Verdict
        }
    }
}

fn failed_batches(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Breaker, armed: Armed) -> FailedBatches {
    how_is_one_of(reports, at, file, &[How::InARow], "failed_batches");
    if file.check.is_some_and(|check| check != CheckAt::BatchEnd) {
        reports.add(at.key("check").value(), |mark| {
            mark.say("`count = \"failed_batches\"` is judged when a batch is completed").allowed("batch_end")
        });
    }
    let exceeds = file.exceeds.unwrap_or(false);
    let limit = match file.limit {
        Some(Number::Count(limit)) => limit,
        Some(Number::Share(_)) => {
            reports.add(at.key("limit").value(), |mark| {
                mark.say("the limit of failed batches is a number, not a share").allowed("a whole number")
            });
            1
        }
        None => 1,
    };
    not_zero(reports, at, limit, exceeds);
    FailedBatches { limit, exceeds, armed }
}

fn not_zero(reports: &mut Reports<'_>, at: &Cursor<'_>, limit: u32, exceeds: bool) {
    if limit == 0 && !exceeds {
        reports.add(at.key("limit").value(), |mark| {
            mark.say("a limit of 0 is reached before anything happens")
                .allowed("1 or more; 0 with `exceeds = true`")
                .help("to trip on the first one, write `limit = 1`")
        });
    }
}

fn threshold(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Breaker) -> Threshold {
    let (of, exceeds) = (file.of.unwrap_or_default(), file.exceeds.unwrap_or(false));
    let place = at.key("limit");
    let limit = match &file.limit {
        Some(Number::Count(limit)) => {
            not_zero(reports, at, *limit, exceeds);
            Limit::Count(*limit)
        }
        Some(Number::Share(text)) => Limit::Share(share(reports, &place, text)),
        None => Limit::Count(1),
    };
    let Some(bounds) = &file.clamp else { return Threshold { limit, of, exceeds } };
    let at = at.key("clamp");
    // The shape was checked.
    let (least, most) = match *bounds.as_slice() {
        [least, most] => (least, most),
        _ => (1, u32::MAX),
    };
    if least > most {
        reports.add(at.value(), |mark| {
            mark.say("the bounds of `clamp` are the wrong way round")
                .label(format!("{least} is above {most}"))
                .allowed("[least, greatest]")
                .help(format!("write `clamp = [{most}, {least}]`"))
        });
    }
    let limit = match (limit, of) {
        (Limit::Share(share), Whole::Planned) => Limit::Clamped { share, least, most },
        (limit, _) => {
            reports.add(at.name(), |mark| {
                mark.say("`clamp` without a share of the planned")
                    .label(if matches!(limit, Limit::Count(_)) {
                        "`limit` is a number"
                    } else {
                        "`of` is not `planned`"
                    })
                    .allowed("`limit` as a share such as \"5%\", `of` left out or \"planned\"")
                    .help("remove `clamp`, or write the limit as a share of the planned")
            });
            limit
        }
    };
    Threshold { limit, of, exceeds }
}

/// The logarithms of a sequential test.
fn sprt(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Breaker, scope: BreakerScope) -> Sprt {
    let check = moments(reports, at, file);
    let between = |key: &'static str, number: Option<f64>| Some((key, number?));
    let numbers = [("good", file.good), ("bad", file.bad), ("alpha", file.alpha), ("beta", file.beta)];
    let mut is_right = numbers.iter().all(|(_, number)| number.is_some());
    for (key, number) in numbers.into_iter().filter_map(|(key, number)| between(key, number)) {
        if !(number > 0.0 && number < 1.0) {
            is_right = false;
            reports.add(at.key(key).value(), |mark| {
                mark.say(format!("`{key}` is not between 0 and 1"))
                    .label(format!("found {number}"))
                    .allowed("a number above 0 and below 1")
            });
        }
    }
    let [good, bad, alpha, beta] = numbers.map(|(_, number)| number.unwrap_or(0.5));
    if is_right && bad <= good {
        is_right = false;
        reports.add(at.key("bad").value(), |mark| {
            mark.say("`bad` is not above `good`, so that there is nothing to tell apart")
                .label(format!("found {bad}"))
                .allowed(format!("above {good}, the `good` rate, and below 1"))
        });
    }
    if is_right && alpha + beta >= 1.0 {
        is_right = false;
        reports.add(at.key("beta").value(), |mark| {
            mark.say("`alpha` and `beta` add up to 1 or more")
                .label(format!("adds up to {}", alpha + beta))
                .allowed("`alpha` + `beta` below 1")
                .help("for example `alpha = 0.05` and `beta = 0.1`")
        });
    }
    let log = |ratio: f64| LogRatio(libm::log(ratio));
    let (failed, healthy) = (log(bad / good), log((1.0 - bad) / (1.0 - good)));
    let (upper, lower) = (log((1.0 - beta) / alpha), log(beta / (1.0 - alpha)));
    let steps = [failed.0, -healthy.0, upper.0, -lower.0];
    if is_right && !steps.into_iter().all(|step| step.is_finite() && step > 0.0) {
        reports.add(at.value(), |mark| {
            mark.say("the numbers of this test are too near to 0, to 1 or to each other for its logarithms")
                .allowed("0 < good < bad < 1, alpha + beta < 1")
                .help("for example `good = 0.01`, `bad = 0.1`, `alpha = 0.05`, `beta = 0.1`")
        });
    }
    Sprt { failed, healthy, upper, lower, check, scope }
}
