//! Ctrl-C and its like: nothing half-written is left behind, what is done is kept where it can be, a line says so, and
//! so does the exit code.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::progress;
use dryroll_report::files::unfinished::discard_unfinished;
use dryroll_sim::text::shown;

/// The exit code of a command that was interrupted.
pub const INTERRUPTED: u8 = 130;

static STOP: AtomicBool = AtomicBool::new(false);
/// Whether the command has noticed the interrupt and is ending by itself.
static HEARD: AtomicBool = AtomicBool::new(false);
/// How long a command has to notice it.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(700);
static STOPS_BY_ITSELF: AtomicBool = AtomicBool::new(false);
/// Whether the outputs are in their places; held while they are put there.
static PUBLISHED: Mutex<bool> = Mutex::new(false);
static LAST_WORDS: Mutex<Option<LastWords>> = Mutex::new(None);

/// Keeps what can be kept, and says what that is.
pub type LastWords = Box<dyn FnOnce() -> String + Send>;

/// From now on an interrupt removes what is unfinished and ends the program.
pub fn watch() {
    #[cfg(unix)]
    let_writes_fail();
    // Without a handler the system ends the program all the same, and only leaves temporary files.
    let _ = ctrlc::set_handler(|| {
        // A second interrupt is meant.
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

/// A file that may grow no larger ends a program without a word, unless somebody takes the signal; then the write
/// fails, and that is told.
#[cfg(unix)]
fn let_writes_fail() {
    let taken = std::sync::Arc::new(AtomicBool::new(false));
    // Without it the system ends the program, as it would have.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, taken);
}

fn end() -> ! {
    // Held to the end: no output gets its place any more.
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
        // Nobody to tell when standard error is gone.
        let _ = writeln!(crate::cli::output::stderr(), "interrupted: {}", shown(&said));
    }
    std::process::exit(i32::from(INTERRUPTED));
}

/// From now on the first interrupt only sets this flag, and the command ends by itself; the second ends the program.
pub fn stops_by_itself() -> &'static AtomicBool {
    STOPS_BY_ITSELF.store(true, Ordering::SeqCst);
    &STOP
}

/// The command has noticed the interrupt and ends by itself: nothing ends it before that is done but another interrupt.
pub fn heard() {
    HEARD.store(true, Ordering::SeqCst);
}

/// From now on an interrupt ends the program again; one that came just before this does so at once.
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

/// What is done and said when an interrupt ends the program.
pub fn last_words(words: LastWords) {
    *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
}

/// Puts outputs in their places; an interrupt waits until all of them are there.
pub fn undisturbed<E>(publish: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    let mut published = PUBLISHED.lock().unwrap_or_else(PoisonError::into_inner);
    publish()?;
    *published = true;
    Ok(())
}
