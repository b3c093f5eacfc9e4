//! The drills that the program has built in, and the draw of a surprise from them.

use dryroll_sim::scenario::{Format, ScenarioText};
use dryroll_sim::sim::draws::{Key, scale};

/// A surprise is one of so many replicates of its drill.
pub const REPLICATES: u64 = 100;

/// A drill that is built in.
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
];

/// What a seed draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Which drill.
    pub pack: &'static Pack,
    /// Which replicate of it.
    pub replicate: u64,
}

impl Pack {
    /// Every drill that is built in, the easiest first.
    #[must_use]
    pub fn all() -> &'static [Pack] {
        PACKS
    }

    /// Draws one, and a replicate of it.
    #[must_use]
    pub fn draw(seed: u64) -> Drawn {
        let key = Key(seed);
        let place = scale(key.word(0), PACKS.len() as u64) as usize;
        Drawn { pack: &PACKS[place], replicate: scale(key.word(1), REPLICATES) }
    }

    /// Its scenario, unchecked.
    #[must_use]
    pub fn text(&self) -> ScenarioText {
        let stem = self.file.rsplit('/').next().unwrap_or(self.file).trim_end_matches(".toml");
        ScenarioText { file: self.file.into(), stem: stem.into(), format: Format::Toml, text: self.text.into() }
    }
}
