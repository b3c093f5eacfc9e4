//! Detects the same rollout in several logs, or several times in one: a copied file, a log joined with itself, a log
//! taken before its rollout ended, the last part of a log, a rotated log. A rollout is recognised by its events,
//! whatever its id and its file name are, and counts once.

use std::collections::{BTreeMap, BTreeSet};

use super::CalibrationError;
use super::history::{Attempt, CommandOutcome, History};
use super::warning::{Warning, WarningKind};

/// The histories of logs, each rollout once, with a warning for each duplicate, whole or partial.
///
/// # Errors
/// Where parts of one rollout contradict each other.
pub fn once(logs: Vec<(String, Vec<History>)>) -> Result<(Vec<History>, Vec<Warning>), CalibrationError> {
    let pieces = logs.into_iter().flat_map(|(log, histories)| {
        histories.into_iter().map(move |history| Piece { places: vec![(log.clone(), history.line)], history })
    });
    let mut warnings = Vec::new();
    let mut pieces = uncovered(pieces.collect(), &mut warnings);
    while let Some((joined, head, tail)) = next_join(&pieces, &mut warnings)? {
        pieces[head] = joined;
        pieces.remove(tail);
        pieces = uncovered(pieces, &mut warnings);
    }
    for (at, one) in pieces.iter().enumerate() {
        if let Some(other) = pieces[..at].iter().find(|other| one.tells_what(other)) {
            return Err(CalibrationError::Parts {
                first: other.place(),
                second: one.place(),
                why: "they have verdicts in common, but each has events that the other lacks".to_owned(),
            });
        }
    }
    Ok((pieces.into_iter().map(|piece| piece.history).collect(), warnings))
}

/// A history, and the file and line where each of its parts begins.
struct Piece {
    places: Vec<(String, usize)>,
    history: History,
}

/// How much of a history another one contains.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Covered {
    All,
    Beginning,
    Part,
}

impl Covered {
    fn words(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Beginning => "the beginning of ",
            Self::Part => "a part of ",
        }
    }
}

/// Removes each piece whose events another piece contains.
fn uncovered(pieces: Vec<Piece>, warnings: &mut Vec<Warning>) -> Vec<Piece> {
    let covering = pieces.iter().enumerate().map(|(place, one)| {
        pieces.iter().enumerate().find_map(|(other, whole)| {
            let covered = one.history.within(&whole.history)?;
            (other != place && (covered != Covered::All || other < place)).then_some((other, covered))
        })
    });
    let covering: Vec<Option<(usize, Covered)>> = covering.collect();
    for (one, &(other, covered)) in pieces.iter().zip(&covering).filter_map(|(one, found)| Some((one, found.as_ref()?)))
    {
        let text = format!(
            "the rollout at {} is {}the one at {}, event for event: it counts once; leave one of them out",
            one.place(),
            covered.words(),
            pieces[other].place()
        );
        warnings.push(Warning { kind: WarningKind::Twice, text });
    }
    pieces.into_iter().zip(covering).filter(|(_, found)| found.is_none()).map(|(one, _)| one).collect()
}

/// Joins the next two pieces that are one rollout; returns the result with both indices.
fn next_join(pieces: &[Piece], warnings: &mut Vec<Warning>) -> Result<Option<(Piece, usize, usize)>, CalibrationError> {
    for (head, first) in pieces.iter().enumerate().filter(|(_, one)| !one.history.finished) {
        let mut next: Vec<(usize, &Piece)> = pieces
            .iter()
            .enumerate()
            .filter(|&(tail, one)| tail != head && !one.history.begun && first.history.goes_on_in(&one.history))
            .collect();
        next.sort_by_key(|(_, one)| one.history.ends().map(|(begins, _)| begins));
        let mut refused = None;
        for (tail, second) in next {
            let overlap = first.history.overlap(&second.history);
            // Without a common event, a log continues another only if the state at the end of the first part allows it.
            if overlap == 0 && !first.history.begun {
                continue;
            }
            match History::joined(first.history.lines.iter().chain(&second.history.lines[overlap..])) {
                Ok(history) => {
                    if let Some((other, _)) = pieces
                        .iter()
                        .enumerate()
                        .find(|&(other, one)| other != head && one.also_begins(second, overlap))
                    {
                        return Err(CalibrationError::Parts {
                            first: first.place(),
                            second: second.place(),
                            why: format!("it goes on with the log at {} as well", pieces[other].place()),
                        });
                    }
                    let common = match overlap {
                        0 => String::new(),
                        1 => " (1 event is in both)".to_owned(),
                        n => format!(" ({n} events are in both)"),
                    };
                    let text = format!(
                        "the log at {} goes on at {}{common}: they are one rollout, which counts once",
                        first.place(),
                        second.place()
                    );
                    warnings.push(Warning { kind: WarningKind::Twice, text });
                    let places = first.places.iter().chain(&second.places).cloned().collect();
                    return Ok(Some((Piece { places, history }, head, tail)));
                }
                Err(error) => {
                    refused.get_or_insert((first.place(), second.place(), error.to_string()));
                }
            }
        }
        if let Some((first, second, why)) = refused {
            return Err(CalibrationError::Parts { first, second, why });
        }
    }
    Ok(None)
}

