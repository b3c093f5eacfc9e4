//! Two policies on the same replicates: differences replicate by replicate.

use std::io;

use super::analysis::{self, Certainty};
use super::completed::{COMPLETED, Completed, least};
use super::exact::Depth;
use super::grid::{Axis, Cells, GridError, GridPolicy, pieces, policy_called};
use super::mean::Estimator;
use super::result_log::{Identity, ResultLog};
use super::results::CellRows;
use super::round::{self, Work, WorkPlan, rows_a_block};
use super::row::value;
use super::sweep::CONFIDENCE;
use super::theory::Theory;
use dryroll_sim::scenario::{Measure, Metric, Rate, Scenario, VersionIndex};
use dryroll_sim::text::Foreign;
use dryroll_stats::paired::Paired;
use dryroll_stats::{Interval, simultaneous};

/// The number of replicates that are listed for each version and metric.
const REPLICATES: usize = 3;
/// The number of bins of a histogram.
const HISTOGRAM_CELLS: usize = 30;

/// A policy as it is written: the name of one that the scenario has, or the scenario's own, with keys set anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyText {
    /// The name; `None`: the scenario's own.
    pub name: Option<Foreign>,
    /// Keys, each with one value.
    pub settings: Vec<Axis>,
}

impl PolicyText {
    /// Parses `NAME,KEY=VALUE,KEY=VALUE`, where the name or all keys may be left out. An empty text is the scenario's
    /// own policy. A name with a comma or `=` stands between quotes.
    ///
    /// # Errors
    /// When a part sets nothing, a key is repeated, or nothing can be set at a key.
    pub fn parse(text: &str) -> Result<Self, GridError> {
        let mut policy = Self::default();
        for (place, part) in pieces("--policy", text)?.into_iter().enumerate().filter(|_| !text.trim().is_empty()) {
            if place == 0 && (!part.is_empty() && !part.contains('=') || part.starts_with('"')) {
                policy.name = Some(unquoted(part).into());
                continue;
            }
            let axis = Axis::parse_setting(part)?;
            if axis.key == "target_version_id" {
                return Err(GridError::Target);
            }
            if policy.settings.iter().any(|other| other.key == axis.key) {
                return Err(GridError::SetTwice(axis.key.into()));
            }
            if axis.values.len() != 1 {
                return Err(GridError::OneValue(part.into()));
            }
            policy.settings.push(axis);
        }
        Ok(policy)
    }

    /// A policy that the scenario names.
    #[must_use]
    pub fn named(name: &Foreign) -> Self {
        Self { name: Some(name.clone()), settings: Vec::new() }
    }

    fn applied(&self, scenario: &Scenario) -> Result<Scenario, GridError> {
        let mut set = match &self.name {
            None => scenario.clone(),
            // Without any name to write, a part without `=` is a key without a value.
            Some(name) if scenario.policies.is_empty() => return Err(GridError::NoValue(name.clone())),
            Some(name) => policy_called(scenario, name.raw(), &scenario.policies)?,
        };
        for axis in &self.settings {
            for value in &axis.values {
                axis.set(&mut set, value)?;
            }
        }
        Ok(set)
    }
}

impl std::fmt::Display for PolicyText {
    /// As [`parse`](Self::parse) takes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.name.iter().map(|name| {
            let is_plain = !name.raw().contains(['=', ',', '"', '\\']) && name.raw().trim() == name.raw();
            if is_plain { name.raw().to_owned() } else { serde_json::Value::from(name.raw()).to_string() }
        });
        let setting = |axis: &Axis| format!("{}={}", axis.key, axis.values.join(","));
        let parts: Vec<String> = name.chain(self.settings.iter().map(setting)).collect();
        f.write_str(&parts.join(","))
    }
}

/// A name without the quotes that it stands between.
fn unquoted(part: &str) -> String {
    serde_json::from_str(part).unwrap_or_else(|_| part.to_owned())
}

/// Two policies with some versions, ready to run.
#[derive(Clone, Debug)]
pub struct Compare {
    /// The cells: first the first policy with each version, then the second.
    pub cells: Cells,
    /// The number of replicates.
    pub replicates: u64,
    versions: usize,
    /// The least share of good rollouts that must complete with a policy for it to count as better in time.
    least: f64,
}

