//! What the counts of a plan and of a batch say, held against the events that follow.

use super::history::Event;

/// What a plan says, and how many of its instances were started.
#[derive(Debug)]
pub struct Plan {
    total: Option<u64>,
    batch_count: Option<u64>,
    batch_size: Option<u64>,
    started: u64,
}

impl Plan {
    /// The plan of a `planned`, or what cannot be in it.
    pub fn read(event: &Event) -> Result<Self, String> {
        let &Event { total_instances: total, batch_size, batch_count, .. } = event;
        if let (Some(total @ 1..), Some(0)) = (total, batch_size) {
            return Err(format!(
                "its batch_size is 0, but its total_instances is {total}; a batch has at least one instance"
            ));
        }
        if let (Some(total), Some(size @ 1..), Some(count)) = (total, batch_size, batch_count)
            && total.div_ceil(size) != count
        {
            return Err(format!(
                "its batch_count is {count}, but {total} instances in batches of {size} are {} batches",
                total.div_ceil(size)
            ));
        }
        Ok(Self { total, batch_count, batch_size, started: 0 })
    }

    /// Whether it can have a batch of this index with so many instances.
    pub fn has(&self, index: u64, instances: u64) -> Result<(), String> {
        if let Some(count) = self.batch_count.filter(|&count| index >= count) {
            return Err(format!(
                "its batch_index is {index}, but the plan has a batch_count of {count}: indices are 0 to {}",
                count.saturating_sub(1)
            ));
        }
        match self.batch_size {
            Some(size) if instances > size => {
                Err(format!("its instance_count is {instances}, but the plan has a batch_size of {size}"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// One more instance is started.
    pub fn start(&mut self) -> Result<(), String> {
        self.started += 1;
        match self.total {
            Some(total) if self.started > total => {
                Err(format!("it is start {}, but the plan has a total_instances of {total}", self.started))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Of how many instances a batch is, how many of them were started, and their verdicts.
#[derive(Debug, Default)]
pub struct Batch {
    count: u64,
    started: u64,
    /// Healthy verdicts.
    pub healthy: u64,
    /// Others.
    pub failed: u64,
}

impl Batch {
    /// One whose `batch_started` says so many.
    pub fn of(count: u64) -> Self {
        Self { count, ..Self::default() }
    }

    /// One more of its instances is started.
    pub fn start(&mut self, index: u64) -> Result<(), String> {
        self.started += 1;
        if self.started <= self.count {
            return Ok(());
        }
        Err(format!(
            "it is start {} in batch {index}, which was started with an instance_count of {}",
            self.started, self.count
        ))
    }

    /// Whether it can have completed with these counts.
    pub fn completed(&self, index: u64, healthy: Option<u64>, failed: Option<u64>) -> Result<(), String> {
        let verdicts = healthy.unwrap_or(0).saturating_add(failed.unwrap_or(0));
        if verdicts > self.count {
            return Err(format!(
                "its healthy_count and failed_count are {verdicts} together, but batch {index} was started with an \
                 instance_count of {}",
                self.count
            ));
        }
        // A log of milestones has no verdicts of instances.
        if self.started < self.count {
            return Ok(());
        }
        for (key, said, seen) in [("healthy_count", healthy, self.healthy), ("failed_count", failed, self.failed)] {
            if let Some(said) = said.filter(|&said| said != seen) {
                let what = if key == "healthy_count" { "healthy" } else { "unhealthy" };
                return Err(format!("its {key} is {said}, but the log has {seen} {what} verdicts in batch {index}"));
            }
        }
        Ok(())
    }
}
