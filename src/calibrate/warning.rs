//! What a log cannot tell, or tells only with a grain of salt.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::family::Family;
use super::fit::{FEWEST, Fit};
use super::goodness::beyond;
use super::observations::{AttemptCounts, Observations, VersionObservations};
use super::result::{OperatorCalibration, VersionCalibration};
use crate::stats::{moments::Moments, normal};

/// Of what kind a warning is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// So few that the interval is all there is to know.
    TooFew,
    /// Two causes look the same.
    Confounded,
    /// What was going on was not seen to its end.
    Censored,
    /// The log does not have it.
    CannotTell,
    /// Two parts of the log disagree.
    Differs,
    /// No family fits.
    DoesNotFit,
}

/// A warning: its kind for machines, its text for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Of what kind.
    pub kind: WarningKind,
    /// What, and what follows.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn warn(warnings: &mut Vec<Warning>, kind: WarningKind, text: String) {
    warnings.push(Warning { kind, text });
}

/// Fewer verdicts are said to be few.
const FEW: u64 = 20;
/// Below this chance, two parts of a log differ by more than chance.
const DIFFERS: f64 = 0.01;
/// Schwarz's criterion tells two families apart from here on (R. E. Kass and A. E. Raftery, "Bayes factors", JASA 90, 1995).
const TOLD_APART: f64 = 2.0;

/// Of the logs as a whole.
pub fn of_logs(observed: &Observations, heartbeat_interval: u64) -> Vec<Warning> {
    use WarningKind::{CannotTell, Censored, Differs};
    let mut all = Vec::new();
    warn(
        &mut all,
        CannotTell,
        "flaps, lost and late heartbeats leave no event, so [network] stays empty; what they did is in the timeouts and \
         upgrade times"
            .into(),
    );
    warn(
        &mut all,
        CannotTell,
        "an instance that is unhealthy for good ends as a timeout, and one that crashes after its healthy verdict leaves no \
         event: unhealthy_rate and crash_rate are left out"
            .into(),
    );
    let (pairs, fit) = observed.rhythm;
    let seconds = heartbeat_interval as f64 / 1000.0;
    if pairs >= 5 && fit * 10 < pairs * 9 {
        let text = format!(
            "heartbeats were taken to come every {seconds} s, but of {pairs} pairs of verdicts of one instance only {fit} lie \
             whole intervals apart: give the right --heartbeat-interval-sec, or expect late heartbeats in the upgrade times"
        );
        warn(&mut all, Differs, text);
    } else if pairs < 5 {
        let text = format!(
            "heartbeats were taken to come every {seconds} s (--heartbeat-interval-sec); the log cannot tell whether they do"
        );
        warn(&mut all, CannotTell, text);
    }
    let running = observed.histories - observed.finished;
    if running > 0 {
        let text = format!(
            "{running} of {} rollouts have no end in the log: what was in flight counts as not seen",
            observed.histories
        );
        warn(&mut all, Censored, text);
    }
    if observed.orphans > 0 {
        let text = format!("{} verdicts are left out: their instance_started is not in the log", observed.orphans);
        warn(&mut all, Censored, text);
    }
    all
}

/// Of a version.
pub fn of_version(version: &VersionCalibration, observed: &VersionObservations) -> Vec<Warning> {
    use WarningKind::{Censored, Confounded, Differs, TooFew};
    let mut all = Vec::new();
    let AttemptCounts { timed_out, cut_short, .. } = version.counts;
    let judged = version.counts.all() - cut_short;
    if judged < FEW {
        warn(&mut all, TooFew, format!("only {judged} verdicts: the intervals say little more than that"));
    }
    if version.histories == 1 {
        let text = "all of one rollout: what was special about that day cannot be told from the version".into();
        warn(&mut all, Confounded, text);
    }
    if timed_out > 0 {
        let text = format!(
            "{timed_out} health timeouts: hangs, unhealthy instances, crashes before a heartbeat, a network that was down and \
             slow upgrades look the same; all but the slow ones that the fit expects are put into hang_rate"
        );
        warn(&mut all, Confounded, text);
    }
    if let Some(&window) = observed.timed_out.iter().min() {
        if let Some(late) = version.upgrade_time.seen_by(window).map(|seen| 1.0 - seen).filter(|&late| late > 0.01) {
            let text = format!(
                "by the fit {:.1} % of the upgrades that end are not seen within the health window of {} s: how many of the \
                 timeouts they are hangs on the shape of a tail that nobody saw, and the interval of hang_rate, which takes \
                 that shape as known, is too narrow",
                late * 100.0,
                window as f64 / 1000.0
            );
            warn(&mut all, Censored, text);
        }
        let latest = observed.healthy.iter().chain(&observed.failed).max();
        if let Some(&latest) = latest.filter(|&&latest| latest > window + 1000) {
            let text = format!(
                "a verdict came {} s after its command, and a health window closed after {} s: rollouts with different \
                 windows, or a controller that was away and wrote down late",
                latest as f64 / 1000.0,
                window as f64 / 1000.0
            );
            warn(&mut all, Differs, text);
        }
    }
    if cut_short * 20 > version.counts.all() {
        let text = format!(
            "{cut_short} of {} commands were cut short by a decision: they count as not seen until then",
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
            "failures are reported at other times than healthy verdicts come (a chance of {chance:.4} if they were alike); a \
             scenario has one upgrade time for both"
        );
        warn(&mut all, Differs, text);
    }
    if let Some(chance) = histories_differ(&observed.by_history) {
        let text = format!(
            "the {} rollouts differ in how often an instance fails by more than chance ({chance:.4}): the intervals, which \
             take them as one, are too narrow for the next rollout",
            version.histories
        );
        warn(&mut all, Differs, text);
    }
    all
}

