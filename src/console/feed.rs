//! The feed: what an operator may know of a drill while it runs.

use std::collections::VecDeque;

use super::narrator::Narrator;
use super::tally::Tally;
use dryroll_engine::fleet::At;
use dryroll_engine::{Engine, Event, Recording};
use dryroll_sim::sim::Observer;
use dryroll_study::drill::Briefing;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Progress.
    Plain,
    /// Something went well.
    Good,
    /// Something failed.
    Bad,
    /// A question or an answer.
    Asks,
}

/// A line of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedLine {
    /// The simulated time.
    pub at: At,
    /// How much the line matters.
    pub tone: Tone,
    /// What happened, in words.
    pub text: String,
}

/// Watches a drill: its lines, and its counts by batch.
#[derive(Debug)]
pub struct Feed {
    briefing: Briefing,
    narrator: Narrator,
    tally: Tally,
    lines: VecDeque<FeedLine>,
    kept: usize,
}

impl Feed {
    /// A feed that keeps this many of its last lines.
    #[must_use]
    pub fn new(briefing: Briefing, kept: usize) -> Self {
        Self { briefing, narrator: Narrator::default(), tally: Tally::default(), lines: VecDeque::new(), kept }
    }

    /// The names that the person sees.
    #[must_use]
    pub fn briefing(&self) -> &Briefing {
        &self.briefing
    }

    /// The counts.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The last lines, oldest first.
    #[must_use]
    pub fn lines(&self) -> &VecDeque<FeedLine> {
        &self.lines
    }

    /// Takes the lines that were not taken yet.
    pub fn take(&mut self) -> impl Iterator<Item = FeedLine> + '_ {
        self.lines.drain(..)
    }
}

impl Observer for Feed {
    fn recording(&self) -> Recording {
        Recording::Everything
    }

    fn event(&mut self, engine: &Engine, event: &Event) {
        self.tally.note(engine, event);
        let line = self.narrator.line(&self.briefing, engine, event);
        let bake = self.narrator.bake(&self.tally).map(|text| (Tone::Plain, text));
        for (tone, text) in [line, bake].into_iter().flatten() {
            if self.lines.len() == self.kept {
                self.lines.pop_front();
            }
            self.lines.push_back(FeedLine { at: event.at, tone, text });
        }
    }
}
