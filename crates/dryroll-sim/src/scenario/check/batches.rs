//! The sizes of batches.

use super::super::file::{self, Rollout};
use super::super::tree::Cursor;
use super::context::Reports;
use super::rollout::Over;
use super::shares::sizes;
use super::values::positive;
use dryroll_engine::{BatchSizes, Growth, GrowthStep};

/// Of a rollout. `batch_pct` replaces the sizes and the growth that another rollout has, and `batches` its sizes.
pub(super) fn batches(reports: &mut Reports<'_>, over: &Over<'_, '_>, file: &Rollout) -> BatchSizes {
    let at = over.at;
    let mut law = match over.base {
        Some(base) if !at.has("batch_pct") => base.batches.clone(),
        Some(base) => {
            BatchSizes { rounding: base.batches.rounding, of: base.batches.of, ..BatchSizes::pct(file.batch_pct) }
        }
        None => BatchSizes::pct(file.batch_pct),
    };
    if let Some(list) = &file.batches {
        law.sizes = sizes(reports, &at.key("batches"), list);
        not_both(reports, at, "batches", "batch_pct", file.batch_pct);
    }
    law.rounding = file.rounding.unwrap_or(law.rounding);
    law.of = file.batch_of.unwrap_or(law.of);
    if let Some(file) = &file.growth {
        law.growth = Some(growth(reports, &at.key("growth"), file));
    }
    if let Some(on_failed) = file.on_failed {
        on_failed_fits(reports, at, file, law.growth.is_some());
        law.growth = law.growth.map(|growth| Growth { on_failed, ..growth });
    }
    if law.growth.is_some() && law.sizes.len() > 1 {
        let place = if file.growth.is_some() { at.key("growth").name() } else { at.key("batches").name() };
        reports.add(place, |mark| {
            mark.say("`growth` needs `batches` with one entry")
                .label(format!("`batches` has {}", law.sizes.len()))
                .allowed("`batches` with the size of the first batch, such as `batches = [1]`")
                .help("leave `growth` out, or all sizes but the first")
        });
        law.growth = None;
    }
    law
}

/// Of a rollback; rounding, and what shares are of, are the rollout's.
pub(super) fn rollback_batches(
    reports: &mut Reports<'_>,
    over: &Over<'_, '_>,
    file: &Rollout,
    batches: &BatchSizes,
) -> BatchSizes {
    let at = over.at;
    let own = BatchSizes::pct(file.rollback_batch_pct).sizes;
    let mut law = BatchSizes {
        sizes: over.take("rollback_batch_pct", own, |base| base.rollback_batches.sizes.clone()),
        rounding: batches.rounding,
        of: batches.of,
        growth: None,
    };
    if let Some(list) = &file.rollback_batches {
        law.sizes = sizes(reports, &at.key("rollback_batches"), list);
        not_both(reports, at, "rollback_batches", "rollback_batch_pct", file.rollback_batch_pct);
    }
    law
}

/// A list of sizes beside the percentage that is short for one.
fn not_both(reports: &mut Reports<'_>, at: &Cursor<'_>, list: &str, pct: &str, given: u32) {
    if !at.has(pct) {
        return;
    }
    let last = [list, pct].map(|key| at.key(key).name()).into_iter().max_by_key(|place| place.start);
    reports.add(last.unwrap_or_else(|| at.value()), |mark| {
        mark.say(format!("`{list}` and `{pct}` cannot stand together"))
            .allowed(format!("one of `{list}`, `{pct}`"))
            .help(format!("remove one of them; `{pct} = {given}` is short for `{list} = [\"{given}%\"]`"))
    });
}

fn growth(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &file::Growth) -> Growth {
    let step = match (file.factor, file.add) {
        (Some(number), None) => GrowthStep::Factor(factor(reports, &at.key("factor"), number)),
        (None, Some(more)) => GrowthStep::Add(positive(more)),
        (both, _) => {
            let (says, found) = match both {
                Some(_) => ("`factor` and `add` cannot stand together", "both are given"),
                None => ("`growth` does not say by how much", "neither `factor` nor `add`"),
            };
            reports.add(at.name(), |mark| {
                mark.say(says).label(found).allowed("one of `growth = {factor = 2}`, `growth = {add = 3}`")
            });
            GrowthStep::Factor(1000)
        }
    };
    Growth { step, on_failed: file.on_failed.unwrap_or_default() }
}

/// A factor in thousandths; the schema bounds it.
fn factor(reports: &mut Reports<'_>, at: &Cursor<'_>, factor: f64) -> u32 {
    let thousandths = factor * 1000.0;
    let whole = thousandths.round();
    // A decimal is not exact in binary: what is beside it by less than its own error is that decimal.
    if (thousandths - whole).abs() > thousandths * 1e-14 {
        reports.add(at.value(), |mark| {
            mark.say("`factor` has more than three decimals")
                .label(format!("found {factor}"))
                .allowed("a number, at least 1, with at most three decimals")
                .help(format!("write {}", whole / 1000.0))
        });
    }
    whole as u32
}

fn on_failed_fits(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Rollout, grows: bool) {
    let inner = file.growth.is_some_and(|growth| growth.on_failed.is_some());
    if grows && !inner {
        return;
    }
    reports.add(at.key("on_failed").name(), |mark| {
        if inner {
            mark.say("`on_failed` is given twice").label("`growth` has one too").help("remove one of them")
        } else {
            mark.say("`on_failed` without `growth`")
                .label("nothing grows that a failed batch could keep or shrink")
                .help("add `growth = {factor = 2}` or `growth = {add = 3}`, or remove `on_failed`")
        }
    });
}
