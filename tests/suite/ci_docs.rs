//! The workflows that docs/ci.md shows are YAML, and the commands in them are ones that the program takes.

use std::process::Command;

use crate::common::markdown;
use saphyr::{LoadableYamlNode, Yaml};

fn blocks() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ci.md");
    let page = std::fs::read_to_string(path).expect("the page");
    markdown::blocks(&page, "yaml")
}

/// Every text that a document has in it.
fn texts(yaml: &Yaml<'_>, found: &mut Vec<String>) {
    if let Some(text) = yaml.as_str() {
        found.push(text.to_owned());
    }
    if let Some(items) = yaml.as_sequence() {
        items.iter().for_each(|item| texts(item, found));
    }
    if let Some(keys) = yaml.as_mapping() {
        keys.iter().for_each(|(_, value)| texts(value, found));
    }
}

#[test]
fn every_block_is_yaml_and_says_what_the_program_takes() {
    let blocks = blocks();
    assert!(blocks.len() >= 2, "{} blocks", blocks.len());
    let mut commands = 0;
    for block in &blocks {
        let documents = Yaml::load_from_str(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
        assert_eq!(documents.len(), 1);
        let mut found = Vec::new();
        texts(&documents[0], &mut found);
        for line in found.iter().flat_map(|text| text.lines()) {
            let Some((_, words)) = line.split_once("dryroll ") else { continue };
            commands += 1;
            // With --list it runs nothing; beside a report that is refused, but only once all else was taken.
            let words: Vec<&str> = words.split_whitespace().collect();
            let output =
                Command::new(env!("CARGO_BIN_EXE_dryroll")).args(&words).arg("--list").output().expect("it runs");
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() || error.contains("cannot be used with"), "{line}: {error}");
        }
    }
    assert!(commands >= blocks.len(), "{commands} commands");
}

#[test]
fn a_broken_block_would_be_noticed() {
    assert!(Yaml::load_from_str("a: [1\nb: 2").is_err());
    let output = Command::new(env!("CARGO_BIN_EXE_dryroll")).args(["check", "scenarios", "--jnuit", "x"]).output();
    assert!(String::from_utf8_lossy(&output.expect("it runs").stderr).contains("unexpected argument"));
}
