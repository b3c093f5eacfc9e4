//! One value for each direction of a rollout, one for each of its two releases. The index is the enum itself, so no
//! number stands for a name.

use super::compiled::Release;
use dryroll_engine::Direction;
use std::ops::{Index, IndexMut};

/// One value for the rollout, one for its rollback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerDirection<T> {
    /// Of the rollout to the target.
    pub forward: T,
    /// Of the rollback to the previous version.
    pub rollback: T,
}

impl<T> PerDirection<T> {
    /// Applies a function to both values.
    #[inline]
    pub fn map<U>(self, mut become_of: impl FnMut(T) -> U) -> PerDirection<U> {
        PerDirection { forward: become_of(self.forward), rollback: become_of(self.rollback) }
    }

    /// References to both.
    #[inline]
    pub fn as_ref(&self) -> PerDirection<&T> {
        PerDirection { forward: &self.forward, rollback: &self.rollback }
    }

    /// Both, each with the other's value of the same direction.
    #[inline]
    pub fn zip<U>(self, other: PerDirection<U>) -> PerDirection<(T, U)> {
        PerDirection { forward: (self.forward, other.forward), rollback: (self.rollback, other.rollback) }
    }

    /// Both, the rollout's first.
    #[inline]
    pub fn into_array(self) -> [T; 2] {
        [self.forward, self.rollback]
    }
}

impl<T> Index<Direction> for PerDirection<T> {
    type Output = T;
    #[inline(always)]
    fn index(&self, direction: Direction) -> &T {
        match direction {
            Direction::Forward => &self.forward,
            Direction::Back => &self.rollback,
        }
    }
}

impl<T> IndexMut<Direction> for PerDirection<T> {
    #[inline(always)]
    fn index_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::Forward => &mut self.forward,
            Direction::Back => &mut self.rollback,
        }
    }
}

/// One value for the previous version, one for the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerRelease<T> {
    /// Of what the fleet ran before.
    pub previous: T,
    /// Of what is rolled out.
    pub target: T,
}

impl<T> PerRelease<T> {
    /// Applies a function to both values.
    #[inline]
    pub fn map<U>(self, mut become_of: impl FnMut(T) -> U) -> PerRelease<U> {
        PerRelease { previous: become_of(self.previous), target: become_of(self.target) }
    }

    /// References to both.
    #[inline]
    pub fn as_ref(&self) -> PerRelease<&T> {
        PerRelease { previous: &self.previous, target: &self.target }
    }

    /// Both, the previous version's first.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.previous, &self.target].into_iter()
    }
}

impl<T> Index<Release> for PerRelease<T> {
    type Output = T;
    #[inline(always)]
    fn index(&self, release: Release) -> &T {
        match release {
            Release::Previous => &self.previous,
            Release::Target => &self.target,
        }
    }
}

impl<T> IndexMut<Release> for PerRelease<T> {
    #[inline(always)]
    fn index_mut(&mut self, release: Release) -> &mut T {
        match release {
            Release::Previous => &mut self.previous,
            Release::Target => &mut self.target,
        }
    }
}
