//! Faults: which keys belong to which kind, and when they start.

use super::super::diagnostic::quote;
use super::super::file::{After, Fault, FaultName};
use super::super::tree::Cursor;
use super::super::{Distribution, FaultKind, FaultSpec, FaultStart, Target};
use super::choice::Choice;
use super::context::Context;
use super::values::{optional, span};
use dryroll_engine::EventKind;
use dryroll_engine::fleet::Span;

pub(super) fn faults(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &[Fault]) -> Vec<FaultSpec> {
    file.iter().enumerate().map(|(index, fault)| one_fault(cx, &at.item(index), fault)).collect()
}

fn one_fault(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &Fault) -> FaultSpec {
    let by = optional(&mut cx.reports, &at.key("by_sec"), file.by_sec.as_ref());
    let kind = kind(cx, at, file, by);
    let start = start(cx, at, file);
    if file.duration_sec.is_some() && file.kind == FaultName::ArchivePreviousVersion {
        misplaced(cx, at, "duration_sec", &kind, "a version that was archived stays so");
    }
    let target = match &file.target {
        None => Target::All,
        Some(_) if !has_targets(file.kind) => {
            misplaced(cx, at, "target", &kind, "it hits no single instances");
            Target::All
        }
        Some(target) => {
            let choice = Choice::of_target(target.ids.as_deref(), target.zone, target.fraction);
            choice.target(cx, &at.key("target"), "a target")
        }
    };
    FaultSpec { kind, start, duration: file.duration_sec.map(span), target }
}

fn kind(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &Fault, by: Option<Distribution>) -> FaultKind {
    let kind = match file.kind {
        FaultName::Partition => FaultKind::Partition,
        FaultName::Kill => FaultKind::Kill,
        FaultName::RegistryOutage => FaultKind::RegistryOutage,
        FaultName::ReconcilerPause => FaultKind::ReconcilerPause,
        FaultName::ReconcilerCrash => FaultKind::ReconcilerCrash,
        FaultName::DuplicateHeartbeats => FaultKind::DuplicateHeartbeats,
        FaultName::ArchivePreviousVersion => FaultKind::ArchivePreviousVersion,
        FaultName::Slow => FaultKind::Slow { factor: file.factor.unwrap_or(1.0) },
        FaultName::DelayHeartbeats => {
            FaultKind::DelayHeartbeats { by: by.clone().unwrap_or(Distribution::Constant(0.0)) }
        }
    };
    // A `factor` beside another kind is let pass, as the format's reference example has one: it says nothing there.
    if file.kind == FaultName::Slow && file.factor.is_none() {
        lacking(cx, at, "factor", &kind, "`factor = 3` makes upgrades take three times as long");
    }
    match (file.kind == FaultName::DelayHeartbeats, by.is_some()) {
        (true, false) => lacking(cx, at, "by_sec", &kind, "`by_sec = 20` makes heartbeats arrive 20 seconds later"),
        (false, true) => misplaced(cx, at, "by_sec", &kind, "it belongs to `delay_heartbeats`"),
        _ => {}
    }
    kind
}

/// Whether a kind of fault hits instances, rather than the platform.
fn has_targets(kind: FaultName) -> bool {
    !matches!(kind, FaultName::ReconcilerPause | FaultName::ReconcilerCrash | FaultName::ArchivePreviousVersion)
}

fn start(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &Fault) -> FaultStart {
    match (file.at_sec, &file.after) {
        (Some(seconds), None) => FaultStart::At(span(seconds)),
        (None, Some(after)) => self::after(cx, &at.key("after"), after),
        (None, None) => {
            cx.reports.add(at.value(), |mark| {
                mark.say("a fault does not say when it starts").label("neither `at_sec` nor `after`").allowed(
                    "`at_sec = 400`, or `after = {event = \"batch_started\", batch_index = 1, delay_sec = 30}`",
                )
            });
            FaultStart::At(Span::ZERO)
        }
        (Some(_), Some(_)) => {
            let (first, second) = (at.key("at_sec").name(), at.key("after").name());
            let place = if first.start > second.start { first } else { second };
            cx.reports.add(place, |mark| {
                mark.say("`at_sec` and `after` cannot stand together")
                    .allowed("one of `at_sec` and `after`")
                    .help("remove one of them, or write a fault for each")
            });
            FaultStart::At(Span::ZERO)
        }
    }
}

fn after(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &After) -> FaultStart {
    // The schema lists the names.
    let event = EventKind::from_name(&file.event).unwrap_or(EventKind::Planned);
    if file.batch_index.is_some() {
        batch_index_fits(cx, at, &file.event, event);
    }
    FaultStart::After { event, batch_index: file.batch_index, delay: span(file.delay_sec) }
}

/// Whether the `batch_index` beside an event's name says anything.
pub(super) fn batch_index_fits(cx: &mut Context<'_, '_>, at: &Cursor<'_>, name: &str, event: EventKind) {
    if event.has_batch_index() {
        return;
    }
    cx.reports.add(at.key("batch_index").name(), |mark| {
        let with_batch: Vec<&str> =
            EventKind::ALL.iter().filter(|kind| kind.has_batch_index()).map(|kind| kind.name()).collect();
        mark.say(format!("the event {} belongs to no batch", quote(name)))
            .allowed(format!("`batch_index` with {}", with_batch.join(", ")))
            .help("remove `batch_index`")
    });
}

fn misplaced(cx: &mut Context<'_, '_>, at: &Cursor<'_>, key: &str, kind: &FaultKind, why: &str) {
    cx.reports.add(at.key(key).name(), |mark| {
        mark.say(format!("a fault of kind `{}` has no `{key}`", kind.name())).help(format!("remove it: {why}"))
    });
}

fn lacking(cx: &mut Context<'_, '_>, at: &Cursor<'_>, key: &str, kind: &FaultKind, example: &str) {
    cx.reports.add(at.key("kind").value(), |mark| {
        mark.say(format!("a fault of kind `{}` needs `{key}`", kind.name()))
            .label(format!("no `{key}` beside it"))
            .help(format!("add it: {example}"))
    });
}
