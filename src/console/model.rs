//! The state of the screen: the controller of the drill, the selected row, and the open dialog. Keys and wall-clock
//! times come in; the model says when it is over.

use std::time::Duration;

use super::choice::{Choice, choices};
use super::feed::Feed;
use super::form::{Filled, Form};
use super::key::Key;
use super::plain::Stands;
use super::tree::Tree;
use dryroll_engine::{Answer, OperatorDecision, RequestKind};
use dryroll_sim::sim::Observer;
use dryroll_study::drill::{Asked, BatchLayout, Control, Controller};

/// A dialog in front of the screen.
#[derive(Clone, Debug)]
pub enum Dialog {
    /// The keys.
    Help,
    /// Confirms leaving.
    Quit,
    /// Confirms an answer.
    Confirm(Asked, Choice),
    /// The form of an edit.
    Edit(Form),
}

/// A console.
#[derive(Debug)]
pub struct Model<'s, O> {
    controller: Controller<'s, (Feed, O)>,
    tree: Tree,
    dialog: Option<Dialog>,
    message: Option<String>,
    stands: Stands,
}

impl<'s, O: Observer> Model<'s, O> {
    /// A console for a controller.
    #[must_use]
    pub fn new(controller: Controller<'s, (Feed, O)>) -> Self {
        let mut model = Self { controller, tree: Tree::default(), dialog: None, message: None, stands: Stands::Goes };
        model.follow();
        model
    }