/// Of the operator.
pub fn of_operator(operator: &OperatorCalibration) -> Vec<Warning> {
    use WarningKind::{CannotTell, Censored, TooFew};
    let mut all = Vec::new();
    for (what, duration) in
        [("the approval delay", &operator.approval_delay), ("the decision delay", &operator.decision_delay)]
    {
        let n = duration.sample.n_seen();
        match &duration.fit {
            None => warn(&mut all, TooFew, format!("{what} cannot be told: nobody answered in the log")),
            Some(fit) => {
                if n < FEWEST {
                    warn(&mut all, TooFew, format!("too few answers to tell {what} from: {n}"));
                }
                of_fit(&mut all, what, fit, n, 1);
            }
        }
        if duration.sample.n_open() > 0.0 {
            let text =
                format!("{what}: {} requests had no answer by the end of their rollout", duration.sample.n_open());
            warn(&mut all, Censored, text);
        }
    }
    let seen = &operator.observations;
    if seen.edited > 0 {
        warn(&mut all, CannotTell, format!("{} edits of a plan: a scenario's `edit` is left out", seen.edited));
    }
    if seen.on_trip.len() > 1 {
        let text = "decisions on trips differ: on_trip has the most frequent one".into();
        warn(&mut all, CannotTell, text);
    }
    all
}

/// Of a fit: what it could as well have been.
fn of_fit(all: &mut Vec<Warning>, what: &str, fit: &Fit, n: f64, resolution: u64) {
    use WarningKind::{CannotTell, DoesNotFit, TooFew};
    match (fit.family, fit.goodness) {
        (Family::Empirical, Some(goodness)) => {
            let best = fit.candidates.first().map_or("", |best| best.family.name());
            let text = format!(
                "{what} is of no family that a scenario has: even {best} would agree so badly with a chance of {:.4}; the \
                 distribution is that of the times themselves, and says nothing beyond the longest",
                goodness.p_value
            );
            warn(all, DoesNotFit, text);
        }
        (Family::Constant, _) if resolution > 1 => {
            let text = format!(
                "{what} varies by less than heartbeats come: whether it is constant cannot be told, only that all of {n} are \
                 within one interval"
            );
            warn(all, CannotTell, text);
        }
        _ => {}
    }
    if fit.family != Family::Empirical
        && let Some(lead) = fit.lead().filter(|&lead| lead < TOLD_APART)
        && let [first, second, ..] = &fit.candidates[..]
    {
        let text = format!(
            "{what} could as well be {} as {}: Schwarz's criterion differs by {lead:.1}",
            second.family.name(),
            first.family.name()
        );
        warn(all, CannotTell, text);
    }
    if n < FEW as f64 && n >= FEWEST && fit.goodness.is_none() && fit.family != Family::Constant {
        warn(all, TooFew, format!("{what} is from {n} times: whether {} fits cannot be told", fit.family.name()));
    }
}

/// The chance of so different times of failures and of healthy verdicts, where it is small: Welch's statistic, taken as
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

/// The chance of so different shares of failures between histories, where it is small: Pearson's χ² of homogeneity.
fn histories_differ(histories: &[AttemptCounts]) -> Option<f64> {
    let judged = |one: &AttemptCounts| (one.all() - one.cut_short) as f64;
    let bad = |one: &AttemptCounts| (one.failed + one.timed_out) as f64;
    let (n, hits) = (histories.iter().map(judged).sum::<f64>(), histories.iter().map(bad).sum::<f64>());
    let share = hits / n;
    let told: Vec<&AttemptCounts> = histories.iter().filter(|one| judged(one) > 0.0).collect();
    // With less than one expected in each the statistic is not near its distribution.
    let is_enough = told.len() >= 2 && share > 0.0 && share < 1.0;
    if !is_enough || told.iter().any(|one| judged(one) * share.min(1.0 - share) < 1.0) {
        return None;
    }
    let squares = told.iter().map(|one| {
        let off = bad(one) - judged(one) * share;
        off * off / (judged(one) * share * (1.0 - share))
    });
    let chance = beyond(squares.sum(), told.len() as f64 - 1.0);
    (chance < DIFFERS).then_some(chance)
}
