//! The text of a first scenario, with comments, from a few choices.

use super::limits::MAX_INSTANCES;
use dryroll_engine::OperatorDecision;

/// What a first scenario is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What the scenario calls itself.
    pub name: String,
    /// The module that is upgraded.
    pub module: String,
    /// The version that the fleet runs.
    pub previous: String,
    /// The version to roll out.
    pub target: String,
    /// How many instances the fleet has.
    pub instances: u32,
    /// Share of the fleet in one batch, in percent.
    pub batch_pct: u32,
    /// So many failures in a row trip the breaker.
    pub max_consecutive_failures: u32,
    /// Whether there is a defective version beside the good one, and limits for a search.
    pub broken: bool,
    /// What the operator decides on a trip.
    pub on_trip: OperatorDecision,
}

impl Template {
    /// As many instances as a fleet can have.
    pub const MOST_INSTANCES: u32 = MAX_INSTANCES;

    /// The id of the defective version.
    #[must_use]
    pub fn broken_id(&self) -> String {
        format!("{}-broken", self.target)
    }

    /// The scenario file, in TOML. What people chose stands in values only, never in comments, so that no line of it
    /// can become a key. A line that begins with `#` and no space is a key to be taken into use.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { instances, batch_pct, max_consecutive_failures, .. } = self;
        let [name, module, previous, target] =
            [&self.name, &self.module, &self.previous, &self.target].map(|text| quoted(text));
        let on_trip = self.on_trip.name();
        let broken = if self.broken { broken_version(&quoted(&self.broken_id())) } else { String::new() };
        let tune = if self.broken { TUNE } else { "" };
        format!(
            r#"# A rolling upgrade to rehearse. Only what differs from the defaults has to stand here.
# Every duration is in seconds and its key ends in _sec.

name = {name}
# The same scenario and seed give the same run on every machine; another seed gives another one.
seed = 1

[fleet]
# The template that the instances carry.
template_id = "edge"
instances = {instances}
# Instances are dealt to the zones in turn.
zones = 3
# How often an instance says how it is.
heartbeat_interval_sec = 30

[module]
id = {module}

# What the fleet runs today.
[[versions]]
id = {previous}

# What shall be rolled out.
[[versions]]
id = {target}
# Half of the upgrades are done in 45 seconds; a few take minutes.
upgrade_time_sec = {{ lognormal = {{ median = 45, sigma = 0.5 }} }}
# One upgrade in a hundred fails; the instance goes on with what it had.
failure_rate = 0.01
# One in five hundred goes silent and has to be found by the health timeout.
hang_rate = 0.002
{broken}
[rollout]
target_version_id = {target}
previous_version_id = {previous}
# The share of the fleet in one batch, in percent.
batch_pct = {batch_pct}
# So many failures in a row trip the circuit breaker.
max_consecutive_failures = {max_consecutive_failures}
# How long an instance may take to its healthy heartbeat.
health_timeout_sec = 300
# How long the effects are counted after the rollout is over.
observe_after_sec = 3600

[operator]
# How long the plan waits for its approval.
approval_delay_sec = 120
# What is decided on a trip: continue_anyway, rollback_completed_batches or abort.
on_trip = "{on_trip}"
# How long that decision takes.
decision_delay_sec = 300

# What may go wrong besides: take the # away from the lines without a space after it.

# The network flaps once in two days, for a minute or so, on every instance.
#[network]
#flap_rate_per_hour = 0.02
#flap_down_sec = {{ exponential = {{ mean = 60 }} }}

# A zone is cut off for ten minutes, one minute into the first batch.
#[[faults]]
#kind = "partition"
#after = {{ event = "batch_started", batch_index = 0, delay_sec = 60 }}
#duration_sec = 600
#target = {{ zone = 1 }}
{tune}"#
        )
    }
}

fn broken_version(id: &str) -> String {
    format!(
        r#"
# A version that should never have been built: `--version` with its id rolls it out.
[[versions]]
id = {id}
# For the reports alone; the engine never sees it.
defective = true
upgrade_time_sec = {{ lognormal = {{ median = 45, sigma = 0.5 }} }}
# Six of ten upgrades fail, three of ten end with an instance that says it is not healthy.
failure_rate = 0.6
unhealthy_rate = 0.3
"#
    )
}

const TUNE: &str = r#"
# What `dryroll tune` looks for: the fastest policy within these limits.
[tune]
batch_pct = [2, 5, 10, 20, 50]
max_consecutive_failures = [1, 2, 3]

# The defective version reaches a fifth of the fleet at most, in 95 of 100 replicates.
[[tune.limits]]
metric = "blast_radius_pct"
stat = "p95"
at_most = 20

# The good one trips the breaker in one rollout of twenty at most.
[[tune.limits]]
metric = "false_trip_rate"
at_most = 0.05
"#;

/// A text as a TOML value.
fn quoted(text: &str) -> String {
    crate::text::toml_string(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Format, Scenario};

    fn template(broken: bool) -> Template {
        Template {
            name: "first".into(),
            module: "nginx".into(),
            previous: "v-1".into(),
            target: "v-2".into(),
            instances: 50,
            batch_pct: 20,
            max_consecutive_failures: 2,
            broken,
            on_trip: OperatorDecision::Abort,
        }
    }

    fn loads(text: &str) -> Scenario {
        Scenario::parse("first.toml", text.as_bytes(), Format::Toml).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[test]
    fn what_is_commented_out_can_be_taken_into_use() {
        for broken in [false, true] {
            let text = template(broken).text();
            let taken = |line: &str| match line.strip_prefix('#') {
                Some(key) if !key.is_empty() && !key.starts_with(' ') => key.to_owned(),
                _ => line.to_owned(),
            };
            let all: Vec<String> = text.lines().map(taken).collect();
            assert_eq!(loads(&all.join("\n")).faults.len(), 1);
        }
    }

    #[test]
    fn no_text_breaks_out_of_its_value() {
        for text in ["a\"b", "a\\", "'''", "\"\"\"", "a\n[fleet]\n", "# a", "ä ✗", "\u{1b}"] {
            let mut template = template(true);
            template.name = text.into();
            template.module = text.into();
            template.target = text.into();
            let scenario = loads(&template.text());
            assert_eq!((scenario.name.raw(), scenario.target().id.raw()), (text, text));
        }
    }
}
