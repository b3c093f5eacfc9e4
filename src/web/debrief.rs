//! The debrief, as the program writes it to a file, and as a page.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};

use dryroll_report::html::page_beside;
use dryroll_report::model::drill::DrillReport;
use dryroll_report::model::report::Report;

/// The page has its style within it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
form-action 'none'; frame-ancestors 'none'";

/// The pages beside it.
const WAYS: [(&str, &str); 2] = [("/app/approvals", "Approvals"), ("/app/system/operations", "Operations")];

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
        Self { json, page: page_beside(&Report::Drill(Box::new(report.clone())), &WAYS) }
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
