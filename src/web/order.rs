//! The orders of browsers, and the request bodies that carry them.

use std::num::NonZeroU32;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::problem::Problem;
use dryroll_engine::{Answer, Edit, OperatorDecision};
use dryroll_study::drill::{Control, Speed};

/// An order for the console.
#[derive(Debug)]
pub struct Order {
    pub(super) wish: Wish,
    /// The browser may have gone.
    pub(super) reply: oneshot::Sender<Result<Value, Problem>>,
}

/// What an order asks for.
#[derive(Debug)]
pub enum Wish {
    /// The first browser is here: the clock may go.
    Begin,
    /// A control of the clock.
    Control(Control),
    /// A decision, on the question of this key.
    Decide { key: String, answer: Answer },
    /// The figures of a plan after an edit.
    Preview(Edit),
}

/// The body of `/api/control`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlBody {
    #[serde(rename = "do")]
    what: String,
    speed: Option<u32>,
}

impl ControlBody {
    /// The wish of this request.
    pub fn wish(&self) -> Result<Wish, Problem> {
        let control = match (self.what.as_str(), self.speed) {
            ("pause", None) => Control::Pause,
            ("resume", None) => Control::Resume,
            ("next_event", None) => Control::NextEvent,
            ("next_decision", None) => Control::NextDecision,
            ("speed", Some(factor)) => Control::Speed(Speed::new(factor).ok_or_else(speed_is_wrong)?),
            ("speed", None) => return Err(speed_is_wrong()),
            ("pause" | "resume" | "next_event" | "next_decision", Some(_)) => {
                return Err(unprocessable(format!("`{}` takes no speed", self.what)));
            }
            (other, _) => {
                return Err(unprocessable(format!(
                    "`{}` is not a control; allowed: pause, resume, speed, next_event, next_decision",
                    shortened(other)
                )));
            }
        };
        Ok(Wish::Control(control))
    }
}

fn speed_is_wrong() -> Problem {
    unprocessable(format!("a speed is a whole number from 1 to {}", Speed::MOST))
}

fn unprocessable(says: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, says)
}

/// Shortens text that an error message quotes.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The body of `/api/preview`, and what an edit sets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditBody {
    batch_pct: Option<u32>,
    max_consecutive_failures: Option<u32>,
}

impl EditBody {
    fn edit(&self) -> Result<Edit, Problem> {
        let limit = self.max_consecutive_failures.map(|limit| {
            NonZeroU32::new(limit).ok_or_else(|| unprocessable("max_consecutive_failures is 0; it must be 1 or more"))
        });
        Ok(Edit { batch_pct: self.batch_pct, max_consecutive_failures: limit.transpose()? })
    }

    /// The wish of this request.
    pub fn wish(&self) -> Result<Wish, Problem> {
        self.edit().map(Wish::Preview)
    }
}

/// The body of `/api/decide`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideBody {
    request: String,
    decide: String,
    batch_pct: Option<u32>,
    max_consecutive_failures: Option<u32>,
}

impl DecideBody {
    /// The wish of this request.
    pub fn wish(self) -> Result<Wish, Problem> {
        let edit = EditBody { batch_pct: self.batch_pct, max_consecutive_failures: self.max_consecutive_failures };
        let answer = match self.decide.as_str() {
            "edit" => Answer::Edit(edit.edit()?),
            _ if edit.batch_pct.is_some() || edit.max_consecutive_failures.is_some() => {
                return Err(unprocessable("only `edit` takes batch_pct and max_consecutive_failures"));
            }
            "approve" => Answer::Approve,
            "reject" => Answer::Reject,
            "continue_anyway" => Answer::OnTrip(OperatorDecision::ContinueAnyway),
            "rollback_completed_batches" => Answer::OnTrip(OperatorDecision::RollbackCompletedBatches),
            "abort" => Answer::OnTrip(OperatorDecision::Abort),
            "promote" => Answer::Promote,
            other => {
                return Err(unprocessable(format!(
                    "`{}` is not a decision; allowed: approve, edit, reject, continue_anyway, \
                     rollback_completed_batches, abort, promote",
                    shortened(other)
                )));
            }
        };
        Ok(Wish::Decide { key: self.request, answer })
    }
}
