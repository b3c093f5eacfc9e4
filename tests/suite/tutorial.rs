//! The files that docs/tutorial.md works with are the ones that a reader has who does what it says. What its commands
//! print is compared by `readme.rs`, in a copy of docs/tutorial.in.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn docs(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(docs(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The first block of the tutorial in a language.
fn block(language: &str) -> String {
    let page = read("tutorial.md");
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    rest.split("```").next().unwrap().to_owned()
}

#[test]
fn the_scenario_with_rules_is_the_new_one_and_the_lines_that_are_shown() {
    // The tutorial's first command writes the file of tutorial.out, which readme.rs compares.
    let checked = format!("{}\n{}", read("tutorial.out/rollout.toml"), block("toml"));
    let strict = checked.replace("\nmax_consecutive_failures = 2\n", "\nmax_consecutive_failures = 1\n");
    assert_ne!(checked, strict);
    for (file, now) in [("tutorial.in/checked.toml", checked), ("tutorial.in/strict.toml", strict)] {
        if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
            std::fs::write(docs(file), &now).unwrap();
        }
        assert_eq!(read(file), now, "{file}: UPDATE_GOLDEN=1 writes it anew");
    }
}

#[test]
fn the_answers_that_are_shown_are_the_decisions_that_are_played() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(docs("tutorial.out/rollout.toml"), folder.path().join("rollout.toml")).unwrap();
    let mut drill = Command::new(env!("CARGO_BIN_EXE_dryroll"));
    drill.args(["drill", "rollout.toml", "--version", "v-1.26.0-broken", "--record", "recorded.json"]);
    drill.current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut drill = drill.spawn().unwrap();
    drill.stdin.take().unwrap().write_all(block("text").as_bytes()).unwrap();
    assert!(drill.wait_with_output().unwrap().status.success());
    let decisions = |text: &str| -> Vec<Value> {
        let file: Value = serde_json::from_str(text).unwrap();
        let decisions = file["decisions"].as_array().unwrap().iter();
        decisions
            .map(|decision| {
                let mut decision = decision.clone();
                decision.as_object_mut().unwrap().remove("asked_at_ms");
                decision
            })
            .collect()
    };
    let recorded = decisions(&std::fs::read_to_string(folder.path().join("recorded.json")).unwrap());
    assert_eq!(recorded, decisions(&read("tutorial.in/decisions.json")));
}
