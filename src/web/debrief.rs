//! The debrief, as the program writes it to a file, and as a page.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use maud::html;

use crate::fleet::Span;
use crate::report::DrillReport;
use crate::report::wording::{number, spoken};

/// The page has its style within it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
form-action 'none'; frame-ancestors 'none'";

/// What is kept of a debrief: it does not change any more.
#[derive(Debug)]
pub struct Debrief {
    json: String,
    page: String,
}

impl Debrief {
    /// Of a drill's report.
    pub fn new(report: &DrillReport) -> Self {
        let json = serde_json::to_string_pretty(report).unwrap_or_else(|_| "{}".into());
        Self { json, page: page(report) }
    }

    /// As JSON.
    pub fn json(&self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.json.clone()).into_response()
    }

    /// As a page.
    pub fn page(&self) -> Response {
        ([(CONTENT_SECURITY_POLICY, POLICY)], Html(self.page.clone())).into_response()
    }
}

/// The page of a report.
// PLUG IN HERE: `crate::report::page::page(&AnyReport::Drill(report.clone()))` in place of this table.
fn page(report: &DrillReport) -> String {
    let own = &report.score;
    let row = |says: &str, outcome: &str, cost: f64, score: f64| {
        html! { tr { th scope="row" { (says) } td { (outcome) } td { (number(cost)) } td { (number(score)) } } }
    };
    let page = html! {
        (maud::DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width, initial-scale=1"; title { "Debrief – dryroll" } style { (STYLE) } }
            body { main {
                p { a href="/app/system/operations" { "Back to operations" } " · " a href="/api/debrief" { "The report as JSON" } }
                h1 { "Debrief: " (report.outcome) }
                p { "Score " strong { (number(own.points)) } " of 100; " (number(own.cost_instance_min)) " instance-minutes, the best plain operator's "
                    (number(own.best_cost_instance_min)) " (" (own.best) ")." }
                p { "It took " (spoken(Span::from_secs_f64(report.debrief.duration_sec))) ", "
                    (spoken(Span::from_secs_f64(report.debrief.approval_wait_sec))) " of it waiting for you." }
                h2 { "What was true" }
                ul { @for fact in &report.truth.facts { li { (fact) } } }
                h2 { "Other decisions on the same world" }
                table {
                    thead { tr { th scope="col" { "decision" } th scope="col" { "outcome" } th scope="col" { "cost, instance-min" } th scope="col" { "score" } } }
                    tbody {
                        (row("What you did", &report.outcome, own.cost_instance_min, own.points))
                        @for other in report.counterfactuals.iter().chain(&report.plain_operators) {
                            (row(&other.says, &other.outcome, other.cost_instance_min, other.score))
                        }
                    }
                }
            } }
        }
    };
    page.into_string()
}

const STYLE: &str = ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse}th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8888}";
