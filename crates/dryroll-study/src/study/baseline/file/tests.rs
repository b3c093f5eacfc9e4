use super::*;

const HASH: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn lines(scenario: &str) -> String {
    let policy = r#"{"batch_pct":20,"max_consecutive_failures":2,"health_timeout_sec":300,"rollback_batch_pct":20,"breaker_order":"observed","breaker_scope":"rollout","max_in_flight":null,"observe_after_sec":0,"previous_version_id":null}"#;
    format!(
        r#"{{"scenario":"{scenario}","hash":"{HASH}","world":"{HASH}","seed":18446744073709551615,"replicates":1000,"dryroll":"0.1.0","policy":{policy}}}
{{"scenario":"{scenario}","version":"v-2","digest":"{HASH}"}}
{{"scenario":"{scenario}","version":"v-2","fact":"duration_sec","mean":1234.567890123456,"variance":0.1,"n":1000}}
{{"scenario":"{scenario}","version":"v-2","fact":"trip_rate","hits":3,"n":1000}}
"#
    )
}

#[test]
fn what_is_written_is_read_and_sorted() {
    let (a, b) = (lines("a.toml"), lines("b.toml"));
    let baseline = Baseline::parse(&format!("{b}{a}")).unwrap();
    assert_eq!(baseline.text().unwrap(), format!("{a}{b}"));
    // A union merge may repeat lines, and uses the line ends of its system.
    let merged = format!("{a}{b}{a}\n").replace('\n', "\r\n");
    assert_eq!(Baseline::parse(&merged).unwrap(), baseline);
    assert_eq!(Baseline::parse("").unwrap(), Baseline::default());
}

#[test]
fn a_wrong_line_is_told_with_its_place_and_what_is_allowed() {
    let good = lines("a.toml");
    let with = |from: &str, to: &str| good.replacen(from, to, 1);
    for (text, line, says) in [
        (format!("{good}<<<<<<< HEAD\n"), 5, "merge"),
        (format!("=======\n{good}"), 1, "merge"),
        (format!("{good}hello\n"), 5, "`hello` is not a line"),
        (format!("{good}[1]\n"), 5, "JSON object"),
        (with("\"seed\"", "\"sed\""), 1, "there is no key `sed`"),
        (with("\"hits\":3", "\"hits\":1001"), 4, "at most `n`"),
        (with("\"fact\":\"trip_rate\"", "\"fact\":\"speed\""), 4, "allowed: trips"),
        (with("\"fact\":\"trip_rate\"", "\"fact\":7"), 4, "allowed: trips"),
        (with("\"replicates\":1000", "\"replicates\":0"), 1, "1 or more"),
        (with("\"replicates\":1000", "\"replicates\":999"), 3, "999 replicates"),
        (with("\"variance\":0.1", "\"variance\":null"), 3, "`variance`"),
        (with("\"variance\":0.1", "\"variance\":-1"), 3, "below 0"),
        (with("1234.567890123456", "-1"), 3, "`mean` of duration_sec is -1; allowed: a number, 0 or more"),
        (with("\"digest\":\"00", "\"digest\":\"xx"), 2, "64 digits"),
        (format!("{good}{}", lines("a.toml").replace("1234.5", "1234.6")), 7, "contradicts line 3"),
        (good.lines().skip(1).collect::<Vec<_>>().join("\n"), 1, "without a line"),
        (good.lines().filter(|line| !line.contains("digest")).collect::<Vec<_>>().join("\n"), 2, "without a line"),
    ] {
        let error = Baseline::parse(&text).unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.said.raw().contains(says), "{error}");
    }
}

proptest::proptest! {
    /// Any text parses to a baseline or to an error with a line.
    #[test]
    fn no_text_is_too_bad(text in "[{}\",:a-z0-9\\[\\]<=\n .-]{0,200}") {
        if let Err(error) = Baseline::parse(&text) {
            proptest::prop_assert!(error.line >= 1);
        }
    }
}
