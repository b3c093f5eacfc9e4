//! Ctrl-C and similar signals: leave no half-written file, keep finished work where possible, and report it in a line
//! and in the exit code.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::progress;
use dryroll_report::files::unfinished::discard_unfinished;
use dryroll_sim::text::shown;

/// The exit code of a command that was interrupted.
pub const INTERRUPTED: u8 = 130;

static STOP: AtomicBool = AtomicBool::new(false);
/// Whether the command has noticed the interrupt and stops by itself.
static HEARD: AtomicBool = AtomicBool::new(false);
/// How long a command has to notice an interrupt.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(700);
static STOPS_BY_ITSELF: AtomicBool = AtomicBool::new(false);
/// Whether the outputs are in place; locked while they are moved there.
static PUBLISHED: Mutex<bool> = Mutex::new(false);
static LAST_WORDS: Mutex<Option<LastWords>> = Mutex::new(None);

/// Keeps what can be kept, and returns the message about it.
pub type LastWords = Box<dyn FnOnce() -> String + Send>;

/// From now on an interrupt removes unfinished files and ends the program.
pub fn watch() {
    #[cfg(unix)]
    let_writes_fail();
    // Without a handler the system still ends the program; only temporary files stay behind.
    let _ = ctrlc::set_handler(|| {
        // A second interrupt ends the program at once.
        if STOPS_BY_ITSELF.load(Ordering::SeqCst) && !STOP.swap(true, Ordering::SeqCst) {
            // Some rollouts are long, and a person waits.
            std::thread::spawn(|| {
                std::thread::sleep(PATIENCE);
                if !HEARD.load(Ordering::SeqCst) {
                    end();
                }
            });
            return;
        }
        end();
    });
}

/// By default SIGXFSZ (file size limit) kills the program without a message. With a handler the write fails instead,
/// and the error is reported.
#[cfg(unix)]
fn let_writes_fail() {
    let taken = std::sync::Arc::new(AtomicBool::new(false));
    // Without the handler the system ends the program, as before.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, taken);
}

fn end() -> ! {
    // Held to the end: no output is published from now on.
    let published = PUBLISHED.lock().unwrap_or_else(PoisonError::into_inner);
    let words = LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner).take();
    let by_itself = || STOPS_BY_ITSELF.load(Ordering::SeqCst).then(|| "nothing was written".to_owned());
    let said = if *published {
        Some("the outputs are in their places".to_owned())
    } else {
        words.map(|words| words()).or_else(by_itself)
    };
    discard_unfinished();
    progress::clear_all();
    if let Some(said) = said {
        // Without standard error there is nowhere to write.
        let _ = writeln!(crate::cli::output::stderr(), "interrupted: {}", shown(&said));
    }
    std::process::exit(i32::from(INTERRUPTED));
}

/// From now on the first interrupt only sets the returned flag, and the command stops by itself; a second interrupt
/// ends the program.
pub fn stops_by_itself() -> &'static AtomicBool {
    STOPS_BY_ITSELF.store(true, Ordering::SeqCst);
    &STOP
}

/// Says that the command has noticed the interrupt and stops by itself: from now on only another interrupt ends it
/// early.
pub fn heard() {
    HEARD.store(true, Ordering::SeqCst);
}

/// From now on an interrupt ends the program again; an interrupt that came before ends it at once.
pub fn ends_the_program() {
    LAST_WORDS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert_with(|| Box::new(|| "nothing was written".to_owned()));
    STOPS_BY_ITSELF.store(false, Ordering::SeqCst);
    if STOP.load(Ordering::SeqCst) {
        end();
    }
}

/// Sets what to do and say when an interrupt ends the program.
pub fn last_words(words: LastWords) {
    *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
}

/// Moves outputs into place; an interrupt waits until all of them are there.
pub fn undisturbed<E>(publish: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    let mut published = PUBLISHED.lock().unwrap_or_else(PoisonError::into_inner);
    publish()?;
    *published = true;
    Ok(())
}