    /// Returns the controller.
    #[must_use]
    pub fn into_controller(self) -> Controller<'s, (Feed, O)> {
        self.controller
    }

    /// The controller.
    #[must_use]
    pub fn controller(&self) -> &Controller<'s, (Feed, O)> {
        &self.controller
    }

    /// The open dialog.
    #[must_use]
    pub fn dialog(&self) -> Option<&Dialog> {
        self.dialog.as_ref()
    }

    /// The message about the last key.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Whether the drill goes on, is over, or was left.
    #[must_use]
    pub fn stands(&self) -> Stands {
        self.stands
    }

    /// The tree, and the batches that it shows.
    pub fn tree(&mut self) -> (&mut Tree, &BatchLayout) {
        (&mut self.tree, self.controller.seen().0.tally().layout())
    }

    /// The open request and its answers.
    #[must_use]
    pub fn asked(&self) -> Option<(Asked, Vec<Choice>)> {
        let asked = self.controller.drill().asked()?;
        Some((asked, choices(asked.kind, self.controller.drill().engine(), self.controller.seen().0.briefing())))
    }

    /// Advances the drill to this time of the wall clock.
    pub fn advance(&mut self, wall: Duration) {
        self.controller.advance(wall);
        self.follow();
    }

    /// How long after `wall` the next event is due.
    #[must_use]
    pub fn until_next(&self, wall: Duration) -> Option<Duration> {
        self.controller.until_next(wall)
    }

    /// Handles a key at this time of the wall clock.
    pub fn key(&mut self, wall: Duration, key: Key) {
        self.advance(wall);
        self.message = None;
        let is_over = self.controller.drill().is_over();
        if key == Key::Interrupt {
            self.stands = if is_over { Stands::Over } else { Stands::Left };
            return;
        }
        match self.dialog.take() {
            Some(dialog) => self.key_in_dialog(wall, key, dialog),
            None if is_over && matches!(key, Key::Char('q') | Key::Escape) => self.stands = Stands::Over,
            None => self.key_at_controller(wall, key),
        }
        self.follow();
    }

    fn key_in_dialog(&mut self, wall: Duration, key: Key, dialog: Dialog) {
        let yes = matches!(key, Key::Enter | Key::Char('y'));
        let no = matches!(key, Key::Escape | Key::Char('n' | 'q'));
        match dialog {
            // Any key closes the help.
            Dialog::Help => {}
            Dialog::Quit if yes => {
                self.stands = if self.controller.drill().is_over() { Stands::Over } else { Stands::Left };
            }
            Dialog::Confirm(asked, choice) if yes => self.confirm(wall, asked, &choice),
            Dialog::Quit | Dialog::Confirm(..) if no => {}
            Dialog::Edit(mut form) => match form.key(key, self.controller.drill().engine()) {
                Filled::Not => self.dialog = Some(Dialog::Edit(form)),
                Filled::Left => {}
                Filled::Sent(edit) => self.control(wall, Control::Answer(Answer::Edit(edit))),
            },
            dialog => self.dialog = Some(dialog),
        }
    }

    /// Sends a confirmed answer if its request is still open.
    fn confirm(&mut self, wall: Duration, asked: Asked, choice: &Choice) {
        match choice.answer {
            Some(answer) if self.controller.drill().asked() == Some(asked) => {
                self.control(wall, Control::Answer(answer))
            }
            _ => self.message = Some("that is not asked any more".into()),
        }
    }

    fn key_at_controller(&mut self, wall: Duration, key: Key) {
        match key {
            Key::Char('?') => self.dialog = Some(Dialog::Help),
            Key::Char('q') => self.dialog = Some(Dialog::Quit),
            Key::Char('a') => self.choose(wall, "approve"),
            Key::Char('e') => self.choose(wall, "edit"),
            Key::Char('r') => self.choose(wall, "reject"),
            Key::Char(digit @ '1'..='3') => self.choose_by_number(wall, digit),
            Key::Char('p' | ' ') => {
                let paused = self.controller.pace().is_paused();
                self.control(wall, if paused { Control::Resume } else { Control::Pause });
            }
            Key::Char('+' | '=') => self.control(wall, Control::Speed(self.controller.pace().speed().faster())),
            Key::Char('-' | '_') => self.control(wall, Control::Speed(self.controller.pace().speed().slower())),
            Key::Char('n') => self.control(wall, Control::NextEvent),
            Key::Char('d') if self.controller.drill().asked().is_some() => {
                self.message = Some("a decision is asked for now".into());
            }
            Key::Char('d') => self.control(wall, Control::NextDecision),
            _ => {
                let (engine, tally) = (self.controller.drill().engine(), self.controller.seen().0.tally());
                self.tree.key(key, engine, tally);
            }
        }
    }

    fn choose_by_number(&mut self, wall: Duration, digit: char) {
        let Some((asked, choices)) = self.asked() else {
            self.message = Some("nothing waits for a decision now".into());
            return;
        };
        let place = digit.to_digit(10).map_or(0, |digit| digit as usize).saturating_sub(1);
        match choices.get(place) {
            Some(choice) => self.take(wall, asked, choice.clone()),
            None => self.message = Some(format!("{digit} is not offered here")),
        }
    }

    fn choose(&mut self, wall: Duration, name: &str) {
        let Some((asked, choices)) = self.asked() else {
            self.message = Some("nothing waits for a decision now".into());
            return;
        };
        match choices.into_iter().find(|choice| choice.name == name) {
            Some(choice) => self.take(wall, asked, choice),
            None => self.message = Some(format!("{name} is not offered here")),
        }
    }

    /// Sends an answer, or asks for confirmation if it cannot be undone.
    fn take(&mut self, wall: Duration, asked: Asked, choice: Choice) {
        match choice.answer {
            None => self.dialog = Some(Dialog::Edit(Form::new(self.controller.drill().engine()))),
            Some(answer @ (Answer::Approve | Answer::Promote | Answer::OnTrip(OperatorDecision::ContinueAnyway))) => {
                self.control(wall, Control::Answer(answer));
            }
            Some(_) => self.dialog = Some(Dialog::Confirm(asked, choice)),
        }
    }

    fn control(&mut self, wall: Duration, control: Control) {
        self.message = self.controller.control(wall, control).err().map(|error| error.to_string());
    }

    /// Updates the screen after events.
    fn follow(&mut self) {
        self.tree.follow(self.controller.drill().engine(), self.controller.seen().0.tally());
        let asked = self.controller.drill().asked();
        let is_stale = match &self.dialog {
            Some(Dialog::Edit(_)) => asked.is_none_or(|asked| asked.kind != RequestKind::RollingUpgrade),
            Some(Dialog::Confirm(of, _)) => asked != Some(*of),
            _ => false,
        };
        if is_stale {
            self.dialog = None;
            self.message = Some("that is not asked any more".into());
        }
    }
}
