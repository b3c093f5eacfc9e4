//! Where the numbers come from, and how the worst replicates are met again.

use maud::{Markup, html};

use crate::html::layout::{Section, safe};
use crate::model::ScenarioRef;
use crate::svg::Table;
use crate::words::{Unit, number};
use dryroll_sim::scenario::Advice;

/// What every report says of itself.
pub struct Provenance<'a> {
    /// Of which scenario.
    pub scenario: &'a ScenarioRef,
    /// The schema.
    pub schema: &'a str,
    /// The command that makes the report again; empty in older reports.
    pub command: &'a str,
    /// The seed.
    pub seed: u64,
    /// Replicates, or nothing where it is one replicate.
    pub replicates: Option<u64>,
    /// Confidence, or nothing where nothing is estimated.
    pub confidence: Option<f64>,
    /// What else.
    pub more: Vec<(&'static str, String)>,
}

impl Provenance<'_> {
    /// As a section.
    #[must_use]
    pub fn section(self) -> Section {
        let mut table =
            Table::new("The same scenario and seed give the same numbers on every machine", &["what"], &["value"]);
        let mut row = |what: &str, value: String| table.row([what.to_owned(), value]);
        row("scenario", self.scenario.name.to_string());
        row("hash of its file (SHA-256)", self.scenario.hash.to_string());
        row("seed", self.seed.to_string());
        if let Some(replicates) = self.replicates {
            row("replicates", number(replicates as f64));
        }
        if let Some(confidence) = self.confidence {
            row("confidence of the intervals", Unit::Share.say(confidence));
        }
        for (what, value) in self.more {
            row(what, value);
        }
        row("schema of the report", self.schema.to_owned());
        Section {
            id: "provenance",
            heading: "Where this comes from",
            body: html! {
                @if !self.command.is_empty() { p class="again" { "Made again by " code { (safe(self.command)) } } }
                div class="text" { (table.html()) }
            },
        }
    }
}

/// Replicates with the commands that replay them.
#[must_use]
pub fn replicates(list: &[(String, Vec<&str>)]) -> Markup {
    html! {
        @if !list.is_empty() {
            ul class="environments" {
                @for (says, commands) in list {
                    li { (safe(says)) @for command in commands { code { (safe(command)) } } }
                }
            }
        }
    }
}

/// Advice about a scenario; nothing where there is none.
#[must_use]
pub fn advice(list: &[Advice]) -> Section {
    let body = html! {
        @if !list.is_empty() {
            ul class="warnings" {
                @for one in list {
                    li {
                        (safe(&format!("{}; {}. ", one.message, one.change)))
                        code { (safe(&one.place())) }
                        " (" (one.code.name()) ")"
                    }
                }
            }
        }
    };
    Section { id: "advice", heading: "Advice about the scenario", body }
}

/// Warnings.
#[must_use]
pub fn warnings(list: &[String]) -> Markup {
    html! { @if !list.is_empty() { ul class="warnings" { @for warning in list { li { (safe(warning)) } } } } }
}
