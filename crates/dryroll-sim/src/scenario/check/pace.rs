//! When the walk goes on.

use super::super::file::{ApproveBefore, Bake, Batches, Rollout};
use super::super::tree::Cursor;
use super::context::Reports;
use super::rollout::Over;
use super::values::span;
use dryroll_engine::fleet::Span;
use dryroll_engine::{Pace, Promotions};

pub(super) fn pace(reports: &mut Reports<'_>, over: &Over<'_, '_>, file: &Rollout) -> Pace {
    let asked = file.approve_before.as_ref().map(|file| promotions(reports, &over.at.key("approve_before"), file));
    let baked = file.bake_sec.as_ref().map(bakes).unwrap_or_default();
    Pace {
        min_healthy: over
            .take("min_healthy_sec", file.min_healthy_sec.map_or(Span::ZERO, span), |base| base.pace.min_healthy),
        retries: over.take("retries", file.retries.unwrap_or(0), |base| base.pace.retries),
        advance_pct: over.take("advance_pct", file.advance_pct.unwrap_or(100), |base| base.pace.advance_pct),
        bakes: over.take("bake_sec", baked, |base| base.pace.bakes.clone()),
        promotions: over.take("approve_before", asked.unwrap_or_default(), |base| base.pace.promotions.clone()),
    }
}

/// No bake at all is an empty list.
fn bakes(file: &Bake) -> Vec<Span> {
    let bakes: Vec<Span> = match file {
        Bake::Always(seconds) => vec![span(*seconds)],
        Bake::InTurn(list) => list.iter().copied().map(span).collect(),
    };
    if bakes.iter().all(|bake| *bake == Span::ZERO) { Vec::new() } else { bakes }
}

fn promotions(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &ApproveBefore) -> Promotions {
    match file {
        ApproveBefore::Named(Batches::Every) => Promotions::Every,
        ApproveBefore::Listed(batches) => {
            super::values::nothing_twice(reports, at, batches.iter());
            Promotions::Before(batches.clone())
        }
    }
}
