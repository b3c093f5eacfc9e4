//! Connects the dialogue to standard input, standard output and the wall clock.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::watch::Watch;
use crate::cli::interrupt;
use crate::cli::output::{Failure, standard_output};
use crate::console::{Feed, Plain, Stands};
use dryroll_study::drill::Controller;

/// How often to check for an interrupt.
const GLANCE: Duration = Duration::from_millis(100);

/// Reads lines in a thread of its own: time goes on while nobody types.
fn lines() -> Receiver<String> {
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut line = Vec::new();
        // Bytes that are not UTF-8 become a line that is no command, and get its error.
        while stdin.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
            line.clear();
        }
    });
    receiver
}

/// Runs the dialogue until the rollout is over or the person leaves. Leaves the drill if the output fails.
pub fn talk<'s, 'a>(
    controller: Controller<'s, (Feed, Watch<'a>)>,
    out: Box<dyn Write>,
) -> (Controller<'s, (Feed, Watch<'a>)>, Result<(), Failure>) {
    let is_scripted = !io::stdin().is_terminal();
    let interrupted = interrupt::stops_by_itself();
    let opened = Instant::now();
    let wall = || if is_scripted { Duration::ZERO } else { opened.elapsed() };
    let mut plain = Plain::new(controller, out, is_scripted);
    let lines = lines();
    let mut stands = plain.open(wall());
    while matches!(stands, Ok(Stands::Goes)) && !interrupted.load(Ordering::SeqCst) {
        let glance = plain.until_next(wall()).filter(|_| !is_scripted).map_or(GLANCE, |until| until.min(GLANCE));
        stands = match lines.recv_timeout(glance) {
            Ok(line) => plain.hear(wall(), &line),
            Err(RecvTimeoutError::Timeout) if is_scripted => continue,
            Err(RecvTimeoutError::Timeout) => plain.go_on(wall()),
            Err(RecvTimeoutError::Disconnected) => Ok(Stands::Left),
        };
    }
    (plain.into_controller(), standard_output(stands.map(|_| ())))
}
