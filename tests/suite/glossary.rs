//! Words that docs/glossary.md retires, and that mean nothing else here, appear neither in what people read nor in the
//! names of files, types and functions.

use std::path::{Path, PathBuf};

use crate::common::markdown;

const RETIRED: [&str; 9] = ["world", "tape", "rubbish", "roll call", "berth", "kin", "foresee", "desk", "narrated"];

/// Why a file may have such words.
const EXCEPTIONS: [(&str, &str); 2] =
    [("docs/glossary.md", "it lists them"), ("tests/suite/glossary.rs", "it looks for them")];

/// Lower-case words with one space between them; `CamelCase` and `snake_case` are taken apart, a plural is a singular.
fn words(text: &str) -> String {
    let mut words = String::from(" ");
    let mut lower = false;
    for letter in text.chars() {
        if letter.is_uppercase() && lower {
            words.push(' ');
        }
        lower = letter.is_lowercase();
        if letter.is_alphanumeric() {
            words.extend(letter.to_lowercase());
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    words.push(' ');
    words
}

fn retired(text: &str) -> Option<&'static str> {
    let words = words(text);
    RETIRED.into_iter().find(|word| words.contains(&format!(" {word} ")) || words.contains(&format!(" {word}s ")))
}

/// The prose of a page: neither blocks nor `code`, which show the output and the JSON keys `world` and `worlds`. Those
/// stay, so that old reports can be read.
fn prose(page: &str) -> Vec<String> {
    let mut by_line = markdown::prose(page);
    (1..=page.lines().count()).map(|line| by_line.remove(&line).unwrap_or_default()).collect()
}

/// What a line of Rust names: the word after `fn`, `struct`, ….
fn named(line: &str) -> Option<&str> {
    const KINDS: [&str; 8] = ["fn", "struct", "enum", "trait", "mod", "type", "const", "static"];
    let line = line.trim_start();
    if line.starts_with("//") {
        return None;
    }
    let mut parts = line.split_whitespace();
    parts.by_ref().find(|part| KINDS.contains(part))?;
    parts.next().and_then(|name| name.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next())
}

/// Where a file has a retired word. `src/cli` has the help texts in its doc comments.
fn found(path: &str, text: &str) -> Vec<String> {
    let mut found: Vec<String> =
        retired(path).map(|word| format!("{path}: its name has “{word}”")).into_iter().collect();
    let lines: Vec<String> = if path.ends_with(".md") {
        prose(text)
    } else if path.starts_with("scenarios/") {
        text.lines().map(str::to_owned).collect()
    } else if path.ends_with(".rs") {
        let help = |line: &str| path.starts_with("src/cli/") && line.trim_start().starts_with("///");
        let read = |line: &str| if help(line) { line.to_owned() } else { named(line).unwrap_or_default().to_owned() };
        text.lines().map(read).collect()
    } else {
        Vec::new()
    };
    for (number, line) in lines.iter().enumerate() {
        found.extend(retired(line).map(|word| format!("{path}:{}: “{word}” in {line}", number + 1)));
    }
    found
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !["target", "node_modules"].contains(&name) {
            files(&path, into);
        } else if path.is_file() {
            into.push(path);
        }
    }
}

#[test]
fn retired_words_stay_away() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| root.join(name)).to_vec();
    for folder in ["docs", "scenarios", "src", "crates", "tests", "examples", "benches"] {
        files(&root.join(folder), &mut paths);
    }
    let mut wrong = Vec::new();
    for path in &paths {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        if !EXCEPTIONS.iter().any(|(file, _)| *file == name) {
            wrong.extend(found(&name, &String::from_utf8_lossy(&std::fs::read(path).unwrap())));
        }
    }
    assert!(paths.len() > 300, "{} files", paths.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_planted_word_is_found() {
    assert_eq!(found("docs/a.md", "Each World differs.\n`world` is a key\n```\nworlds\n```\nroll calls\n").len(), 2);
    assert_eq!(
        found("src/a.rs", "// a tape\npub(crate) fn worst_world(x: u8) {\nstruct ResultTape;\nlet kind = 1;\n").len(),
        2
    );
    assert_eq!(found("src/cli/a.rs", "/// Another world of the same scenario\n").len(), 1);
    assert_eq!(found("scenarios/a.toml", "# next of kin\n").len(), 1);
    assert_eq!(found("tests/golden/two_worlds.txt", "").len(), 1);
    assert!(found("docs/a.md", "A kind of tapestry.").is_empty());
}
