//! The server: its addresses, and the thread in which it answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::Sse;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::oneshot;

use super::WebError;
use super::connections::{Connection, Connections, Gate, LOOK};
use super::debrief::Debrief;
use super::guard::{Guard, guard};
use super::hosts::Hosts;
use super::log::Log;
use super::order::{ControlBody, DecideBody, EditBody, Order, Wish};
use super::pages;
use super::problem::Problem;
use super::stream;
use super::token::Token;
use dryroll_sim::json::fault;

/// The largest request body.
const MOST_BYTES: usize = 16 * 1024;
/// How long the last messages have to reach the browsers.
const FAREWELL: Duration = Duration::from_millis(250);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The shared state of the request handlers.
struct Shared {
    log: Arc<Log>,
    orders: Sender<Order>,
    briefing: Arc<Value>,
    debrief: OnceLock<Debrief>,
    has_begun: AtomicBool,
}

/// A server that answers in a thread of its own, until it is dropped.
pub struct Server {
    address: SocketAddr,
    token: Token,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens, and answers from now on. The orders of browsers come out of the receiver.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub fn start(bind: SocketAddr, log: Arc<Log>, briefing: Value) -> Result<(Self, Receiver<Order>), WebError> {
        let listen = |why| WebError::Listen { address: bind, why };
        let listener = TcpListener::bind(bind).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let token = Token::draw()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(WebError::Start)?;
        let (orders, receiver) = channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let shared = Arc::new(Shared {
            log,
            orders,
            briefing: Arc::new(briefing),
            debrief: OnceLock::new(),
            has_begun: AtomicBool::new(false),
        });
        let router = router(Arc::clone(&shared), Guard::new(Hosts::of(address), address.port(), token.clone()));
        let serve = move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let connections = Connections::default();
                let gate = Gate::new(listener, connections.clone());
                let service = router.into_make_service_with_connect_info::<Connection>();
                let serving = tokio::spawn(async move { axum::serve(gate, service).await });
                let watching = tokio::spawn(async move {
                    loop {
                        tokio::time::sleep(LOOK).await;
                        connections.close_late();
                    }
                });
                let _ = stopped.await;
                serving.abort();
                watching.abort();
            });
        };
        let thread = std::thread::Builder::new().name("web".into()).spawn(serve).map_err(WebError::Start)?;
        Ok((Self { address, token, shared, stop: Some(stop), thread: Some(thread) }, receiver))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The token that it wants.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token.text()
    }

    /// The address to open, with the token. Where it listens at every address of the machine, the one on loopback.
    #[must_use]
    pub fn url(&self) -> String {
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        format!("http://{address}/?token={}", self.token.text())
    }

    /// Shows the debrief of the drill, which is over.
    pub fn show_debrief(&self, report: &dryroll_report::model::drill::DrillReport) {
        if self.shared.debrief.set(Debrief::new(report)).is_ok() {
            self.shared.log.debrief_is_ready();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.log.close();
        std::thread::sleep(FAREWELL);
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn router(shared: Arc<Shared>, keeper: Guard) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::to("/app/approvals") }))
        .route("/app", get(|| async { Redirect::to("/app/approvals") }))
        .route("/app/approvals", get(pages::approvals))
        .route("/app/system/operations", get(pages::operations))
        .route("/app/debrief", get(debrief_page))
        .route("/assets/{name}", get(pages::asset))
        .route("/api/state", get(state))
        .route("/api/events", get(events))
        .route("/api/log", get(log))
        .route("/api/events.ndjson", get(event_lines))
        .route("/api/debrief", get(debrief))
        .route("/api/control", post(control))
        .route("/api/decide", post(decide))
        .route("/api/preview", post(preview))
        .fallback(pages::missing)
        .method_not_allowed_fallback(pages::other_method)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn_with_state(Arc::new(keeper), guard))
        .with_state(shared)
}

type Answer = Result<Response, Problem>;
type Body = Result<Bytes, BytesRejection>;

fn json(text: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

/// Reads a JSON body.
fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body has to be application/json"));
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {MOST_BYTES} bytes"))
        }
        _ => Problem::malformed("the body cannot be read"),
    })?;
    serde_json::from_slice(&body)
        .map_err(|error| Problem::malformed(format!("the body is not what it should be: {}", fault(&error))))
}

impl Shared {
    /// Sends an order to the console, and returns its reply.
    async fn order(&self, wish: Wish) -> Answer {
        let (reply, answer) = oneshot::channel();
        // Nobody takes orders when the drill is over.
        let over = || Problem::from(dryroll_study::drill::DrillError::Over);
        self.orders.send(Order { wish, reply }).map_err(|_| over())?;
        answer.await.map_err(|_| over())?.map(|value| json(value.to_string()))
    }

    fn debrief(&self) -> Result<&Debrief, Problem> {
        self.debrief
            .get()
            .ok_or_else(|| Problem::conflict("the debrief reveals the truth; it is available when the drill is over"))
    }
}

async fn control(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Answer {
    shared.order(read::<ControlBody>(&headers, body)?.wish()?).await
}

async fn decide(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Answer {
    shared.order(read::<DecideBody>(&headers, body)?.wish()?).await
}

async fn preview(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Answer {
    shared.order(read::<EditBody>(&headers, body)?.wish()?).await
}

async fn state(State(shared): State<Arc<Shared>>) -> Response {
    json(shared.log.snapshot(&shared.briefing).1)
}

/// The number that a query names, as in `?after=7`.
fn after(request: &Request) -> Result<Option<u64>, Problem> {
    let pairs = request.uri().query().unwrap_or_default().split('&');
    let Some(text) = pairs.filter_map(|pair| pair.strip_prefix("after=")).next() else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Problem::malformed("`after` is the number of an entry"))
}

async fn events(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    let last = request.headers().get(LAST_EVENT_ID);
    let seen = match last.map(|value| value.to_str().ok().and_then(|text| text.parse().ok())) {
        Some(Some(seq)) => Some(seq),
        Some(None) => return Err(Problem::malformed("Last-Event-ID is the number of an entry")),
        None => after(&request)?,
    };
    // The drill begins with its first spectator.
    if !shared.has_begun.swap(true, Ordering::SeqCst) {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { shared.order(Wish::Begin).await.map(drop) });
    }
    let stream = stream::events(Arc::clone(&shared.log), Arc::clone(&shared.briefing), seen);
    Ok(Sse::new(stream).into_response())
}

/// Entries after one, for a page that missed some.
async fn log(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    const AT_ONCE: usize = 1000;
    let entries = shared.log.after(after(&request)?.unwrap_or(0), AT_ONCE);
    let entries: Vec<String> = entries.iter().map(|entry| entry.json()).collect();
    Ok(json(format!("[{}]", entries.join(","))))
}

/// Every event so far, a line each.
async fn event_lines(State(shared): State<Arc<Shared>>) -> Response {
    let lines: String = shared.log.after(0, usize::MAX).iter().map(|entry| entry.lines()).collect();
    ([(CONTENT_TYPE, "application/x-ndjson")], lines).into_response()
}

async fn debrief(State(shared): State<Arc<Shared>>) -> Answer {
    shared.debrief().map(Debrief::json)
}

async fn debrief_page(State(shared): State<Arc<Shared>>) -> Response {
    match shared.debrief() {
        Ok(debrief) => debrief.page(),
        Err(problem) => (problem.status, pages::note("No debrief yet", &problem.says)).into_response(),
    }
}
