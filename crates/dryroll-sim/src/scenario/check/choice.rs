//! Which instances something is about: `ids`, `zone`, a drawn share, or blocks.

use std::collections::HashSet;

use super::super::diagnostic::quote;
use super::super::file::{self, Class};
use super::super::tree::Cursor;
use super::super::{Blocks, Members, Target};
use super::context::Context;
use dryroll_engine::fleet::InstanceId;

/// The keys that say which instances, as the file has them. Just one must be given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'f> {
    ids: Option<&'f [String]>,
    zone: Option<u32>,
    share: Option<f64>,
    blocks: Option<Blocks>,
    /// What `share` is called, and what to write.
    keys: &'static [(&'static str, &'static str)],
}

const OF_TARGET: [(&str, &str); 3] =
    [("ids", "ids = [\"i-00001\", …]"), ("zone", "zone = 0"), ("fraction", "fraction = 0.1")];
const OF_CLASS: [(&str, &str); 4] = [
    ("share", "share = 0.1"),
    ("ids", "ids = [\"i-00001\", …]"),
    ("zone", "zone = 0"),
    ("blocks", "blocks = {count = 2, size = 5}"),
];

impl<'f> Choice<'f> {
    /// Of an override, or a fault's target.
    pub fn of_target(ids: Option<&'f [String]>, zone: Option<u32>, fraction: Option<f64>) -> Self {
        Self { ids, zone, share: fraction, blocks: None, keys: &OF_TARGET }
    }

    /// Of a class.
    pub fn of_class(file: &'f Class) -> Self {
        let Class { ids, zone, share, blocks, .. } = file;
        let blocks = blocks.map(|file::Blocks { count, size }| Blocks { count, size });
        Self { ids: ids.as_deref(), zone: *zone, share: *share, blocks, keys: &OF_CLASS }
    }

    /// The instances that are meant. `what` is what they belong to.
    pub fn target(&self, cx: &mut Context<'_, '_>, at: &Cursor<'_>, what: &str) -> Target {
        match self.members(cx, at, what) {
            Some(Members::Ids(ids)) => Target::Ids(ids),
            Some(Members::Zone(zone)) => Target::Zone(zone),
            Some(Members::Share(fraction)) => Target::Fraction(fraction),
            Some(Members::Blocks(_)) | None => Target::All,
        }
    }

    /// The same of a class; `None` where it is not said, which is told.
    pub fn members(&self, cx: &mut Context<'_, '_>, at: &Cursor<'_>, what: &str) -> Option<Members> {
        let one_of = |form: fn(&(&'static str, &'static str)) -> &'static str| {
            self.keys.iter().map(|key| format!("`{}`", form(key))).collect::<Vec<_>>().join(", ")
        };
        match (self.ids, self.zone, self.share, self.blocks) {
            (Some(ids), None, None, None) => Some(Members::Ids(instances(cx, &at.key("ids"), ids))),
            (None, Some(zone), None, None) => Some(Members::Zone(self::zone(cx, &at.key("zone"), zone))),
            (None, None, Some(share), None) => Some(Members::Share(share)),
            (None, None, None, Some(blocks)) => {
                blocks_fit(cx, &at.key("blocks"), blocks);
                Some(Members::Blocks(blocks))
            }
            (None, None, None, None) => {
                cx.reports.add(at.value(), |mark| {
                    mark.say(format!("{what} does not say which instances"))
                        .label(format!("none of {}", one_of(|key| key.0)))
                        .allowed(format!("one of {}", one_of(|key| key.1)))
                });
                None
            }
            _ => {
                let is_given = |name: &str| match name {
                    "ids" => self.ids.is_some(),
                    "zone" => self.zone.is_some(),
                    "blocks" => self.blocks.is_some(),
                    _ => self.share.is_some(),
                };
                let given: Vec<&str> = self.keys.iter().map(|key| key.0).filter(|name| is_given(name)).collect();
                // The last one in the file is the one too many.
                let place = given.iter().map(|name| at.key(name)).max_by_key(|place| place.name().start);
                let place = place.unwrap_or_else(|| at.clone());
                let all = given.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
                cx.reports.add(place.name(), |mark| {
                    mark.say(format!("{all} cannot stand together"))
                        .allowed(format!("one of {}", one_of(|key| key.0)))
                        .help(format!("remove all but one, or write {what} for each"))
                });
                None
            }
        }
    }
}

fn blocks_fit(cx: &mut Context<'_, '_>, at: &Cursor<'_>, Blocks { count, size }: Blocks) {
    let (instances, wanted) = (cx.instances, u64::from(count) * u64::from(size));
    if wanted > u64::from(instances) {
        cx.reports.add(at.value(), |mark| {
            mark.say("the blocks do not fit into the fleet")
                .label(format!("{count} × {size} = {wanted} instances"))
                .allowed(format!("at most {instances} instances in all blocks, the `instances` of the fleet"))
                .help("take fewer blocks, or smaller ones")
        });
    }
}

fn zone(cx: &mut Context<'_, '_>, at: &Cursor<'_>, zone: u32) -> u32 {
    let zones = cx.zones;
    if zone >= zones {
        cx.reports.add(at.value(), |mark| {
            let allowed = if zones == 1 { "0, the fleet's only zone".into() } else { format!("0 to {}", zones - 1) };
            mark.say(format!("the fleet has no zone {zone}"))
                .allowed(allowed)
                .help("`zones` in [fleet] says how many there are")
        });
    }
    zone
}

fn instances(cx: &mut Context<'_, '_>, at: &Cursor<'_>, ids: &[String]) -> Vec<InstanceId> {
    let mut seen: HashSet<InstanceId> = HashSet::new();
    for (place, id) in ids.iter().enumerate() {
        let at = at.item(place);
        let Some(found) = cx.names.find(id) else {
            let (names, count) = (cx.names, cx.instances);
            cx.reports.add(at.value(), |mark| {
                let (first, last) = (names.name(InstanceId(0)), names.name(InstanceId(count.saturating_sub(1))));
                let diagnostic =
                    mark.say(format!("no instance is called {}", quote(id))).allowed(format!("{first} to {last}"));
                // Most often the padding is not what the fleet's size makes it.
                let digits = id.trim().trim_start_matches(['i', 'I']).trim_start_matches('-');
                match digits.parse::<u32>() {
                    Ok(number @ 1..) if number <= count => {
                        diagnostic.help(format!("did you mean `{}`?", names.name(InstanceId(number - 1))))
                    }
                    _ => diagnostic,
                }
            });
            continue;
        };
        if !seen.insert(found) {
            cx.reports.add(at.value(), |mark| {
                mark.say(format!("{} is in the list twice", quote(id))).help("remove one of them")
            });
        }
    }
    let mut found: Vec<InstanceId> = seen.into_iter().collect();
    found.sort_unstable();
    found
}
