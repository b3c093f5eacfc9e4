//! An index of what applies to some instances only: classes, overrides and faults, by the ids and zones that they name.

use std::collections::HashMap;
use std::ops::Range;

use crate::scenario::Target;

/// Up to this many are tried one by one.
const FEW: usize = 16;

/// The numbers of those that can hold an instance, ascending: by its id, by its zone, and the others.
#[derive(Clone, Debug, Default)]
pub struct Places {
    by_id: HashMap<u32, Vec<usize>>,
    by_zone: HashMap<u32, Vec<usize>>,
    others: Vec<usize>,
}

impl Places {
    /// The index of these targets, by number; `None` is one that may hold any instance. Few targets, and targets that
    /// may all hold any instance, have no index.
    pub fn of<'t>(targets: impl Iterator<Item = Option<&'t Target>>) -> Option<Self> {
        let mut places = Self::default();
        let mut count = 0;
        for (number, target) in targets.enumerate() {
            count = number + 1;
            match target {
                Some(Target::Ids(ids)) => {
                    ids.iter().for_each(|id| places.by_id.entry(id.0).or_default().push(number));
                }
                Some(Target::Zone(zone)) => places.by_zone.entry(*zone).or_default().push(number),
                Some(Target::All | Target::Fraction(_)) | None => places.others.push(number),
            }
        }
        (count > FEW && places.others.len() < count).then_some(places)
    }

    /// The numbers of those that can hold an instance.
    #[inline]
    pub fn at(&self, n: u32, zone: u32) -> Numbers<'_> {
        let [by_id, by_zone] =
            [self.by_id.get(&n), self.by_zone.get(&zone)].map(|numbers| numbers.map_or(&[][..], Vec::as_slice));
        Numbers::Of([by_id, by_zone, &self.others])
    }
}

/// Numbers in ascending order.
pub enum Numbers<'p> {
    /// All of a range.
    All(Range<usize>),
    /// Those of three lists, each in ascending order.
    Of([&'p [usize]; 3]),
}

impl Iterator for Numbers<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        match self {
            Self::All(range) => range.next(),
            Self::Of(lists) => {
                let first = lists.iter_mut().filter(|list| !list.is_empty()).min_by_key(|list| list[0])?;
                let (&number, rest) = first.split_first()?;
                *first = rest;
                Some(number)
            }
        }
    }
}
