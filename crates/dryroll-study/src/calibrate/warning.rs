//! What a log cannot tell, or tells only with reservations.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::family::Family;
use super::fit::{DOES_NOT_FIT, FEWEST, Fit};
use super::goodness;
use super::observations::{AttemptCounts, Observations, VersionObservations};
use super::result::{OperatorCalibration, VersionCalibration};
use super::spread::{self, LEVEL, Spread};
use super::two_groups::SlowGroup;
use dryroll_stats::{moments::Moments, normal};

/// The kind of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// Too few observations to say more than the interval does.
    TooFew,
    /// Two causes cannot be distinguished.
    Confounded,
    /// Observation ended before the outcome.
    Censored,
    /// The log does not contain the information.
    CannotTell,
    /// Two parts of the log disagree.
    Differs,
    /// No family fits.
    DoesNotFit,
    /// The same rollout occurs twice.
    Twice,
    /// The unit of the times is probably not milliseconds.
    Unit,
}

/// A warning: its kind for machines, its text for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Its kind.
    pub kind: WarningKind,
    /// What was found, and its consequence.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn number_of(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn warn(warnings: &mut Vec<Warning>, kind: WarningKind, text: String) {
    warnings.push(Warning { kind, text });
}

/// The least number of verdicts that raises no warning.
const FEW: u64 = 20;
/// Two parts of a log differ if the p-value is below this.
const DIFFERS: f64 = 0.01;
/// The least difference in Schwarz's criterion that distinguishes two families (R. E. Kass and A. E. Raftery, "Bayes
/// factors", JASA 90, 1995).
const TOLD_APART: f64 = 2.0;

/// Warnings about the logs as a whole.
pub fn of_logs(observed: &Observations, heartbeat_interval: u64) -> Vec<Warning> {
    use WarningKind::{CannotTell, Censored, Differs};
    let mut all = Vec::new();
    warn(
        &mut all,
        CannotTell,
        "flaps, lost and late heartbeats leave no event, so [network] stays empty; what they did is in the timeouts \
         and upgrade times"
            .into(),
    );
    warn(
        &mut all,
        CannotTell,
        "an instance that is unhealthy for good ends as a timeout, and one that crashes after its healthy verdict \
         leaves no event: unhealthy_rate and crash_rate are left out"
            .into(),
    );
    let (pairs, fit) = observed.rhythm;
    let seconds = heartbeat_interval as f64 / 1000.0;
    if pairs >= 5 && fit * 10 < pairs * 9 {
        let text = format!(
            "heartbeats were taken to come every {seconds} s, but of {pairs} pairs of verdicts of one instance only \
             {fit} lie whole intervals apart: give the right --heartbeat-interval-sec, or expect late heartbeats in \
             the upgrade times"
        );
        warn(&mut all, Differs, text);
    } else if pairs < 5 {
        let text = format!(
            "heartbeats were taken to come every {seconds} s (--heartbeat-interval-sec); the log cannot tell whether \
             they do"
        );
        warn(&mut all, CannotTell, text);
    }
    all.extend(of_unit(observed));
    let running = observed.histories - observed.finished;
    if running > 0 {
        let text = format!(
            "{running} of {} rollouts have no end in the log: what was in flight counts as not seen",
            observed.histories
        );
        warn(&mut all, Censored, text);
    }
    if observed.orphans > 0 {
        let text = format!(
            "{} left out, of which the instance_started is not in the log",
            number_of(observed.orphans, "verdict")
        );
        warn(&mut all, Censored, text);
    }
    all
}

/// Warns about median times that are implausible in milliseconds and plausible in another unit.
fn of_unit(observed: &Observations) -> Option<Warning> {
    /// Plausible median times, milliseconds. Below one second not even a heartbeat arrives; above two hours is too long
    /// for nearly any fleet, while the same number in microseconds is seven seconds.
    const LIKELY: std::ops::RangeInclusive<u64> = 1000..=7_200_000;
    /// With fewer times than this, the median may be chance.
    const ENOUGH: usize = 5;
    let mut times: Vec<u64> = observed.versions.iter().flat_map(|version| version.healthy.iter().copied()).collect();
    if times.len() < ENOUGH {
        return None;
    }
    times.sort_unstable();
    let half = times[times.len() / 2];
    let (unit, remedy) = match half {
        half if LIKELY.contains(&half) => return None,
        half if half < *LIKELY.start() => ("seconds", "multiply them by 1000"),
        _ => ("microseconds", "divide them by 1000"),
    };
    let text = format!(
        "half of the healthy verdicts come within {} s of their command: `at_ms` is in milliseconds, and these are \
         probably {unit}; {remedy} and calibrate again",
        half as f64 / 1000.0
    );
    Some(Warning { kind: WarningKind::Unit, text })
}

