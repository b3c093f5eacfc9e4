//! The scenario files that paths lead to.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::output::Failure;

/// A scenario file.
pub struct Found {
    pub path: PathBuf,
    /// Whether the command line names the file itself, not a folder that holds it.
    pub is_named: bool,
}

/// The named files, in order; a folder stands for all scenario files under it, sorted. Each file is listed once.
pub fn scenarios(paths: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut under = Vec::new();
            folder(path, &mut under)?;
            under.sort();
            found.extend(under.into_iter().map(|path| Found { path, is_named: false }));
        } else {
            found.push(Found { path: path.clone(), is_named: true });
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|Found { path, .. }| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    Ok(found)
}

/// Adds the scenario files under a folder. Skips hidden files and the schema that editors use. Does not follow links to
/// folders, so the walk ends.
fn folder(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let unreadable = |error: io::Error| {
        Failure::Input(
            anyhow::Error::new(error).context(format!("cannot read the folder {}", dryroll_sim::text::path(&path))),
        )
    };
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let place = if path == Path::new(".") { PathBuf::from(entry.file_name()) } else { entry.path() };
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type().map_err(unreadable)?.is_dir() {
            folder(&place, found)?;
        } else if is_scenario(&name) && (place.is_file() || place.is_symlink() && !place.exists()) {
            // A broken link fails when it is read: no rule disappears in silence.
            found.push(place);
        }
    }
    Ok(())
}

fn is_scenario(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".toml") || (name.ends_with(".json") && !name.ends_with(".schema.json"))
}
