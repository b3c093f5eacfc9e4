//! Errors of the command line, with tips on what to write instead.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use super::Cli;
use super::output::{stderr, stdout};
use dryroll_sim::scenario::Scenario;
use dryroll_sim::text::escaped;

/// Words below this similarity are not taken for a typing error.
const LIKE: f64 = 0.6;

/// Writes the error with a tip, or the requested help; returns the exit code.
pub fn report(error: clap::Error) -> ExitCode {
    let words: Vec<String> = std::env::args_os().map(|word| escaped(&word.to_string_lossy()).into_owned()).collect();
    // The message quotes the arguments: the escaped words fail in the same way.
    let mut error = Cli::try_parse_from(&words).err().unwrap_or(error);
    let tip = tip(&error, &words);
    // With a better tip, that of `--` before the word only misleads.
    if tip.is_some() && error.kind() == ErrorKind::UnknownArgument {
        error.remove(ContextKind::Suggested);
    }
    let code = if error.use_stderr() { 2 } else { 0 };
    let mut said = error.render().ansi().to_string();
    if let Some(tip) = tip {
        said.push_str(&format!("\n  tip: {tip}\n"));
    }
    // Without a terminal there is no one to advise.
    let _ = match error.use_stderr() {
        true => write!(stderr(), "{said}"),
        false => write!(stdout(), "{said}"),
    };
    ExitCode::from(code)
}

fn tip(error: &clap::Error, words: &[String]) -> Option<String> {
    let found = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => subcommand(found(ContextKind::InvalidSubcommand)?, words),
        ErrorKind::UnknownArgument => {
            let word = found(ContextKind::InvalidArg)?;
            option(word, words).or_else(|| negative(word))
        }
        ErrorKind::ValueValidation => whole(found(ContextKind::InvalidValue)?),
        _ => None,
    }
}

/// A tip for `-1` where a number is wanted.
fn negative(word: &str) -> Option<String> {
    let number = word.strip_prefix('-')?;
    number.parse::<f64>().ok()?;
    Some(format!("no number of the command line is negative; a seed is 0 to {}", u64::MAX))
}

/// A tip for `1e3` where a whole number is wanted.
fn whole(word: &str) -> Option<String> {
    let number: f64 = word.parse().ok()?;
    let is_whole = number.fract() == 0.0 && (0.0..1e15).contains(&number);
    let instead = if is_whole { format!(": write {number}") } else { String::new() };
    Some(format!("a whole number in digits is wanted{instead}"))
}

/// A tip for `rn` in place of `run`, or for a file without a command.
fn subcommand(word: &str, words: &[String]) -> Option<String> {
    if Path::new(word).is_file() {
        return Some(format!("`{word}` is a file; name the command first, as in `dryroll run {word}`"));
    }
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&word.to_lowercase(), name);
    let command = Cli::command();
    let names = command.get_subcommands().map(|command| command.get_name().to_owned());
    let (_, nearest) = names
        .map(|name| (likeness(&name), name))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    let rest: String = words.iter().skip(2).map(|word| format!(" {word}")).collect();
    Some(format!("write `dryroll {nearest}{rest}`"))
}

/// A tip for a key of `[rollout]` that is written as an option.
fn option(word: &str, words: &[String]) -> Option<String> {
    let name = word.split('=').next().unwrap_or(word);
    let key = name.strip_prefix("--")?.replace('-', "_");
    let key = Scenario::rollout_keys().into_iter().find(|known| *known == key)?;
    let joined = |given: &str| given.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).map(str::to_owned);
    let value = words.iter().enumerate().find_map(|(place, given)| match joined(given) {
        Some(value) => Some(value),
        None if given == name => words.get(place + 1).filter(|next| !next.starts_with("--")).cloned(),
        None => None,
    });
    let value = value.unwrap_or_else(|| "VALUE".to_owned());
    Some(match words.get(1).map(String::as_str) {
        Some("compare") => format!("a policy has it: write `--policy {key}={value}`"),
        Some("tune") => format!("`[tune]` of the scenario lists what is tried: write `{key} = [{value}]` there"),
        Some("check") => format!("a check takes the scenario as it is: write `{key} = {value}` into its [rollout]"),
        _ => format!("write `--set rollout.{key}={value}`"),
    })
}
