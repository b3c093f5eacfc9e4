//! The stream of what happens, for one browser, at its pace: first how everything stands, then each step after it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::Event;
use futures_util::stream::{Stream, unfold};
use tokio::sync::watch;

use super::log::{Entry, Log, News};

/// After this long without an entry the clock is sent, so that a browser knows that the connection lives.
const QUIET: Duration = Duration::from_secs(2);
/// How soon a browser tries again after a lost connection.
const RETRY: Duration = Duration::from_millis(800);
/// Entries that are taken out of the log at once.
const AT_ONCE: usize = 64;

struct Reader {
    log: Arc<Log>,
    news: watch::Receiver<News>,
    briefing: Arc<serde_json::Value>,
    /// The last entry that was sent; `None` before the first.
    seen: Option<u64>,
    taken: VecDeque<Arc<Entry>>,
    clock_is_due: bool,
    is_over: bool,
}

/// The stream after an entry, or from how everything stands now.
pub fn events(
    log: Arc<Log>,
    briefing: Arc<serde_json::Value>,
    after: Option<u64>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    // A browser that saw more entries than there are saw another drill.
    let seen = after.filter(|&seq| seq <= log.length());
    let news = log.subscribe();
    let reader = Reader { log, news, briefing, seen, taken: VecDeque::new(), clock_is_due: true, is_over: false };
    unfold(reader, |mut reader| async move { reader.next().await.map(|event| (Ok(event), reader)) })
}

impl Reader {
    async fn next(&mut self) -> Option<Event> {
        if self.is_over {
            return None;
        }
        let Some(seen) = self.seen else {
            let (seq, json) = self.log.snapshot(&self.briefing);
            self.seen = Some(seq);
            return Some(Event::default().event("snapshot").id(seq.to_string()).retry(RETRY).data(json));
        };
        let mut seen = seen;
        loop {
            // What is published from now on wakes this reader.
            let news = *self.news.borrow_and_update();
            if self.taken.is_empty() {
                self.taken.extend(self.log.after(seen, AT_ONCE));
            }
            if let Some(entry) = self.taken.pop_front() {
                seen = entry.seq;
                self.seen = Some(seen);
                return Some(Event::default().event("update").id(seen.to_string()).data(entry.json()));
            }
            if self.clock_is_due {
                self.clock_is_due = false;
                let clock = serde_json::to_string(&self.log.clock()).unwrap_or_default();
                return Some(Event::default().event("clock").retry(RETRY).data(clock));
            }
            if news.is_closed {
                self.is_over = true;
                return Some(Event::default().event("closed").data("{}"));
            }
            match tokio::time::timeout(QUIET, self.news.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => self.clock_is_due = true,
            }
        }
    }
}
