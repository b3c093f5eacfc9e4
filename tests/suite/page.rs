//! Pages and plots: whole, safe, readable without sight, and never a panic.
//!
//! `cargo test --test suite page:: -- --ignored` opens them in Chromium too.

use crate::common::html::{tags, texts};
use crate::common::reports;

use std::collections::BTreeSet;
use std::path::PathBuf;

use dryroll::report::html::{page, plots};
use dryroll::report::model::LimitText;
use dryroll::report::model::report::Report;
use dryroll::report::svg::Plot;
use dryroll::scenario::{Measure, Metric};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(value: &impl serde::Serialize) -> Report {
    let text = serde_json::to_vec(value).expect("JSON");
    Report::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// One of each kind, by name.
fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("sweep", read(&reports::sweep())),
        ("compare", read(&reports::compare())),
        ("tune", read(&reports::tune(true))),
        ("tune-without-answer", read(&reports::tune(false))),
        ("tune-with-posterior", read(&reports::tune_with_posterior())),
        ("calibration", read(&reports::calibration())),
        ("check", read(&reports::check())),
        ("run", read(&reports::run())),
        ("drill", read(&reports::drill())),
    ]
}

#[test]
fn a_page_is_whole_and_needs_nothing_else() {
    for (name, report) in all() {
        let html = page(&report);
        let tags = tags(&html);
        assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{name}");
        let count = |wanted: &str| tags.iter().filter(|tag| tag.name == wanted).count();
        assert_eq!((count("h1"), count("main"), count("title") - count("svg")), (1, 1, 1), "{name}");
        for forbidden in ["script", "link", "img", "iframe", "object", "embed", "base", "foreignObject", "image"] {
            assert_eq!(count(forbidden), 0, "{name} has a {forbidden}");
        }
        for tag in &tags {
            let forbidden = tag.attributes.iter().find(|(key, _)| key == "src" || key.starts_with("on"));
            assert_eq!(forbidden, None, "{name}: {}", tag.name);
            let target = tag.attribute("href").unwrap_or("#");
            assert!(target.starts_with('#'), "{name}: {target}");
        }
        assert!(!html.contains("@import") && !html.contains("url(http"), "{name}");
        assert!(!html.contains("http"), "{name} names a place in the network");
        let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.attribute("id")).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: an id twice");
        let named = tags.iter().flat_map(|tag| {
            let labels = tag.attribute("aria-labelledby").unwrap_or_default().split(' ').filter(|id| !id.is_empty());
            labels.chain(tag.attribute("href").and_then(|href| href.strip_prefix('#'))).collect::<Vec<_>>()
        });
        for id in named {
            assert!(unique.contains(id), "{name}: there is no {id}");
        }
        // Headings go down one by one.
        let levels: Vec<u32> =
            tags.iter().filter_map(|tag| tag.name.strip_prefix('h').and_then(|level| level.parse().ok())).collect();
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: {levels:?}");
    }
}

#[test]
fn every_plot_says_what_it_shows_and_has_its_numbers_in_a_table() {
    for (name, report) in all() {
        let plots = plots(&report);
        assert!(!plots.is_empty(), "{name}");
        let html = page(&report);
        for Plot { name: plot, title, description, table, .. } in &plots {
            assert!(
                !title.is_empty() && description.ends_with('.') && description.chars().any(|c| c.is_ascii_digit()),
                "{name} {plot}: {description}"
            );
            assert!(!table.rows.is_empty() && !table.caption.is_empty(), "{name} {plot}");
            assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{name} {plot}");
            assert!(html.contains(&format!("aria-labelledby=\"{plot}-title {plot}-desc\"")), "{name} {plot}");
        }
    }
}

