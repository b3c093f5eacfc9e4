//! `drill --web` against its real server, spoken to in plain HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A drill whose pages are open; its process ends with it.
struct Served {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
    token: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }

    fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no error: {}", self.body)).to_owned()
    }
}

fn scenario(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(format!("{name}.toml"))
}

impl Served {
    fn start(name: &str, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dryroll"))
            .arg("drill")
            .arg(scenario(name))
            .arg("--web")
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            assert!(stdout.read_line(&mut line).expect("a line") > 0, "no address");
        }
        let url = line.trim().rsplit(' ').next().expect("an address");
        let (address, token) = url.trim_start_matches("http://").split_once("/?token=").expect("a token");
        Self { child, stdout, address: address.parse().expect("an address"), token: token.to_owned() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
        stream
    }

    /// Sends lines and a body as they are.
    fn raw(&self, first: &str, headers: &[String], body: &str) -> Answer {
        let mut stream = self.connect();
        let mut head = format!("{first} HTTP/1.1\r\nConnection: close\r\n");
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        // It may refuse before it has read all.
        let _ = write!(stream, "{head}\r\n{body}");
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        let body = if chunked { unchunked(body) } else { body.to_owned() };
        Answer { status, head: head.to_lowercase(), body }
    }

    fn host(&self) -> String {
        format!("Host: {}", self.address)
    }

    fn bearer(&self) -> String {
        format!("Authorization: Bearer {}", self.token)
    }

    fn get(&self, path: &str) -> Answer {
        self.raw(&format!("GET {path}"), &[self.host(), self.bearer()], "")
    }

    fn post(&self, path: &str, body: &str) -> Answer {
        let headers = [
            self.host(),
            self.bearer(),
            "Content-Type: application/json".into(),
            format!("Content-Length: {}", body.len()),
        ];
        self.raw(&format!("POST {path}"), &headers, body)
    }

    fn control(&self, what: &str) -> Answer {
        self.post("/api/control", &json!({ "do": what }).to_string())
    }

    fn state(&self) -> Value {
        self.get("/api/state").json()
    }

    fn decide(&self, request: &str, decide: &str) -> Answer {
        self.post("/api/decide", &json!({ "request": request, "decide": decide }).to_string())
    }

