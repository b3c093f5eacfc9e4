//! A sweep: every policy of a grid with every version, on the same replicates.

use std::io;
use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::analysis::{self, Certainty};
use super::faults::idle_faults;
use super::grid::{self, Axis, Cells, Grid, GridError};
use super::result_log::{Identity, ResultLog};
use super::results::CellRows;
use super::round::{self, Work, WorkPlan, rows_a_block};
use super::row::speaks_of;
use super::summary::Summaries;
use dryroll_sim::SEMANTICS_VERSION;
use dryroll_sim::scenario::{Measure, Metric, Scenario, ScenarioError, ScenarioText};
use dryroll_sim::text::Foreign;
use dryroll_stats::sequential::Looks;

/// The confidence of every interval of a report.
pub const CONFIDENCE: f64 = 0.95;
/// The number of bins of a histogram.
const HISTOGRAM_CELLS: usize = 30;
/// The number of worst replicates that are listed for each cell.
const WORST: usize = 3;
/// Replicates before the first look at the precision.
const FIRST_LOOK: u64 = 256;
/// Replicates of a cell that are searched for an effect of each fault.
const LOOKED_AT_FOR_FAULTS: u64 = 32;
/// The number of cells that are searched.
const CELLS_LOOKED_AT_FOR_FAULTS: usize = 64;

/// The definition of a sweep, in the terms of the command line: it determines every byte of the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepOrder {
    /// The scenario.
    pub scenario: ScenarioText,
    /// The seed: that of the scenario or another.
    pub seed: u64,
    /// The varied keys.
    pub axes: Vec<Axis>,
    /// The file of named policies, beside those of the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<ScenarioText>,
    /// The ids of the versions.
    pub versions: Vec<Foreign>,
    /// Replicates of each cell; the largest number where a precision is requested.
    pub replicates: u64,
    /// The precision at which a cell stops; `None`: every cell runs all replicates.
    pub precision: Option<Goal>,
    /// Replicates of importance sampling, for cells with hardly any trips.
    pub rare: Option<u64>,
}

/// A requested precision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// The name of the metric or rate.
    pub measure: String,
    /// Half the width of the interval.
    pub half_width: f64,
    /// Whether `half_width` is a share of the mean or rate.
    pub relative: bool,
}

/// Why a sweep is not valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The scenario is not valid.
    #[error(transparent)]
    Scenario(#[from] Box<ScenarioError>),
    /// The grid is not valid.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// There are too many rollouts.
    #[error(
        "{option} {replicates} of {cells} {} more than {max} rollouts (2^53); give at most {option} {}",
        if *cells == 1 { "cell is" } else { "cells are" },
        round::MOST_ROLLOUTS / *cells as u64, max = round::MOST_ROLLOUTS
    )]
    TooMany {
        /// The option that asks for them: `--replicates` or `--rare`.
        option: &'static str,
        /// Replicates of each cell.
        replicates: u64,
        /// The number of cells.
        cells: usize,
    },
    /// The precision is not valid.
    #[error("{0}")]
    Goal(String),
}

/// A sweep, ready to run.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The order.
    pub order: SweepOrder,
    /// The scenario, with the order's seed.
    pub scenario: Scenario,
    /// The grid.
    pub grid: Grid,
    /// Its cells.
    pub cells: Cells,
    goal: Option<(Measure, Goal)>,
}

/// The number of replicates of each cell, and the confidence of its intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct Extent {
    /// Replicates and confidence, by cell.
    pub cells: Vec<(u64, Certainty)>,
    /// Whether every cell reached the requested precision.
    pub reached: bool,
    /// The widest half width of the measure, absolute or relative as requested; `None` where a cell has no interval.
    pub widest: Option<f64>,
}

/// The results of a cell.
#[derive(Clone, Debug)]
pub struct CellResult {
    /// The number of replicates.
    pub replicates: u64,
    /// The summaries of all metrics and rates.
    pub summaries: Summaries,
    /// Histograms by metric: lower end, bin width and counts.
    pub histograms: Vec<(Metric, f64, f64, Vec<u64>)>,
    /// The metric that ranks replicates, and the worst replicates with their values.
    pub worst: (Metric, Vec<(u64, f64)>),
}

impl Sweep {
    /// Prepares a sweep.
    ///
    /// # Errors
    /// When the scenario, the grid or the precision is not valid.
    pub fn new(order: SweepOrder) -> Result<Self, SweepError> {
        let mut scenario = order.scenario.scenario().map_err(Box::new)?;
        scenario.seed = order.seed;
        if let Some(policies) = &order.policies {
            grid::take_policies(&mut scenario, policies)?;
        }
        let versions = match order.versions.as_slice() {
            [] => vec![scenario.rollout.target],
            some => grid::versions_called(&scenario, some)?,
        };
        let grid = Grid::new(order.axes.clone(), versions)?.with_policies(&scenario.policies);
        let cells = grid.cells(&scenario)?;
        let count = cells.compiled.len();
        for (option, replicates) in [("--replicates", Some(order.replicates)), ("--rare", order.rare)] {
            let Some(replicates) = replicates else { continue };
            round::rollouts(replicates, count).ok_or(SweepError::TooMany { option, replicates, cells: count })?;
        }
        let goal = order.precision.clone().map(|goal| checked_goal(goal, &cells)).transpose()?;
        Ok(Self { order, scenario, grid, cells, goal })
    }