/// Warnings about a version.
pub fn of_version(version: &VersionCalibration, observed: &VersionObservations) -> Vec<Warning> {
    use WarningKind::{CannotTell, Censored, Confounded, Differs, TooFew};
    let mut all = Vec::new();
    let AttemptCounts { timed_out, cut_short, .. } = version.counts;
    let judged = version.counts.all() - cut_short;
    if judged < FEW {
        warn(
            &mut all,
            TooFew,
            format!("only {}: the intervals show little more than that", number_of(judged, "verdict")),
        );
    }
    if version.histories == 1 {
        let text = "all of one rollout: what was special about that day cannot be told from the version, nor how much \
         rollouts differ"
            .into();
        warn(&mut all, Confounded, text);
    } else if version.histories < spread::FEWEST as u64 {
        let text = format!(
            "{} rollouts cannot tell how much rollouts differ: the intervals allow for much, and the next rollout may \
             still lie outside",
            version.histories
        );
        warn(&mut all, CannotTell, text);
        few_differ(&mut all, observed);
    }
    if timed_out > 0 {
        let text = format!(
            "{}: hangs, unhealthy instances, crashes before a heartbeat, a network that was down and \
             slow upgrades look the same; all but the slow ones that the fit expects are put into hang_rate",
            number_of(timed_out, "health timeout")
        );
        warn(&mut all, Confounded, text);
    }
    if version.relapsed > 0 {
        let text = format!(
            "{} relapsed later: the rates count them as healthy, and why they relapsed is not in the log",
            number_of(version.relapsed, "healthy verdict")
        );
        warn(&mut all, CannotTell, text);
    }
    if let Some(&window) = observed.timed_out.iter().min() {
        late(&mut all, version, window);
        let latest = observed.healthy.iter().chain(&observed.failed).max();
        if let Some(&latest) = latest.filter(|&&latest| latest > window + 1000) {
            let text = format!(
                "a verdict came {} s after its command, and a health window closed after {} s: rollouts with different \
                 windows, or a controller that was down and recorded late",
                latest as f64 / 1000.0,
                window as f64 / 1000.0
            );
            warn(&mut all, Differs, text);
        }
    }
    if cut_short * 20 > version.counts.all() {
        let text = format!(
            "{cut_short} of {} commands were cut short, by a decision or by the end of the log: they count as not seen \
             until then",
            version.counts.all()
        );
        warn(&mut all, Censored, text);
    }
    match &version.upgrade_time.fit {
        None => warn(&mut all, TooFew, "no upgrade was seen to end: upgrade_time_sec is left out".into()),
        Some(fit) => {
            let sample = &version.upgrade_time.sample;
            of_fit(&mut all, "the upgrade time", fit, sample.n_seen(), sample.resolution);
        }
    }
    if let Some(chance) = times_differ(observed) {
        let text = format!(
            "failures are reported at other times than healthy verdicts come (a chance of {chance:.4} if they were \
             alike); a scenario has one upgrade time for both"
        );
        warn(&mut all, Differs, text);
    }
    for (what, spread) in [("failures are reported", &version.rates.failure), ("timeouts come", &version.rates.silence)]
        .into_iter()
        .filter_map(|(what, rate)| rate.spread.as_ref().map(|spread| (what, spread)))
    {
        let text = format!(
            "the {} rollouts differ in how often {what} by more than chance (p = {:.4}, below the level of {LEVEL}): \
             the interval is that of the mean over rollouts, and one rollout may lie outside",
            spread.rollouts, spread.p_value
        );
        warn(&mut all, Differs, text);
    }
    times_of_rollouts(&mut all, version);
    hidden(&mut all, version, observed);
    all
}

/// Warns about rollouts whose upgrades take longer or shorter than those of others.
fn times_of_rollouts(all: &mut Vec<Warning>, version: &VersionCalibration) {
    let Some(chance) = version.upgrade_time.differ else { return };
    let differ = format!(
        "the {} rollouts differ in how long upgrades take by more than chance (p = {chance:.4}, below the level of \
         {LEVEL})",
        version.histories
    );
    let text = match &version.upgrade_time.factor {
        Some(factor) => format!(
            "{differ}: the times of a rollout have a factor that is lognormal with median 1 and sigma {:.2} ({:.2} to \
             {:.2}), which is `upgrade_time_factor`; upgrade_time_sec is that of a rollout whose factor is 1",
            factor.sigma, factor.interval.low, factor.interval.high
        ),
        None => format!(
            "{differ}, and no factor is fitted: it takes {} rollouts and a family that fits; upgrade_time_sec takes \
             them as one, and the intervals are too narrow for the next rollout",
            spread::FEWEST
        ),
    };
    warn(all, WarningKind::Differs, text);
}

