//! The opening of a drill: which replicate, what the person sees, and which decisions are played.

use std::hash::{BuildHasher, RandomState};

use super::{Arguments, read_record};
use crate::cli::output::{Failure, refused};
use crate::cli::rollout::Loaded;
use dryroll_report::model::drill::Surprise;
use dryroll_sim::scenario::{Scenario, ScenarioText};
use dryroll_sim::sim::CompiledScenario;
use dryroll_study::drill::{Briefing, Pack, Record};

/// A drill that is about to begin.
pub struct Opening {
    pub text: ScenarioText,
    pub scenario: Scenario,
    pub compiled: CompiledScenario,
    pub replicate: u64,
    /// The names that the person sees.
    pub briefing: Briefing,
    /// How the surprise was drawn; the person learns it at the end only.
    pub surprise: Option<Surprise>,
    /// The decisions to play, with the seed and replicate that they were recorded with.
    pub record: Option<Record>,
}

/// Seeds of surprises are short enough to type again.
const SEEDS: u64 = 1_000_000;

impl Opening {
    /// Reads scenario and decisions. Options that the command line leaves out are taken from the record.
    pub fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let record = arguments.decisions.as_deref().map(read_record).transpose()?;
        let recorded = record.as_ref().and_then(|record| record.replicate);
        match &arguments.scenario {
            Some(path) => {
                let seed = arguments.seed.or(record.as_ref().and_then(|record| record.seed));
                let Loaded { text, scenario, compiled } = arguments.rollout.load(path, seed)?;
                let replicate = arguments.replicate.or(recorded).unwrap_or(0);
                let briefing = Briefing::new(&scenario);
                Ok(Self { text, scenario, compiled, replicate, briefing, surprise: None, record })
            }
            None => Self::surprise(arguments, record),
        }
    }

    fn surprise(arguments: &Arguments, record: Option<Record>) -> Result<Self, Failure> {
        if arguments.rollout.changes_anything() {
            return Err(Failure::Input(anyhow::anyhow!(
                "a surprise takes no --version and no --set: it is as it is drawn"
            )));
        }
        let recorded = record.as_ref().and_then(|record| record.replicate);
        let (pack, scenario, drawn, seed) = match (&record, arguments.seed) {
            (Some(record), None) => {
                let (pack, scenario) = recorded_pack(record)?;
                (pack, scenario, 0, None)
            }
            (_, seed) => {
                let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(std::time::SystemTime::now()) % SEEDS);
                let drawn = Pack::draw(seed);
                (drawn.pack, drawn.pack.text().scenario()?, drawn.replicate, Some(seed))
            }
        };
        let replicate = arguments.replicate.or(recorded).unwrap_or(drawn);
        let text = pack.text();
        let compiled = CompiledScenario::new(&scenario).map_err(|refusal| refused(&text, refusal))?;
        let briefing = Briefing::veiled(&scenario);
        let surprise = Some(Surprise { file: pack.file.into(), seed });
        Ok(Self { text, scenario, compiled, replicate, briefing, surprise, record })
    }
}

/// The built-in drill that a record belongs to.
fn recorded_pack(record: &Record) -> Result<(&'static Pack, Scenario), Failure> {
    let Some(origin) = &record.scenario else {
        return Err(Failure::Input(anyhow::anyhow!(
            "the decisions do not say of which drill they are; repeat the draw with --seed, or name the scenario"
        )));
    };
    for pack in Pack::all() {
        let scenario = pack.text().scenario()?;
        if origin.hash == scenario.hash {
            return Ok((pack, scenario));
        }
    }
    Err(Failure::Input(anyhow::anyhow!(
        "the decisions are of `{}`, which is none of the drills that are built in; name its scenario file instead",
        origin.name
    )))
}
