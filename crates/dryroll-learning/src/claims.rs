//! What a record claims, as far as it can be read: from its facts, else from its tags, else from its words.

use super::Learning;
use super::facts::Facts;
use super::phrases;

/// What a record claims.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims {
    /// The facts of a record that a report made; those of others have none.
    pub facts: Option<Facts>,
    /// On how many instances.
    pub instances: Option<u64>,
    /// With which batches.
    pub batch_pct: Option<u32>,
    /// With which limit.
    pub limit: Option<u32>,
    /// How many batches.
    pub batches: Option<u64>,
    /// What a plan promises at most.
    pub estimate_sec: Option<f64>,
    /// How many trips.
    pub trips: Option<u64>,
    /// Whether it recommends that policy.
    pub recommends: bool,
}

impl Claims {
    /// Of a record.
    pub fn of(record: &Learning) -> Self {
        match Facts::read(&record.content) {
            Some(facts) => Self::of_facts(facts, record),
            None => Self::of_words(record),
        }
    }

    fn of_facts(facts: Facts, record: &Learning) -> Self {
        let small = |name: &str| facts.count(name).and_then(|count| u32::try_from(count).ok());
        let recommends = match facts.get("recommended") {
            Some(said) => said == "yes",
            None => record.category == "best_practice",
        };
        Self {
            instances: facts.count("instances").or_else(|| tagged(record, "fleet-")),
            batch_pct: small("batch_pct"),
            limit: small("max_consecutive_failures"),
            batches: facts.count("batches"),
            estimate_sec: facts.number("estimate_sec"),
            trips: facts.count("trips"),
            recommends,
            facts: Some(facts),
        }
    }

    fn of_words(record: &Learning) -> Self {
        let words = words(record);
        let small = |count: Option<u64>| count.and_then(|count| u32::try_from(count).ok());
        let assigned = |key: &str| {
            let value = |word: &String| {
                let value = word.strip_prefix(key)?.strip_prefix('=')?;
                value.trim_end_matches('%').parse::<u64>().ok()
            };
            words.iter().find_map(value)
        };
        let before = |noun: &str| {
            let pairs = words.windows(2);
            pairs.filter(|pair| pair[1] == noun).find_map(|pair| pair[0].parse::<u64>().ok())
        };
        let sized = |word: &String| word.strip_suffix("-instance").or(word.strip_suffix("-node"))?.parse().ok();
        Self {
            facts: None,
            instances: tagged(record, "fleet-")
                .or_else(|| words.iter().find_map(sized))
                .or_else(|| before("instances")),
            batch_pct: small(tagged(record, "batch_pct-").or_else(|| assigned("batch_pct"))),
            limit: small(tagged(record, "max_consecutive_failures-").or_else(|| assigned("max_consecutive_failures"))),
            batches: before("batches"),
            estimate_sec: words
                .windows(3)
                .filter(|three| three[1] == "min" && three[2] == "total")
                .find_map(|three| three[0].parse::<f64>().ok().filter(|minutes| minutes.is_finite()))
                .map(|minutes| minutes * 60.0),
            trips: no_trips(&words).then_some(0),
            recommends: recommends(&words),
        }
    }
}

/// The words of title and content, in lower case, without the punctuation around them.
pub fn words(record: &Learning) -> Vec<String> {
    let text = format!("{} {}", record.title, record.content).to_lowercase();
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '%').to_owned();
    text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect()
}

fn tagged(record: &Learning, prefix: &str) -> Option<u64> {
    record.tags.iter().find_map(|tag| tag.to_lowercase().strip_prefix(prefix)?.parse().ok())
}

/// `zero circuit breaker trips`, `no trips`, `0 trips`, `without a trip`
fn no_trips(words: &[String]) -> bool {
    words.iter().enumerate().any(|(i, word)| {
        let nothing = ["zero", "no", "0", "without", "never"].contains(&word.as_str());
        let filler = ["circuit", "breaker", "circuit-breaker", "a", "any", "false"];
        let mut after = words.iter().skip(i + 1).take(4);
        let noun = after.find(|word| !filler.contains(&word.as_str()));
        nothing && noun.is_some_and(|word| ["trip", "trips", "tripped"].contains(&word.as_str()))
    })
}

fn recommends(words: &[String]) -> bool {
    words.iter().enumerate().any(|(i, word)| {
        let denied = || {
            let before = words.iter().take(i).rev().take(2);
            before.into_iter().any(|word| ["not", "don't", "never", "cannot"].contains(&word.as_str()))
        };
        word.starts_with("recommend") && !denied()
    })
}

/// Whether a record is about this module's rolling upgrades, and whether a tag says so.
pub fn is_about(record: &Learning, module: &str) -> Option<bool> {
    const UPGRADES: [&str; 8] =
        ["upgrade", "upgrades", "rolling", "rollout", "rollouts", "batch", "batches", "breaker"];
    let words = words(record);
    let topic = record.tags.iter().any(|tag| {
        let tag = tag.to_lowercase();
        ["rolling-upgrade", "batch-sizing", "circuit-breaker", "rollout"].contains(&tag.as_str())
    });
    if !topic && !words.iter().any(|word| UPGRADES.contains(&word.as_str()) || word.starts_with("batch_pct")) {
        return None;
    }
    let slug = phrases::tag(module);
    if record.tags.iter().any(|tag| phrases::tag(tag) == slug) {
        return Some(true);
    }
    let module = module.to_lowercase();
    words.contains(&module).then_some(false)
}
