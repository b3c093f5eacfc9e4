//! How far long work is: a bar on a terminal, nothing elsewhere.

use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Shows how many rollouts are done, how fast, and how long the rest will take.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar for so many rollouts, on standard error if that is a terminal and people want to be told.
    pub fn new(rollouts: u64, what: &'static str, quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(rollouts), target);
        let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // A line of progress that cannot be written is no failure.
            let _ = write!(out, "{}/s", HumanCount(state.per_sec() as u64));
        };
        let style =
            ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} rollouts · {rate} · {eta} left");
        if let Ok(style) = style {
            bar.set_style(style.with_key("rate", rate));
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// So many more are done.
    pub fn advance(&self, rollouts: u64) {
        self.0.inc(rollouts);
    }

    /// It is over; the line goes.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}
