//! Ctrl-C and its like: nothing half-written is left behind, what is done is kept where it can be, and the exit code says so.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::report::discard_unfinished;

/// The exit code of a command that was interrupted.
pub const INTERRUPTED: u8 = 130;

static STOP: AtomicBool = AtomicBool::new(false);
static STOPS_BY_ITSELF: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt removes what is unfinished and ends the program.
pub fn watch() {
    // Without a handler the system ends the program all the same, and only leaves temporary files.
    let _ = ctrlc::set_handler(|| {
        // A second interrupt is meant.
        if STOPS_BY_ITSELF.load(Ordering::SeqCst) && !STOP.swap(true, Ordering::SeqCst) {
            return;
        }
        discard_unfinished();
        std::process::exit(i32::from(INTERRUPTED));
    });
}

/// From now on the first interrupt only sets this flag, and the command ends by itself; the second ends the program.
pub fn stops_by_itself() -> &'static AtomicBool {
    STOPS_BY_ITSELF.store(true, Ordering::SeqCst);
    &STOP
}

/// From now on an interrupt ends the program again.
pub fn ends_the_program() {
    STOPS_BY_ITSELF.store(false, Ordering::SeqCst);
}
