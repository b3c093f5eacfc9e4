//! What people read, in words: numbers in the unit of their metric, names of metrics, verdicts, events, commands. Every
//! medium takes its words from here.

pub mod baseline;
pub mod calibration;
pub mod check;
pub mod completed;
pub mod drawn;
pub mod events;
pub mod heartbeat_summary;
pub mod replay;
pub mod rules;
pub mod tune;

use std::cmp::Ordering;

use dryroll_engine::fleet::Span;
use dryroll_sim::scenario::{Measure, Metric};
use dryroll_sim::text;
use dryroll_stats::Interval;

/// Between a number and its unit: narrow, and no place to break a line.
const THIN: char = '\u{202f}';
/// The most decimals that are useful to a reader.
const MOST_DECIMALS: usize = 12;
/// Two numbers that differ by less than this share are the same but for rounding in the sums.
const SAME: f64 = 1e-9;
/// Shown in place of a missing number.
pub const NOTHING: &str = "–";

/// A length of time as people say it: `45 s`, `3 min 20 s`, `2 h 05 min`.
pub fn spoken(span: Span) -> String {
    let seconds = (span.0 + 500) / 1000;
    match seconds {
        0 if span.0 > 0 => format!("{} ms", span.0),
        0..60 => format!("{seconds} s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..172_800 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} days {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A count with its noun.
pub fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(&count.to_string()), if count == 1 { one } else { many })
}

/// The unit of a metric or a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds, said as minutes and hours.
    Seconds,
    /// Percent, 0 to 100.
    Percent,
    /// A share of the replicates, 0 to 1, said in percent.
    Share,
    /// Instance-minutes.
    InstanceMinutes,
    /// A number of things.
    Count,
}

