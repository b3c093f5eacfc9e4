//! The thread that owns the drill: it advances the clock, executes orders and publishes. It waits for nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::board::{Board, Decided, Update, key};
use super::cells::Cells;
use super::log::Log;
use super::order::{Order, Wish};
use super::preview::Figures;
use super::problem::Problem;
use super::seen::Seen;
use super::{MOST_INSTANCES, WebError};
use dryroll_engine::Answer;
use dryroll_sim::sim::{CompiledScenario, Observer};
use dryroll_study::drill::{Briefing, Control, Controller, Drill, Pace, Speed};

/// The shortest time between two updates: events close together are sent together.
const SHORTEST: Duration = Duration::from_millis(25);
/// How soon an interrupt is noticed.
const LONGEST: Duration = Duration::from_millis(100);

/// A drill whose controls are in browsers.
#[derive(Debug)]
pub struct Console<'s, 'a, O> {
    controller: Controller<'s, Seen<'a, O>>,
    briefing: &'a Briefing,
    log: Arc<Log>,
    opened: Instant,
    has_begun: bool,
    board: Board,
    cells: Cells,
    pace: Pace,
}

impl<'s, 'a, O: Observer> Console<'s, 'a, O> {
    /// Opens a drill. Its clock stands until the first browser is here.
    ///
    /// # Errors
    /// When the fleet is larger than a browser is shown.
    pub fn open(
        compiled: &'s CompiledScenario,
        replicate: u64,
        briefing: &'a Briefing,
        speed: Speed,
        observer: O,
    ) -> Result<Self, WebError> {
        if briefing.instances > MOST_INSTANCES {
            return Err(WebError::TooMany(briefing.instances));
        }
        let opened = Instant::now();
        let mut seen = Seen::new(observer, briefing.event_names());
        let drill = Drill::new(compiled, replicate, &mut seen);
        let mut pace = Pace::new(speed, Duration::ZERO);
        pace.pause(Duration::ZERO, true);
        let board = Board::of(&drill, seen.chronicle(), briefing, None);
        let cells = Cells::of(drill.engine());
        let log = Arc::new(Log::new(board.clone(), cells.text(), pace, opened));
        let controller = Controller::new(drill, pace, seen);
        let mut console = Self { controller, briefing, log, opened, has_begun: false, board, cells, pace };
        console.publish();
        Ok(console)
    }

