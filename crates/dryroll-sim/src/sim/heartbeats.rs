//! Heartbeats: the one that decides a verdict is computed, the others are never computed.
//!
//! An instance in flight gets its verdict from the first heartbeat to arrive that is *decisive*: healthy with the
//! wanted digest, or the agent's report. Which one that is follows from the instance's history and the network, so the
//! queue holds one entry an instance, however short the interval.

use super::compiled::{Member, Release};
use super::environment::Environment;
use super::instance_history::{Doing, InstanceHistory, Order, Segment, Trajectory};
use super::next_at::NextAt;
use crate::scenario::UpgradeOutcome;
use dryroll_engine::fleet::{At, DigestId, Span};

/// The heartbeat that decides a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decisive {
    /// When it arrives.
    pub arrives: At,
    /// When it was sent.
    pub sent: At,
    /// Whether it carries the report of a failed upgrade.
    pub report: bool,
}

/// A command whose verdict is awaited.
#[derive(Clone, Copy, Debug)]
pub struct Awaited {
    /// When it was dispatched.
    pub dispatched: At,
    /// To which release.
    pub to: Release,
    /// Whether the heartbeats of the millisecond of its dispatch came after it.
    pub before_heartbeats: bool,
    /// A heartbeat that arrives later comes too late.
    pub deadline: At,
}

/// The number of the first heartbeat that is sent at or after `at`.
pub fn beat_from(environment: &Environment<'_>, member: &Member<'_>, at: At) -> u64 {
    at.0.saturating_sub(member.phase.0).div_ceil(environment.compiled.interval.0)
}

/// When a heartbeat is sent.
pub fn sent_at(environment: &Environment<'_>, member: &Member<'_>, beat: u64) -> At {
    At(member.phase.0 + beat * environment.compiled.interval.0)
}

/// When the first heartbeat at or after `at` is sent.
pub fn first_sent(environment: &Environment<'_>, member: &Member<'_>, at: At) -> At {
    sent_at(environment, member, beat_from(environment, member, at))
}

/// Whether a heartbeat falls into `[from, until)`.
pub fn any_sent(environment: &Environment<'_>, member: &Member<'_>, from: At, until: At) -> bool {
    first_sent(environment, member, from) < until
}

/// The decisive heartbeat of a command that nothing interferes with, where no heartbeat is delayed. From the moment
/// that the command reached the instance, its network is known to be up before `up_until`.
#[inline(always)]
pub fn of_trajectory(
    environment: &Environment<'_>,
    member: &Member<'_>,
    trajectory: &Trajectory,
    up_until: NextAt,
    deadline: At,
) -> Option<Decisive> {
    let report = match trajectory.outcome {
        UpgradeOutcome::Ok | UpgradeOutcome::Crash | UpgradeOutcome::Degrade => false,
        UpgradeOutcome::Fail => true,
        UpgradeOutcome::Hang | UpgradeOutcome::Unhealthy | UpgradeOutcome::Brick => return None,
    };
    let ends = trajectory.ends.get().filter(|&ends| ends <= deadline)?;
    let mut beat = beat_from(environment, member, ends);
    loop {
        let sent = sent_at(environment, member, beat);
        if sent > deadline || trajectory.dies <= sent {
            return None;
        }
        if environment.beat_delay(member, beat, sent, up_until).is_some() {
            return Some(Decisive { arrives: sent, sent, report });
        }
        beat = next_beat(environment, member, beat, sent)?;
    }
}

/// The first heartbeat after a lost one that is sent while the network is up; `None` where there is none to come.
fn next_beat(environment: &Environment<'_>, member: &Member<'_>, beat: u64, sent: At) -> Option<u64> {
    let up = environment.network_up_from(member, sent + Span(1)).from.get()?;
    (member.loss < 1.0).then(|| beat_from(environment, member, up).max(beat + 1))
}