/// What stands in a cell of a heat map stands in its table.
#[test]
fn the_table_of_a_heat_map_has_every_cell() {
    let report = read(&reports::sweep());
    let plots = plots(&report);
    let map = plots.iter().find(|plot| plot.name == "heat-trip-rate").expect("the map");
    let numbers: Vec<&str> = map.table.rows.iter().flat_map(|row| row[2..].iter().map(String::as_str)).collect();
    assert_eq!(numbers.len(), 60);
    for (number, cells) in [("31\u{202f}%", 10), ("4.3\u{202f}%", 10), ("0\u{202f}%", 10), ("99.5\u{202f}%", 30)] {
        assert_eq!(numbers.iter().filter(|found| **found == number).count(), cells, "{number}");
    }
    let front = plots.iter().find(|plot| plot.name == "pareto").expect("the front");
    assert_eq!(front.table.rows.len(), 30);
}

/// Where each policy stands to the limits is in the legend, in the shapes and in the table.
#[test]
fn the_plot_of_a_search_shows_limits_and_who_meets_them() {
    let mut report = reports::tune(true);
    report.limits.push(LimitText {
        says: "mean blast_radius_pct ≤ 20".into(),
        metric: Measure::Metric(Metric::BlastRadiusPct),
        versions: vec![reports::BAD.into()],
        bound_of_mean: Some(20.0),
        key: None,
    });
    let plots = plots(&read(&report));
    let plot = plots.iter().find(|plot| plot.name == "pareto").expect("the plot");
    for said in [
        "limit: mean blast_radius_pct ≤ 20",
        "recommended: ",
        "a limit surely does not hold, for 10 policies",
        "(recommended)",
    ] {
        assert!(plot.svg.contains(said), "{said}: {}", plot.svg);
    }
    assert!(plot.reading.contains("on no axis: false_trip_rate ≤ 0.02"), "{}", plot.reading);
    let stands = |wanted: &str| plot.table.rows.iter().filter(|row| row[1] == wanted).count();
    assert_eq!((stands("recommended"), stands("breaks a limit"), stands("slower")), (1, 10, 10));
}

#[test]
fn every_page_has_the_command_that_makes_it_again() {
    for (name, report) in all() {
        let html = page(&report);
        let command = if name == "calibration" { "dryroll calibrate" } else { "dryroll" };
        let again = html.split("Where this comes from").last().expect("where it comes from");
        assert!(again.contains(&format!("{command} ")), "{name}: {again}");
    }
}

/// The page of a run names the version, and lists the trips and the failed verdicts; both stand on the timeline too.
#[test]
fn the_page_of_a_run_shows_its_verdicts() {
    let mut run = reports::run();
    let timeline = reports::timeline("broken-rollback.toml");
    run["timeline"] = serde_json::to_value(&timeline).expect("JSON");
    run["version"] = "v-9.9".into();
    run["scenario"]["rates"]["v-9.9"] = json!({});
    let report = read(&run);
    let html = page(&report);
    let titles = texts(&html, "h1");
    let title = &titles[0];
    assert!(title.ends_with(": v-9.9"), "{title}");
    assert!(html.contains("When the breaker tripped, and what was decided") && html.contains("i-00008, i-00007"));
    let listed = html.matches("upgrade failed: the instance reported it").count();
    assert_eq!(listed, timeline.failures.iter().filter(|failure| failure.reason == "upgrade_failed").count());
    let plots = plots(&report);
    assert!(plots[0].svg.contains("verdict: upgrade failed") && plots[0].svg.contains(">failures<"));
}

#[test]
fn a_cell_without_data_is_drawn_as_such() {
    let mut sweep = reports::sweep();
    sweep.cells.remove(7);
    sweep.timelines.clear();
    let plots = plots(&read(&sweep));
    let map = plots.iter().find(|plot| plot.name == "heat-trip-rate").expect("the map");
    assert!(map.table.rows.iter().flatten().any(|cell| cell == "–"));
    assert!(map.svg.contains("url(#heat-trip-rate-none)\" rx"));
}

#[test]
fn hostile_names_stay_text() {
    for (name, report) in all() {
        let html = page(&report);
        assert!(html.contains("&lt;script&gt;"), "{name} shows the name");
        assert!(!html.contains("<script") && !html.contains("<svg onload"), "{name}");
        for plot in plots(&report) {
            let svg = plot.standalone();
            tags(&svg);
            assert!(!svg.contains("<script") && !svg.contains("<svg onload"), "{name} {}", plot.name);
            assert!(
                plot.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{}",
                plot.name
            );
        }
    }
}

