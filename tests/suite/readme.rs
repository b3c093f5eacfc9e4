//! What README.md and the pages of docs/ show of the terminal is what the program prints: every `console` block is run,
//! from the root of the repository, and compared. A line `...` stands for lines that are left out.
//! `TRYCMD=overwrite cargo test --test suite readme::` writes them anew; read the difference.

use dryroll::scenario::{Format, Scenario};
use dryroll::sim::CompiledScenario;

#[test]
fn every_console_block_is_what_the_program_prints() {
    trycmd::TestCases::new().env("NO_COLOR", "1").case("README.md").case("docs/*.md").case("docs/commands/*.md");
}

/// The `toml` blocks that are whole scenarios: those that name a target.
fn scenarios(page: &str) -> Vec<String> {
    let blocks = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    blocks.filter(|block| block.contains("target_version_id")).map(str::to_owned).collect()
}

#[test]
fn every_scenario_that_is_shown_is_one() {
    for page in ["docs/scenario.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let shown = scenarios(&std::fs::read_to_string(path).expect("the page"));
        assert!(!shown.is_empty(), "{page} shows no scenario");
        for text in shown {
            let scenario =
                Scenario::parse(page, text.as_bytes(), Format::Toml).unwrap_or_else(|error| panic!("{error}"));
            CompiledScenario::new(&scenario).expect("the request is not refused");
        }
    }
}