/// The decisive heartbeat of a whole history, whatever interferes.
pub fn of_history(
    environment: &Environment<'_>,
    member: &Member<'_>,
    orders: &[Order],
    awaited: &Awaited,
) -> Option<Decisive> {
    if member.loss >= 1.0 {
        return None;
    }
    let earliest = awaited.dispatched + Span(u64::from(!awaited.before_heartbeats));
    let mut beat = beat_from(environment, member, environment.earliest_sent(member, awaited.dispatched));
    let mut history = InstanceHistory::new(*environment, *member, orders, awaited.deadline + Span(1));
    let mut segment = history.next()?;
    let wanted = environment.compiled.digest(awaited.to);
    // The first of the decisive ones that none sent later has overtaken: an old heartbeat that arrives late never
    // undoes a newer one.
    let mut first: Option<Decisive> = None;
    loop {
        let sent = sent_at(environment, member, beat);
        if sent > awaited.deadline {
            return first;
        }
        if let Some(decisive) = first
            && decisive.arrives <= sent + environment.shortest_delay(member, sent, decisive.arrives)
        {
            return first;
        }
        while segment.to <= sent {
            segment = history.next()?;
        }
        let decides = |said: &Segment| {
            let report = said.report == Some(awaited.to);
            (report, report || (said.doing == Doing::Serving && said.running == wanted))
        };
        // A segment that is silent, or decides nothing and has nothing to overtake, need not be walked beat by beat.
        let is_idle = !segment.doing.heartbeats() || (first.is_none() && !decides(&segment).1);
        if is_idle && orders.iter().all(|order| order.at != sent) {
            beat = beat_from(environment, member, segment.to).max(beat + 1);
            continue;
        }
        let said = what_it_says(environment, member, orders, sent, &segment);
        if !said.doing.heartbeats() {
            beat += 1;
            continue;
        }
        let Some(delay) = environment.beat_delay(member, beat, sent, At::ZERO.into()) else {
            let Some(up) = environment.network_up_from(member, sent).from.get() else { return first };
            beat = beat_from(environment, member, up).max(beat + 1);
            continue;
        };
        let arrives = sent + delay;
        let (report, decides) = decides(&said);
        if first.is_some_and(|decisive| arrives < decisive.arrives) {
            first = None;
        }
        if first.is_none() && decides && arrives >= earliest && arrives <= awaited.deadline {
            first = Some(Decisive { arrives, sent, report });
        }
        beat += 1;
    }
}

/// A heartbeat that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When it was sent.
    pub sent: At,
    /// The digest that it carries.
    pub runs: DigestId,
    /// Whether the instance reports that it is healthy.
    pub healthy: bool,
}

/// The newest heartbeat sent from `from` to `now`, both included, that has arrived by `now`.
pub fn last_heard(
    environment: &Environment<'_>,
    member: &Member<'_>,
    orders: &[Order],
    from: At,
    now: At,
) -> Option<Heard> {
    let beats = beat_from(environment, member, from)..beat_from(environment, member, now + Span(1));
    beats.rev().find_map(|beat| {
        let sent = sent_at(environment, member, beat);
        let delay = environment.beat_delay(member, beat, sent, At::ZERO.into())?;
        if sent + delay > now {
            return None;
        }
        let segment = InstanceHistory::new(*environment, *member, orders, sent + Span(1)).last()?;
        let said = what_it_says(environment, member, orders, sent, &segment);
        let heard = Heard { sent, runs: said.running, healthy: said.doing == Doing::Serving };
        said.doing.heartbeats().then_some(heard)
    })
}

/// The content of a heartbeat at this moment: the state of the instance, without the commands that are dispatched later
/// in the same millisecond.
pub fn what_it_says(
    environment: &Environment<'_>,
    member: &Member<'_>,
    orders: &[Order],
    sent: At,
    segment: &Segment,
) -> Segment {
    let comes_before = |order: &Order| order.at < sent || (order.at == sent && order.before_heartbeats);
    let (before, after) = orders.split_at(orders.partition_point(comes_before));
    if after.first().is_none_or(|order| order.at != sent) {
        return *segment;
    }
    InstanceHistory::new(*environment, *member, before, sent + Span(1)).last().unwrap_or(*segment)
}