    /// Hands the drill to `keep` after each decision, before any browser hears of it.
    #[must_use]
    pub fn keeping(mut self, keep: impl FnMut(&Drill<'s>) + 's) -> Self {
        self.controller = self.controller.keeping(keep);
        self
    }

    /// What it publishes.
    #[must_use]
    pub fn log(&self) -> Arc<Log> {
        Arc::clone(&self.log)
    }

    /// The names that browsers show, and the names of instances.
    #[must_use]
    pub fn briefing(&self) -> Value {
        let Briefing { title, module, fleet, instances, target, previous, .. } = self.briefing;
        let order = &self.controller.drill().engine().plan().order;
        let names = self.briefing.event_names().instances;
        // Runs of neighbours in the fleet's list: the first one's name, and how many.
        let mut runs: Vec<(String, u32)> = Vec::new();
        let mut next = None;
        for id in (0..order.len()).map(|position| order.instance(position)) {
            match runs.last_mut() {
                Some((_, count)) if next == Some(id.0) => *count += 1,
                _ => runs.push((names.name(id).to_string(), 1)),
            }
            next = Some(id.0 + 1);
        }
        json!({
            "title": title, "module": module, "fleet": fleet, "instances": instances, "target": target,
            "previous": previous, "names": runs, "speeds": Speed::STEPS,
            "cells": dryroll_study::drill::Cell::ALL.map(|cell| json!({
                "letter": cell.letter(), "shape": cell.shape(), "word": cell.word(), "failed": cell.is_failed(),
            })),
        })
    }

    /// Goes on until the drill is over, or `stop` is set.
    pub fn run(mut self, orders: &Receiver<Order>, stop: &AtomicBool) -> (Drill<'s>, O) {
        while !stop.load(Ordering::SeqCst) && !self.controller.drill().is_over() {
            let wait = self.controller.until_next(self.opened.elapsed()).unwrap_or(LONGEST).clamp(SHORTEST, LONGEST);
            match orders.recv_timeout(wait) {
                Ok(order) => {
                    let done = self.obey(order.wish);
                    self.publish();
                    let seq = self.log.length();
                    // The browser may have gone.
                    let _ = order.reply.send(done.map(|mut value| {
                        if let Some(object) = value.as_object_mut() {
                            object.insert("seq".into(), seq.into());
                        }
                        value
                    }));
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.controller.advance(self.opened.elapsed());
                    self.publish();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let (drill, seen) = self.controller.into_parts();
        (drill, seen.into_inner())
    }

    fn obey(&mut self, wish: Wish) -> Result<Value, Problem> {
        let wall = self.opened.elapsed();
        match wish {
            Wish::Begin => {
                if !self.has_begun {
                    self.has_begun = true;
                    self.controller.control(wall, Control::Resume)?;
                }
            }
            Wish::Control(control) => {
                self.has_begun = true;
                self.controller.control(wall, control)?;
            }
            Wish::Decide { key, answer } => self.decide(wall, &key, answer)?,
            Wish::Preview(edit) => {
                let figures = Figures::after(self.controller.drill(), edit)?;
                return Ok(json!({ "plan": figures }));
            }
        }
        Ok(json!({}))
    }

    /// Takes a decision if it answers the open request.
    fn decide(&mut self, wall: Duration, offered: &str, answer: Answer) -> Result<(), Problem> {
        self.controller.advance(wall);
        let drill = self.controller.drill();
        if drill.asked().is_none_or(|asked| key(asked, drill.decisions()) != offered) {
            return Err(self.stale(offered));
        }
        self.controller.control(wall, Control::Answer(answer))?;
        Ok(())
    }

    /// Why a question is not open any more.
    fn stale(&self, offered: &str) -> Problem {
        let drill = self.controller.drill();
        let place = offered.rsplit_once('.').and_then(|(_, place)| place.parse::<usize>().ok());
        let overtaking = place.and_then(|place| drill.decisions().get(place));
        Problem::conflict(match overtaking {
            Some(decision) if offered == key(decision.asked, &drill.decisions()[..place.unwrap_or(0)]) => {
                let Decided { request, decide, .. } = Decided::of(decision);
                format!("another window decided: `{decide}` on {request}, at {}", decision.at)
            }
            _ if drill.is_over() => "the rollout is over".into(),
            _ if drill.asked().is_none() => "nothing waits for a decision now".into(),
            _ => "that is not what is asked now; look at the page again".into(),
        })
    }

    /// Publishes what changed, if anything did.
    fn publish(&mut self) {
        let noted = self.controller.observer().take();
        let pace = *self.controller.pace();
        // The board changes with events and heartbeat summaries; an answer that a controller does not hear yet makes
        // none.
        let decisions = self.controller.drill().decisions().len();
        let heard_at = self.board.heard.as_ref().map(|heard| heard.at_ms);
        let heard_the_same = self.controller.roll().map(|roll| roll.at.0) == heard_at;
        let decided_nothing = decisions == self.board.decisions.len();
        if noted.lines.is_empty() && pace == self.pace && decided_nothing && heard_the_same {
            return;
        }
        // It is short: a line a batch and a trip.
        let chronicle = self.controller.observer().chronicle().clone();
        let drill = self.controller.drill();
        let board = Board::of(drill, &chronicle, self.briefing, self.controller.roll());
        let patches = self.cells.renew(drill.engine(), noted.touched);
        let update = Update::between(&self.board, &board, patches);
        self.log.publish(&board, update, pace, noted.lines);
        self.board = board;
        self.pace = pace;
    }
}
