//! Which instances something is about: `ids`, `zone` or `fraction`.

use std::collections::HashSet;

use super::super::Target;
use super::super::diagnostic::quote;
use super::super::tree::Cursor;
use super::context::Context;
use crate::fleet::InstanceId;

/// The three keys, as the file has them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'f> {
    pub ids: Option<&'f [String]>,
    pub zone: Option<u32>,
    pub fraction: Option<f64>,
}

impl Choice<'_> {
    /// The instances that are meant; just one of the keys must be given. `what` is what they belong to.
    pub fn resolve(&self, cx: &mut Context<'_, '_>, at: &Cursor<'_>, what: &str) -> Target {
        match (self.ids, self.zone, self.fraction) {
            (Some(ids), None, None) => Target::Ids(instances(cx, &at.key("ids"), ids)),
            (None, Some(zone), None) => Target::Zone(self::zone(cx, &at.key("zone"), zone)),
            (None, None, Some(fraction)) => Target::Fraction(fraction),
            (None, None, None) => {
                cx.reports.add(at.value(), |mark| {
                    mark.say(format!("{what} does not say which instances"))
                        .label("none of `ids`, `zone`, `fraction`")
                        .allowed("one of `ids = [\"i-00001\", …]`, `zone = 0`, `fraction = 0.1`")
                });
                Target::All
            }
            _ => {
                let given: Vec<&str> =
                    [self.ids.map(|_| "ids"), self.zone.map(|_| "zone"), self.fraction.map(|_| "fraction")]
                        .into_iter()
                        .flatten()
                        .collect();
                // The last one in the file is the one too many.
                let place = given.iter().map(|name| at.key(name)).max_by_key(|place| place.name().start);
                let place = place.unwrap_or_else(|| at.clone());
                let all = given.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
                cx.reports.add(place.name(), |mark| {
                    mark.say(format!("{all} cannot stand together"))
                        .allowed("one of `ids`, `zone`, `fraction`")
                        .help(format!("remove all but one, or write {what} for each"))
                });
                Target::All
            }
        }
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
