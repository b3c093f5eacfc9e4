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

use crate::model::report::Report;
use crate::svg::Plot;
use layout::Page;

/// The plots of a report, in the order of the page; their names differ.
#[must_use]
pub fn plots(report: &Report) -> Vec<Plot> {
    let plots = match report {
        Report::Run(run) => run::plots(run),
        Report::Check(check) => check::plots(check),
        Report::Drill(drill) => drill::plots(drill),
        Report::Sweep(sweep) => sweep::plots(sweep),
        Report::Compare(compare) => compare::plots(compare),
        Report::Tune(tune) => tune::plots(tune),
        Report::Calibration(calibration) => calibration::plots(calibration),
    };
    told_apart(plots)
}

/// The page of a report.
#[must_use]
pub fn page(report: &Report) -> String {
    page_beside(report, &[])
}

/// The page of a report that is one of several: with the ways to the others, each an address and its words.
#[must_use]
pub fn page_beside(report: &Report, ways: &[(&str, &str)]) -> String {
    let plots = plots(report);
    let page: Page<'_> = match report {
        Report::Run(run) => run::page(run, &plots),
        Report::Check(check) => check::page(check, &plots),
        Report::Drill(drill) => drill::page(drill, &plots),
        Report::Sweep(sweep) => sweep::page(sweep, &plots),
        Report::Compare(compare) => compare::page(compare, &plots),
        Report::Tune(tune) => tune::page(tune, &plots),
        Report::Calibration(calibration) => calibration::page(calibration, &plots),
    };
    page.html(ways)
}

/// Names are file names and ids. Each plot makes its own of what is unlike; this makes sure.
fn told_apart(plots: Vec<Plot>) -> Vec<Plot> {
    let mut seen = std::collections::BTreeSet::new();
    plots.into_iter().filter(|plot| seen.insert(plot.name.clone())).collect()
}
