//! Classes of hosts.

use std::collections::HashMap;

use super::super::diagnostic::quote;
use super::super::file::Class;
use super::super::tree::Cursor;
use super::super::{ClassSpec, Members, SomeRates};
use super::choice::Choice;
use super::context::Context;
use super::overrides::rates_fit;
use super::values::optional;
use super::versions::{find, find_all};

pub(super) fn classes(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &[Class]) -> Vec<ClassSpec> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut classes = Vec::with_capacity(file.len());
    for (index, class) in file.iter().enumerate() {
        let at = at.item(index);
        if let Some(first) = seen.insert(&class.id, index) {
            cx.reports.add(at.key("id").value(), |mark| {
                mark.say(format!("two classes are called {}", quote(&class.id)))
                    .label(format!("class {} in the list is called so too", first + 1))
                    .help("give each class an id of its own: its members are drawn by it")
            });
        }
        classes.push(one_class(cx, &at, class));
    }
    classes
}

fn one_class(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &Class) -> ClassSpec {
    let members = Choice::of_class(file).members(cx, at, "a class");
    let versions =
        file.versions.as_ref().map(|ids| find_all(&mut cx.reports, &at.key("versions"), ids, cx.versions, find));
    let rates = SomeRates {
        failure: file.failure_rate,
        hang: file.hang_rate,
        unhealthy: file.unhealthy_rate,
        crash: file.crash_rate,
        brick: file.brick_rate,
        degrade: file.degrade_rate,
    };
    let reports = &mut cx.reports;
    let checked = ClassSpec {
        id: file.id.clone().into(),
        members: members.unwrap_or(Members::Share(0.0)),
        rates,
        upgrade_time: optional(reports, &at.key("upgrade_time_sec"), file.upgrade_time_sec.as_ref()),
        crash_after: optional(reports, &at.key("crash_after_sec"), file.crash_after_sec.as_ref()),
        degrade_after: optional(reports, &at.key("degrade_after_sec"), file.degrade_after_sec.as_ref()),
        versions,
    };
    rates_fit(cx, at, "class", &checked.rates, checked.versions.as_deref());
    let times = [&checked.upgrade_time, &checked.crash_after, &checked.degrade_after];
    if checked.rates.is_empty() && times.iter().all(|time| time.is_none()) {
        cx.reports.add(at.value(), |mark| {
            mark.say(format!("the class {} changes nothing", quote(&file.id)))
                .label("says which instances, and not what is different")
                .help("add what differs, such as `failure_rate = 0.3` or `upgrade_time_sec = 200`")
        });
    }
    checked
}
