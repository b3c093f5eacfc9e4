//! The semantics version rises with every change of the golden logs. `UPDATE_GOLDEN=1` records a new version and new
//! logs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dryroll::SEMANTICS_VERSION;
use sha2::{Digest, Sha256};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The golden logs and the digest of each, in the order of their names.
fn digests() -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder()).expect("the golden logs").map(|entry| entry.expect("an entry").path());
    let logs = entries.filter(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    logs.map(|path| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let digest = Sha256::digest(fs::read(&path).expect("a golden log"));
        (name, digest.iter().map(|byte| format!("{byte:02x}")).collect())
    })
    .collect()
}

fn noted(version: &str, digests: &BTreeMap<String, String>) -> String {
    let lines: String = digests.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
    format!("{version}\n{lines}")
}

/// What is wrong where these logs are recorded with this number, and that was noted.
fn wrong(version: &str, digests: &BTreeMap<String, String>, noted: &str) -> Option<String> {
    let mut lines = noted.lines();
    let before = lines.next().unwrap_or_default();
    if before != version {
        return Some(format!("{before} is noted and this is {version}: run this test with UPDATE_GOLDEN=1"));
    }
    let noted: BTreeMap<&str, &str> = lines.filter_map(|line| line.split_once("  ")).map(|(d, n)| (n, d)).collect();
    let is_changed =
        |(name, digest): &(&String, &String)| noted.get(name.as_str()).is_some_and(|noted| noted != digest);
    let changed: Vec<&str> = digests.iter().filter(is_changed).map(|(name, _)| name.as_str()).collect();
    if !changed.is_empty() {
        return Some(format!(
            "the same scenarios and seeds give other events ({}), and SEMANTICS_VERSION in src/semantics.rs is still {version}: \
             raise it, say so in CHANGELOG.md, and run this test with UPDATE_GOLDEN=1",
            changed.join(", ")
        ));
    }
    (noted.len() != digests.len()).then(|| "golden logs came or went: run this test with UPDATE_GOLDEN=1".to_owned())
}

#[test]
fn other_golden_logs_need_another_number() {
    let path = folder().join("semantics.txt");
    let (digests, before) = (digests(), fs::read_to_string(&path).unwrap_or_default());
    assert!(digests.len() > 20, "only {} golden logs", digests.len());
    let found = wrong(SEMANTICS_VERSION, &digests, &before);
    // A log that changed is not noted with the old number.
    let may_note = found.as_ref().is_some_and(|found| !found.contains("raise it"));
    if may_note && std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(&path, noted(SEMANTICS_VERSION, &digests)).expect("the note");
    } else if let Some(found) = found {
        panic!("{found}");
    }
}

#[test]
fn a_change_is_noticed() {
    let mut digests = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
    let before = noted("semantics.7", &digests);
    assert_eq!(wrong("semantics.7", &digests, &before), None);
    assert!(wrong("semantics.8", &digests, &before).unwrap().contains("UPDATE_GOLDEN"));
    digests.insert("b".to_owned(), "3".to_owned());
    let found = wrong("semantics.7", &digests, &before).unwrap();
    assert!(found.contains("raise it") && found.contains("(b)"), "{found}");
    digests.remove("b");
    assert!(wrong("semantics.7", &digests, &before).unwrap().contains("came or went"));
}
