//! The same rollout twice: a copied file, a log joined with itself, a log that was taken before its rollout ended. It is known by
//! its events, whatever it is called, and counts once.

use super::history::History;
use super::warning::{Warning, WarningKind};

/// The histories of logs, each rollout once, and a warning for each that was there before.
#[must_use]
pub fn once(logs: Vec<(String, Vec<History>)>) -> (Vec<History>, Vec<Warning>) {
    let all: Vec<(String, History)> = logs
        .into_iter()
        .flat_map(|(log, histories)| histories.into_iter().map(move |history| (log.clone(), history)))
        .collect();
    let told = all.iter().enumerate().map(|(place, (_, history))| {
        let same = |&(other, (_, whole)): &(usize, &(String, History))| match history.against(whole) {
            Overlap::None => false,
            Overlap::Same => other < place,
            Overlap::Beginning => true,
        };
        all.iter().enumerate().find(same).map(|(other, _)| other)
    });
    let told: Vec<Option<usize>> = told.collect();
    let place = |at: usize| format!("{} line {}", all[at].0, all[at].1.line);
    let warning = |(at, other): (usize, usize)| {
        let what = if all[at].1.against(&all[other].1) == Overlap::Same { "" } else { "the beginning of " };
        let text = format!(
            "the rollout at {} is {what}the one at {}, event for event: it counts once; leave one of them out",
            place(at),
            place(other)
        );
        Warning { kind: WarningKind::Twice, text }
    };
    let twice = told.iter().enumerate().filter_map(|(at, other)| other.map(|other| (at, other)));
    let warnings = twice.map(warning).collect();
    let kept = all.into_iter().zip(told).filter(|(_, other)| other.is_none()).map(|((_, history), _)| history);
    (kept.collect(), warnings)
}

/// What two histories have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overlap {
    None,
    /// Every event.
    Same,
    /// Every event of the first, which has no end.
    Beginning,
}

impl History {
    fn against(&self, whole: &Self) -> Overlap {
        // A rollout that ended with nothing decided can be like another. One that goes on and has no verdict says nothing that
        // the other does not.
        let tells = |_: &&u64| self.says_something() || !self.finished;
        let Some(end) = self.marks.last().filter(tells) else { return Overlap::None };
        if whole.marks.get(self.marks.len() - 1) != Some(end) {
            return Overlap::None;
        }
        match (self.marks.len() == whole.marks.len(), self.finished) {
            (true, _) => Overlap::Same,
            (false, false) => Overlap::Beginning,
            (false, true) => Overlap::None,
        }
    }
}
