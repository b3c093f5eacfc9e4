//! Temporary files that are not in their place: a program that is about to end at once removes them, and what one that
//! was killed has left is removed by the next that writes to the same place.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

use dryroll_sim::digest::hex_sha256;

static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Letters at the end of a temporary name.
const RANDOM: usize = 6;
/// A longer name is not written out: file systems allow 255 bytes.
const MOST_NAME: usize = 200;
/// How often a file is made anew that somebody took for one that was left.
const TRIES: usize = 16;

fn with<T>(change: impl FnOnce(&mut Vec<PathBuf>) -> T) -> T {
    change(&mut UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// It has its place, or is gone.
pub fn forget(path: &Path) {
    with(|paths| paths.retain(|one| one != path));
}

/// Removes all of them: for a program that is about to end at once.
pub fn discard_unfinished() {
    with(|paths| {
        for path in paths.drain(..) {
            // There is no reader for this error.
            let _ = std::fs::remove_file(path);
        }
    });
}

/// What the names of temporary files for an output begin with.
#[must_use]
pub fn prefix(output: &str) -> String {
    if output.len() > MOST_NAME {
        return format!(".dryroll-{}-", &hex_sha256(output.as_bytes())[..32]);
    }
    format!(".dryroll-{output}-")
}

/// Makes a temporary file whose name begins with `prefix`, locked for as long as it is open, and removed where the
/// program ends at once. Those of that name that a killed program left are removed first.
///
/// # Errors
/// When it cannot be made there.
pub fn create(folder: &Path, prefix: &str, mode: Option<u32>) -> io::Result<NamedTempFile> {
    clear(folder, prefix);
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).rand_bytes(RANDOM);
    #[cfg(unix)]
    if let Some(mode) = mode {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    for _ in 0..TRIES {
        let file = builder.tempfile_in(folder)?;
        match file.as_file().try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => continue,
            // Not every file system knows locks.
            Ok(()) | Err(std::fs::TryLockError::Error(_)) => {}
        }
        // Between its making and its lock another program may have taken it for one that was left.
        if file.path().exists() {
            with(|paths| paths.push(file.path().to_owned()));
            return Ok(file);
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// Removes files that `create` has made and nobody holds.
fn clear(folder: &Path, prefix: &str) {
    let is_ours = |name: &str| {
        let random = name.strip_prefix(prefix);
        random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_name().to_str().is_some_and(is_ours) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        // Whoever writes it holds the lock. What cannot be opened or removed is somebody else's.
        if let Ok(file) = OpenOptions::new().write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_is_cleared_and_what_is_written_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let name = prefix("report.json");
        let left = folder.path().join(format!("{name}AbC123"));
        let others = [".dryroll-other.json-AbC123", ".dryroll-report.json-AbC1234", ".dryroll-report.json-AbC12.", "x"];
        std::fs::write(&left, "half").unwrap();
        others.iter().for_each(|other| std::fs::write(folder.path().join(other), "kept").unwrap());
        let first = create(folder.path(), &name, None).unwrap();
        assert!(!left.exists());
        let second = create(folder.path(), &name, None).unwrap();
        assert!(first.path().exists() && second.path().exists());
        assert!(others.iter().all(|other| folder.path().join(other).exists()));
    }

    #[test]
    fn a_long_name_is_made_short() {
        assert!(prefix(&"n".repeat(255)).len() < 64);
        assert_ne!(prefix(&"n".repeat(255)), prefix(&"m".repeat(255)));
    }
}
