//! The faults that have begun or are known to begin: those about the controller, and those about instances, of which
//! [`Near`] has the ones that hit one member. Sorted and run together once, so that asking costs a search and no scan.

use super::compiled::{CompiledScenario, Member};
use super::fault::{Fault, Window};
use super::next_at::NextAt;
use super::outages::Outage;
use super::sampler::Sampler;
use crate::scenario::FaultKind;
use dryroll_engine::fleet::{At, Span};

/// A stretch of time, `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its first millisecond.
    pub start: At,
    /// The first one after it; never, where it lasts for good.
    pub end: NextAt,
}

impl From<Outage> for Stretch {
    fn from(outage: Outage) -> Self {
        Self { start: outage.start, end: outage.end.into() }
    }
}

/// Stretches of time, ascending and apart.
#[derive(Clone, Debug, Default)]
pub struct Stretches(Vec<Stretch>);

impl Stretches {
    /// Adds one that starts no earlier than those before; what touches runs together.
    fn push(&mut self, window: &Window) {
        match self.0.last_mut() {
            _ if window.end <= window.start => {}
            Some(last) if last.end >= window.start => last.end = last.end.max(window.end),
            _ => self.0.push(Stretch { start: window.start, end: window.end }),
        }
    }

    /// The first that is not over at a moment.
    #[must_use]
    pub fn next(&self, at: At) -> Option<Stretch> {
        self.0.get(self.0.partition_point(|stretch| stretch.end <= at)).copied()
    }

    /// When the one ends that holds at a moment.
    #[must_use]
    pub fn end_of(&self, at: At) -> Option<NextAt> {
        self.next(at).filter(|stretch| stretch.start <= at).map(|stretch| stretch.end)
    }

    /// When the last one ends that starts by a moment.
    #[must_use]
    pub fn last_end(&self, at: At) -> Option<NextAt> {
        let begun = self.0.partition_point(|stretch| stretch.start <= at);
        begun.checked_sub(1).map(|last| self.0[last].end)
    }
}

/// Windows that may overlap, by their starts.
#[derive(Clone, Debug, Default)]
pub struct Overlapping {
    windows: Vec<Window>,
    /// The latest end of a window and those before it.
    ends: Vec<NextAt>,
}

impl Overlapping {
    fn clear(&mut self) {
        self.windows.clear();
        self.ends.clear();
    }

    fn push(&mut self, window: Window) {
        self.ends.push(self.ends.last().map_or(window.end, |&end| end.max(window.end)));
        self.windows.push(window);
    }

    fn begun(&self, at: At) -> usize {
        self.windows.partition_point(|window| window.start <= at)
    }

    /// The windows that hold at a moment.
    pub fn holding(&self, at: At) -> impl Iterator<Item = &Window> {
        let begun = (0..self.begun(at)).rev().take_while(move |&i| self.ends[i] > at);
        begun.map(|i| &self.windows[i]).filter(move |window| window.end > at)
    }

    /// The latest end of those that hold at a moment.
    fn end_of(&self, at: At) -> Option<NextAt> {
        self.begun(at).checked_sub(1).map(|last| self.ends[last]).filter(|&end| end > at)
    }
}

/// All that is known.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// By fault.
    windows: Vec<Option<Window>>,
    /// By fault: how many were known before it.
    order: Vec<usize>,
    /// About instances: by start, and those that slow upgrades in the order in which they became known.
    by_start: Vec<Window>,
    slows: Vec<Window>,
    paused: Vec<Window>,
    crashed: Vec<Window>,
    pauses: Stretches,
    crashes: Overlapping,
    archived_from: Option<At>,
    /// How many hit instances.
    about_instances: usize,
}

impl Known {
    /// Forgets all of so many faults.
    pub fn clear(&mut self, faults: usize) {
        self.windows.clear();
        self.windows.resize(faults, None);
        self.order.clear();
        self.order.resize(faults, 0);
        self.by_start.clear();
        self.slows.clear();
        self.paused.clear();
        self.crashed.clear();
        self.pauses.0.clear();
        self.crashes.clear();
        self.archived_from = None;
        self.about_instances = 0;
    }