    /// Approves, continues whatever trips, and jumps from decision to decision.
    fn operate_to_the_end(&self) -> Value {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < Duration::from_secs(120), "it does not end");
            let state = self.state();
            if state["board"]["state"]["code"] == "finished" {
                if state["board"]["state"]["debrief"] == true {
                    return state;
                }
                // The debrief is the last entry.
                std::thread::sleep(Duration::from_millis(10));
                continue;
            }
            match state["board"]["request"]["key"].as_str() {
                Some(key) => {
                    let first = state["board"]["request"]["type"] == "rolling_upgrade";
                    self.decide(key, if first { "approve" } else { "continue_anyway" });
                }
                None => {
                    self.control("next_decision");
                }
            }
        }
    }

    fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    }

    /// Its exit code and what it said after the address.
    fn ended(mut self) -> (i32, String) {
        let mut said = String::new();
        let _ = self.stdout.read_to_string(&mut said);
        (self.child.wait().expect("an end").code().expect("a code"), said)
    }

    fn listen(&self, last: Option<u64>) -> Stream {
        let mut stream = self.connect();
        let last = last.map_or(String::new(), |last| format!("Last-Event-ID: {last}\r\n"));
        write!(stream, "GET /api/events HTTP/1.1\r\n{}\r\n{}\r\n{last}\r\n", self.host(), self.bearer()).expect("sent");
        Stream { reader: BufReader::new(stream), text: String::new(), has_head: false }
    }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 || rest.len() < size {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

/// A stream of server-sent events.
struct Stream {
    reader: BufReader<TcpStream>,
    text: String,
    has_head: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Message {
    kind: String,
    id: Option<u64>,
    data: Value,
}

impl Stream {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn next(&mut self) -> Message {
        if !self.has_head {
            assert!(self.line().contains("200"), "the stream is open");
            while !self.line().is_empty() {}
            self.has_head = true;
        }
        while !self.text.contains("\n\n") {
            let size = usize::from_str_radix(&self.line(), 16).expect("a chunk");
            let mut chunk = vec![0; size];
            self.reader.read_exact(&mut chunk).expect("a chunk");
            self.line();
            self.text.push_str(&String::from_utf8(chunk).expect("text"));
        }
        let (message, rest) = self.text.split_once("\n\n").expect("a message");
        let field = |name: &str| {
            message.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim_start().to_owned())
        };
        let message = Message {
            kind: field("event:").unwrap_or_default(),
            id: field("id:").and_then(|id| id.parse().ok()),
            data: serde_json::from_str(&field("data:").unwrap_or_default()).expect("JSON"),
        };
        self.text = rest.to_owned();
        message
    }

    /// The next ones but for the clock, up to an entry.
    fn up_to(&mut self, seq: u64) -> Vec<Message> {
        let mut all: Vec<Message> = Vec::new();
        while all.last().and_then(|message| message.id).is_none_or(|id| id < seq) {
            let message = self.next();
            if message.kind != "clock" {
                all.push(message);
            }
        }
        all
    }
}

#[test]
fn strangers_are_refused() {
    let served = Served::start("tutorial", &[]);
    let state = "GET /api/state";
    let own = || vec![served.host(), served.bearer()];
    let with = |header: &str| own().into_iter().chain([header.to_owned()]).collect::<Vec<_>>();

    assert_eq!(served.raw(state, &own(), "").status, 200);
    let nobody = served.raw(state, &[served.host()], "");
    assert_eq!(nobody.status, 401);
    assert!(nobody.error().contains("token"));
    for token in ["", "0", &"0".repeat(32), &served.token[1..]] {
        let answer = served.raw(state, &[served.host(), format!("Authorization: Bearer {token}")], "");
        assert_eq!(answer.status, 401, "{token}");
    }
    for path in ["/", "/app/approvals", "/assets/style.css", "/api/events", "/api/debrief", "/nothing"] {
        assert_eq!(served.raw(&format!("GET {path}"), &[served.host()], "").status, 401, "{path}");
    }

    let port = served.address.port();
    for host in [format!("evil.example:{port}"), "127.0.0.1:1".into(), "localhost".into(), format!("10.0.0.1:{port}")] {
        let answer = served.raw(state, &[format!("Host: {host}"), served.bearer()], "");
        assert_eq!(answer.status, 421, "{host}");
    }
    assert_eq!(served.raw(state, &[format!("Host: localhost:{port}"), served.bearer()], "").status, 200);
    assert_eq!(served.raw(state, &[served.bearer()], "").status, 400);
    assert_eq!(served.raw(state, &with(&served.host()), "").status, 400, "a second Host");
    assert_eq!(served.raw("GET http://evil.example/api/state", &own(), "").status, 421);

    for origin in ["null", "http://evil.example", &format!("https://127.0.0.1:{port}"), "http://127.0.0.1:1"] {
        assert_eq!(served.raw(state, &with(&format!("Origin: {origin}")), "").status, 403, "{origin}");
    }
    assert_eq!(served.raw(state, &with(&format!("Origin: http://{}", served.address)), "").status, 200);

    let welcome = served.raw(&format!("GET /app/system/operations?token={}", served.token), &[served.host()], "");
    assert_eq!(welcome.status, 303);
    assert!(welcome.head.contains("location: /app/system/operations\r\n"), "{}", welcome.head);
    assert!(welcome.head.contains("httponly; samesite=strict"), "{}", welcome.head);
    let cookie = format!("Cookie: other=1; dryroll-{port}={}", served.token);
    let page = served.raw("GET /app/system/operations", &[served.host(), cookie.clone()], "");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Active rolling upgrades") && !page.body.contains("{{"), "{}", page.body);
    assert_eq!(served.raw("GET /?token=wrong", &[served.host()], "").status, 401);

    for answer in [&page, &nobody, &welcome] {
        for header in ["content-security-policy: default-src 'none'", "x-content-type-options: nosniff"] {
            assert!(answer.head.contains(header), "{}", answer.head);
        }
        assert!(answer.head.contains("referrer-policy: no-referrer") && answer.head.contains("frame-ancestors 'none'"));
    }
}

#[test]
fn malformed_requests_are_told_what_is_wrong() {
    let served = Served::start("tutorial", &[]);
    let typed = |kind: &str, body: &str| {
        let headers = [served.host(), served.bearer(), kind.into(), format!("Content-Length: {}", body.len())];
        served.raw("POST /api/control", &headers, body).status
    };
    let pause = r#"{"do":"pause"}"#;
    assert_eq!(typed("Content-Type: application/json; charset=utf-8", pause), 200);
    for kind in ["X: y", "Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded"] {
        assert_eq!(typed(kind, pause), 415, "{kind}");
    }
    let nested = "[".repeat(10_000);
    for body in ["", "{", "[]", "null", "{\"do\":7}", "{\"do\":\"pause\",\"more\":1}", "\u{0}", &nested] {
        let answer = served.post("/api/control", body);
        assert_eq!(answer.status, 400, "{body:.40}");
        assert!(!answer.error().is_empty());
    }
    for (path, body) in [
        ("/api/control", json!({"do": "explode"})),
        ("/api/control", json!({"do": "speed"})),
        ("/api/control", json!({"do": "speed", "speed": 0})),
        ("/api/control", json!({"do": "speed", "speed": 100_001})),
        ("/api/control", json!({"do": "pause", "speed": 1})),
        ("/api/decide", json!({"request": "a-1.0", "decide": "shrug"})),
        ("/api/decide", json!({"request": "a-1.0", "decide": "approve", "batch_pct": 3})),
        ("/api/decide", json!({"request": "a-1.0", "decide": "edit"})),
        ("/api/decide", json!({"request": "a-1.0", "decide": "edit", "batch_pct": 101})),
        ("/api/decide", json!({"request": "a-1.0", "decide": "edit", "max_consecutive_failures": 0})),
        ("/api/preview", json!({"batch_pct": 0})),
    ] {
        let answer = served.post(path, &body.to_string());
        assert_eq!(answer.status, 422, "{path} {body}: {}", answer.body);
        assert!(answer.error().len() > 10);
    }
    let decide = |body: Value| served.post("/api/decide", &body.to_string()).status;
    assert_eq!(decide(json!({"request": "a-1.0", "decide": "abort"})), 409);
    assert_eq!(decide(json!({"request": "a-9.0", "decide": "approve"})), 409);
    assert_eq!(decide(json!({"request": "\u{202e}", "decide": "approve"})), 409);
    assert_eq!(served.post("/api/control", &" ".repeat(17_000)).status, 413);
    assert_eq!(served.get("/api/control").status, 405);
    assert_eq!(served.post("/api/state", "{}").status, 405);
    assert_eq!(served.get("/nothing").status, 404);
    assert_eq!(served.get("/assets/..%2f..%2fCargo.toml").status, 404);
    assert_eq!(served.get("/api/log?after=x").status, 400);
    let headers = [served.host(), served.bearer(), "Last-Event-ID: x".to_owned()];
    assert_eq!(served.raw("GET /api/events", &headers, "").status, 400);
    let debrief = served.get("/api/debrief");
    assert_eq!(debrief.status, 409);
    assert!(debrief.error().contains("when the drill is over"));
    assert_eq!(served.get("/app/debrief").status, 409);
    for garbage in ["\u{0}\u{1}\u{2}", "GET", "GET /\u{7f}", "\r\n\r\n\r\n"] {
        served.raw(garbage, &[], "");
    }
    // Nothing of it changed anything, and the server is as well as before.
    assert_eq!(served.state()["board"]["decisions"], json!([]));
}

#[test]
fn a_decision_on_an_older_question_is_refused_and_told_what_was_decided() {
    let served = Served::start("broken-rollback", &[]);
    let old = served.state()["board"]["request"]["key"].as_str().expect("a request").to_owned();
    let preview = served.post("/api/preview", r#"{"batch_pct":10}"#).json();
    assert_eq!(preview["plan"]["batch_size"], 5);
    let exposed = preview["plan"]["exposed_if_all_fail"].clone();
    let edit = json!({"request": old, "decide": "edit", "batch_pct": 10}).to_string();
    assert_eq!(served.post("/api/decide", &edit).status, 200);
    let late = served.decide(&old, "approve");
    assert_eq!(late.status, 409);
    assert!(late.error().starts_with("another window decided: `edit` on a-1"), "{}", late.error());
    let board = served.state()["board"].clone();
    assert_eq!(board["plan"], preview["plan"]);
    assert_eq!(board["heard"], Value::Null, "no trip waits");
    let new = board["request"]["key"].as_str().expect("asked anew").to_owned();
    assert_ne!(new, old);
    assert_eq!(served.decide(&new, "approve").status, 200);
    assert!(served.decide(&new, "reject").error().contains("another window decided: `approve`"));
    assert_eq!(served.control("next_decision").status, 200);
    let board = served.state()["board"].clone();
    assert_eq!(board["state"]["code"], "tripped");
    assert_eq!(board["breaker"], json!({"count": 2, "limit": 2}));
    assert_eq!(board["state"]["dispatched"], exposed);
    assert_eq!(board["request"]["failed_instance_ids"].as_array().map(Vec::len), Some(2));
    let heard = board["heard"]["lines"].as_array().expect("what is heard");
    assert_eq!(board["heard"]["at_ms"], board["request"]["asked_at_ms"]);
    assert!(heard[0].as_str().is_some_and(|line| line.starts_with("heartbeats of the last 1 min 30 s")), "{heard:?}");
    assert_eq!(served.control("next_decision").status, 409, "a request waits");
}

/// What a browser makes of the entries is what the server says at the end.
#[test]
fn ten_streams_tell_the_same_and_resume_where_they_were() {
    let served = Served::start("broken-rollback", &["--speed", "1000"]);
    let mut streams: Vec<Stream> = (0..10).map(|_| served.listen(None)).collect();
    let snapshots: Vec<Message> = streams.iter_mut().map(Stream::next).collect();
    assert!(snapshots.iter().all(|snapshot| snapshot.kind == "snapshot"));
    let state = served.operate_to_the_end();
    let end = served.state()["seq"].as_u64().expect("a number");
    assert!(end > 5);

    let first = served.listen(Some(0)).up_to(end);
    assert_eq!(
        first.iter().map(|message| message.id.expect("a number")).collect::<Vec<_>>(),
        (1..=end).collect::<Vec<_>>()
    );
    for (stream, snapshot) in streams.iter_mut().zip(&snapshots) {
        let seen = snapshot.id.expect("a number");
        assert_eq!(stream.up_to(end), first[seen as usize..]);
    }
    for from in [1, end / 2, end - 1] {
        assert_eq!(served.listen(Some(from)).up_to(end), first[from as usize..], "from {from}");
        let log = served.get(&format!("/api/log?after={from}")).json();
        let entries: Vec<&Value> = first[from as usize..].iter().map(|message| &message.data).collect();
        assert_eq!(log.as_array().expect("entries").iter().collect::<Vec<_>>(), entries);
    }
    // Who saw more than there is begins anew.
    assert_eq!(served.listen(Some(end + 1)).next().kind, "snapshot");

    let mut cells: Vec<char> = ".".repeat(50).chars().collect();
    let mut events = String::new();
    for message in &first {
        for patch in message.data["cells"].as_array().into_iter().flatten() {
            let start = patch[0].as_u64().expect("a position") as usize;
            for (place, letter) in patch[1].as_str().expect("letters").chars().enumerate() {
                cells[start + place] = letter;
            }
        }
        for event in message.data["events"].as_array().expect("events") {
            events.push_str(&event["at_ms"].to_string());
        }
    }
    assert_eq!(cells.iter().collect::<String>(), state["cells"].as_str().expect("cells"));
    let lines = served.get("/api/events.ndjson").body;
    let sent: String =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["at_ms"].to_string()).collect();
    assert_eq!(events, sent);
}

#[test]
fn a_slow_reader_holds_nobody_up_and_loses_nothing() {
    let served = Served::start("fleet-5000", &["--speed", "100000"]);
    let mut slow = served.listen(None);
    let state = served.operate_to_the_end();
    assert_eq!(state["board"]["state"]["code"], "finished");
    let end = served.state()["seq"].as_u64().expect("a number");
    let snapshot = slow.next();
    let missed = slow.up_to(end);
    let own = missed.iter().map(|message| message.id.expect("a number"));
    assert!(own.eq(snapshot.id.expect("a number") + 1..=end));
}

#[test]
fn the_record_plays_the_same_events_and_the_debrief_is_served_until_it_is_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let served = Served::start(
        "broken-rollback",
        &[
            "--speed",
            "2000",
            "--record",
            &path("decisions.json"),
            "--events",
            &path("events"),
            "--report",
            &path("report"),
        ],
    );
    served.operate_to_the_end();
    let lines = served.get("/api/events.ndjson").body;
    let began = Instant::now();
    let debrief = loop {
        let answer = served.get("/api/debrief");
        if answer.status == 200 {
            break answer;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{}", answer.body);
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(debrief.json()["schema"], "dryroll.drill/1");
    assert_eq!(served.get("/app/debrief").status, 200);
    assert!(served.control("pause").error().contains("over"));
    served.interrupt();
    let (code, said) = served.ended();
    assert_eq!(code, 0, "{said}");

    let read = |name: &str| std::fs::read_to_string(path(name)).expect("a file");
    assert_eq!(read("events"), lines);
    assert_eq!(serde_json::from_str::<Value>(&read("report")).expect("JSON"), debrief.json());
    let again = Command::new(env!("CARGO_BIN_EXE_dryroll"))
        .arg("drill")
        .arg(scenario("broken-rollback"))
        .args(["--decisions", &path("decisions.json"), "--events", &path("again"), "--quiet"])
        .output()
        .expect("the program");
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(read("again"), lines);
}

#[test]
fn an_interrupt_keeps_the_record_and_tells_the_browsers() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = folder.path().join("decisions.json");
    let served = Served::start("tutorial", &["--record", &record.display().to_string()]);
    let mut stream = served.listen(None);
    stream.next();
    let key = served.state()["board"]["request"]["key"].as_str().expect("a request").to_owned();
    assert_eq!(served.decide(&key, "approve").status, 200);
    served.interrupt();
    while stream.next().kind != "closed" {}
    assert_eq!(served.ended().0, 130);
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(record).expect("a file")).expect("JSON");
    assert_eq!(kept["decisions"][0]["decide"], "approve");
}

#[test]
fn the_clock_waits_for_the_first_browser() {
    let served = Served::start("tutorial", &["--speed", "100000"]);
    std::thread::sleep(Duration::from_millis(200));
    let clock = served.state()["clock"].clone();
    assert_eq!((&clock["clock_ms"], &clock["paused"]), (&json!(0), &json!(true)));
    let mut stream = served.listen(None);
    stream.next();
    let began = Instant::now();
    while served.state()["clock"]["paused"] == json!(true) {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not begin");
    }
}

fn refused(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_dryroll")).arg("drill").args(arguments).output().expect("the program");
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_cannot_be_served_is_said() {
    let tutorial = scenario("tutorial").display().to_string();
    let large = scenario("fleet-1000000").display().to_string();
    assert!(refused(&[&large, "--web"]).contains("1000000 instances are more than a browser is shown"));
    assert!(refused(&[&tutorial, "--web", "--decisions", "x"]).contains("--decisions"));
    assert!(refused(&[&tutorial, "--bind", "127.0.0.1:0"]).contains("--web"));
    assert!(refused(&[&tutorial, "--web", "--bind", "nowhere"]).contains("nowhere"));
    let served = Served::start("tutorial", &[]);
    let taken = refused(&[&tutorial, "--web", "--bind", &served.address.to_string()]);
    assert!(taken.contains("cannot listen at") && taken.contains("port 0"), "{taken}");
}
