//! Access control: the right `Host`, the right `Origin`, and the token.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderName, LOCATION, ORIGIN, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::connections::{Connection, REQUEST};
use super::hosts::Hosts;
use super::problem::Problem;
use super::token::Token;

/// Nothing from elsewhere, no inline script or style, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; connect-src 'self'; \
img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// On every answer.
const HEADERS: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-frame-options"), "DENY"),
];

/// The guard of a server.
pub struct Guard {
    hosts: Hosts,
    token: Token,
    /// Cookies ignore ports, so each drill has its own cookie name.
    cookie: String,
}

impl Guard {
    /// A guard for a server of these names.
    pub fn new(hosts: Hosts, port: u16, token: Token) -> Self {
        Self { hosts, token, cookie: format!("dryroll-{port}") }
    }

    fn judge(&self, request: &Request) -> Result<(), Problem> {
        let headers = request.headers();
        let host = one(headers, &HOST)?.ok_or_else(|| Problem::malformed("a request names its Host"))?;
        let authority = request.uri().authority().map(|authority| authority.as_str());
        if !self.hosts.allow(host) || authority.is_some_and(|authority| authority != host) {
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "this server does not go by that Host"));
        }
        if one(headers, &ORIGIN)?.is_some_and(|origin| !self.hosts.allow_origin(origin, host)) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "a page of another Origin may not ask this server"));
        }
        Ok(())
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        let bearer = headers.get_all(AUTHORIZATION).iter().filter_map(text).any(|value| {
            let (scheme, token) = value.split_once(' ').unwrap_or_default();
            scheme.eq_ignore_ascii_case("bearer") && self.token.is(token.trim())
        });
        let cookie = || {
            headers.get_all(COOKIE).iter().filter_map(text).any(|value| {
                let mut pairs = value.split(';').filter_map(|pair| pair.trim().split_once('='));
                pairs.any(|(name, token)| name == self.cookie && self.token.is(token))
            })
        };
        bearer || cookie()
    }

    /// Redirects a request with the token in its address, so that the token does not stay there.
    fn welcome(&self, request: &Request) -> Option<Response> {
        if request.method() != Method::GET {
            return None;
        }
        let offered = request.uri().query()?.split('&').find_map(|pair| pair.strip_prefix("token="))?;
        if !self.token.is(offered) {
            return None;
        }
        let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie, self.token.text());
        // A path like `//name` would lead elsewhere.
        let path = request.uri().path();
        let path = if path.starts_with("/app/") { path } else { "/" };
        Some((StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, path.to_owned())]).into_response())
    }
}

/// The one value of a header; two would mean different things to different readers.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| Problem::malformed(format!("the header {name} cannot be read")))
        }
        _ => Err(Problem::malformed(format!("the header {name} occurs twice"))),
    }
}

/// Lets a request through, or not.
pub async fn guard(
    State(guard): State<Arc<Guard>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let is_let_in = guard.has_token(request.headers());
    connection.has_asked(is_let_in);
    let answer = match guard.judge(&request) {
        Err(problem) => problem.into_response(),
        Ok(()) => match guard.welcome(&request) {
            Some(welcome) => welcome,
            // The body is read in it, and may be as slow as a head.
            None if is_let_in => match tokio::time::timeout(REQUEST, next.run(request)).await {
                Ok(answer) => answer,
                Err(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "the request took too long").into_response(),
            },
            None => stranger(request.headers()),
        },
    };
    connection.is_answered();
    with_headers(answer)
}

fn with_headers(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A page that brings its own style says so itself.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    answer
}

fn stranger(headers: &HeaderMap) -> Response {
    const SAYS: &str = "this needs the token: open the address that the program printed when it started";
    let wants_page = headers
        .get(axum::http::header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if wants_page {
        return (StatusCode::UNAUTHORIZED, super::pages::note("No entry", SAYS)).into_response();
    }
    Problem::new(StatusCode::UNAUTHORIZED, SAYS).into_response()
}
