//! Small conversions from what the file says.

use std::num::NonZeroU32;

use super::super::Distribution;
use super::super::file::Duration;
use super::super::tree::Cursor;
use super::context::Reports;
use dryroll_engine::fleet::Span;

/// Seconds to whole milliseconds.
pub(super) fn span(seconds: f64) -> Span {
    Span::from_secs_f64(seconds)
}

/// A number that the schema keeps above zero.
pub(super) fn positive(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// A duration. Its parameters are in range one by one; here they are held against each other.
pub(super) fn distribution(reports: &mut Reports<'_>, at: &Cursor<'_>, duration: &Duration) -> Distribution {
    if let Duration::Uniform { min, max } = *duration
        && max < min
    {
        reports.add(at.key("uniform").key("max").value(), |mark| {
            mark.say("`max` is below `min`").label(format!("found {max}")).allowed(format!("at least {min}, the `min`"))
        });
    }
    duration.clone().into()
}

/// The same for a key that may be left out.
pub(super) fn optional(
    reports: &mut Reports<'_>,
    at: &Cursor<'_>,
    duration: Option<&Duration>,
) -> Option<Distribution> {
    duration.map(|duration| distribution(reports, at, duration))
}

/// Tells what is in a list twice.
pub(super) fn nothing_twice<T: std::fmt::Display + Eq + std::hash::Hash>(
    reports: &mut Reports<'_>,
    at: &Cursor<'_>,
    items: impl Iterator<Item = T>,
) {
    let mut seen = std::collections::HashSet::new();
    for (place, item) in items.enumerate() {
        if seen.contains(&item) {
            reports.add(at.item(place).value(), |mark| {
                mark.say(format!("{item} is in the list twice")).help("remove one of them")
            });
        }
        seen.insert(item);
    }
}
