//! Checks the counts that a plan and a batch state against the events that follow.

use super::history::Event;

/// The counts of a plan, and how many of its instances were started.
#[derive(Debug, Default)]
pub struct Plan {
    total: Option<u64>,
    batch_count: Option<u64>,
    batch_size: Option<u64>,
    started: u64,
    /// Instances in the batches so far.
    in_batches: u64,
}

impl Plan {
    /// Reads the plan of a `planned` event; the error states what is inconsistent.
    pub fn read(event: &Event) -> Result<Self, String> {
        let &Event { total_instances: total, batch_size, batch_count, .. } = event;
        if let (Some(total @ 1..), Some(0)) = (total, batch_size) {
            return Err(format!(
                "its batch_size is 0, but its total_instances is {total}; a batch has at least one instance"
            ));
        }
        if let (Some(total), Some(size @ 1..), Some(count)) = (total, batch_size, batch_count) {
            // The largest batch has this size, and each of the others at least one instance.
            let (least, most) = (total.div_ceil(size), if total == 0 { 0 } else { total.saturating_sub(size) + 1 });
            if !(least..=most.max(least)).contains(&count) {
                let allowed = if most > least { format!("{least} to {most}") } else { least.to_string() };
                return Err(format!(
                    "its batch_count is {count}, but {total} instances in batches of {size} are {allowed} batches"
                ));
            }
        }
        Ok(Self { total, batch_count, batch_size, ..Self::default() })
    }

    /// The plan of a rollback, for which the log states only the number of instances.
    pub fn of_rollback(total: Option<u64>) -> Self {
        Self { total, ..Self::default() }
    }

    /// The number of instances, if known.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The number of batches, if known.
    pub fn batches(&self) -> Option<u64> {
        self.batch_count
    }

    /// Checks that the plan can have a batch with this index and this many instances after those before it. After a
    /// failed batch growth may stop or turn back, and there may be more batches than were planned.
    pub fn has(&mut self, index: u64, instances: u64, is_after_failed: bool) -> Result<(), String> {
        let planned = self.batch_count.filter(|_| !is_after_failed);
        if let Some(count) = planned.filter(|&count| index >= count) {
            return Err(format!(
                "its batch_index is {index}, but the plan has a batch_count of {count}: indices are 0 to {}",
                count.saturating_sub(1)
            ));
        }
        if instances == 0 {
            return Err("its instance_count is 0; a batch has at least one instance".to_owned());
        }
        if let Some(size) = self.batch_size.filter(|&size| instances > size) {
            return Err(format!("its instance_count is {instances}, but the plan has a batch_size of {size}"));
        }
        self.in_batches = self.in_batches.saturating_add(instances);
        let Some(total) = self.total else { return Ok(()) };
        if self.in_batches > total {
            return Err(format!(
                "its instance_count is {instances}, which makes {} in batches, of {total} instances in all",
                self.in_batches
            ));
        }
        if let (Some(size), Some(count)) = (self.batch_size, planned) {
            let (left, batches) = (total - self.in_batches, count - index - 1);
            if left > batches.saturating_mul(size) || left < batches {
                return Err(format!(
                    "its instance_count is {instances}, which leaves {left} of {total} instances for {batches} more \
                     batches of 1 to {size}"
                ));
            }
        }
        Ok(())
    }

    /// Counts one more started instance.
    pub fn start(&mut self) -> Result<(), String> {
        self.started += 1;
        match (self.total, self.batch_size) {
            (Some(total), Some(_)) if self.started > total => {
                Err(format!("it is start {}, but the plan has a total_instances of {total}", self.started))
            }
            (Some(total), None) if self.started > total => {
                Err(format!("it is start {}, of {total} instances in all", self.started))
            }
            _ => Ok(()),
        }
    }
}

/// The size of a batch, how many of its instances were started, and their verdicts.
#[derive(Debug, Default)]
pub struct Batch {
    count: u64,
    started: u64,
    /// Healthy verdicts.
    pub healthy: u64,
    /// Failed verdicts so far.
    pub failed: u64,
    /// Whether its `batch_completed` event has been read.
    pub completed: bool,
    /// Whether it can be a failed batch: it completed with a failed verdict.
    pub may_have_failed: bool,
}

impl Batch {
    /// A batch whose `batch_started` event states this many instances.
    pub fn of(count: u64) -> Self {
        Self { count, ..Self::default() }
    }

    /// Counts one more started instance.
    pub fn start(&mut self, index: u64) -> Result<(), String> {
        self.started += 1;
        if self.completed {
            return Err(format!("it is a start in batch {index}, which has completed"));
        }
        if self.started <= self.count {
            return Ok(());
        }
        Err(format!(
            "it is start {} in batch {index}, which was started with an instance_count of {}",
            self.started, self.count
        ))
    }

    /// A healthy verdict turned to failed. What a completed batch has stated stays.
    pub fn relapse(&mut self) {
        if !self.completed {
            self.healthy = self.healthy.saturating_sub(1);
            self.failed += 1;
        }
    }

    /// Whether all of it was started, as far as the log has starts.
    pub fn is_dispatched(&self) -> bool {
        self.started == 0 || self.started >= self.count
    }

    /// Completes the batch, if it can complete with these counts.
    pub fn complete(&mut self, index: u64, healthy: Option<u64>, failed: Option<u64>) -> Result<(), String> {
        if std::mem::replace(&mut self.completed, true) {
            return Err(format!("batch {index} completed before"));
        }
        self.may_have_failed = failed.is_none_or(|failed| failed > 0);
        // A log of milestones has no `instance_started` events.
        if self.started == self.count {
            for (key, said, seen) in [("healthy_count", healthy, self.healthy), ("failed_count", failed, self.failed)] {
                if let Some(said) = said.filter(|&said| said != seen && said <= self.count) {
                    let what = if key == "healthy_count" { "healthy" } else { "unhealthy" };
                    return Err(format!(
                        "its {key} is {said}, but the log has {seen} {what} verdicts in batch {index}"
                    ));
                }
            }
        } else if self.started > 0 {
            return Err(format!(
                "batch {index} completes after {} starts, but its instance_count is {}: all of them start before that",
                self.started, self.count
            ));
        }
        let (Some(healthy), Some(failed)) = (healthy, failed) else { return Ok(()) };
        let verdicts = healthy.saturating_add(failed);
        if verdicts == self.count {
            return Ok(());
        }
        Err(format!(
            "its healthy_count and failed_count are {verdicts} together, but batch {index} was started with an \
             instance_count of {}: each has one verdict",
            self.count
        ))
    }
}