impl Unit {
    /// The unit of a metric or a rate by its name in files.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match Measure::find(name) {
            Some(measure) => Self::of_measure(measure),
            // A name of an older or a newer program.
            None if name.ends_with("_sec") => Self::Seconds,
            None if name.contains("_pct") => Self::Percent,
            None if name.ends_with("_instance_min") => Self::InstanceMinutes,
            None if name.ends_with("_rate") => Self::Share,
            None => Self::Count,
        }
    }

    /// The unit of a metric or a rate.
    #[must_use]
    pub fn of_measure(measure: Measure) -> Self {
        match measure {
            Measure::Rate(_) => Self::Share,
            Measure::Metric(metric) => Self::of_metric(metric),
            Measure::Outcome => Self::Count,
        }
    }

    /// The unit of a metric.
    #[must_use]
    pub fn of_metric(metric: Metric) -> Self {
        match metric {
            Metric::DurationSec
            | Metric::ApprovalWaitSec
            | Metric::RolloutSec
            | Metric::TimeToDetectSec
            | Metric::TimeToMitigateSec
            | Metric::TimeToStopSec => Self::Seconds,
            Metric::ExposedPct
            | Metric::BlastRadiusPct
            | Metric::BlastRadiusPctTripped
            | Metric::HarmedPct
            | Metric::MinServingPct => Self::Percent,
            Metric::ExposureInstanceMin | Metric::UnhealthyInstanceMin | Metric::CapacityLossInstanceMin => {
                Self::InstanceMinutes
            }
            Metric::Trips
            | Metric::Decisions
            | Metric::ExposedInstances
            | Metric::HarmedInstances
            | Metric::BrickedInstances
            | Metric::FalseFailures
            | Metric::EscapedInstances => Self::Count,
        }
    }

    /// A value in words.
    #[must_use]
    pub fn say(self, value: f64) -> String {
        match self {
            Self::Seconds if value < 0.0 => format!("−{}", self.say(-value)),
            Self::Seconds if value < 10.0 => format!("{}{THIN}s", number(value)),
            Self::Seconds => spoken(Span::from_secs_f64(value)).replace(' ', &THIN.to_string()),
            Self::Percent => format!("{}{THIN}%", number(value)),
            Self::Share => format!("{}{THIN}%", number(value * 100.0)),
            Self::InstanceMinutes => format!("{}{THIN}instance-min", number(value)),
            Self::Count => number(value),
        }
    }

    /// What a value is multiplied by before it is said.
    fn scale(self) -> f64 {
        if self == Self::Share { 100.0 } else { 1.0 }
    }

    /// The value that [`say`](Self::say) says, after rounding.
    fn as_said(self, value: f64) -> f64 {
        match self {
            Self::Seconds => {
                let seconds = value.abs().round();
                let whole = match seconds {
                    _ if value.abs() < 10.0 => rounded(value.abs(), decimals(value.abs())),
                    _ if seconds < 3600.0 => seconds,
                    _ if seconds < 172_800.0 => (seconds / 60.0).floor() * 60.0,
                    _ => (seconds / 3600.0).floor() * 3600.0,
                };
                if value < 0.0 { -whole } else { whole }
            }
            _ => rounded(value * self.scale(), decimals(value.abs() * self.scale())) / self.scale(),
        }
    }

    /// A value with exactly this many decimals.
    #[must_use]
    pub fn say_fixed(self, value: f64, decimals: usize) -> String {
        let size = value.abs() * self.scale();
        let sign = if value < 0.0 { "−" } else { "" };
        if self == Self::Seconds {
            let seconds = rounded(size, decimals);
            let minutes = (seconds / 60.0).floor();
            // Two digits, a point and the decimals.
            let width = if decimals == 0 { 2 } else { 3 + decimals };
            let rest = (seconds - minutes * 60.0).max(0.0);
            return match minutes {
                0.0 => format!("{sign}{rest:.decimals$}{THIN}s"),
                minutes if minutes < 60.0 => format!("{sign}{minutes}{THIN}min{THIN}{rest:0width$.decimals$}{THIN}s"),
                minutes => {
                    let (hours, minutes) = ((minutes / 60.0).floor(), minutes % 60.0);
                    format!("{sign}{hours}{THIN}h{THIN}{minutes:02}{THIN}min{THIN}{rest:0width$.decimals$}{THIN}s")
                }
            };
        }
        let number = format!("{sign}{}", grouped(&format!("{size:.decimals$}")));
        match self {
            Self::Percent | Self::Share => format!("{number}{THIN}%"),
            Self::InstanceMinutes => format!("{number}{THIN}instance-min"),
            Self::Seconds | Self::Count => number,
        }
    }

    /// A value that is held against a bound, with as many digits as it takes to see on which side of it the value lies.
    #[must_use]
    pub fn say_against(self, value: f64, bound: f64) -> String {
        let side = |value: f64| {
            let is_equal = (value - bound).abs() <= SAME * bound.abs().max(1.0);
            if is_equal { Some(Ordering::Equal) } else { value.partial_cmp(&bound) }
        };
        if side(self.as_said(value)) == side(value) {
            return self.say(value);
        }
        let scale = self.scale();
        let enough =
            (0..=MOST_DECIMALS).find(|&decimals| side(rounded(value * scale, decimals) / scale) == side(value));
        enough.map_or_else(|| self.say(value), |decimals| self.say_fixed(value, decimals))
    }

    /// The same of both ends of an interval.
    #[must_use]
    pub fn say_interval_against(self, interval: Option<Interval>, bound: Option<f64>) -> String {
        match (interval, bound) {
            (Some(Interval { low, high }), Some(bound)) => {
                format!("{} to {}", self.say_against(low, bound), self.say_against(high, bound))
            }
            _ => self.say_interval(interval),
        }
    }

    /// A value that may be missing.
    #[must_use]
    pub fn say_or_nothing(self, value: Option<f64>) -> String {
        value.map_or_else(|| NOTHING.to_owned(), |value| self.say(value))
    }

    /// What something saves; where it does not, how much more it takes.
    #[must_use]
    pub fn say_saving(self, value: f64) -> String {
        if value < 0.0 { format!("{} more", self.say(-value)) } else { self.say(value) }
    }

    /// A difference, with its sign; of shares and percentages in points.
    #[must_use]
    pub fn say_difference(self, value: f64) -> String {
        let (sign, size) = if value < 0.0 {
            ("−", -value)
        } else if value > 0.0 {
            ("+", value)
        } else {
            ("±", 0.0)
        };
        let (said, zero) = (self.say_width(size), self.say_width(0.0));
        // A difference that is shown as zero has no side.
        let sign = if said == zero { "±" } else { sign };
        format!("{sign}{said}")
    }

    /// How wide something is; of shares and percentages in points.
    #[must_use]
    pub fn say_width(self, size: f64) -> String {
        match self {
            Self::Percent => format!("{}{THIN}points", number(size)),
            Self::Share => format!("{}{THIN}points", number(size * 100.0)),
            _ => self.say(size),
        }
    }

    /// From where to where, or that there is none.
    #[must_use]
    pub fn say_interval(self, interval: Option<Interval>) -> String {
        interval.map_or_else(
            || NOTHING.to_owned(),
            |interval| format!("{} to {}", self.say(interval.low), self.say(interval.high)),
        )
    }

    /// The same of a difference.
    #[must_use]
    pub fn say_difference_interval(self, interval: Option<Interval>) -> String {
        interval.map_or_else(
            || NOTHING.to_owned(),
            |interval| from_to(&self.say_difference(interval.low), &self.say_difference(interval.high)),
        )
    }
}