/// One measure under both policies.
#[derive(Clone, Debug)]
pub struct Contrasted {
    /// The measure.
    pub measure: Measure,
    /// The pairs, replicate by replicate.
    pub paired: Paired,
    /// The interval of the mean difference, for any distribution; `None` where no replicate has both values.
    pub ci: Option<Interval>,
    /// The interval that holds simultaneously for all measures.
    pub simultaneous_ci: Option<Interval>,
    /// The exact means of both; `None` unless theory has both.
    pub exact: Option<[f64; 2]>,
    /// Replicates where the first policy is better, and where the second is; `None` where neither direction is better.
    pub wins: Option<[u64; 2]>,
    /// Replicates where both are equal.
    pub ties: u64,
}

/// The comparison for one version.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Every metric and rate.
    pub measures: Vec<Contrasted>,
    /// The replicates that differ most: metric, replicate, both values.
    pub compiled: Vec<(Metric, u64, f64, f64)>,
    /// Histograms of differences by metric: lower end, bin width, counts.
    pub histograms: Vec<(Metric, f64, f64, Vec<u64>)>,
    /// For a good version: whether enough rollouts complete with the first policy, and with the second.
    pub completed: Option<[Completed; 2]>,
}

impl Compare {
    /// Prepares a comparison.
    ///
    /// # Errors
    /// When a policy or a version is not valid.
    pub fn new(
        scenario: &Scenario,
        policies: &[PolicyText; 2],
        versions: &[VersionIndex],
        replicates: u64,
    ) -> Result<Self, GridError> {
        let [a, b] = policies;
        let scenarios = [a.applied(scenario)?, b.applied(scenario)?];
        if scenarios[0] == scenarios[1] {
            return Err(GridError::SamePolicy);
        }
        let varied: Vec<&Axis> =
            [a, b].into_iter().flat_map(|one| &one.settings).filter(|axis| axis.is_of_environment()).collect();
        let policies = [a, b].into_iter().zip(scenarios).map(|(text, scenario)| GridPolicy {
            name: text.name.clone(),
            environment: varied.iter().map(|axis| (axis.key.clone(), axis.value_in(&scenario))).collect(),
            scenario,
        });
        Ok(Self {
            cells: Cells::new(policies, versions)?,
            replicates,
            versions: versions.len(),
            least: least(scenario),
        })
    }

    /// Runs both on all replicates; returns false where it was stopped.
    ///
    /// # Errors
    /// When the result log cannot be written.
    pub fn run(&self, log: &ResultLog, workers: &WorkPlan<'_>) -> io::Result<bool> {
        let instances = self.cells.most_instances();
        let cells = (0..self.cells.compiled.len() as u32).collect();
        let work = Work { cells, replicates: 0..self.replicates, rows: rows_a_block(instances) };
        round::run(&self.cells.compiled, &work, 0..work.blocks(), log, workers)
    }

    /// The result log of a comparison is never shared, so it needs no identity of its own.
    pub const IDENTITY: Identity = *b"dryroll compare, not kept.......";

    /// The cells of a version, with the first policy and with the second.
    #[must_use]
    pub fn cells_of(&self, version: usize) -> [usize; 2] {
        [version, self.versions + version]
    }

    /// The result for a version.
    ///
    /// # Errors
    /// When the result log cannot be read.
    pub fn result(&self, log: &ResultLog, version: usize) -> io::Result<Compared> {
        let [a, b] = self.cells_of(version);
        let defective = self.cells.compiled[a].defective;
        let logs = std::slice::from_ref(log);
        let rows = [CellRows::open(logs, a as u32, self.replicates)?, CellRows::open(logs, b as u32, self.replicates)?];
        let measures = pairs(&rows, defective)?;
        let each = simultaneous::each(CONFIDENCE, measures.len() as u64);
        let theory = [a, b].map(|cell| Theory::of(&self.cells.scenarios[cell], Depth::Durations));
        let contrast = |(measure, paired): (Measure, Paired)| {
            let (a_smaller, b_smaller, ties) = paired.wins();
            let wins = match measure.more_is_better(defective) {
                Some(false) => Some([a_smaller, b_smaller]),
                Some(true) => Some([b_smaller, a_smaller]),
                None => None,
            };
            let estimators = [a, b].map(|cell| Estimator::new(&self.cells.compiled[cell], measure));
            let samples = [estimators[0].sample(&rows[0])?, estimators[1].sample(&rows[1])?];
            let [ci, simultaneous_ci] = [CONFIDENCE, each].map(|sure| {
                Estimator::interval_of_difference([&estimators[0], &estimators[1]], [&samples[0], &samples[1]], sure)
            });
            let exact = theory[0].value(measure, None).zip(theory[1].value(measure, None));
            let exact = exact.filter(|_| paired.n() > 0).map(|(a, b)| [a, b]);
            Ok(Contrasted { measure, paired, ci, simultaneous_ci, exact, wins, ties })
        };
        let measures: Vec<Contrasted> = measures.into_iter().map(contrast).collect::<io::Result<_>>()?;
        let spread = if defective { Metric::BlastRadiusPct } else { Metric::ExposedPct };
        let (mut compiled, mut histograms) = (Vec::new(), Vec::new());
        for metric in [Metric::DurationSec, spread] {
            let differences = Differences { rows: &rows, metric };
            compiled.extend(differences.largest(REPLICATES)?);
            if let Some((low, width, counts)) = differences.histogram(HISTOGRAM_CELLS)? {
                histograms.push((metric, low, width, counts));
            }
        }
        let completed = if defective { None } else { Some(self.completed(&measures, &rows)?) };
        Ok(Compared { measures, compiled, histograms, completed })
    }

