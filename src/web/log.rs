//! What was published: entries that are only ever added to, and how everything stands after the last one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;
use tokio::sync::watch;

use super::board::{Board, Update};
use super::cells;
use dryroll_engine::fleet::At;
use dryroll_study::drill::Pace;

/// The events that a browser gets at first; it asks for older ones.
const RECENT_EVENTS: usize = 500;

/// One step of the drill, as it is sent.
#[derive(Debug)]
pub struct Entry {
    /// 1, 2, 3, …
    pub seq: u64,
    /// A JSON object without its end.
    head: String,
    /// Event lines of the contract.
    lines: String,
}

impl Entry {
    /// The whole as JSON.
    pub fn json(&self) -> String {
        format!("{},\"events\":[{}]}}", self.head, joined(&self.lines))
    }

    /// The event lines.
    pub fn lines(&self) -> &str {
        &self.lines
    }
}

/// Lines as the elements of a JSON array.
fn joined(lines: &str) -> String {
    lines.trim_end().replace('\n', ",")
}

/// What readers are woken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// How many entries there are.
    pub length: u64,
    /// Nothing more comes: the program ends.
    pub is_closed: bool,
}

/// The clock as a browser goes on with it by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Clock {
    /// What it shows.
    pub clock_ms: u64,
    /// Simulated seconds a second.
    pub speed: u32,
    /// Whether it stands.
    pub paused: bool,
}

#[derive(Debug)]
struct Inner {
    entries: Vec<Arc<Entry>>,
    board: Board,
    cells: String,
    pace: Pace,
}

/// Everything that was published. The drill adds to it and goes on at once; readers copy out of it.
#[derive(Debug)]
pub struct Log {
    inner: Mutex<Inner>,
    news: watch::Sender<News>,
    opened: Instant,
}

impl Log {
    /// A log that begins with this; the wall clock began at `opened`.
    pub(super) fn new(board: Board, cells: String, pace: Pace, opened: Instant) -> Self {
        let inner = Mutex::new(Inner { entries: Vec::new(), board, cells, pace });
        let (news, _) = watch::channel(News { length: 0, is_closed: false });
        Self { inner, news, opened }
    }

    /// Nothing panics while it is held, and what it holds is whole after every step.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a step.
    pub(super) fn publish(&self, board: &Board, update: Update<'_>, pace: Pace, lines: String) -> u64 {
        let mut inner = self.inner();
        let seq = inner.entries.len() as u64 + 1;
        let mut head = serde_json::to_string(&Numbered { seq, clock: self.clock_of(pace), update: &update })
            .unwrap_or_else(|_| format!("{{\"seq\":{seq}}}"));
        head.pop();
        cells::apply(&mut inner.cells, &update.cells);
        inner.board.clone_from(board);
        inner.pace = pace;
        inner.entries.push(Arc::new(Entry { seq, head, lines }));
        drop(inner);
        self.news.send_modify(|news| news.length = seq);
        seq
    }

    /// Says that the debrief can be read.
    pub(super) fn debrief_is_ready(&self) {
        let (mut board, pace) = {
            let inner = self.inner();
            (inner.board.clone(), inner.pace)
        };
        board.state.debrief = true;
        let update = Update { state: Some(&board.state), ..Update::default() };
        self.publish(&board, update, pace, String::new());
    }

    /// Says that the program ends.
    pub(super) fn close(&self) {
        self.news.send_modify(|news| news.is_closed = true);
    }

    /// Wakes whenever something is published.
    pub(super) fn subscribe(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// How many entries there are.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.inner().entries.len() as u64
    }

    /// At most `most` entries after one.
    pub(super) fn after(&self, seq: u64, most: usize) -> Vec<Arc<Entry>> {
        let inner = self.inner();
        let start = usize::try_from(seq).unwrap_or(usize::MAX).min(inner.entries.len());
        inner.entries[start..].iter().take(most).cloned().collect()
    }

    /// What the clock shows now.
    pub(super) fn clock(&self) -> Clock {
        let pace = self.inner().pace;
        self.clock_of(pace)
    }

    fn clock_of(&self, pace: Pace) -> Clock {
        let At(clock_ms) = pace.shows(self.opened.elapsed());
        Clock { clock_ms, speed: pace.speed().factor(), paused: pace.is_paused() }
    }

    /// How everything stands, as JSON, and after which entry.
    pub(super) fn snapshot(&self, briefing: &serde_json::Value) -> (u64, String) {
        let inner = self.inner();
        let seq = inner.entries.len() as u64;
        let recent = recent(&inner.entries);
        let head = Snapshot {
            seq,
            clock: self.clock_of(inner.pace),
            briefing,
            board: &inner.board,
            cells: &inner.cells,
            earlier_events: recent.earlier,
        };
        let mut json = serde_json::to_string(&head).unwrap_or_else(|_| "{}".into());
        drop(inner);
        json.pop();
        json.push_str(",\"events\":[");
        json.push_str(&recent.lines.join(","));
        json.push_str("]}");
        (seq, json)
    }
}

struct Recent {
    lines: Vec<String>,
    /// Whether there are earlier ones.
    earlier: bool,
}

/// The last events, oldest first.
fn recent(entries: &[Arc<Entry>]) -> Recent {
    let mut backwards = entries.iter().rev().flat_map(|entry| entry.lines.lines().rev());
    let mut lines: Vec<String> = backwards.by_ref().take(RECENT_EVENTS).map(str::to_owned).collect();
    lines.reverse();
    Recent { lines, earlier: backwards.next().is_some() }
}

#[derive(Serialize)]
struct Numbered<'a> {
    seq: u64,
    clock: Clock,
    #[serde(flatten)]
    update: &'a Update<'a>,
}

#[derive(Serialize)]
struct Snapshot<'a> {
    seq: u64,
    clock: Clock,
    briefing: &'a serde_json::Value,
    board: &'a Board,
    cells: &'a str,
    earlier_events: bool,
}