/// Warns where rollouts do not differ by more than chance, but are too few or too small to rule a difference out.
fn hidden(all: &mut Vec<Warning>, version: &VersionCalibration, observed: &VersionObservations) {
    /// Below this design effect, the interval is hardly wider for it.
    const SAID: f64 = 1.5;
    let differs = version.rates.silence.spread.is_some() || version.upgrade_time.factor.is_some();
    let rates: [(&str, Hits, bool); 2] = [
        ("failures are reported", AttemptCounts::failures, version.rates.failure.spread.is_some()),
        ("timeouts come", AttemptCounts::timeouts, differs),
    ];
    for (what, of, _) in rates.into_iter().filter(|(_, _, differs)| !differs) {
        let counts: Vec<(u64, u64)> = observed.by_history.iter().map(of).collect();
        if let Some(most) = Spread::hidden(&counts).filter(|&most| most > SAID) {
            let text = format!(
                "no difference between the {} rollouts is found in how often {what}; but a difference that multiplies \
                 the variance by up to {most:.1} is not ruled out (95 %), and the interval allows for one: with rollouts \
                 that are surely alike it would be narrower",
                observed.by_history.len()
            );
            warn(all, WarningKind::CannotTell, text);
        }
    }
}

/// For counts of a rollout: hits and trials.
type Hits = fn(&AttemptCounts) -> (u64, u64);

/// Warns about two or three rollouts that differ, which are too few to fit how.
fn few_differ(all: &mut Vec<Warning>, observed: &VersionObservations) {
    let rates: [(&str, Hits); 2] =
        [("failures are reported", AttemptCounts::failures), ("timeouts come", AttemptCounts::timeouts)];
    for (what, of) in rates {
        if let Some(chance) = Spread::differ(&observed.by_history.iter().map(of).collect::<Vec<_>>()) {
            let text = format!(
                "the {} rollouts differ in how often {what} by more than chance (p = {chance:.4}, below the level of \
                 {LEVEL}), and are too few to tell by how much: the interval is that of the mean over rollouts, and one \
                 rollout may lie outside",
                observed.by_history.len()
            );
            warn(all, WarningKind::Differs, text);
        }
    }
}

/// Warns about upgrades that outlast the window, and so look like hangs.
fn late(all: &mut Vec<Warning>, version: &VersionCalibration, window: u64) {
    const SAID: f64 = 0.01;
    let (families, rate) = (&version.late_families, &version.rates.silence);
    let late = version.upgrade_time.seen_by(window).map_or(0.0, |seen| 1.0 - seen);
    let is_empirical = families.contains(&Family::Empirical);
    let is_said = late > SAID || is_empirical || version.slow_group.is_some() || rate.interval.low == 0.0;
    if families.is_empty() || !is_said {
        return;
    }
    let share = rate.hits as f64 / rate.n.max(1) as f64;
    let seconds = window as f64 / 1000.0;
    let how = if is_empirical {
        format!("no family fits, and verdicts come up to the end of the health window of {seconds} s")
    } else {
        let share = if late < 0.0005 { "fewer than 0.1 %".to_owned() } else { format!("{:.1} %", late * 100.0) };
        format!("by the fit {share} of the upgrades that end are not seen within the health window of {seconds} s")
    };
    let limit = if rate.interval.low == 0.0 && rate.interval.high > share / 2.0 {
        "but the log does not show how slow upgrades end beyond it: by another law that fits as well all of the \
         timeouts may be slow upgrades, and hang_rate"
    } else {
        "a slow upgrade and a hang look the same, and hang_rate"
    };
    let names: Vec<&str> = families.iter().map(|family| family.name()).collect();
    let text = format!(
        "{how}; {limit} is {:.4} to {:.4} by all that fits ({}). Raise health_timeout_sec in a rehearsal and calibrate \
         from its log, or read the upgrade's own log",
        rate.interval.low,
        rate.interval.high,
        names.join(", ")
    );
    warn(all, WarningKind::Censored, text);
    if let Some(SlowGroup { share, median, others }) = version.slow_group {
        let text = format!(
            "the times suggest two groups of hosts rather than one family: about {:.0} % take {median:.0} s at the \
             median, the others {others:.0} s. Slow ones that outlast the window look like hangs, and the interval of \
             hang_rate holds that they do; the tables take all hosts as alike. If it is known which hosts are slow, \
             write them as [[classes]] with an upgrade_time_sec of their own",
            share * 100.0
        );
        warn(all, WarningKind::Differs, text);
    }
}

