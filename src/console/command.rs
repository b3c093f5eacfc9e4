//! The commands of the dialogue, and their parser.

use std::num::NonZeroU32;

use dryroll_engine::fleet::Span;
use dryroll_engine::{Answer, Edit, OperatorDecision};
use dryroll_sim::text::escaped;
use dryroll_study::drill::{Control, DrillError, Speed};

/// A command of the dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// A control of the drill.
    Control(Control),
    /// Show the status.
    Status,
    /// List the commands.
    Help,
    /// Leave the drill.
    Quit,
    /// An empty line, or a remark.
    Nothing,
}

/// Every command, with what it does.
pub const HELP: [(&str, &str); 15] = [
    ("approve", "start the plan"),
    (
        "edit batch_pct=10 max_consecutive_failures=1",
        "change the plan, one or both keys; the new plan is shown and needs an approval",
    ),
    ("reject", "do not start it; the rollout is over"),
    ("promote", "let the next batch begin"),
    ("continue", "on a trip: go on (also continue_anyway)"),
    ("rollback", "on a trip or a promotion: roll back what was commanded (also rollback_completed_batches)"),
    ("abort", "on a trip or a promotion: stop here"),
    ("wait 5m", "let simulated time pass: 5m, 90s, 1h; a request ends the wait"),
    ("next", "go on to the next event"),
    ("skip", "go on to the next decision"),
    ("speed 60", "let 60 simulated seconds pass in a second"),
    ("pause", "stop the clock"),
    ("resume", "start the clock again"),
    ("status", "show the state of the rollout and the heartbeats"),
    ("quit", "leave; --record keeps the decisions so far"),
];

impl Command {
    /// Parses a line.
    ///
    /// # Errors
    /// A line that is not a command; the message says what is allowed.
    pub fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim().to_lowercase();
        let mut words = line.split_whitespace();
        let Some(first) = words.next().filter(|word| !word.starts_with('#')) else { return Ok(Self::Nothing) };
        let rest: Vec<&str> = words.collect();
        let command = match first {
            "edit" => return edit(&rest).map(|edit| Self::Control(Control::Answer(Answer::Edit(edit)))),
            "wait" => return span(&rest.concat()).map(|span| Self::Control(Control::Wait(span))),
            "speed" => return speed(&rest.concat()).map(|speed| Self::Control(Control::Speed(speed))),
            "approve" => answer(Answer::Approve),
            "reject" => answer(Answer::Reject),
            "continue" | "continue_anyway" => answer(Answer::OnTrip(OperatorDecision::ContinueAnyway)),
            "rollback" | "rollback_completed_batches" => {
                answer(Answer::OnTrip(OperatorDecision::RollbackCompletedBatches))
            }
            "promote" => answer(Answer::Promote),
            "abort" => answer(Answer::OnTrip(OperatorDecision::Abort)),
            "next" => Self::Control(Control::NextEvent),
            "skip" => Self::Control(Control::NextDecision),
            "pause" => Self::Control(Control::Pause),
            "resume" => Self::Control(Control::Resume),
            "status" => Self::Status,
            "help" | "?" => Self::Help,
            "quit" | "exit" => Self::Quit,
            _ => return Err(format!("`{}` is not a command; `help` lists the commands", shown(first))),
        };
        match rest.first() {
            Some(word) => Err(format!("`{first}` takes nothing after it, and `{}` is there", shown(word))),
            None => Ok(command),
        }
    }
}

/// Shortens a word for an error message, without control characters.
fn shown(word: &str) -> String {
    escaped(word).chars().take(40).collect()
}

fn answer(answer: Answer) -> Command {
    Command::Control(Control::Answer(answer))
}

fn edit(settings: &[&str]) -> Result<Edit, String> {
    let mut edit = Edit::default();
    for setting in settings {
        let wrong =
            || format!("`{}` is not a setting; as in: edit batch_pct=10 max_consecutive_failures=1", shown(setting));
        let (key, value) = setting.split_once('=').ok_or_else(wrong)?;
        let value: u32 = value.parse().map_err(|_| wrong())?;
        let is_set = [
            ("batch_pct", edit.batch_pct.is_some()),
            ("max_consecutive_failures", edit.max_consecutive_failures.is_some()),
        ];
        if is_set.contains(&(key, true)) {
            return Err(format!("`{key}` is set twice"));
        }
        match key {
            "batch_pct" if (1..=100).contains(&value) => edit.batch_pct = Some(value),
            "max_consecutive_failures" if value > 0 => edit.max_consecutive_failures = NonZeroU32::new(value),
            "batch_pct" | "max_consecutive_failures" => return Err(DrillError::Edit.to_string()),
            _ => return Err(wrong()),
        }
    }
    if edit == Edit::default() { Err(DrillError::Edit.to_string()) } else { Ok(edit) }
}

fn speed(text: &str) -> Result<Speed, String> {
    let factor = text.strip_suffix(['x', '×']).unwrap_or(text).parse().ok().and_then(Speed::new);
    factor.ok_or_else(|| format!("a speed is a whole number from 1 to {}, as in: speed 60", Speed::MOST))
}

/// `5m`, `90s`, `1h30m`, `500ms`; a number alone is seconds.
fn span(text: &str) -> Result<Span, String> {
    let wrong = || "as in: wait 5m, wait 90s, wait 1h30m".to_owned();
    let mut span = Span::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let count: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let unit = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let millis = match &rest[..unit] {
            "ms" => 1,
            "s" | "sec" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "" if span == Span::ZERO => 1000,
            _ => return Err(wrong()),
        };
        rest = &rest[unit..];
        span = span + Span(count.saturating_mul(millis));
    }
    if span == Span::ZERO { Err(wrong()) } else { Ok(Span(span.0.min(Span::LONGEST.0))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_commands() {
        assert_eq!(Command::parse("  Approve "), Ok(answer(Answer::Approve)));
        assert_eq!(Command::parse("continue_anyway"), Command::parse("continue"));
        assert_eq!(Command::parse(""), Ok(Command::Nothing));
        assert_eq!(Command::parse("# first look"), Ok(Command::Nothing));
        let edit = Edit { batch_pct: Some(10), max_consecutive_failures: NonZeroU32::new(1) };
        assert_eq!(Command::parse("edit batch_pct=10 max_consecutive_failures=1"), Ok(answer(Answer::Edit(edit))));
        for (text, millis) in
            [("5m", 300_000), ("90s", 90_000), ("1h30m", 5_400_000), ("20", 20_000), ("1 min", 60_000)]
        {
            assert_eq!(Command::parse(&format!("wait {text}")), Ok(Command::Control(Control::Wait(Span(millis)))));
        }
    }

    #[test]
    fn nonsense_is_refused_with_what_is_allowed() {
        for (line, said) in [
            ("shrug", "`shrug` is not a command"),
            ("abort now", "takes nothing after it"),
            ("edit", "an edit sets"),
            ("edit batch_pct=0", "1 to 100"),
            ("edit batch_pct=5 max_consecutive_failures=1 batch_pct=6", "`batch_pct` is set twice"),
            ("edit batch_pct=ten", "is not a setting"),
            ("wait", "wait 5m"),
            ("wait -5m", "wait 5m"),
            ("wait 5 parsecs", "wait 5m"),
            ("speed 0", "1 to 100000"),
            ("wait 99999999999999999999h", "wait 5m"),
        ] {
            let error = Command::parse(line).unwrap_err();
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
