//! The commands that replay one replicate of a study, or all of it.

use dryroll_sim::scenario::ScenarioText;
use dryroll_sim::text::Foreign;
use std::fmt::Write;

use dryroll_sim::text::acts;
use dryroll_study::study::compare::PolicyText;
use dryroll_study::study::grid::Axis;
use dryroll_study::study::sweep::SweepOrder;

/// What a command changes of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Changes<'a> {
    /// The named policy that it takes.
    pub policy: Option<&'a str>,
    /// The file of policies that it reads.
    pub policies: Option<&'a str>,
    /// Keys, each with the index of its value.
    pub settings: Vec<(&'a Axis, usize)>,
}

/// `dryroll run …` for one replicate of a cell: its scenario, seed, version and what its policy changes. `-` is a
/// scenario that was read from standard input.
#[must_use]
pub fn command(scenario: &str, seed: u64, version: &str, changes: &Changes<'_>, replicate: u64) -> String {
    noted(one("run", scenario, seed, version, changes, replicate), scenario)
}

/// `dryroll drill …` for the same replicate, with the decisions of a file.
#[must_use]
pub fn drill(
    scenario: &str,
    seed: u64,
    version: &str,
    changes: &Changes<'_>,
    replicate: u64,
    decisions: &str,
) -> String {
    let command = one("drill", scenario, seed, version, changes, replicate);
    noted(format!("{command} --decisions {}", file(decisions)), scenario)
}

fn one(what: &str, scenario: &str, seed: u64, version: &str, changes: &Changes<'_>, replicate: u64) -> String {
    let mut command = format!("dryroll {what} {} {}", file(scenario), option("--version", version));
    if let Some(name) = changes.policy {
        command.push_str(&policies(changes.policies));
        let _ = write!(command, " {}", option("--policy", name));
    }
    for (axis, value) in &changes.settings {
        let value = axis.values.get(*value).map_or("", String::as_str);
        // Writing to a string cannot fail.
        let _ = write!(command, " --set {}", quoted(&format!("{}={value}", axis.path())));
    }
    let _ = write!(command, " --seed {seed} --replicate {replicate}");
    command
}

/// The option for a file of policies, if there is one.
#[must_use]
pub fn policies(path: Option<&str>) -> String {
    path.map_or_else(String::new, |path| format!(" --policies {}", file(path)))
}

fn noted(mut command: String, scenario: &str) -> String {
    if scenario == STDIN {
        command.push_str(" # - stands for the scenario that was on standard input");
    }
    command
}

/// `dryroll sweep …` for the same sweep, in one piece.
#[must_use]
pub fn sweep(order: &SweepOrder) -> String {
    let mut command = format!("dryroll sweep {}", file(order.scenario.path()));
    // None named: the target.
    if !order.versions.is_empty() {
        let _ = write!(
            command,
            " {}",
            option("--versions", &order.versions.iter().map(Foreign::raw).collect::<Vec<_>>().join(","))
        );
    }
    // Axes come in this order whatever the order of the options, so only the first two can be said by their own.
    let mut flags = ["batch_pct", "max_consecutive_failures"].into_iter();
    for axis in &order.axes {
        let values = axis.values.join(",");
        let _ = match flags.find(|flag| axis.key == *flag) {
            Some(flag) => write!(command, " --{} {}", flag.replace('_', "-"), quoted(&values)),
            None => write!(command, " --set {}", quoted(&format!("{}={values}", axis.path()))),
        };
    }
    command.push_str(&policies(order.policies.as_ref().map(ScenarioText::path)));
    let _ = write!(command, " --replicates {}", order.replicates);
    if let Some(goal) = &order.precision {
        let width = if goal.relative { format!("{}%", goal.half_width * 100.0) } else { goal.half_width.to_string() };
        let _ = write!(command, " --precision {width} --metric {}", quoted(&goal.measure));
    }
    if let Some(rare) = order.rare {
        let _ = write!(command, " --rare {rare}");
    }
    let _ = write!(command, " --seed {}", order.seed);
    command
}

/// `dryroll compare …` for the same comparison. `named` is the file of policies.
#[must_use]
pub fn compare(
    scenario: &str,
    seed: u64,
    compared: &[PolicyText; 2],
    named: Option<&str>,
    versions: &[&str],
    replicates: u64,
) -> String {
    let mut command = format!("dryroll compare {}{}", file(scenario), policies(named));
    for policy in compared {
        let _ = write!(command, " {}", option("--policy", &policy.to_string()));
    }
    let _ = write!(command, " {} --replicates {replicates} --seed {seed}", option("--versions", &versions.join(",")));
    command
}

/// `dryroll tune …` for the same search. `named` is the file of policies.
#[must_use]
pub fn tune(
    scenario: &str,
    seed: u64,
    replicates: u64,
    tolerance: f64,
    posterior: Option<&str>,
    named: Option<&str>,
) -> String {
    let posterior = posterior.map_or_else(String::new, |path| format!(" --posterior {}", file(path)));
    format!(
        "dryroll tune {}{}{posterior} --replicates {replicates} --tolerance {tolerance} --seed {seed}",
        file(scenario),
        policies(named)
    )
}

