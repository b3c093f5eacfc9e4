//! Instances: their ids, their names, and the status that the platform gives them.

use std::fmt;

/// A NodeInstance: its index in the fleet's list, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct InstanceId(pub u32);

/// The platform's status of an instance. Only `running` and `starting` instances take part in a rollout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum InstanceStatus {
    /// In service.
    #[default]
    Running,
    /// About to enter service.
    Starting,
    /// Shut down.
    Stopped,
    /// Broken, out of service.
    Error,
    /// Removed for good.
    Terminated,
}

impl InstanceStatus {
    /// Every status, in the order in which a scenario's `statuses` lists them.
    pub const ALL: [InstanceStatus; 5] = [Self::Running, Self::Starting, Self::Stopped, Self::Error, Self::Terminated];

    /// Whether a rolling upgrade includes instances of this status.
    #[must_use]
    pub fn is_eligible(self) -> bool {
        matches!(self, Self::Running | Self::Starting)
    }
}

/// The names of a fleet's instances: `i-00001`, `i-00002`, … zero-padded to five digits, or to the number of digits
/// that the largest needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceNames {
    count: u32,
    width: usize,
}

impl InstanceNames {
    /// Names for a fleet of `count` instances.
    #[must_use]
    pub fn new(count: u32) -> Self {
        let digits = count.max(1).ilog10() as usize + 1;
        Self { count, width: digits.max(5) }
    }

    /// The name of one instance, as a value that can be written without an allocation.
    #[must_use]
    pub fn name(self, id: InstanceId) -> InstanceName {
        InstanceName { number: u64::from(id.0) + 1, width: self.width }
    }

    /// The instance with this `name`, if the fleet has one.
    #[must_use]
    pub fn find(self, name: &str) -> Option<InstanceId> {
        let digits = name.strip_prefix("i-")?;
        if digits.len() != self.width || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number: u32 = digits.parse().ok()?;
        (1..=self.count).contains(&number).then(|| InstanceId(number - 1))
    }
}

/// The name of one instance; it displays and serialises as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceName {
    number: u64,
    width: usize,
}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "i-{:0width$}", self.number, width = self.width)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for InstanceName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_padded_to_the_largest() {
        assert_eq!(InstanceNames::new(50).name(InstanceId(0)).to_string(), "i-00001");
        assert_eq!(InstanceNames::new(99_999).name(InstanceId(99_998)).to_string(), "i-99999");
        assert_eq!(InstanceNames::new(100_000).name(InstanceId(0)).to_string(), "i-000001");
    }

    #[test]
    fn names_are_found_again() {
        let names = InstanceNames::new(50);
        assert_eq!(names.find("i-00050"), Some(InstanceId(49)));
        for wrong in ["i-00051", "i-00000", "i-1", "00001", "i-+0001", ""] {
            assert_eq!(names.find(wrong), None, "{wrong}");
        }
    }
}
