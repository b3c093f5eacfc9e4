//! The first minute: no arguments, a first scenario, completions, manual pages, examples in every help.

use std::path::Path;
use std::process::{Command, Output};

use clap::{CommandFactory, Parser};
use dryroll::cli::Cli;
use dryroll::scenario::Scenario;
use serde_json::{Value, json};

fn dryroll(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dryroll"));
    command.current_dir(folder).args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn ok(folder: &Path, arguments: &[&str]) -> String {
    let output = dryroll(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = dryroll(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

const COMMANDS: [&str; 15] = [
    "check",
    "calibrate",
    "new",
    "plan",
    "run",
    "drill",
    "sweep",
    "compare",
    "tune",
    "merge",
    "learn",
    "report",
    "schema",
    "completions",
    "man",
];

#[test]
fn alone_it_says_what_to_do_next_and_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let said = ok(folder.path(), &[]);
    let commands: Vec<Vec<&str>> = said
        .lines()
        .filter_map(|line| line.strip_prefix("  dryroll "))
        .map(|line| line.split("   ").next().unwrap().split_whitespace().collect())
        .collect();
    assert_eq!(commands.len(), 3, "{said}");
    for command in &commands[..2] {
        ok(folder.path(), command);
    }
    assert_eq!(commands[2], ["drill", "rollout.toml"]);
}

#[test]
fn every_command_has_examples_in_its_help() {
    let folder = tempfile::tempdir().unwrap();
    let all = ok(folder.path(), &["--help"]);
    for command in COMMANDS {
        assert!(all.lines().any(|line| line.split_whitespace().next() == Some(command)), "{command} is not listed");
        let help = ok(folder.path(), &[command, "--help"]);
        let example = format!("dryroll {command}");
        let (_, examples) = help.split_once("Example").unwrap_or_else(|| panic!("{command} has no examples"));
        assert!(examples.contains(&example), "{help}");
    }
}

/// The commands of dryroll in a line of examples, each as its words: what a shell would make of pipes, redirections,
/// comments and quotes that enclose whole words.
fn commands(line: &str) -> Vec<Vec<&str>> {
    let line = line.split(" #").next().unwrap_or_default();
    let parts = line.split('|').flat_map(|part| part.split("&&"));
    parts
        .map(|part| part.split('>').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.first() == Some(&"dryroll"))
        .collect()
}

#[test]
fn every_example_in_a_help_is_a_command_line_that_is_taken() {
    let root = Cli::command();
    let mut checked = 0;
    for command in root.get_subcommands() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().filter(|line| line.starts_with("  ")).flat_map(commands);
        let mut its = 0;
        for words in lines {
            let taken = Cli::try_parse_from(&words);
            assert!(taken.is_ok(), "{}: {}", words.join(" "), taken.unwrap_err());
            its += 1;
        }
        assert!(its > 0, "{} has no examples", command.get_name());
        checked += its;
    }
    assert!(checked >= COMMANDS.len(), "{checked} examples");
    assert!(Cli::try_parse_from(["dryroll", "run", "scenario.toml", "--event", "-"]).is_err());
    assert_eq!(commands("  dryroll run a | dryroll learn - >b  # dryroll c").len(), 2);
}

#[test]
fn new_scenarios_load_plan_and_run() {
    let folder = tempfile::tempdir().unwrap();
    let spread: [&[&str]; 7] = [
        &[],
        &["--instances", "1", "--batch-pct", "100", "--max-consecutive-failures", "1"],
        &["--instances", "1234", "--batch-pct", "1", "--operator", "abort"],
        &["--broken", "--operator", "continue_anyway"],
        &["--module", "a \"quoted\" one", "--target", "v'2", "--previous", "v\\1", "--name", "line\nbreak", "--broken"],
        &["--name", "[fleet]", "--yes"],
        &["--max-consecutive-failures", "4294967295"],
    ];
    for flags in spread {
        let mut arguments = vec!["new", "first.toml", "--force"];
        arguments.extend(flags);
        assert!(ok(folder.path(), &arguments).contains("dryroll plan first.toml"));
        let scenario = Scenario::load(&folder.path().join("first.toml")).unwrap();
        ok(folder.path(), &["plan", "first.toml"]);
        assert!(ok(folder.path(), &["run", "first.toml"]).contains("finished"));
        if flags.contains(&"--broken") {
            let broken = format!("{}-broken", scenario.target().id);
            assert!(ok(folder.path(), &["run", "first.toml", "--version", &broken]).contains("TRIPPED"));
        }
    }
    ok(folder.path(), &["new", "first.toml", "--force", "--broken", "--quiet"]);
    assert!(ok(folder.path(), &["tune", "first.toml", "--quiet", "--report", "-"]).contains("dryroll.tune/1"));
}

#[test]
fn nothing_is_overwritten_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollout.toml");
    std::fs::write(&path, "mine").unwrap();
    let said = refused(folder.path(), &["new"]);
    assert!(said.contains("rollout.toml is there already") && said.contains("--force"), "{said}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    ok(folder.path(), &["new", "--force"]);
    assert!(Scenario::load(&path).is_ok());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing unfinished is left");
}

#[test]
fn what_could_not_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, said) in [
        (vec!["--target", "v-1.24.0"], "the fleet runs `v-1.24.0` already"),
        (vec!["--previous", "b-broken", "--target", "b"], "defective version"),
        (vec!["first.json"], "ends in .toml"),
        (vec!["--instances", "0"], "1..=100000000"),
        (vec!["--batch-pct", "101"], "1..=100"),
        (vec!["--module", ""], "a value is required"),
        (vec!["--operator", "panic"], "rollback_completed_batches"),
    ] {
        let arguments = [&["new"], flags.as_slice()].concat();
        let found = refused(folder.path(), &arguments);
        assert!(found.contains(said), "{found}");
    }
    assert_eq!(dryroll(folder.path(), &["new", "no/such/place.toml"]).status.code(), Some(3));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn standard_output_has_the_scenario_alone() {
    let folder = tempfile::tempdir().unwrap();
    let written = ok(folder.path(), &["new", "-", "--instances", "7"]);
    std::fs::write(folder.path().join("first.toml"), &written).unwrap();
    assert_eq!(Scenario::load(&folder.path().join("first.toml")).unwrap().fleet.instances, 7);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// The exit code and what was written on a terminal; `None` where there is no Python or no terminal.
fn on_a_terminal(steps: &Value, arguments: &[&str]) -> Option<(Option<i64>, String)> {
    let mut python = Command::new("python3");
    python.current_dir(env!("CARGO_MANIFEST_DIR")).args(["tests/terminal/drive.py", "100", "30", &steps.to_string()]);
    let output = python.arg(env!("CARGO_BIN_EXE_dryroll")).args(arguments).env("TERM", "xterm").output();
    let Some(output) = output.ok().filter(|output| output.stdout.trim_ascii() != b"null") else {
        eprintln!("left out: python3 is missing; it drives the terminal, or no terminal");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    Some((said["code"].as_i64(), said["written"].as_str().unwrap().to_owned()))
}

#[test]
fn questions_take_answers_and_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("asked.toml");
    let steps = json!([
        {"until": "[nginx]"}, "haproxy\n",
        {"until": "[v-1.24.0]"}, "\n",
        {"until": "[v-1.26.0]"}, "v-1.24.0\n", {"until": "name another version"}, "\n",
        {"until": "How many instances?"}, "none\n", {"until": "is not a whole number"}, "30\n",
        {"until": "trip the breaker?"}, "3\n",
        {"until": "on a trip"}, "abort\n",
        {"until": "[no]"}, "yes\n",
        {"until": "wrote"},
    ]);
    let arguments = ["new", path.to_str().unwrap(), "--batch-pct", "10"];
    let Some((code, written)) = on_a_terminal(&steps, &arguments) else { return };
    assert_eq!(code, Some(0), "{written}");
    assert!(!written.contains("in percent?"), "no question where a flag answers: {written}");
    let scenario = Scenario::load(&path).unwrap();
    assert_eq!(scenario.fleet.instances, 30);
    assert_eq!(scenario.rollout.batches.as_pct(), Some(10));
    assert_eq!(scenario.name, "haproxy v-1.24.0 to v-1.26.0");
    assert_eq!(scenario.versions.len(), 3);
}

#[test]
fn whoever_leaves_the_questions_has_written_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("asked.toml");
    for leave in ["\u{3}", "\u{4}"] {
        let steps = json!([{"until": "[nginx]"}, "haproxy\n", {"until": "[v-1.24.0]"}, leave]);
        let Some((code, written)) = on_a_terminal(&steps, &["new", path.to_str().unwrap()]) else { return };
        assert_eq!(code, Some(130), "{written}");
        assert!(written.contains("nothing was written"), "{written}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn every_shell_can_complete() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = ok(folder.path(), &["completions", shell]);
        assert!(script.contains("max-consecutive-failures"), "{shell}");
    }
    assert!(refused(folder.path(), &["completions", "cmd"]).contains("possible values"));
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let said = ok(folder.path(), &["man", "pages/man1"]);
    let pages = folder.path().join("pages/man1");
    assert!(said.contains("16 pages"), "{said}");
    assert_eq!(std::fs::read_dir(&pages).unwrap().count(), COMMANDS.len() + 1);
    assert!(std::fs::read_to_string(pages.join("dryroll.1")).unwrap().contains(".TH dryroll 1"));
    for command in COMMANDS {
        let page = std::fs::read_to_string(pages.join(format!("dryroll-{command}.1"))).unwrap();
        assert!(page.contains("xample"), "{command} has no examples");
    }
}