#[test]
fn warnings_and_ties_are_told() {
    let tune = page(&read(&reports::tune(true)));
    assert!(tune.contains("27 % of the good rollouts complete"));
    let mut compare = reports::compare();
    // So few replicates that what does not vary has no interval.
    for contrast in &mut compare.comparisons[0].metrics {
        (contrast.ci, contrast.simultaneous_ci) = (None, None);
    }
    let compare = page(&read(&compare));
    assert!(
        compare.contains("no difference is decided; the same in every replicate that was met: false failures."),
        "{compare}"
    );
}

#[test]
fn sixty_cells_with_two_timelines_stay_below_a_megabyte() {
    let html = page(&read(&reports::sweep()));
    assert!(html.len() < 1_000_000, "{} bytes", html.len());
}

#[test]
fn the_same_report_makes_the_same_bytes() {
    for ((name, first), (_, second)) in all().iter().zip(&all()) {
        assert!(page(first) == page(second), "{name}");
    }
}

#[test]
fn a_file_of_its_own_has_both_schemes() {
    for plot in plots(&read(&reports::sweep())) {
        let svg = plot.standalone();
        assert!(svg.starts_with("<?xml") && svg.contains("xmlns=\"http://www.w3.org/2000/svg\""), "{}", plot.name);
        assert!(svg.contains("prefers-color-scheme:dark") && svg.contains("role=\"img\""), "{}", plot.name);
        assert!(!svg.contains("#F0F1"), "{}: a colour that stands for another", plot.name);
    }
}

#[test]
fn thousands_of_cells_are_capped_and_that_is_said() {
    let mut sweep = reports::sweep();
    sweep.timelines.clear();
    let timeouts: Vec<Value> = (1..=40).map(|i| json!(i * 30)).collect();
    let cells = std::mem::take(&mut sweep.cells);
    for timeout in &timeouts {
        for cell in &cells {
            let mut policy = serde_json::to_value(&cell.policy).expect("JSON");
            policy["health_timeout_sec"] = timeout.clone();
            let policy = serde_json::from_value(policy).expect("a policy");
            sweep.cells.push(dryroll::report::model::Cell { policy, ..cell.clone() });
        }
    }
    sweep.axes.push(dryroll::report::model::Axis { key: "health_timeout_sec".into(), values: timeouts });
    let report = read(&sweep);
    let html = page(&report);
    assert!(html.contains("Drawn are the first"), "it says so");
    assert!(html.len() < 4_000_000, "{} bytes", html.len());
}

/// Every leaf of a report in turn becomes something else: an error or a page, no panic.
#[test]
fn no_single_change_makes_it_panic() {
    let mut small = reports::sweep();
    small.cells.truncate(4);
    small.timelines.truncate(1);
    small.timelines[0].timeline.instances.truncate(2);
    let mut run = reports::run();
    run["timeline"]["instances"].as_array_mut().expect("rows").truncate(9);
    let mut tune = reports::tune_with_posterior();
    tune.candidates.truncate(3);
    tune.front.truncate(3);
    let mut drill = json!(reports::drill());
    drill["timeline"]["instances"].as_array_mut().expect("rows").truncate(9);
    let mut calibration = reports::calibration();
    for points in ["staircase", "curve"] {
        calibration["versions"][0]["upgrade_time"][points].as_array_mut().expect("points").truncate(5);
    }
    let values = [json!(small), json!(reports::compare()), json!(tune), run, drill, calibration];
    let odd = [
        json!(null),
        json!(-1),
        json!(0),
        json!(1e14),
        json!(4_000_000_000_u64),
        json!(""),
        json!([]),
        json!({}),
        json!(0.5),
    ];
    let mut pages = 0;
    for value in values {
        for (i, place) in leaves(&value, &mut Vec::new()).into_iter().enumerate() {
            // Long reports have many leaves alike.
            if i > 150 && i % 7 != 0 {
                continue;
            }
            let mut changed = value.clone();
            *changed.pointer_mut(&place).expect("the leaf") = odd[i % odd.len()].clone();
            if let Ok(report) = Report::parse(&serde_json::to_vec(&changed).expect("JSON")) {
                tags(&page(&report));
                pages += 1;
            }
        }
    }
    assert!(pages > 100, "{pages}");
}