/// `dryroll calibrate …` for the same logs.
#[must_use]
pub fn calibrate(logs: &[Foreign], heartbeat_interval_sec: f64) -> String {
    let logs: Vec<String> = logs.iter().map(|log| file(log.raw())).collect();
    format!("dryroll calibrate {} --heartbeat-interval-sec {heartbeat_interval_sec}", logs.join(" "))
}

/// `dryroll check …` for the same rules.
#[must_use]
pub fn check(paths: &[String], filter: Option<&str>, max_replicates: u64, fail_fast: bool) -> String {
    let mut command = "dryroll check".to_owned();
    for path in paths {
        let _ = write!(command, " {}", file(path));
    }
    if let Some(filter) = filter {
        let _ = write!(command, " {}", option("--filter", filter));
    }
    let _ = write!(command, " --max-replicates {max_replicates}");
    if fail_fast {
        command.push_str(" --fail-fast");
    }
    command
}

/// What `dryroll check …` has behind that where there is a baseline.
#[must_use]
pub fn against(baseline: Option<&std::path::Path>, tolerances: &[String]) -> String {
    let mut words = String::new();
    if let Some(baseline) = baseline {
        let _ = write!(words, " {}", option("--baseline", &baseline.to_string_lossy()));
    }
    for tolerance in tolerances {
        let _ = write!(words, " {}", option("--tolerance", tolerance));
    }
    words
}

/// The path that stands for standard input.
const STDIN: &str = "-";

/// A path as a word of a command: never taken for an option.
#[must_use]
pub fn file(path: &str) -> String {
    if path.starts_with('-') && path != STDIN { quoted(&format!("./{path}")) } else { quoted(path) }
}

/// An option and its value: never taken for another option.
fn option(name: &str, value: &str) -> String {
    if value.starts_with('-') { quoted(&format!("{name}={value}")) } else { format!("{name} {}", quoted(value)) }
}

/// A word as a shell reads it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+%@".contains(c);
    // Some shells look up what stands behind a first `=`.
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        return word.to_owned();
    }
    if !word.contains(acts) {
        return format!("'{}'", word.replace('\'', "'\\''"));
    }
    // A terminal would act on it, so that it is written as bash, zsh and ksh read it.
    let mut out = "$'".to_owned();
    for letter in word.chars() {
        match letter {
            '\'' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if acts(letter) => {
                for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(out, "\\x{byte:02x}");
                }
                // A digit after it would belong to it.
                out.push_str("'$'");
            }
            letter => out.push(letter),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_it_as_it_is_meant() {
        let axis = Axis { key: "batch_pct".into(), values: vec!["5".into(), "10".into()] };
        assert_eq!(
            command("my file.toml", 42, "v-2", &Changes { settings: vec![(&axis, 1)], ..Changes::default() }, 7),
            "dryroll run 'my file.toml' --version v-2 --set rollout.batch_pct=10 --seed 42 --replicate 7"
        );
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted("=v"), "'=v'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a\u{1b}b\n'\u{9b}"), r"$'a\x1b'$'b\n\'\xc2\x9b'$''");
    }

    #[test]
    fn a_study_is_made_again_by_its_options() {
        let axis = |key: &str, values: &[&str]| Axis {
            key: key.into(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let scenario = dryroll_sim::scenario::ScenarioText {
            file: "a b.toml".into(),
            stem: "a b".into(),
            format: dryroll_sim::scenario::Format::Toml,
            text: String::new(),
        };
        let mut order = SweepOrder {
            scenario,
            seed: 7,
            axes: vec![axis("batch_pct", &["5", "10"]), axis("health_timeout_sec", &["60"])],
            policies: None,
            versions: vec!["v-1".into(), "v-2".into()],
            replicates: 100,
            precision: None,
            rare: Some(9),
        };
        let said = "dryroll sweep 'a b.toml' --versions v-1,v-2 --batch-pct 5,10 --set rollout.health_timeout_sec=60 \
                    --replicates 100 --rare 9 --seed 7";
        assert_eq!(sweep(&order), said);
        order.axes = vec![axis("max_consecutive_failures", &["1"]), axis("batch_pct", &["5"])];
        assert!(sweep(&order).contains("--max-consecutive-failures 1 --set rollout.batch_pct=5 "));
        // None named: the target, and an empty list would be none.
        order.versions.clear();
        assert!(!sweep(&order).contains("--versions"));
        let policies = ["batch_pct=5,max_consecutive_failures=1", ""].map(|text| PolicyText::parse(text).unwrap());
        assert_eq!(
            compare("s.toml", 7, &policies, None, &["v-1"], 10),
            "dryroll compare s.toml --policy batch_pct=5,max_consecutive_failures=1 --policy '' --versions v-1 \
             --replicates 10 --seed 7"
        );
    }

    #[test]
    fn nothing_is_taken_for_an_option() {
        assert_eq!(
            command("-s.toml", 1, "-v 2", &Changes::default(), 0),
            "dryroll run ./-s.toml '--version=-v 2' --seed 1 --replicate 0"
        );
        assert_eq!(
            command("-", 1, "v", &Changes::default(), 0),
            "dryroll run - --version v --seed 1 --replicate 0 # - stands for the scenario that was on standard input"
        );
        assert_eq!(
            drill("-", 1, "v", &Changes::default(), 0, "-d.json"),
            "dryroll drill - --version v --seed 1 --replicate 0 --decisions ./-d.json # - stands for the scenario \
             that was on standard input"
        );
    }
}
