//! The pages and what they are made of. All of it is in the program.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};

use super::problem::Problem;
use dryroll_report::svg::theme;

const FRAME: &str = include_str!("assets/frame.html");
const APPROVALS: &str = include_str!("assets/approvals.html");
const OPERATIONS: &str = include_str!("assets/operations.html");

/// The house's colours, then the style of these pages.
static STYLE: LazyLock<String> = LazyLock::new(|| theme::css(":root") + include_str!("assets/style.css"));

const SCRIPTS: [(&str, &str); 8] = [
    ("approvals.js", include_str!("assets/approvals.js")),
    ("feed.js", include_str!("assets/feed.js")),
    ("fleet.js", include_str!("assets/fleet.js")),
    ("frame.js", include_str!("assets/frame.js")),
    ("link.js", include_str!("assets/link.js")),
    ("operations.js", include_str!("assets/operations.js")),
    ("stream.js", include_str!("assets/stream.js")),
    ("words.js", include_str!("assets/words.js")),
];

/// The page where requests are reviewed and answered.
pub async fn approvals() -> Html<String> {
    framed("Approvals", "approvals", APPROVALS)
}

/// The page where the rollout is watched.
pub async fn operations() -> Html<String> {
    framed("Operations", "operations", OPERATIONS)
}

fn framed(title: &str, name: &str, main: &str) -> Html<String> {
    let current = format!("href=\"{}\"", if name == "approvals" { "/app/approvals" } else { "/app/system/operations" });
    Html(
        FRAME
            .replace("{{title}}", title)
            .replace("{{script}}", name)
            .replace(&current, &format!("{current} aria-current=\"page\""))
            .replace("{{main}}", main),
    )
}

/// A page with one sentence.
pub fn note(title: &str, says: &str) -> Html<String> {
    let page = maud::html! {
        (maud::DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (title) " – dryroll" } }
            body { main { h1 { (title) } p { (says) "." } p { a href="/app/approvals" { "Approvals" } " · " a href="/app/system/operations" { "Operations" } } } }
        }
    };
    Html(page.into_string())
}

/// A script or the style.
pub async fn asset(axum::extract::Path(name): axum::extract::Path<String>) -> Response {
    if name == "style.css" {
        return ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE.as_str()).into_response();
    }
    match SCRIPTS.into_iter().find(|(script, _)| *script == name) {
        Some((_, text)) => ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], text).into_response(),
        None => missing().await.into_response(),
    }
}

/// There is no such page.
pub async fn missing() -> Problem {
    Problem::new(axum::http::StatusCode::NOT_FOUND, "there is nothing at this address")
}

/// There is such a page, and it is asked for in another way.
pub async fn other_method() -> Problem {
    Problem::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, "this address is asked in another way: see docs/web.md")
}