/// The paths of all values in it.
fn leaves(value: &Value, path: &mut Vec<String>) -> Vec<String> {
    let here =
        || path.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect::<String>();
    let mut all = if path.is_empty() { Vec::new() } else { vec![here()] };
    let children: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(i, item)| (i.to_string(), item)).collect(),
        Value::Object(entries) => entries.iter().map(|(key, item)| (key.clone(), item)).collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        path.push(key);
        all.extend(leaves(child, path));
        path.pop();
    }
    all
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1e15), Just(-1e15), Just(1e-300), -1e3..1e3f64, 0.0..1.0f64]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_figures_have_a_page(numbers in prop::collection::vec(any_number(), 64), counts in prop::collection::vec(any::<u32>(), 0..30), text in "\\PC{0,40}") {
        let mut sweep = reports::sweep();
        sweep.timelines.clear();
        sweep.cells.truncate(8);
        let mut next = numbers.iter().copied().cycle();
        for cell in &mut sweep.cells {
            cell.version = text.as_str().into();
            for histogram in &mut cell.distributions {
                histogram.low = next.next().unwrap_or(0.0);
                histogram.width = next.next().unwrap_or(0.0).abs();
                histogram.counts = counts.iter().map(|&count| u64::from(count)).collect();
            }
            for (_, summary) in &mut cell.metrics.0 {
                if let dryroll::study::Summary::Figure(figure) = summary {
                    figure.mean = next.next();
                    figure.ci = Some(dryroll::stats::Interval::new(next.next().unwrap_or(0.0), next.next().unwrap_or(0.0)));
                }
            }
        }
        tags(&page(&Report::Sweep(Box::new(sweep))));
        let mut compare = reports::compare();
        for contrast in &mut compare.comparisons[0].metrics {
            contrast.a = next.next();
            contrast.difference = next.next();
        }
        tags(&page(&Report::Compare(Box::new(compare))));
        let mut drill = reports::drill();
        drill.version = text.as_str().into();
        drill.outcome = text.as_str().into();
        let mut figure = || next.next().unwrap_or(0.0);
        (drill.score.points, drill.score.cost_instance_min, drill.score.under_way_sec) = (figure(), figure(), figure());
        drill.debrief.time_to_detect_sec = Some(figure());
        for decision in &mut drill.decisions {
            decision.took_sec = figure();
        }
        for one in drill.counterfactuals.iter_mut().chain(&mut drill.plain_operators) {
            (one.score, one.cost_instance_min, one.waits_sec) = (figure(), figure(), figure());
            one.says.clone_from(&text);
        }
        tags(&page(&Report::Drill(Box::new(drill))));
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..4000) {
        drop(Report::read(&bytes));
        let whole = serde_json::to_vec(&reports::compare()).expect("JSON");
        prop_assert!(Report::read(&whole[..cut.min(whole.len() - 1)]).is_err());
    }
}

/// Where the pages are written to be looked at.
fn written() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, report) in all() {
        std::fs::write(folder.join(format!("{name}.html")), page(&report)).expect("a page");
        for plot in plots(&report) {
            std::fs::write(folder.join(format!("{name}-{}.svg", plot.name)), plot.standalone()).expect("a plot");
        }
    }
    folder
}