impl Piece {
    fn place(&self) -> String {
        let places: Vec<String> = self.places.iter().map(|(log, line)| format!("{log} line {line}")).collect();
        places.join(" and ")
    }

    /// Whether a part without a beginning continues this piece too.
    fn also_begins(&self, tail: &Piece, overlap: usize) -> bool {
        let (one, tail) = (&self.history, &tail.history);
        let common = one.overlap(tail);
        !one.finished
            && one.begun
            && one.goes_on_in(tail)
            && common >= overlap
            && History::joined(one.lines.iter().chain(&tail.lines[common..])).is_ok()
    }

    /// Whether both pieces are of the same rollout: a quarter of the verdicts of one agree, and nothing contradicts.
    fn tells_what(&self, other: &Piece) -> bool {
        const FEWEST: usize = 3;
        let judged = |attempt: &&Attempt| !matches!(attempt.outcome, CommandOutcome::CutShort(_));
        let of = |piece: &Piece| piece.history.attempts.iter().filter(judged).count();
        let known: BTreeMap<(&str, &str), &Attempt> =
            other.history.attempts.iter().map(|one| ((one.instance.raw(), one.version.raw()), one)).collect();
        let mut common = 0;
        for attempt in &self.history.attempts {
            let Some(&same) = known.get(&(attempt.instance.raw(), attempt.version.raw())) else { continue };
            let both = judged(&attempt) && judged(&same);
            if attempt.started != same.started || both && attempt.outcome != same.outcome {
                return false;
            }
            common += usize::from(both);
        }
        common >= FEWEST && common * 4 >= of(self).min(of(other))
    }
}

impl History {
    /// The times of its first and last event.
    fn ends(&self) -> Option<(u64, u64)> {
        Some((self.lines.first()?.event.at_ms?, self.lines.last()?.event.at_ms?))
    }

    /// Whether another history contains all of these events, in their order.
    fn within(&self, whole: &Self) -> Option<Covered> {
        // Two rollouts that ended without any verdict or answer can look alike. One without its beginning or end adds
        // nothing that the other lacks.
        let alike = self.begun && self.finished && !self.says_something();
        if self.marks.is_empty() || self.marks.len() > whole.marks.len() || alike {
            return None;
        }
        if self.marks.len() == whole.marks.len() {
            return (self.marks == whole.marks || self.is_shifted(whole)).then_some(Covered::All);
        }
        if whole.marks.starts_with(&self.marks) || self.is_shifted(whole) {
            return Some(Covered::Beginning);
        }
        let mut rest = whole.marks.iter();
        self.marks.iter().all(|mark| rest.any(|other| other == mark)).then_some(Covered::Part)
    }

    /// Whether another history begins with these events at a constant clock offset. Chance decides the milliseconds of
    /// verdicts, so two histories that share the gaps between several of them are one rollout. On a clock of whole
    /// seconds it takes more gaps.
    fn is_shifted(&self, whole: &Self) -> bool {
        const FEWEST_GAPS: usize = 3;
        const FEWEST_IN_SECONDS: usize = 12;
        let (Some(own), Some(other)) = (self.times.first(), whole.times.first()) else { return false };
        let since =
            |times: &[u64], first: u64| times.iter().map(move |at| at.saturating_sub(first)).collect::<Vec<_>>();
        if !whole.contents.starts_with(&self.contents)
            || !since(&whole.times, *other).starts_with(&since(&self.times, *own))
        {
            return false;
        }
        let gaps: BTreeSet<u64> = self.times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        let fine = gaps.iter().filter(|&gap| gap % 1000 != 0).count();
        fine >= FEWEST_GAPS || gaps.len() >= FEWEST_IN_SECONDS
    }

    /// How many of the last events are the first ones of another history.
    fn overlap(&self, tail: &Self) -> usize {
        let most = self.marks.len().min(tail.marks.len());
        (1..=most).rev().find(|&n| self.marks[self.marks.len() - n..] == tail.marks[..n]).unwrap_or(0)
    }

    /// Whether a log with the same rollout id and no beginning may be the rest of this one.
    fn goes_on_in(&self, tail: &Self) -> bool {
        let (Some((_, last)), Some((first, end))) = (self.ends(), tail.ends()) else { return false };
        let of =
            |history: &Self, id: &str| history.lines.iter().any(|line| line.event.rollout_id.as_deref() == Some(id));
        let same = of(self, &tail.name) || of(tail, &self.name);
        same && end >= last && (first >= last || self.overlap(tail) > 0)
    }
}