    /// The identity of its result logs: it depends on everything that decides a byte of them.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let mut hash = Sha256::new();
        hash.update(SEMANTICS_VERSION);
        // Serialising strings and numbers cannot fail.
        hash.update(serde_json::to_vec(&self.order).unwrap_or_default());
        hash.finalize().into()
    }

    fn cell_count(&self) -> u32 {
        self.cells.compiled.len() as u32
    }

    fn rows(&self) -> u32 {
        rows_a_block(self.cells.most_instances())
    }

    /// All of the work, where the number of replicates is fixed.
    #[must_use]
    pub fn round(&self) -> Work {
        Work { cells: (0..self.cell_count()).collect(), replicates: 0..self.order.replicates, rows: self.rows() }
    }

    /// The blocks of a shard, counted from 1: as many as in any other shard, or one fewer.
    #[must_use]
    pub fn shard(&self, shard: u32, of: u32) -> Range<u64> {
        let cut = |i: u32| (u128::from(self.round().blocks()) * u128::from(i) / u128::from(of.max(1))) as u64;
        cut(shard.saturating_sub(1))..cut(shard)
    }

    /// Runs everything that the result log does not hold. `None` where it was stopped.
    ///
    /// # Errors
    /// When the result log cannot be written or read.
    pub fn run(&self, log: &ResultLog, workers: &WorkPlan<'_>) -> io::Result<Option<Extent>> {
        let Some((measure, goal)) = &self.goal else {
            let work = self.round();
            let finished = round::run(&self.cells.compiled, &work, 0..work.blocks(), log, workers)?;
            return Ok(finished.then(|| self.fixed_extent()));
        };
        self.run_to_goal(*measure, goal, log, workers)
    }

    /// The extent of a sweep with a fixed number of replicates.
    #[must_use]
    pub fn fixed_extent(&self) -> Extent {
        let certainty = Certainty { confidence: CONFIDENCE, peeked: false };
        Extent {
            cells: vec![(self.order.replicates, certainty); self.cells.compiled.len()],
            reached: true,
            widest: None,
        }
    }

    /// Looks after 256, 512, 1024 … replicates. Each look has its share of the total error of 5 %, so the interval that
    /// stops a cell keeps its coverage in spite of the earlier looks.
    fn run_to_goal(
        &self,
        measure: Measure,
        goal: &Goal,
        log: &ResultLog,
        workers: &WorkPlan<'_>,
    ) -> io::Result<Option<Extent>> {
        let looks = Looks { first: FIRST_LOOK, max: self.order.replicates };
        let certainty = |look| Certainty { confidence: looks.confidence(look, CONFIDENCE), peeked: true };
        let mut extent =
            Extent { cells: vec![(0, certainty(0)); self.cells.compiled.len()], reached: false, widest: None };
        let mut half_widths: Vec<Option<f64>> = vec![None; self.cells.compiled.len()];
        let mut open: Vec<u32> = (0..self.cell_count()).collect();
        let mut done = 0;
        for look in 0.. {
            let Some(n) = looks.at(look).filter(|_| !open.is_empty()) else { break };
            let work = Work { cells: open.clone(), replicates: done..n, rows: self.rows() };
            if !round::run(&self.cells.compiled, &work, 0..work.blocks(), log, workers)? {
                return Ok(None);
            }
            let widths: Vec<Option<f64>> = workers.pool.install(|| {
                let width = |&cell: &u32| self.half_width(log, cell, n, measure, goal.relative, certainty(look));
                open.par_iter().map(width).collect::<io::Result<_>>()
            })?;
            for (&cell, width) in open.iter().zip(widths) {
                extent.cells[cell as usize] = (n, certainty(look));
                half_widths[cell as usize] = width;
            }
            open.retain(|&cell| half_widths[cell as usize].is_none_or(|width| width > goal.half_width));
            done = n;
        }
        extent.reached = open.is_empty();
        extent.widest =
            half_widths.iter().copied().try_fold(0.0, |widest: f64, width| width.map(|width| widest.max(width)));
        Ok(Some(extent))
    }

    /// Half the width of the measure's interval; `None` where there is none. A measure that does not apply to the
    /// version has zero width.
    fn half_width(
        &self,
        log: &ResultLog,
        cell: u32,
        n: u64,
        measure: Measure,
        relative: bool,
        certainty: Certainty,
    ) -> io::Result<Option<f64>> {
        let rows = CellRows::open(std::slice::from_ref(log), cell, n)?;
        let defective = self.cells.compiled[cell as usize].defective;
        if !speaks_of(measure, defective) {
            return Ok(Some(0.0));
        }
        let (interval, centre) = match measure {
            Measure::Metric(metric) => {
                let figure = analysis::mean(&rows, &self.cells.compiled[cell as usize], metric, certainty)?;
                (figure.ci, figure.mean)
            }
            Measure::Rate(wanted) => {
                let share = analysis::rate(&rows, wanted, defective, certainty)?;
                (share.ci, share.rate)
            }
            Measure::Outcome => (None, None),
        };
        let width = interval.map(|interval| interval.half_width());
        Ok(match (width, centre) {
            (Some(width), Some(centre)) if relative => {
                (centre != 0.0 || width == 0.0).then(|| if width == 0.0 { 0.0 } else { width / centre.abs() })
            }
            (width, _) => width,
        })
    }

    /// The results of all cells, from the result logs that together hold all rows.
    ///
    /// # Errors
    /// When a result log cannot be read, or rows are missing.
    pub fn results(
        &self,
        logs: &[ResultLog],
        extent: &Extent,
        pool: &rayon::ThreadPool,
    ) -> io::Result<Vec<CellResult>> {
        pool.install(|| {
            let cells = extent.cells.par_iter().enumerate();
            cells.map(|(cell, &(n, certainty))| self.result(logs, cell, n, certainty)).collect()
        })
    }

    fn result(&self, logs: &[ResultLog], cell: usize, n: u64, certainty: Certainty) -> io::Result<CellResult> {
        let rows = CellRows::open(logs, cell as u32, n)?;
        let defective = self.cells.compiled[cell].defective;
        let summaries = analysis::summaries(&rows, &self.cells.compiled[cell], certainty)?;
        let spread = if defective { Metric::BlastRadiusPct } else { Metric::ExposedPct };
        let mut histograms = Vec::new();
        for metric in [Metric::DurationSec, spread] {
            let Some(figure) = summaries.figure(metric) else { continue };
            if let Some((low, width, counts)) = analysis::histogram(&rows, metric, figure, HISTOGRAM_CELLS)? {
                histograms.push((metric, low, width, counts));
            }
        }
        let by = if defective { Metric::BlastRadiusPct } else { Metric::DurationSec };
        let worst = (by, analysis::worst(&rows, by, WORST)?);
        Ok(CellResult { replicates: n, summaries, histograms, worst })
    }

    /// Faults without effect in the first replicates of the first cells, by index in the scenario.
    #[must_use]
    pub fn idle_faults(&self) -> Vec<usize> {
        let compiled = self.cells.compiled.iter().take(CELLS_LOOKED_AT_FOR_FAULTS);
        let replicates = self.order.replicates.min(LOOKED_AT_FOR_FAULTS);
        let compiled = compiled.flat_map(|compiled| (0..replicates).map(move |replicate| (compiled, replicate)));
        idle_faults(self.scenario.faults.len(), compiled)
    }
}