/// A browser takes the pages: no complaint, as wide as its window, every plot with a size.
#[test]
#[ignore = "needs chromium"]
fn chromium_shows_every_page() {
    let folder = written();
    for (name, report) in all() {
        for width in [1200, 400] {
            let profile = tempfile::tempdir().expect("a folder");
            let probe = folder.join(format!("{name}-probe.html"));
            // Measured in the page, and returned in its title.
            let script = "<script>addEventListener('load',()=>{const s=[...document.querySelectorAll('svg')];\
                document.title='PROBE '+s.filter(e=>e.getBoundingClientRect().width>200&&e.getBoundingClientRect().height>60).length\
                +' '+(document.documentElement.scrollWidth<=innerWidth)})</script></body>";
            std::fs::write(&probe, page(&report).replace("</body>", script)).expect("a page");
            let output = std::process::Command::new("chromium")
                .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--dump-dom"])
                .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
                .args(["--enable-logging=stderr", "--hide-scrollbars"])
                .arg(format!("--user-data-dir={}", profile.path().display()))
                .arg(format!("--window-size={width},900"))
                .arg(format!("file://{}", probe.display()))
                .output()
                .expect("chromium");
            let dom = String::from_utf8_lossy(&output.stdout);
            let log = String::from_utf8_lossy(&output.stderr);
            assert!(!log.contains("CONSOLE"), "{name}: {log}");
            let wanted = format!("PROBE {} true", plots(&report).len());
            assert!(dom.contains(&wanted), "{name} at {width}: no {wanted:?} in {}", dom.get(..600).unwrap_or(&dom));
        }
    }
}

/// The program with arguments and something on standard input: its exit code and what it said.
/// The report of a comparison, as the program writes it.
fn compared() -> Vec<u8> {
    let policies = ["--policy", "batch_pct=10", "--policy", "batch_pct=20"];
    let how = ["--versions", "v-1.26.0", "--replicates", "50", "--quiet", "--report", "-"];
    let arguments = [&["compare", "scenarios/tune.toml"], &policies[..], &how[..]].concat();
    let (code, report, said) = dryroll(&arguments, b"");
    assert_eq!(code, 0, "{said}");
    report.into_bytes()
}

fn dryroll(arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_dryroll"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    // The program may exit before it has read everything.
    drop(child.stdin.take().expect("a pipe").write_all(input));
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_command_writes_what_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let report = compared();
    std::fs::write(path("compare.json"), &report).expect("a report");

    let (code, page_there, _) = dryroll(&["report", "-"], &report);
    assert_eq!((code, page_there.starts_with("<!DOCTYPE html>")), (0, true));
    let (code, said, _) = dryroll(&["report", &path("compare.json"), "-o", &path("a.html")], b"");
    assert_eq!((code, said.trim()), (0, path("a.html").as_str()));
    assert_eq!(std::fs::read_to_string(path("a.html")).expect("the page"), page_there);
    let (code, said, _) = dryroll(&["report", &path("compare.json"), "--svg", &path("new/plots")], b"");
    assert_eq!((code, said.lines().count()), (0, said.matches(".svg\n").count()));
    assert!(said.matches(".svg\n").count() > 1, "{said}");
    for line in said.lines() {
        tags(&std::fs::read_to_string(line).expect("a plot"));
    }
    assert!(!folder.path().join("compare.html").exists(), "only plots were asked for");
}

#[test]
fn the_command_says_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = compared();
    let mut empty = reports::sweep();
    empty.cells.clear();
    let empty = serde_json::to_vec(&empty).expect("JSON");
    let path = folder.path().join("r.json").display().to_string();
    std::fs::write(&path, &report).expect("a report");
    for (arguments, input, code, said) in [
        (vec!["report", "-"], &report[..100], 2, "it is not JSON: EOF"),
        (vec!["report", "-"], b"{\"schema\": \"dryroll.sweep/9\"}", 2, "accepted are dryroll.run/1"),
        (vec!["report", "-"], &empty, 4, "it has no cells"),
        (vec!["report", "no-such-file.json"], b"", 2, "cannot read no-such-file.json"),
        (vec!["report", "-", "-o", "/no/such/folder/a.html"], &report, 3, "cannot write"),
        (vec!["report", "-", "--svg", "/dev/null/plots"], &report, 3, "cannot write"),
        (vec!["report", &path, "-o", &path], b"", 2, "the page would take its place"),
    ] {
        let (got, stdout, stderr) = dryroll(&arguments, input);
        assert_eq!(got, code, "{arguments:?}: {stderr}");
        assert!(stderr.contains(said) && stdout.is_empty(), "{arguments:?}: {stderr}");
    }
}
