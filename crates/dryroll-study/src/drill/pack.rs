//! The built-in drills, and the random choice of a surprise drill among them.

use dryroll_sim::scenario::{Format, ScenarioText};
use dryroll_sim::sim::draws::{Key, scale};

/// A surprise drill is one of this many replicates.
pub const REPLICATES: u64 = 100;

/// A built-in drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its file in the repository.
    pub file: &'static str,
    text: &'static str,
}

macro_rules! packs {
    ($($name:literal),+ $(,)?) => {
        &[$(Pack {
            file: concat!("scenarios/drills/", $name, ".toml"),
            text: include_str!(concat!("../../../../scenarios/drills/", $name, ".toml")),
        }),+]
    };
}

const PACKS: &[Pack] = packs![
    "01-edge",
    "02-checkout",
    "03-mail",
    "04-search",
    "05-cache",
    "06-ingest",
    "07-gateway",
    "08-profiles",
    "09-payments",
    "10-notify",
    "11-billing",
];

/// The drill that a seed draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The drill.
    pub pack: &'static Pack,
    /// Its replicate.
    pub replicate: u64,
}

impl Pack {
    /// All built-in drills, easiest first.
    #[must_use]
    pub fn all() -> &'static [Pack] {
        PACKS
    }

    /// Draws a drill and one of its replicates.
    #[must_use]
    pub fn draw(seed: u64) -> Drawn {
        let key = Key(seed);
        let place = scale(key.word(0), PACKS.len() as u64) as usize;
        Drawn { pack: &PACKS[place], replicate: scale(key.word(1), REPLICATES) }
    }

    /// Its scenario, not validated yet.
    #[must_use]
    pub fn text(&self) -> ScenarioText {
        let stem = self.file.rsplit('/').next().unwrap_or(self.file).trim_end_matches(".toml");
        ScenarioText { file: self.file.into(), stem: stem.into(), format: Format::Toml, text: self.text.into() }
    }
}