    /// Whether nothing is known about instances.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.about_instances == 0
    }

    /// When a fault holds, where that is known.
    #[must_use]
    pub fn window(&self, fault: usize) -> Option<Window> {
        self.windows.get(fault).copied().flatten()
    }

    /// Notes a fault; [`sort`](Self::sort) must follow.
    pub fn add(&mut self, fault: &Fault, window: Window) {
        if let Some(place) = self.windows.get_mut(window.fault) {
            *place = Some(window);
        }
        if let Some(order) = self.order.get_mut(window.fault) {
            *order = self.about_instances;
        }
        self.about_instances += usize::from(fault.is_about_instances());
        match fault.kind {
            FaultKind::ReconcilerPause => self.paused.push(window),
            FaultKind::ReconcilerCrash => self.crashed.push(window),
            FaultKind::ArchivePreviousVersion => {
                self.archived_from = Some(self.archived_from.map_or(window.start, |from| from.min(window.start)));
            }
            FaultKind::Slow { .. } => self.slows.push(window),
            FaultKind::Partition
            | FaultKind::Kill
            | FaultKind::RegistryOutage
            | FaultKind::DuplicateHeartbeats
            | FaultKind::DelayHeartbeats { .. } => self.by_start.push(window),
        }
    }

    /// Puts what was added in order.
    pub fn sort(&mut self) {
        self.by_start.sort_by_key(|window| window.start);
        self.paused.sort_by_key(|window| window.start);
        self.pauses.0.clear();
        self.paused.iter().for_each(|window| self.pauses.push(window));
        self.crashed.sort_by_key(|window| window.start);
        self.crashes.clear();
        self.crashed.iter().for_each(|&window| self.crashes.push(window));
    }

    /// When ticks are skipped.
    #[must_use]
    pub fn pauses(&self) -> &Stretches {
        &self.pauses
    }

    /// Until when the controller is away at a moment.
    #[must_use]
    pub fn away_until(&self, at: At) -> Option<NextAt> {
        self.crashes.end_of(at)
    }

    /// Whether the controller restarts at a moment: a crash of no length.
    #[must_use]
    pub fn restarts(&self, at: At) -> bool {
        let first = self.crashed.partition_point(|window| window.start < at);
        self.crashed[first..].iter().take_while(|window| window.start == at).any(|window| window.end == at)
    }

    /// Whether the previous version is archived at a moment.
    #[must_use]
    pub fn is_archived(&self, at: At) -> bool {
        self.archived_from.is_some_and(|from| from <= at)
    }
}

/// The known faults that hit one member.
#[derive(Clone, Debug, Default)]
pub struct Near {
    /// Its network is down.
    pub partitions: Stretches,
    /// It is restarted.
    pub kills: Stretches,
    /// Its upgrade does not progress.
    pub registry: Stretches,
    /// Its heartbeats arrive twice.
    pub duplicates: Stretches,
    /// Its heartbeats arrive later.
    pub delays: Overlapping,
    /// Upgrades that start then take longer.
    pub slows: Vec<Window>,
    /// Whether nothing is known of any instance.
    pub is_calm: bool,
    /// What the index of the faults finds; kept for its memory.
    found: Vec<Window>,
}

impl Near {
    /// Nothing is known.
    #[must_use]
    pub fn calm() -> Self {
        Self { is_calm: true, ..Self::default() }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        for stretches in [&mut self.partitions, &mut self.kills, &mut self.registry, &mut self.duplicates] {
            stretches.0.clear();
        }
        self.delays.clear();
        self.slows.clear();
        self.is_calm = true;
    }

    /// Takes what hits a member.
    pub fn fill(&mut self, compiled: &CompiledScenario, known: &Known, member: &Member<'_>) {
        self.clear();
        self.is_calm = known.is_empty();
        let faults = &compiled.faults;
        if let Some(places) = &compiled.fault_places {
            let mut windows = std::mem::take(&mut self.found);
            windows.clear();
            windows.extend(places.at(member.n, member.zone).filter_map(|fault| known.window(fault)));
            windows.sort_unstable_by_key(|window| known.order[window.fault]);
            self.slow_down(faults, &windows, member);
            windows.sort_by_key(|window| window.start);
            self.take(faults, &windows, member);
            self.found = windows;
        } else {
            self.take(faults, &known.by_start, member);
            self.slow_down(faults, &known.slows, member);
        }
    }