/// `−5.85 to −2.35 points`: a unit that both have is said once.
fn from_to(low: &str, high: &str) -> String {
    match (low.split_once(THIN), high.split_once(THIN)) {
        (Some((number, unit)), Some((_, same))) if unit == same && !unit.contains(|c: char| c.is_ascii_digit()) => {
            format!("{number} to {high}")
        }
        _ => format!("{low} to {high}"),
    }
}

/// A number with as many digits as mean something: three, and all before the point.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let decimals = decimals(size);
    let mut text = format!("{size:.decimals$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    let text = grouped(&text);
    if value < 0.0 && text != "0" { format!("−{text}") } else { text }
}

/// How many decimals a number of this size has.
fn decimals(size: f64) -> usize {
    if size == 0.0 || size >= 100.0 {
        return usize::from((100.0..1000.0).contains(&size) && size.fract() != 0.0);
    }
    if size >= 10.0 {
        return 1;
    }
    let mut decimals = 2;
    let mut smallest = 1.0;
    while size < smallest && decimals < 6 {
        smallest /= 10.0;
        decimals += 1;
    }
    decimals
}

/// A number rounded to this many decimals.
fn rounded(value: f64, decimals: usize) -> f64 {
    format!("{value:.decimals$}").parse().unwrap_or(value)
}

/// Digits in groups of three, from five digits on.
fn grouped(text: &str) -> String {
    let whole = text.find('.').unwrap_or(text.len());
    if whole < 5 {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + whole / 3 * THIN.len_utf8());
    for (i, letter) in text.char_indices() {
        if i > 0 && i < whole && (whole - i).is_multiple_of(3) {
            out.push(THIN);
        }
        out.push(letter);
    }
    out
}