    /// Whether enough rollouts of a good version complete, for each policy.
    fn completed(&self, measures: &[Contrasted], rows: &[CellRows<'_>; 2]) -> io::Result<[Completed; 2]> {
        let good = self.cells.compiled.iter().filter(|compiled| !compiled.defective).count() as u64;
        let confidence = simultaneous::each(CONFIDENCE, good);
        let exact = measures.iter().find(|one| one.measure == Measure::Rate(COMPLETED)).and_then(|one| one.exact);
        let of = |side: usize| -> io::Result<Completed> {
            let certainty = Certainty { confidence, peeked: false };
            let share = |rate| analysis::rate(&rows[side], rate, false, certainty);
            let exact = exact.map(|both| both[side]);
            Ok(Completed::new(self.least, &share(COMPLETED)?, &share(Rate::Trip)?, exact, confidence))
        };
        Ok([of(0)?, of(1)?])
    }
}

/// The pairs of all metrics and rates, for replicates where both cells have a value; `defective` states the ground
/// truth of the version.
///
/// # Errors
/// When the rows cannot be read.
pub fn pairs(rows: &[CellRows<'_>; 2], defective: bool) -> io::Result<Vec<(Measure, Paired)>> {
    let measures = Measure::all().filter(|measure| *measure != Measure::Outcome);
    let mut all: Vec<(Measure, Paired)> = measures.map(|measure| (measure, Paired::default())).collect();
    rows[0].pairs(&rows[1], &mut |_, a, b| {
        for (measure, paired) in &mut all {
            if let (Some(a), Some(b)) = (value(a, *measure, defective), value(b, *measure, defective)) {
                paired.push(a, b);
            }
        }
    })?;
    all.retain(|(measure, paired)| *measure != Measure::Metric(Metric::BrickedInstances) || paired.n() > 0);
    Ok(all)
}

/// The differences of one metric.
struct Differences<'a, 't> {
    rows: &'a [CellRows<'t>; 2],
    metric: Metric,
}

impl Differences<'_, '_> {
    fn each(&self, with: &mut dyn FnMut(u64, f64, f64)) -> io::Result<()> {
        self.rows[0].pairs(&self.rows[1], &mut |replicate, a, b| {
            let (a, b) = (a[self.metric as usize], b[self.metric as usize]);
            if !a.is_nan() && !b.is_nan() {
                with(replicate, a, b);
            }
        })
    }

    /// The replicates that differ most, ties by replicate; empty where nothing differs.
    fn largest(&self, most: usize) -> io::Result<Vec<(Metric, u64, f64, f64)>> {
        let mut largest: Vec<(Metric, u64, f64, f64)> = Vec::with_capacity(most + 1);
        let size = |compiled: &(Metric, u64, f64, f64)| (compiled.3 - compiled.2).abs();
        self.each(&mut |replicate, a, b| {
            let compiled = (self.metric, replicate, a, b);
            if size(&compiled) == 0.0 {
                return;
            }
            let at = largest.iter().position(|other| size(&compiled) > size(other)).unwrap_or(largest.len());
            largest.insert(at, compiled);
            largest.truncate(most);
        })?;
        Ok(largest)
    }

    fn histogram(&self, cells: usize) -> io::Result<Option<(f64, f64, Vec<u64>)>> {
        let mut extent = analysis::Extremes::default();
        self.each(&mut |_, a, b| extent.push(b - a))?;
        let mut counts = match extent.cells(cells) {
            Some(counts) => counts,
            None => return Ok(None),
        };
        self.each(&mut |_, a, b| counts.push(b - a))?;
        Ok(Some(counts.into_parts()))
    }
}