    /// Takes windows that are in the order of their starts.
    fn take(&mut self, faults: &[Fault], by_start: &[Window], member: &Member<'_>) {
        for window in by_start {
            let fault = &faults[window.fault];
            if !fault.hits(member) {
                continue;
            }
            match fault.kind {
                FaultKind::Partition => self.partitions.push(window),
                FaultKind::Kill => self.kills.push(window),
                FaultKind::RegistryOutage => self.registry.push(window),
                FaultKind::DuplicateHeartbeats => self.duplicates.push(window),
                FaultKind::DelayHeartbeats { .. } => self.delays.push(*window),
                FaultKind::Slow { .. }
                | FaultKind::ReconcilerPause
                | FaultKind::ReconcilerCrash
                | FaultKind::ArchivePreviousVersion => {}
            }
        }
    }

    /// Takes the windows in which upgrades slow down, in the order in which they became known.
    fn slow_down(&mut self, faults: &[Fault], windows: &[Window], member: &Member<'_>) {
        let slow = |fault: &Fault| matches!(fault.kind, FaultKind::Slow { .. }) && fault.hits(member);
        self.slows.extend(windows.iter().filter(|window| slow(&faults[window.fault])));
    }

    /// The earliest moment at which a heartbeat was sent that arrives at `at` or later, if none is delayed by more than
    /// `own` but by these faults.
    #[must_use]
    pub fn earliest_sent(&self, faults: &[Fault], at: At, own: Span) -> At {
        let longest = |window: &Window| faults[window.fault].delay.as_ref().map_or(Span::ZERO, Sampler::longest);
        let begun = &self.delays.windows[..self.delays.begun(at)];
        let most = begun.iter().fold(own, |sum, window| sum + longest(window));
        let back = before(at, most);
        let of_faults = begun.iter().filter(|window| window.end + most > at);
        let first = of_faults.map(|window| window.start.max(back)).min().unwrap_or(at);
        first.min(before(at, own))
    }
}

/// So long before a moment, or t = 0.
fn before(at: At, span: Span) -> At {
    At(at.0.saturating_sub(span.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: u64, end: Option<u64>) -> Window {
        Window { fault: 0, start: At(start), end: end.map(At).into() }
    }

    #[test]
    fn stretches_that_touch_run_together() {
        let mut stretches = Stretches::default();
        for (start, end) in [(0, Some(10)), (5, Some(7)), (10, Some(12)), (12, Some(12)), (20, None)] {
            stretches.push(&window(start, end));
        }
        let twelve = NextAt::from(At(12));
        let held = [(0, twelve), (20, NextAt::NEVER)].map(|(start, end)| Stretch { start: At(start), end });
        assert_eq!(stretches.0, held);
        let end_of = [0, 11, 12, 20].map(|at| stretches.end_of(At(at)));
        assert_eq!(end_of, [Some(twelve), Some(twelve), None, Some(NextAt::NEVER)]);
        let last_end = [0, 19, 20].map(|at| stretches.last_end(At(at)));
        assert_eq!(last_end, [Some(twelve), Some(twelve), Some(NextAt::NEVER)]);
    }

    #[test]
    fn those_that_hold_are_found_whatever_overlaps() {
        let mut windows: Vec<Window> = (0..60).map(|i| window(i * 7 % 31, Some(i * 7 % 31 + i * i % 17))).collect();
        windows.sort_by_key(|window| window.start);
        let mut overlapping = Overlapping::default();
        windows.iter().for_each(|&window| overlapping.push(window));
        for at in (0..50).map(At) {
            let wanted: Vec<&Window> = windows.iter().rev().filter(|window| window.holds(at)).collect();
            assert_eq!(overlapping.holding(at).collect::<Vec<_>>(), wanted);
            assert_eq!(overlapping.end_of(at), wanted.iter().map(|window| window.end).max());
        }
    }
}