/// A text in lines of at most this many columns, as far as its words allow.
#[must_use]
pub fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let line = lines.last().map_or(0, |line| text::width(line));
        match lines.last_mut() {
            Some(last) if line == 0 => last.push_str(word),
            Some(last) if line + 1 + text::width(word) <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// What a metric or a rate is called in a sentence.
#[must_use]
pub fn called(name: &str) -> String {
    match name {
        "duration_sec" => "duration".to_owned(),
        "approval_wait_sec" => "waiting for a person".to_owned(),
        "rollout_sec" => "duration without waiting".to_owned(),
        "blast_radius_pct" => "blast radius".to_owned(),
        "harmed_pct" => "share harmed".to_owned(),
        "blast_radius_pct_tripped" => "blast radius where it tripped".to_owned(),
        "exposed_pct" => "share exposed".to_owned(),
        "min_serving_pct" => "fewest serving".to_owned(),
        "exposure_instance_min" => "exposure".to_owned(),
        "unhealthy_instance_min" => "unhealthy".to_owned(),
        "capacity_loss_instance_min" => "capacity lost".to_owned(),
        "time_to_detect_sec" => "time to detect".to_owned(),
        "time_to_mitigate_sec" => "time to mitigate".to_owned(),
        "time_to_stop_sec" => "time to stop".to_owned(),
        _ => name.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_as_people_say_them() {
        for (millis, said) in [
            (0, "0 s"),
            (7, "7 ms"),
            (45_000, "45 s"),
            (120_000, "2 min"),
            (125_000, "2 min 05 s"),
            (7_500_000, "2 h 05 min"),
            (200_000_000, "2 days 7 h"),
        ] {
            assert_eq!(spoken(Span(millis)), said);
        }
    }

    #[test]
    fn numbers_with_the_digits_that_mean_something() {
        for (value, said) in [
            (0.0, "0"),
            (1.0, "1"),
            (12.345, "12.3"),
            (123.45, "123.5"),
            (1234.5, "1234"),
            (12_345.6, "12\u{202f}346"),
            (0.012_34, "0.0123"),
            (-2.5, "−2.5"),
            (-1e-12, "0"),
            (1e15, "1\u{202f}000\u{202f}000\u{202f}000\u{202f}000\u{202f}000"),
        ] {
            assert_eq!(number(value), said, "{value}");
        }
    }

    #[test]
    fn enough_digits_to_see_on_which_side_of_a_bound() {
        for (unit, value, bound, said) in [
            (Unit::Percent, 50.04, 50.0, "50.04 %"),
            (Unit::Percent, 49.99, 50.0, "49.99 %"),
            (Unit::Percent, 50.000_004, 50.0, "50.000004 %"),
            (Unit::Percent, 50.0, 50.0, "50 %"),
            (Unit::Percent, 50.0 + 1e-13, 50.0, "50 %"),
            (Unit::Percent, 57.3, 50.0, "57.3 %"),
            (Unit::Percent, 12.345, 12.345, "12.345 %"),
            (Unit::Percent, 12.345, 12.34, "12.35 %"),
            (Unit::Share, 0.020_000_4, 0.02, "2.00004 %"),
            (Unit::Share, 0.019, 0.02, "1.9 %"),
            (Unit::Seconds, 900.4, 900.0, "15 min 00.4 s"),
            (Unit::Seconds, 3630.0, 3600.0, "1 h 00 min 30 s"),
            (Unit::Seconds, 899.0, 900.0, "14 min 59 s"),
            (Unit::Seconds, 0.4, 0.5, "0.4 s"),
            (Unit::Seconds, 5.0004, 5.0, "5.0004 s"),
            (Unit::Count, 1234.5, 1234.0, "1234.5"),
            (Unit::Count, -0.001, 0.0, "−0.001"),
        ] {
            assert_eq!(unit.say_against(value, bound).replace(THIN, " "), said, "{value} against {bound}");
        }
        let interval = Some(Interval::new(49.0, 50.02));
        assert_eq!(Unit::Percent.say_interval_against(interval, Some(50.0)).replace(THIN, " "), "49 % to 50.02 %");
    }

    #[test]
    fn each_in_its_unit() {
        assert_eq!(Unit::of("trip_rate").say(0.125), "12.5\u{202f}%");
        assert_eq!(Unit::of("completed").say(1.0), "100\u{202f}%");
        assert_eq!(Unit::of("blast_radius_pct_tripped").say(20.0), "20\u{202f}%");
        assert_eq!(Unit::of("duration_sec").say(3720.0), "1\u{202f}h\u{202f}02\u{202f}min");
        assert_eq!(Unit::of("duration_sec").say_difference(-60.0), "−1\u{202f}min");
        assert_eq!(Unit::of("trip_rate").say_difference(0.01), "+1\u{202f}points");
        assert_eq!(Unit::of("trips").say_or_nothing(None), "–");
        assert_eq!(Unit::Seconds.say_saving(0.597), "0.597\u{202f}s");
        assert_eq!(Unit::Seconds.say_saving(-0.597), "0.597\u{202f}s more");
    }
}
