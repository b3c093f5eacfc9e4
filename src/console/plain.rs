//! The dialogue: one line an event, in words, and commands in words. No colour, no box, no cursor.

use std::io::{self, Write};
use std::time::Duration;

use super::choice::choices;
use super::command::{Command, HELP};
use super::feed::Feed;
use super::situation;
use dryroll_engine::Answer;
use dryroll_report::words::plural;
use dryroll_sim::sim::Observer;
use dryroll_sim::text::shown;
use dryroll_study::drill::{Asked, Control, Controller};

/// Whether a dialogue goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It goes on.
    Goes,
    /// The rollout is over.
    Over,
    /// The person left.
    Left,
}

/// A dialogue about one drill.
#[derive(Debug)]
pub struct Plain<'s, O, W> {
    controller: Controller<'s, (Feed, O)>,
    out: W,
    /// A script leads: the clock jumps from decision to decision and ignores the wall clock.
    is_scripted: bool,
    /// The request that was already shown.
    put: Option<Asked>,
}

impl<'s, O: Observer, W: Write> Plain<'s, O, W> {
    /// A dialogue for a controller.
    #[must_use]
    pub fn new(controller: Controller<'s, (Feed, O)>, out: W, is_scripted: bool) -> Self {
        Self { controller, out, is_scripted, put: None }
    }

    /// Introduces the drill, and advances to the first request.
    ///
    /// # Errors
    /// A failure to write, here and in the other methods.
    pub fn open(&mut self, wall: Duration) -> io::Result<Stands> {
        let (out, briefing) = (&mut self.out, self.controller.seen().0.briefing());
        writeln!(out, "drill: {}", briefing.title)?;
        let instances = plural(u64::from(briefing.instances), "instance", "instances");
        let (module, fleet) = (&briefing.module, &briefing.fleet);
        writeln!(out, "{module} from {} to {}, {fleet} of {instances}", briefing.previous, briefing.target)?;
        if !self.is_scripted {
            let speed = self.controller.pace().speed().factor();
            writeln!(out, "the clock runs {speed} times as fast as yours; help lists the commands")?;
        }
        self.go_on(wall)
    }

    /// Returns the controller and its observers.
    #[must_use]
    pub fn into_controller(self) -> Controller<'s, (Feed, O)> {
        self.controller
    }

    /// How long after `wall` the next event is due; `None` while the clock is paused.
    #[must_use]
    pub fn until_next(&self, wall: Duration) -> Option<Duration> {
        self.controller.until_next(wall)
    }

    /// Advances the drill, and writes what happened. A script advances to its next decision.
    ///
    /// # Errors
    /// A failure to write.
    pub fn go_on(&mut self, wall: Duration) -> io::Result<Stands> {
        self.controller.advance(wall);
        if self.is_scripted && self.controller.drill().asked().is_none() {
            // This fails only when the drill is over.
            let _ = self.controller.control(wall, Control::NextDecision);
        }
        self.write_lines()?;
        self.put_request()?;
        self.out.flush()?;
        Ok(if self.controller.drill().is_over() { Stands::Over } else { Stands::Goes })
    }

    /// Executes a line.
    ///
    /// # Errors
    /// A failure to write.
    pub fn hear(&mut self, wall: Duration, line: &str) -> io::Result<Stands> {
        if self.is_scripted {
            writeln!(self.out, "> {}", shown(line.trim()))?;
        }
        match Command::parse(line) {
            Ok(Command::Control(control)) => self.control(wall, control)?,
            Ok(Command::Status) => {
                self.controller.advance(wall);
                self.write_lines()?;
                self.write_status()?;
            }
            Ok(Command::Help) => {
                for (command, does) in HELP {
                    writeln!(self.out, "  {command}: {does}")?;
                }
            }
            Ok(Command::Quit) => return Ok(Stands::Left),
            Ok(Command::Nothing) => {}
            Err(wrong) => writeln!(self.out, "{wrong}")?,
        }
        self.go_on(wall)
    }

    fn control(&mut self, wall: Duration, control: Control) -> io::Result<()> {
        let of_clock = matches!(control, Control::Pause | Control::Resume | Control::Speed(_));
        if of_clock && self.is_scripted {
            return writeln!(self.out, "the clock does not run by itself here; `wait 5m` lets time pass");
        }
        let skips = control == Control::NextDecision;
        let done = match self.controller.drill().asked() {
            Some(_) if skips => Err("a decision is asked for now".to_owned()),
            _ => self.controller.control(wall, control).map_err(|error| error.to_string()),
        };
        self.write_lines()?;
        match (done, control) {
            (Err(why), _) => writeln!(self.out, "{why}"),
            (Ok(()), Control::Answer(Answer::Edit(_))) => {
                self.put = None;
                Ok(())
            }
            (Ok(()), Control::Pause | Control::NextEvent) => {
                if self.is_scripted {
                    Ok(())
                } else {
                    writeln!(self.out, "{}  the clock is paused", self.controller.clock())
                }
            }
            (Ok(()), Control::Resume | Control::Speed(_)) => {
                let (pace, clock) = (self.controller.pace(), self.controller.clock());
                let goes = if pace.is_paused() { "is paused; resumed it runs" } else { "runs" };
                writeln!(self.out, "{clock}  the clock {goes} {} times as fast as yours", pace.speed().factor())
            }
            (Ok(()), Control::Wait(_)) => writeln!(self.out, "it is {} now", self.controller.clock()),
            (Ok(()), _) => Ok(()),
        }
    }

    fn write_lines(&mut self) -> io::Result<()> {
        for line in self.controller.observer().0.take() {
            writeln!(self.out, "{}  {}", line.at, line.text)?;
        }
        Ok(())
    }

    fn write_status(&mut self) -> io::Result<()> {
        let roll = self.controller.call_roll();
        let (engine, feed) = (self.controller.drill().engine(), &self.controller.seen().0);
        writeln!(self.out, "{}  status", self.controller.clock())?;
        for line in situation::status(engine, feed.tally(), feed.briefing(), &roll) {
            writeln!(self.out, "  {line}")?;
        }
        match self.controller.drill().asked() {
            Some(asked) => self.remind(asked),
            None => Ok(()),
        }
    }

    fn remind(&mut self, asked: Asked) -> io::Result<()> {
        writeln!(self.out, "{} waits for your answer: {}", asked.request, asked.kind.option_names().join(", "))
    }

    /// Shows the open request with its facts and answers, once.
    fn put_request(&mut self) -> io::Result<()> {
        let asked = self.controller.drill().asked();
        if asked == self.put {
            return Ok(());
        }
        self.put = asked;
        let Some(asked) = asked else { return Ok(()) };
        let (engine, feed) = (self.controller.drill().engine(), &self.controller.seen().0);
        let known = situation::of_request(asked, engine, feed.tally(), feed.briefing(), self.controller.roll());
        for line in known {
            writeln!(self.out, "  {line}")?;
        }
        for choice in choices(asked.kind, engine, feed.briefing()) {
            writeln!(self.out, "  {}: {}", choice.name, choice.does)?;
        }
        self.remind(asked)
    }
}
