//! Health after the verdict: who is unwell, and who relapses.

use dryroll::engine::{EventBody, Reason, Relapse};
use dryroll::sim::Release;

use super::super::coverage::saw_if;
use super::super::walk::Phase;
use super::Rules;

impl Rules<'_> {
    /// A healthy verdict turns to failed.
    pub(super) fn relapse(&mut self, now: u64, place: usize, reason: Relapse) {
        let walk = self.walk_mut();
        walk.standings[place] = Phase::Relapsed;
        let (position, release) = (walk.members[place], walk.release());
        let batch = walk.batch_of(place);
        let bakes = walk.batches.last().is_some_and(|last| last.bake_end.is_some() && !last.bake_over);
        saw_if(bakes, "a relapse in a bake");
        saw_if(reason == Relapse::Silent, "a silent relapse");
        self.failed.push((position, release));
        let instance = self.ids[position];
        self.say(now, 1, EventBody::InstanceRelapsed { batch_index: batch as u32, instance, reason });
        let trip = self.count_and_judge(now, batch, position, Some(Reason::Relapsed));
        self.go_on_after(now, trip);
    }

    /// Whether what was heard of an instance makes it unwell, in flight or not.
    pub(super) fn looks_unwell(&self, position: usize) -> bool {
        let judged_healthy = self.walks.first().is_some_and(|walk| {
            let place = walk.place_of(position);
            place.is_some_and(|place| matches!(walk.standings[place], Phase::Healthy | Phase::Relapsed))
        });
        let says_so = self.newest[position].is_some_and(|message| {
            let other = message.runs != self.digests.of_release(Release::Target);
            !message.healthy || judged_healthy && other
        });
        self.silent[position] || says_so
    }

    /// Whether a planned instance is called unwell.
    pub(super) fn is_unwell(&self, position: usize) -> bool {
        let Some(walk) = self.walks.first() else { return false };
        let flies = matches!(walk.standings[position], Phase::InFlight(_));
        let watches = self.scenario.rollout.watch.is_some() && self.walks.len() == 1;
        watches && !flies && self.looks_unwell(position)
    }

    pub(super) fn unwell(&self) -> Vec<usize> {
        (0..self.ids.len()).filter(|&position| self.is_unwell(position)).collect()
    }

    /// When those that are not silent yet would be: when, and which position of the plan.
    pub fn silences(&self) -> Vec<(u64, usize)> {
        let Some(watch) = self.scenario.rollout.watch else { return Vec::new() };
        if self.walks.len() != 1 || self.outcome.is_some() {
            return Vec::new();
        }
        let loud = (0..self.ids.len()).filter(|&position| !self.silent[position]);
        let since = |position: usize| self.heard_at[position].unwrap_or(self.requested_at);
        loud.map(|position| (since(position) + watch.silent_after.0, position)).collect()
    }

    /// An instance was not heard for too long.
    pub fn silence(&mut self, now: u64, position: usize) {
        self.silent[position] = true;
        if self.walk().standings[position] == Phase::Healthy {
            self.relapse(now, position, Relapse::Silent);
        }
    }
}
