//! The form of an edit: two numbers, and the plan that they would make.

use std::num::NonZeroU32;

use super::key::Key;
use dryroll_engine::{BatchSizes, Edit, Engine};
use dryroll_report::judge::forecast::Forecast;

/// The names of its fields.
pub const FIELDS: [&str; 2] = ["batch_pct", "max_consecutive_failures"];
/// What they take.
pub const TAKES: [&str; 2] = ["1 to 100", "1 or more"];
const DIGITS: usize = 9;

/// An edit that is being written.
#[derive(Clone, Debug)]
pub struct Form {
    fields: [String; 2],
    /// What holds now; `None` where nothing of that kind does, and an empty field leaves it so.
    begun_with: [Option<u32>; 2],
    at: usize,
    /// The next digit begins the field anew.
    is_fresh: bool,
    forecast: Option<Forecast>,
}

/// The effect of a key on the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The form stays open.
    Not,
    /// The form was closed.
    Left,
    /// The edit is to be sent.
    Sent(Edit),
}

impl Form {
    /// A form with what holds now.
    #[must_use]
    pub fn new(engine: &Engine) -> Self {
        let plan = engine.plan();
        // The share that makes these batches: an edit may have changed the request's own.
        let (size, count) = (plan.batch_size(), plan.batch_count());
        let is_even = (0..count).all(|index| plan.batch(index).start == index * size);
        let makes_these = |pct: &u32| is_even && BatchSizes::pct(*pct).largest(plan.total_instances()) == size;
        let own = engine.settings().batches.as_pct().filter(makes_these);
        let pct = own.or_else(|| (1..=100).find(makes_these));
        let begun_with = [pct, engine.breaker().map(|(_, limit)| limit)];
        Self {
            fields: begun_with.map(|value| value.map_or_else(String::new, |value| value.to_string())),
            begun_with,
            at: 0,
            is_fresh: true,
            forecast: Some(Forecast::of(engine)),
        }
    }

    /// The fields as they are written, and which of them is being written.
    #[must_use]
    pub fn fields(&self) -> (&[String; 2], usize) {
        (&self.fields, self.at)
    }

    /// The plan that it would make; `None` where a field is out of range.
    #[must_use]
    pub fn forecast(&self) -> Option<&Forecast> {
        self.forecast.as_ref()
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key, engine: &Engine) -> Filled {
        let field = &mut self.fields[self.at];
        match key {
            Key::Escape | Key::Char('q') => return Filled::Left,
            Key::Enter => {
                if let Some(edit) = self.edit() {
                    return Filled::Sent(edit);
                }
            }
            Key::Tab | Key::Up | Key::Down => {
                self.at = 1 - self.at;
                self.is_fresh = true;
                return Filled::Not;
            }
            Key::Char(digit) if digit.is_ascii_digit() => {
                if std::mem::take(&mut self.is_fresh) {
                    field.clear();
                }
                if field.len() < DIGITS {
                    field.push(digit);
                }
            }
            Key::Backspace => {
                self.is_fresh = false;
                field.pop();
            }
            Key::Left | Key::Char('-') => step(field, -1),
            Key::Right | Key::Char('+') => step(field, 1),
            _ => return Filled::Not,
        }
        self.forecast = self.edit().map(|edit| Forecast::edited(engine, edit));
        Filled::Not
    }

    /// What it sets; both where neither differs, which asks for the same plan anew. `None` where a field is out of
    /// range, or nothing is set.
    fn edit(&self) -> Option<Edit> {
        let written = |place: usize| match (self.fields[place].as_str(), self.begun_with[place]) {
            ("", None) => Some(None),
            (text, _) => text.parse::<u32>().ok().map(Some),
        };
        let [pct, limit] = [written(0)?, written(1)?];
        if pct.is_some_and(|pct| !(1..=100).contains(&pct)) || limit == Some(0) {
            return None;
        }
        let is_same = self.begun_with == [pct, limit];
        let edit = Edit {
            batch_pct: pct.filter(|_| is_same || pct != self.begun_with[0]),
            max_consecutive_failures: limit
                .filter(|_| is_same || limit != self.begun_with[1])
                .and_then(NonZeroU32::new),
        };
        (edit != Edit::default()).then_some(edit)
    }
}

fn step(field: &mut String, by: i32) {
    let value: u32 = field.parse().unwrap_or(0);
    *field = value.saturating_add_signed(by).clamp(1, 999_999_999).to_string();
}
