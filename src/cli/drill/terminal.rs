//! Connects the screen to the terminal, its keys and the wall clock. The terminal is restored on every way out.

use std::io::{self, IsTerminal};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event};

use super::watch::Watch;
use crate::cli::interrupt;
use crate::cli::output::Failure;
use crate::console::{Feed, Key, Model, Stands, Theme, draw};
use dryroll_study::drill::Controller;

/// The longest time between two updates of the clock on the screen.
const FRAME: Duration = Duration::from_millis(100);
/// While the clock is paused, nothing changes: this is how often to check for an interrupt.
const GLANCE: Duration = Duration::from_millis(250);

/// Whether standard input and standard output are a terminal.
pub fn is_there() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb
}

/// The width of the terminal; unlimited without a terminal.
pub fn width() -> usize {
    let is_terminal = io::stdout().is_terminal();
    let size = is_terminal.then(|| ratatui::crossterm::terminal::size().ok()).flatten();
    size.map_or(usize::MAX, |(columns, _)| usize::from(columns))
}

/// Shows the drill until the person leaves.
pub fn show<'s, 'a>(
    controller: Controller<'s, (Feed, Watch<'a>)>,
) -> (Controller<'s, (Feed, Watch<'a>)>, Result<(), Failure>) {
    let mut model = Model::new(controller);
    // ratatui restores the terminal after a panic.
    let shown = ratatui::try_init().and_then(|mut terminal| {
        let shown = watch(&mut terminal, &mut model);
        ratatui::restore();
        shown
    });
    (model.into_controller(), shown.map_err(|error| Failure::write("the terminal".as_ref(), error)))
}

/// Reads keys in a thread of its own: a partial escape sequence blocks neither the clock nor signals.
fn presses() -> Receiver<io::Result<Event>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        loop {
            let pressed = event::read();
            let is_over = pressed.is_err();
            if sender.send(pressed).is_err() || is_over {
                break;
            }
        }
    });
    receiver
}

fn watch(terminal: &mut ratatui::DefaultTerminal, model: &mut Model<'_, Watch<'_>>) -> io::Result<()> {
    let theme = Theme { is_coloured: std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()) };
    let interrupted = interrupt::stops_by_itself();
    let presses = presses();
    let opened = Instant::now();
    while model.stands() == Stands::Goes && !interrupted.load(Ordering::SeqCst) {
        model.advance(opened.elapsed());
        terminal.draw(|frame| draw(frame, model, theme))?;
        let stands = model.controller().pace().is_paused();
        let frame = if stands { GLANCE } else { FRAME };
        let mut wait = model.until_next(opened.elapsed()).map_or(frame, |until| until.clamp(FRAME / 5, frame));
        // Handle all pending keys before the next draw.
        loop {
            let pressed = match presses.recv_timeout(wait) {
                Ok(pressed) => pressed?,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::UnexpectedEof.into()),
            };
            if let Event::Key(event) = pressed
                && let Some(key) = Key::of(&event)
            {
                model.key(opened.elapsed(), key);
            }
            wait = Duration::ZERO;
        }
    }
    Ok(())
}
