//! The progress of long work: a line on a terminal, nothing elsewhere.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

const ROLLOUTS: &str = "{msg} {wide_bar} {human_pos}/{human_len} rollouts · {rate} · {left}";
const REPORT: &str = "{msg} {spinner}";

/// The progress bar on the terminal.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Shows progress until it is dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar for this many rollouts, on standard error if that is a terminal and `quiet` is not set: how many are done,
    /// how fast, and how long the rest takes.
    pub fn new(rollouts: u64, what: impl Into<Cow<'static, str>>, quiet: bool) -> Self {
        Self::rollouts(rollouts, what, target(quiet))
    }

    /// A line that says that the report is being made.
    pub fn making_report(quiet: bool) -> Self {
        Self::report(target(quiet))
    }

    fn rollouts(rollouts: u64, what: impl Into<Cow<'static, str>>, target: ProgressDrawTarget) -> Self {
        let rate = |state: &ProgressState, out: &mut dyn Write| {
            // A progress line that cannot be written is not a failure.
            let _ = write!(out, "{}/s", HumanCount(state.per_sec() as u64));
        };
        let left = |state: &ProgressState, out: &mut dyn Write| {
            let _ = out.write_str(&left(state.pos(), state.eta()));
        };
        let style =
            ProgressStyle::with_template(ROLLOUTS).map(|style| style.with_key("rate", rate).with_key("left", left));
        Self::shown(ProgressBar::with_draw_target(Some(rollouts), target), style.ok(), what)
    }

    fn report(target: ProgressDrawTarget) -> Self {
        let style = ProgressStyle::with_template(REPORT).ok();
        Self::shown(ProgressBar::with_draw_target(None, target), style, "making the report …")
    }

    fn shown(bar: ProgressBar, style: Option<ProgressStyle>, what: impl Into<Cow<'static, str>>) -> Self {
        if let Some(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Self(bar)
    }

    /// Adds this many finished rollouts.
    pub fn advance(&self, rollouts: u64) {
        self.0.inc(rollouts);
    }

    /// Removes the line.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if !self.0.is_finished() {
            self.clear();
        }
    }
}

/// Removes the line of any progress bar: for a program that ends at once.
pub fn clear_all() {
    if let Some(bar) = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
    }
}

fn target(quiet: bool) -> ProgressDrawTarget {
    if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }
}

/// The estimated time for the rest, once there is one.
fn left(done: u64, rest: Duration) -> String {
    if done == 0 { "time left unknown".into() } else { format!("{:#} left", HumanDuration(rest)) }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use indicatif::TermLike;

    use super::*;

    /// A terminal that keeps everything written to it.
    #[derive(Clone, Debug, Default)]
    struct Terminal(Arc<Mutex<String>>);

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            120
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(line)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn seen(show: impl FnOnce(ProgressDrawTarget)) -> String {
        let terminal = Terminal::default();
        show(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        let text = terminal.0.lock().unwrap();
        text.clone()
    }

    #[test]
    fn the_time_left_is_unknown_before_anything_is_done() {
        let before = seen(|target| Progress::rollouts(1000, "sweep", target).0.tick());
        assert!(before.contains("0/1,000 rollouts") && before.contains("time left unknown"), "{before}");
        assert_eq!(left(1, Duration::from_secs(90)), "2m left");
    }

    #[test]
    fn the_making_of_the_report_is_shown() {
        let shown = seen(|target| Progress::report(target).0.tick());
        assert!(shown.contains("making the report …"), "{shown}");
    }
}
