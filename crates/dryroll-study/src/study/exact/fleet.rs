//! The laws of all verdicts of a fleet, by planned instance.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::OutOfScope;
use super::law::{Arrivals, Beats, Crashing, Heartbeats, Table, VerdictLaw};
use dryroll_engine::Plan;
use dryroll_engine::fleet::Span;
use dryroll_sim::sim::compiled::{CompiledScenario, InstanceClass, Release};
use dryroll_sim::sim::sampler::Sampler;
use dryroll_stats::exact::Trial;

/// The largest number of kinds of instances whose laws are computed.
const MOST_KINDS: usize = 64;

/// A mixture: each instance is independently of each kind with a probability.
type Mixture = Vec<(VerdictLaw, f64)>;

/// The laws of the verdicts of planned instances.
#[derive(Debug)]
pub(super) struct FleetLaw {
    laws: Vec<Mixture>,
    /// The index of the law by position; empty where all instances have the first law.
    which: Vec<u8>,
    /// The cost of an evaluation, in steps.
    pub effort: u64,
}

impl FleetLaw {
    /// The laws for upgrades to a release. `on_grid` states that every dispatch is at a multiple of the heartbeat
    /// interval.
    pub fn new(
        compiled: &CompiledScenario,
        plan: &Plan,
        release: Release,
        on_grid: bool,
        tables: &Tables,
    ) -> Result<Self, OutOfScope> {
        let mut kinds: BTreeMap<InstanceClass, u8> = BTreeMap::new();
        let mut maker = Maker { compiled, release, on_grid, tables };
        let mut laws = Vec::new();
        let mut which = Vec::new();
        let total = plan.total_instances();
        // Without classes and overrides, all instances are alike.
        let distinct = if compiled.has_kinds() { total } else { total.min(1) };
        for position in 0..distinct {
            let instance_class = compiled.instance_class(plan.order.instance(position).0);
            let kind = match kinds.get(&instance_class) {
                Some(&kind) => kind,
                None => {
                    if laws.len() == MOST_KINDS {
                        return Err(OutOfScope::new("classes and overrides make too many kinds of instances"));
                    }
                    let kind = laws.len() as u8;
                    laws.push(maker.mixture(&instance_class)?);
                    kinds.insert(instance_class, kind);
                    kind
                }
            };
            which.push(kind);
        }
        if laws.len() <= 1 {
            which.clear();
        }
        let crashes = laws.iter().flatten().filter(|(law, _)| law.crashing.is_some()).count() as u64;
        let effort = crashes * compiled.settings.health_timeout.0;
        Ok(Self { laws, which, effort })
    }

    /// Whether all instances have the same law.
    pub fn is_uniform(&self) -> bool {
        self.which.is_empty()
    }

    /// For every law, the probabilities of verdicts within t.
    pub fn by(&self, t: u64) -> Vec<Trial> {
        let of_mixture = |mixture: &Mixture| {
            mixture.iter().fold(Trial::default(), |sum, (law, share)| {
                let trial = law.by(t);
                Trial {
                    fails: sum.fails + share * trial.fails,
                    passes: sum.passes + share * trial.passes,
                    silent: sum.silent + share * trial.silent,
                }
            })
        };
        self.laws.iter().map(of_mixture).collect()
    }

    /// The trial of the law at a position.
    #[inline]
    pub fn pick(&self, trials: &[Trial], position: u32) -> Trial {
        trials[self.which.get(position as usize).map_or(0, |&kind| kind as usize)]
    }

    /// For every law, the probabilities of final verdicts.
    pub fn verdicts(&self) -> Vec<Trial> {
        self.by(u64::MAX)
    }

    /// Whether the arrival time of an instance's report is independent of its content, with the same law for all
    /// instances: then the order of arrivals is independent of which instances failed.
    pub fn order_says_nothing(&self) -> bool {
        let [mixture] = &self.laws[..] else { return false };
        let Some((first, _)) = mixture.first() else { return false };
        mixture.iter().all(|(law, _)| {
            law.crashing.is_none()
                && Rc::ptr_eq(&law.arrivals.table, &first.arrivals.table)
                && law.arrivals.heartbeats == first.arrivals.heartbeats
        })
    }
}

/// Shared tables, for scenarios that differ only in their policy or in their rates.
#[derive(Debug, Default)]
pub(crate) struct Tables(RefCell<Vec<(Sampler, u64, Rc<Table>)>>);

impl Tables {
    fn of(&self, upgrade: &Sampler, until: u64) -> Result<Rc<Table>, OutOfScope> {
        let mut known = self.0.borrow_mut();
        if let Some((.., table)) = known.iter().find(|(known, to, _)| known == upgrade && *to == until) {
            return Ok(Rc::clone(table));
        }
        let too_long =
            || OutOfScope::new("the health timeout is too long to tabulate upgrade times by the millisecond");
        let table = Rc::new(Table::new(upgrade, until).ok_or_else(too_long)?);
        known.push((upgrade.clone(), until, Rc::clone(&table)));
        Ok(table)
    }
}

/// Builds the laws.
struct Maker<'w> {
    compiled: &'w CompiledScenario,
    release: Release,
    on_grid: bool,
    tables: &'w Tables,
}

impl Maker<'_> {
    fn mixture(&mut self, instance_class: &InstanceClass) -> Result<Mixture, OutOfScope> {
        let too_many = || OutOfScope::new("the shares of the fleet that are drawn make too many kinds of instances");
        let drawn = self.compiled.drawn_instance_class(instance_class.clone(), MOST_KINDS).ok_or_else(too_many)?;
        drawn.into_iter().map(|(instance_class, share)| Ok((self.law(&instance_class)?, share))).collect()
    }

    fn law(&mut self, instance_class: &InstanceClass) -> Result<VerdictLaw, OutOfScope> {
        let compiled = self.compiled;
        let outcome_distribution = compiled.outcome_distribution_of(instance_class, self.release);
        let chances = outcome_distribution.chances();
        let timeout = compiled.settings.health_timeout.0;
        let interval = compiled.interval.0;
        let beats = match compiled.phase_of(instance_class) {
            None => Beats::Anywhere,
            Some(_) if interval == 1 => Beats::Anywhere,
            Some(phase) if self.on_grid => Beats::At(if phase == Span::ZERO { interval } else { phase.0 }),
            Some(_) => {
                return Err(OutOfScope::new(
                    "the heartbeats' phase is fixed and not every dispatch falls on the same place in their interval",
                ));
            }
        };
        let heartbeats = Heartbeats { beats, interval, loss: compiled.loss_of(instance_class) };
        let longest = outcome_distribution.upgrade_time().longest().0.max(1).saturating_add(interval - 1);
        let surely_in_time = heartbeats.loss == 0.0 && longest <= timeout;
        let table = self.tables.of(&outcome_distribution.upgrade_time(), timeout)?;
        let crashing = (chances.crash > 0.0).then(|| Crashing::new(outcome_distribution.crash_after));
        Ok(VerdictLaw { chances, arrivals: Arrivals { table, heartbeats, surely_in_time }, crashing, timeout })
    }
}