/// Warnings about the operator.
pub fn of_operator(operator: &OperatorCalibration) -> Vec<Warning> {
    use WarningKind::{CannotTell, Censored, TooFew};
    let mut all = Vec::new();
    let promotions = operator.promotion_delay.iter().map(|delay| ("the promotion delay", delay));
    let delays = [("the approval delay", &operator.approval_delay), ("the decision delay", &operator.decision_delay)];
    for (what, duration) in delays.into_iter().chain(promotions) {
        let n = duration.sample.n_seen();
        match &duration.fit {
            None => warn(&mut all, TooFew, format!("{what} is not known: nobody answered in the log")),
            Some(fit) => {
                if n < FEWEST {
                    warn(&mut all, TooFew, format!("too few answers to know {what}: {n}"));
                }
                of_fit(&mut all, what, fit, n, 1);
            }
        }
        if duration.sample.n_open() > 0.0 {
            let text = format!(
                "{what}: {} had no answer by the end of their rollout",
                number_of(duration.sample.n_open() as u64, "request")
            );
            warn(&mut all, Censored, text);
        }
    }
    let seen = &operator.observations;
    if seen.edited > 0 {
        warn(
            &mut all,
            CannotTell,
            format!("{} of a plan: a scenario's `edit` is left out", number_of(seen.edited, "edit")),
        );
    }
    if seen.on_trip.len() > 1 {
        let text = "decisions on trips differ: on_trip has the most frequent one".into();
        warn(&mut all, CannotTell, text);
    }
    all
}

/// Warns about a fit: alternatives that the data do not rule out.
fn of_fit(all: &mut Vec<Warning>, what: &str, fit: &Fit, n: f64, resolution: u64) {
    use WarningKind::{CannotTell, DoesNotFit, TooFew};
    match (fit.family, fit.goodness) {
        (Family::Empirical, Some(goodness)) => {
            let best = fit.candidates.first().map_or("", |best| best.family.name());
            let text = format!(
                "{what} is of no family that a scenario has: {best} would agree this badly with a chance of {:.4}, and \
                 no other family agrees; the distribution is that of the times themselves, and does not extend beyond \
                 the longest",
                goodness.p_value
            );
            warn(all, DoesNotFit, text);
        }
        (Family::Constant, _) if resolution > 1 => {
            let text = format!(
                "{what} varies by less than heartbeats come: whether it is constant is not known, only that all of \
                 {n} are within one interval"
            );
            warn(all, CannotTell, text);
        }
        (Family::Empirical, None) | (_, Some(_)) => {}
        (Family::Constant, None) => {}
        (family, None) if n >= FEWEST => {
            let text = format!(
                "{what} is from {n} times: whether {} fits is not tested under {}",
                family.name(),
                goodness::FEWEST
            );
            warn(all, TooFew, text);
        }
        (_, None) => {}
    }
    if fit.family == Family::Empirical {
        return;
    }
    if fit.passed_over > 0
        && let Some(passed) = fit.candidates.get(..fit.passed_over)
    {
        let names: Vec<&str> = passed.iter().map(|one| one.family.name()).collect();
        let text = format!(
            "{what}: {} is better by Schwarz's criterion, but agrees too badly (below {DOES_NOT_FIT}): {} is taken, \
             the next that agrees",
            names.join(", "),
            fit.family.name()
        );
        warn(all, DoesNotFit, text);
    }
    if let Some((next, lead)) = fit.next().filter(|&(_, lead)| lead < TOLD_APART) {
        let text = format!(
            "{what} could as well be {} as {}: Schwarz's criterion differs by {lead:.1}",
            next.name(),
            fit.family.name()
        );
        warn(all, CannotTell, text);
    }
}

/// The p-value for equal times of failures and of healthy verdicts, where it is small: Welch's statistic, taken as
/// normal.
fn times_differ(observed: &VersionObservations) -> Option<f64> {
    const ENOUGH: u64 = 10;
    let moments = |times: &[u64]| {
        let mut moments = Moments::default();
        times.iter().for_each(|&time| moments.push(time as f64));
        moments
    };
    let (a, b) = (moments(&observed.healthy), moments(&observed.failed));
    if a.n() < ENOUGH || b.n() < ENOUGH {
        return None;
    }
    let error = a.variance()? / a.n() as f64 + b.variance()? / b.n() as f64;
    let chance = 2.0 * normal::cumulative(-(a.mean()? - b.mean()?).abs() / error.sqrt());
    (chance < DIFFERS).then_some(chance)
}
