//! Ctrl-C and its like: nothing half-written is left behind, and the exit code says so.

use crate::report::discard_unfinished;

/// The exit code of a command that was interrupted.
const INTERRUPTED: i32 = 130;

/// From now on an interrupt removes what is unfinished and ends the program.
pub fn watch() {
    // Without a handler the system ends the program all the same, and only leaves temporary files.
    let _ = ctrlc::set_handler(|| {
        discard_unfinished();
        std::process::exit(INTERRUPTED);
    });
}
