//! Versions of a module, as far as every module needs them.

use std::fmt;

/// The id of a module version, which is text from outside. It has no `Display`: [`VersionId::as_str`] is for keys and
/// comparisons, and `{:?}` shows the text quoted, with control characters escaped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct VersionId(String);

impl VersionId {
    /// The text, unchanged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&str> for VersionId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for VersionId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The interned digest of a module: equal ids stand for equal digests. The owner of the texts assigns the ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct DigestId(pub u32);

/// The lifecycle state of a module version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LifecycleState {
    /// Being written.
    Draft,
    /// Being tried out.
    Staging,
    /// Ready to be rolled out.
    Blessed,
    /// In production.
    Live,
    /// Collected: no rollback to it is possible.
    Archived,
}

impl LifecycleState {
    /// Whether a rollout to a version in this state is allowed.
    #[must_use]
    pub fn can_be_rolled_out(self) -> bool {
        matches!(self, Self::Blessed | Self::Live)
    }
}