fn checked_goal(goal: Goal, cells: &Cells) -> Result<(Measure, Goal), SweepError> {
    let names = || {
        let all = Measure::all().filter(|measure| *measure != Measure::Outcome);
        all.map(Measure::name).collect::<Vec<_>>().join(", ")
    };
    let measure = Measure::find(&goal.measure).filter(|measure| *measure != Measure::Outcome);
    let Some(measure) = measure else {
        return Err(SweepError::Goal(format!("there is no metric or rate `{}`; allowed: {}", goal.measure, names())));
    };
    if !(goal.half_width > 0.0 && goal.half_width.is_finite()) {
        return Err(SweepError::Goal("a precision is a number above 0, or a percentage such as 2%".into()));
    }
    // Every interval is that narrow, so the first look would end the sweep.
    let says_nothing = match measure {
        _ if goal.relative => (goal.half_width >= 1.0).then(|| format!("{}% of it", goal.half_width * 100.0)),
        Measure::Rate(_) => (goal.half_width >= 1.0).then(|| goal.half_width.to_string()),
        Measure::Metric(metric) if metric.is_percent() => {
            (goal.half_width >= 100.0).then(|| format!("{} percent", goal.half_width))
        }
        Measure::Metric(_) | Measure::Outcome => None,
    };
    if let Some(width) = says_nothing {
        let write = match measure {
            Measure::Rate(_) => {
                "a share is from 0 to 1: write 0.01 for one point in a hundred, or 5% for a share of it"
            }
            _ => "write a narrower one, or a share such as 5%",
        };
        return Err(SweepError::Goal(format!("--precision: {width} is too wide for {measure}; {write}")));
    }
    let speaks = |defective| speaks_of(measure, defective);
    if !cells.compiled.iter().any(|compiled| speaks(compiled.defective)) {
        let (is, other) = if speaks(true) { ("good", "a defective") } else { ("defective", "a good") };
        return Err(SweepError::Goal(format!(
            "--metric {measure} does not apply to a {is} version, and no other is swept: add {other} one with --versions, or \
             name another metric or rate"
        )));
    }
    Ok((measure, goal))
}
