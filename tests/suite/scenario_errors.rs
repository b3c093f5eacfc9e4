//! Bad scenario files and what is said of each: `bad_inputs/NAME.toml` or `.json`, and beside it
//! `NAME.txt` with the whole account. `UPDATE_GOLDEN=1 cargo test` writes the accounts anew.

use std::fs;
use std::path::{Path, PathBuf};

use dryroll::scenario::{Format, Scenario};

fn bad_inputs() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_inputs");
    let entries = fs::read_dir(directory).expect("the directory of bad inputs");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml" || extension == "json"));
    files.sort();
    files
}

#[test]
fn every_bad_input_is_refused_with_its_account() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut different = Vec::new();
    let files = bad_inputs();
    assert!(files.len() > 40);
    for path in files {
        let bytes = fs::read(&path).expect("a bad input");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let account = match Scenario::parse(&name, &bytes, Format::of(&path, &bytes)) {
            Ok(_) => panic!("{name} is taken for a good one"),
            Err(error) => format!("{error}\n"),
        };
        let golden = path.with_extension("txt");
        if update {
            fs::write(&golden, &account).expect("a golden file");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default().replace("\r\n", "\n");
        if account != expected {
            different.push(format!("--- {name}: expected\n{expected}--- found\n{account}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn paths_that_are_no_files_are_told() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let error = Scenario::load(&directory).expect_err("a directory");
    assert!(error.to_string().contains("is a directory"), "{error}");
    let error = Scenario::load(Path::new("/nonexistent/x.toml")).expect_err("a missing file");
    assert!(error.to_string().starts_with("cannot read /nonexistent/x.toml"), "{error}");
    #[cfg(unix)]
    {
        let error = Scenario::load(Path::new("/dev/null")).expect_err("a device");
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
}

/// The schema and the program agree on each scenario file: every shipped scenario loads.
#[test]
fn every_scenario_that_ships_loads() {
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")];
    while let Some(directory) = directories.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml" || extension == "json") {
                // Loading walks the file beside the schema first.
                if let Err(error) = Scenario::load(&path) {
                    panic!("{error}");
                }
            }
        }
    }
}
