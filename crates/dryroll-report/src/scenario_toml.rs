//! The tables of a scenario that a calibration comes to, as TOML with comments.

use std::fmt::Write;

use serde::Serialize;

use crate::model::calibration::{
    CalibrationReport, DurationReport, OperatorReport, RateReport, SpreadReport, VersionReport,
};
use crate::words::calibration::{about, of_factor, spread};
use crate::words::{number, plural, wrapped};
use dryroll_sim::scenario::Distribution;
use dryroll_sim::text::{escaped, toml_string};
use dryroll_study::calibrate::Warning;

/// Letters of a line.
const WIDTH: usize = 116;

/// Writing to a string cannot fail, so that what writing says is not looked at.
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.0, "{line}");
    }

    fn comment(&mut self, text: &str) {
        // What a log calls its versions may hold anything.
        for line in wrapped(&escaped(text), WIDTH) {
            self.line(&format!("# {line}"));
        }
    }

    fn warnings(&mut self, warnings: &[Warning]) {
        for warning in warnings {
            self.comment(&format!("! {warning}"));
        }
    }

    fn key(&mut self, key: &str, value: &impl Serialize) {
        if let Ok(value) = toml::Value::try_from(value) {
            self.line(&format!("{key} = {value}"));
        }
    }

    fn duration(&mut self, key: &str, duration: &DurationReport) {
        match &duration.fit {
            None => self.comment(&format!("{key}: nothing was seen")),
            Some(fit) => {
                self.comment(&about(duration));
                self.key(key, &short(&fit.distribution));
            }
        }
    }

    fn rate(&mut self, key: &str, what: &str, rate: &RateReport) {
        if rate.n == 0 {
            return self.comment(&format!("{key}: no verdict was seen, so it is left out"));
        }
        let ends = format!("{} to {}", number(rate.ci.low), number(rate.ci.high));
        let of = if rate.spread.is_some() { "95 % interval of the mean" } else { "95 % interval" };
        self.comment(&format!("{what} {} of {}; {of} {ends}", rate.hits, rate.n));
        if let Some(said) = spread(rate) {
            self.comment(&said);
        }
        match &rate.spread {
            Some(spread) => self.line(&format!("{key} = {}", differing(spread))),
            None => self.key(key, &digits(rate.estimate)),
        }
    }
}

/// A rate that is drawn once a replicate, as a scenario has it.
fn differing(spread: &SpreadReport) -> String {
    format!(
        "{{ beta = {{ mean = {}, concentration = {} }} }}",
        toml::Value::from(digits(spread.mean)),
        toml::Value::from(digits(spread.concentration))
    )
}

/// The tables of a scenario that fit, with comments on how sure they are.
#[must_use]
pub fn tables(report: &CalibrationReport) -> String {
    let mut text = Text(String::new());
    let rollouts = plural(report.rollouts, "rollout", "rollouts");
    text.comment(&format!(
        "Calibrated by `dryroll calibrate` from {rollouts}: {}",
        report.logs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    ));
    text.comment(&format!(
        "Heartbeats were taken to come every {} s: [fleet] heartbeat_interval_sec. Lines with ! are warnings.",
        report.heartbeat_interval_sec
    ));
    text.warnings(&report.warnings);
    for version in &report.versions {
        text.line("");
        of_version(&mut text, version);
    }
    text.line("");
    text.comment("[network] cannot be calibrated from these events");
    text.line("");
    of_operator(&mut text, &report.operator);
    text.0
}

fn of_version(text: &mut Text, version: &VersionReport) {
    text.warnings(&version.warnings);
    text.line("[[versions]]");
    text.line(&format!("id = {}", toml_string(version.version.raw())));
    text.duration("upgrade_time_sec", &version.upgrade_time);
    if let Some(factor) = &version.upgrade_time_factor {
        text.comment(&of_factor(factor));
        let sigma = toml::Value::from(digits(factor.sigma));
        text.line(&format!("upgrade_time_factor = {{ lognormal = {{ sigma = {sigma} }} }}"));
    }
    text.rate("failure_rate", "reported failures:", &version.failure_rate);
    text.rate("hang_rate", "timeouts, whatever their cause:", &version.hang_rate);
}

fn of_operator(text: &mut Text, operator: &OperatorReport) {
    text.warnings(&operator.warnings);
    text.line("[operator]");
    text.duration("approval_delay_sec", &operator.approval_delay);
    if operator.approved + operator.rejected > 0 {
        text.comment(&format!("{} approved, {} rejected", operator.approved, operator.rejected));
        text.key("approves", &(operator.approved >= operator.rejected));
    }
    if let Some(most) = operator.on_trip.first() {
        let counts = operator.on_trip.iter().map(|one| format!("{} {}", one.count, one.decision.name()));
        text.comment(&format!("on trips: {}", counts.collect::<Vec<_>>().join(", ")));
        text.key("on_trip", &most.decision);
    }
    text.duration("decision_delay_sec", &operator.decision_delay);
    if let Some(delay) = &operator.promotion_delay {
        text.comment(&format!("{} promoted, {} not", operator.promoted, operator.not_promoted));
        text.duration("promotion_delay_sec", delay);
    }
}

/// With as many digits as mean something.
fn short(distribution: &Distribution) -> Distribution {
    match *distribution {
        Distribution::Constant(seconds) => Distribution::Constant(digits(seconds)),
        Distribution::Exponential { mean } => Distribution::Exponential { mean: digits(mean) },
        Distribution::Lognormal { median, sigma } => {
            Distribution::Lognormal { median: digits(median), sigma: digits(sigma) }
        }
        Distribution::Uniform { min, max } => Distribution::Uniform { min: digits(min), max: digits(max) },
        Distribution::Weibull { scale, shape } => Distribution::Weibull { scale: digits(scale), shape: digits(shape) },
        Distribution::Empirical(ref values) => {
            Distribution::Empirical(values.iter().map(|&value| digits(value)).collect())
        }
    }
}

/// Four digits.
fn digits(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}
