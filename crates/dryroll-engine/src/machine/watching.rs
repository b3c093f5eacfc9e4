//! Watching (§13): what the engine knows of the health of planned instances, before and after their verdicts.
//!
//! An instance is *unwell* while it is not in flight and its newest heartbeat says so, or it is silent. One that has a
//! healthy verdict and becomes unwell *relapses*: its verdict turns to failed, once.

use super::{Engine, Input};
use crate::fleet::{At, Heartbeat, InstanceId};
use crate::walk::{InstanceState, Walk};
use crate::{Direction, EventBody, Judged, Phase, Reason, Recording, Relapse, Verdict};

/// What is known of one instance.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// Its newest heartbeat says that it is healthy; true before the first.
    is_healthy: bool,
    /// Its newest heartbeat carries the target's digest.
    runs_target: bool,
    /// No heartbeat came for too long.
    is_silent: bool,
    /// It got a healthy verdict.
    has_passed: bool,
    /// As the last change left it; never in flight.
    is_unwell: bool,
}

impl Known {
    const WELL: Self =
        Self { is_healthy: true, runs_target: false, is_silent: false, has_passed: false, is_unwell: false };

    fn is_unwell(self) -> bool {
        self.is_silent || !self.is_healthy || (self.has_passed && !self.runs_target)
    }
}

/// The watch over the planned instances of a rollout.
#[derive(Clone, Debug)]
pub(super) struct Watching {
    most_unavailable: Option<u32>,
    known: Vec<Known>,
    /// How many are unwell and not in flight.
    unwell: u32,
}

impl Watching {
    pub fn new(planned: u32, most_unavailable: Option<u32>) -> Self {
        Self { most_unavailable, known: vec![Known::WELL; planned as usize], unwell: 0 }
    }

    pub fn reset(&mut self) {
        self.known.fill(Known::WELL);
        self.unwell = 0;
    }

    pub fn unwell(&self) -> u32 {
        self.unwell
    }

    pub fn is_unwell(&self, position: u32) -> bool {
        self.known[position as usize].is_unwell
    }

    /// The positions that are unwell, in plan order.
    pub fn unwell_positions(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.known).filter(|(_, known)| known.is_unwell).map(|(position, _)| position)
    }

    /// How many positions may be dispatched now: those in flight and the unwell that are not stay below the bound. An
    /// unwell one that is next takes the slot that it holds.
    pub fn room(&self, walk: &Walk) -> u32 {
        let room = walk.room();
        let Some(most) = self.most_unavailable else { return room };
        let (mut in_flight, mut unwell) = (walk.in_flight(), self.unwell);
        let next = walk.dispatched() as usize;
        let mut count = 0;
        for known in &self.known[next..next + room as usize] {
            unwell -= u32::from(known.is_unwell);
            if in_flight + unwell >= most {
                break;
            }
            in_flight += 1;
            count += 1;
        }
        count
    }

    /// These positions are in flight now, and not called unwell.
    pub fn takes_off(&mut self, positions: std::ops::Range<u32>) {
        for position in positions {
            self.update(position, true);
        }
    }

    fn update(&mut self, position: u32, is_in_flight: bool) {
        let known = &mut self.known[position as usize];
        let is_unwell = !is_in_flight && known.is_unwell();
        self.unwell = self.unwell + u32::from(is_unwell) - u32::from(known.is_unwell);
        known.is_unwell = is_unwell;
    }
}

impl Engine {
    /// Whether planned instances are watched now: a rollback watches nobody.
    #[inline]
    pub(super) fn is_watching(&self) -> bool {
        self.watch.is_some() && self.walk.direction() == Direction::Forward
    }

    pub(super) fn watching(&self) -> Option<&Watching> {
        self.watch.as_ref().filter(|_| self.walk.direction() == Direction::Forward)
    }

    /// Nothing was heard of an instance for as long as [`Watch::silent_after`](crate::Watch::silent_after), since its
    /// last heartbeat or since the request. Returns the relapse that follows, if one does.
    pub fn handle_silence(&mut self, now: At, instance: InstanceId) -> Option<Judged> {
        let now = self.take_in(now, || Input::Silence { instance });
        let position = self.plan.order.position(instance).filter(|_| self.is_watching() && !self.is_finished())?;
        let watching = self.watch.as_mut()?;
        watching.known[position as usize].is_silent = true;
        self.follow_hearing(now, position)
    }

    /// Takes note of what a heartbeat says.
    pub(super) fn hear(&mut self, position: u32, heartbeat: &Heartbeat) {
        let target = self.settings.target.digest;
        let Some(watching) = &mut self.watch else { return };
        let known = &mut watching.known[position as usize];
        known.is_healthy = heartbeat.healthy;
        known.runs_target = heartbeat.digest == target;
        known.is_silent = false;
        if !known.is_unwell() {
            self.rules.is_well(position);
        }
    }

    /// What follows from news of an instance: it relapses, or a slot becomes free.
    pub(super) fn follow_hearing(&mut self, now: At, position: u32) -> Option<Judged> {
        let is_in_flight = self.is_in_flight(position);
        let watching = self.watch.as_mut()?;
        watching.update(position, is_in_flight);
        let known = watching.known[position as usize];
        if self.is_finished() || self.is_new() {
            return None;
        }
        let judged = if known.is_unwell && self.instances[position as usize].phase[0] == Phase::Judged(Verdict::Healthy)
        {
            Some(self.relapse(now, position, if known.is_silent { Relapse::Silent } else { Relapse::Unhealthy }))
        } else {
            None
        };
        if self.judges() {
            self.proceed(now);
        }
        judged
    }

    fn relapse(&mut self, now: At, position: u32, reason: Relapse) -> Judged {
        let verdict = Verdict::Failed(Reason::Relapsed);
        let batch_index = self.walk.relapse(position, verdict, &mut self.instances);
        let instance = self.instance(position);
        self.say(now, Recording::Milestones, || EventBody::InstanceRelapsed { batch_index, instance, reason });
        self.count(now, position, batch_index, verdict);
        self.carry_out_trip(now);
        Judged { position, verdict }
    }

    /// An instance has its verdict.
    pub(super) fn lands(&mut self, position: u32, verdict: Verdict) {
        let Some(watching) = &mut self.watch else { return };
        watching.known[position as usize].has_passed |= verdict == Verdict::Healthy;
        watching.update(position, false);
    }

    fn is_in_flight(&self, position: u32) -> bool {
        let state_of: &InstanceState = &self.instances[position as usize];
        self.walk.is_in_flight(state_of)
    }
}
