//! The page of a report: one HTML file that needs nothing but itself, and the plots on it.

mod calibration;
mod check;
mod compare;
mod drill;
mod layout;
mod policies;
mod provenance;
mod run;
mod sweep;
mod tune;

use crate::model::any::AnyReport;
use crate::svg::Plot;
use layout::Page;

/// The plots of a report, in the order of the page; their names differ.
#[must_use]
pub fn plots(report: &AnyReport) -> Vec<Plot> {
    let plots = match report {
        AnyReport::Run(run) => run::plots(run),
        AnyReport::Check(check) => check::plots(check),
        AnyReport::Drill(drill) => drill::plots(drill),
        AnyReport::Sweep(sweep) => sweep::plots(sweep),
        AnyReport::Compare(compare) => compare::plots(compare),
        AnyReport::Tune(tune) => tune::plots(tune),
        AnyReport::Calibration(calibration) => calibration::plots(calibration),
    };
    told_apart(plots)
}

/// The page of a report.
#[must_use]
pub fn page(report: &AnyReport) -> String {
    page_beside(report, &[])
}

/// The page of a report that is one of several: with the ways to the others, each an address and its words.
#[must_use]
pub fn page_beside(report: &AnyReport, ways: &[(&str, &str)]) -> String {
    let plots = plots(report);
    let page: Page<'_> = match report {
        AnyReport::Run(run) => run::page(run, &plots),
        AnyReport::Check(check) => check::page(check, &plots),
        AnyReport::Drill(drill) => drill::page(drill, &plots),
        AnyReport::Sweep(sweep) => sweep::page(sweep, &plots),
        AnyReport::Compare(compare) => compare::page(compare, &plots),
        AnyReport::Tune(tune) => tune::page(tune, &plots),
        AnyReport::Calibration(calibration) => calibration::page(calibration, &plots),
    };
    page.html(ways)
}

/// Names are file names and ids. Each plot makes its own of what is unlike; this makes sure.
fn told_apart(plots: Vec<Plot>) -> Vec<Plot> {
    let mut seen = std::collections::BTreeSet::new();
    plots.into_iter().filter(|plot| seen.insert(plot.name.clone())).collect()
}
