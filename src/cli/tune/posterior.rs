//! `--posterior CALIBRATION`: the posterior of rates from a calibration report.

use std::path::Path;

use crate::cli::output::Failure;
use crate::cli::output::read_text;
use dryroll_report::model::CalibrationRef;
use dryroll_report::model::report::Report;
use dryroll_sim::digest::hex_sha256;
use dryroll_sim::scenario::Scenario;
use dryroll_study::study::tune::posterior::RatePosteriors;

/// The posterior of a scenario's versions.
pub struct Posterior {
    /// The calibration report.
    pub calibration: CalibrationRef,
    /// The posterior of each version's rates.
    pub posteriors: RatePosteriors,
    /// The scenario with the posterior means as its rates.
    pub point: Scenario,
}

impl Posterior {
    /// Reads a calibration report, and finds the versions of the scenario's `[tune]` in it.
    pub fn read(path: &Path, scenario: &Scenario) -> Result<Self, Failure> {
        let shown = dryroll_sim::text::path(&path);
        let about = |error: anyhow::Error| Failure::Input(error.context(format!("{shown}")));
        let bytes = read_text(path, "a JSON report of `dryroll calibrate`")?.into_bytes();
        let kind = match Report::read(&bytes).map_err(|error| about(error.into()))? {
            Report::Calibration(report) => {
                let posteriors =
                    RatePosteriors::new(scenario, &report.histories()).map_err(|error| about(error.into()))?;
                let file = path.to_string_lossy().into_owned();
                let drawn = |id: &str| posteriors.all.iter().any(|one| one.history.version == id);
                let versions = report.versions.iter().filter(|version| drawn(version.version.raw()));
                let warnings =
                    versions.flat_map(|one| one.warnings.iter().map(move |it| format!("{}: {it}", one.version)));
                let warnings = warnings.collect();
                let calibration = CalibrationRef {
                    file: file.into(),
                    hash: hex_sha256(&bytes).into(),
                    rollouts: report.rollouts,
                    warnings,
                };
                return Ok(Self { calibration, point: posteriors.point(scenario), posteriors });
            }
            Report::Run(_) => "run",
            Report::Drill(_) => "drill",
            Report::Sweep(_) => "sweep",
            Report::Compare(_) => "compare",
            Report::Tune(_) => "tune",
            Report::Check(_) => "check",
        };
        Err(about(anyhow::anyhow!(
            "it is a {kind} report; --posterior takes the report of `dryroll calibrate EVENTS --report FILE`, dryroll.calibration/1"
        )))
    }
}
