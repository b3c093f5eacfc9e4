//! Temporary files that are not in their place: a program that is about to end at once removes them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn with<T>(change: impl FnOnce(&mut Vec<PathBuf>) -> T) -> T {
    change(&mut UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// From now on this file is removed where the program ends at once.
pub fn add(path: &Path) {
    with(|paths| paths.push(path.to_owned()));
}

/// It has its place, or is gone.
pub fn forget(path: &Path) {
    with(|paths| paths.retain(|one| one != path));
}

/// Removes all of them: for a program that is about to end at once.
pub fn discard_unfinished() {
    with(|paths| {
        for path in paths.drain(..) {
            // Nobody is left to tell.
            let _ = std::fs::remove_file(path);
        }
    });
}
