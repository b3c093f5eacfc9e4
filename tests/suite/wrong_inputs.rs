//! An error in an input names its file, its line and the remedy; the rest of a folder is checked all the same.

use crate::common::folder::{Folder, said};

const RULE: &str = "[[expect]]\nmetric = \"outcome\"\nequals = \"completed\"\n";

fn scenario(more: &str) -> String {
    format!(
        "[fleet]\ninstances = 4\n[[versions]]\nid = \"v1\"\n[[versions]]\nid = \"v2\"\n[rollout]\ntarget_version_id = \"v2\"\n\
         [reconciler]\npolicy = \"auto_approve\"\n{more}"
    )
}

#[test]
fn a_folder_is_checked_but_for_what_is_wrong_or_none() {
    let good = scenario(RULE);
    let folder = Folder::with(&[
        ("f/a-good.toml", &good),
        ("f/b-wrong.toml", &good.replace("instances", "instanzes")),
        ("f/c-broken.toml", "[fleet\n"),
        ("f/d-rule.toml", &scenario("[[expect]]\nmetric = \"escape_rate\"\nat_most = 0.1\n")),
        ("f/e-good.toml", &good),
        ("f/Cargo.toml", "[package]\nname = \"x\"\n"),
        ("f/empty.toml", ""),
        ("f/notes.json", "{\"rollouts\": [1, 2]}"),
        ("f/jsonc.json", "{ // not JSON\n}"),
        ("f/report.json", "{\"schema\": \"dryroll.sweep/1\", \"fleet\": {}}"),
    ]);
    let printed = folder.check("f --report r.json --junit j.xml");
    assert_eq!(printed.code, Some(2), "{}{}", printed.out, printed.error);
    let report = folder.report("r.json");
    let files = |key: &str| {
        let list = report[key].as_array().cloned().unwrap_or_default();
        let file =
            |one: &serde_json::Value| one["file"].as_str().or(one.as_str()).map(ToOwned::to_owned).expect("a file");
        list.iter().map(file).collect::<Vec<_>>()
    };
    assert_eq!(files("scenarios"), ["f/a-good.toml", "f/e-good.toml"]);
    assert_eq!(files("wrong"), ["f/b-wrong.toml", "f/c-broken.toml", "f/d-rule.toml"]);
    let none = ["f/Cargo.toml", "f/empty.toml", "f/jsonc.json", "f/notes.json", "f/report.json"];
    assert_eq!(files("not_scenarios"), none);
    assert_eq!(report["passed"], false);
    assert!(
        printed.error.contains("f/b-wrong.toml:2:1") && printed.error.contains("f/c-broken.toml:1"),
        "{}",
        printed.error
    );
    assert!(printed.error.ends_with("3 scenarios are wrong; the other 2 were checked\n"), "{}", printed.error);
    assert!(
        printed.out.contains("2 passed") && printed.out.contains("not checked: 5 files that are not scenarios"),
        "{}",
        printed.out
    );
    assert!(folder.read("j.xml").contains("f/b-wrong.toml is a scenario"));
    // What is named is meant.
    let printed = folder.check("f/Cargo.toml");
    assert_eq!(printed.code, Some(2), "{}{}", printed.out, printed.error);
}

/// However TOML or JSON names the fleet or the rollout, a file that cannot be read is a wrong scenario.
#[test]
fn a_scenario_with_a_slip_of_the_pen_is_never_passed_over() {
    let good = scenario(RULE);
    for (name, text) in [
        ("dotted.toml", "name = \"n\"\n fleet . instances = 20x\n"),
        ("rollout.toml", "rollout.batch_pct = 2O\n"),
        ("inline.toml", "fleet = { instances = 20x }\n"),
        ("quoted.toml", "\"fleet\".instances = 20x\n"),
        ("single.toml", "[ 'rollout' ]\nbatch_pct = 20x\n"),
        ("open.toml", "fleet { instances = 20 }\n"),
        ("mark.toml", "\u{feff}[fleet]\ninstances = 20x\n"),
        ("mark.json", "\u{feff}{\"fleet\": {\"instances\": 20x}}"),
        ("colon.json", "{\"fleet\"  {\"instances\": 20}}"),
        ("bare.json", "{fleet: {instances: 20}}"),
        ("single.json", "{\"seed\": 1, 'rollout': {}}"),
    ] {
        let folder = Folder::with(&[("f/a.toml", &good), (&format!("f/{name}"), text)]);
        let told = folder.check("f");
        assert_eq!(told.code, Some(2), "{name}: {}{}", told.out, told.error);
        assert!(told.error.contains(&format!("f/{name}:")), "{name}: {}", told.error);
    }
    for (name, text) in [
        ("Cargo.toml", "[package]\nname = \"x\ndescription = \"of a fleet\"\n"),
        ("notes.json", "{\"notes\": \"of the fleet: all\""),
    ] {
        let folder = Folder::with(&[("f/a.toml", &good), (&format!("f/{name}"), text)]);
        let told = folder.check("f");
        assert_eq!(told.code, Some(0), "{name}: {}{}", told.out, told.error);
    }
}

#[test]
fn errors_name_the_line_and_what_to_do() {
    let no_permission = scenario(RULE).replace("[reconciler]\n", "[reconciler]\npermission = false\n");
    let tune = |more: &str| scenario(&format!("[tune]\n{more}\n"));
    let bad = "id = \"bad\"\ndefective = true\n";
    let folder = Folder::with(&[
        ("none.toml", &scenario("")),
        ("permission.toml", &no_permission),
        ("goal.toml", &tune("minimise = \"time_to_detect_sec\"")),
        ("good.toml", &(tune("good = \"bad\"") + "[[versions]]\n" + bad)),
        ("limit.toml", &tune("limits = [{ metric = \"trips\", equals = 1 }]")),
    ]);
    std::fs::write(folder.path("latin1.json"), b"{\n\"schema\": \"\xe9\"}").expect("written");
    for (arguments, place, help) in [
        ("tune none.toml", "none.toml:1:1", "[tune] and below it limits"),
        ("tune goal.toml", "goal.toml:12:1", "remove it"),
        ("tune good.toml", "good.toml:12:1", "without `defective = true`"),
        ("tune limit.toml", "limit.toml:12:1", "harmed_pct"),
        ("plan permission.toml", "permission.toml:10:1", "`permission = true`"),
        ("run permission.toml", "permission.toml:10:1", "`permission = true`"),
        ("sweep permission.toml", "permission.toml:10:1", "`permission = true`"),
        (
            "compare permission.toml --policy batch_pct=1 --policy batch_pct=2",
            "permission.toml:10:1",
            "`permission = true`",
        ),
        ("check permission.toml", "permission.toml:10:1", "`permission = true`"),
        ("drill none.toml --decisions latin1.json", "latin1.json: line 2", "saved as UTF-8"),
        ("check permission.toml none.toml --baseline latin1.json", "permission.toml:10:1", "`permission = true`"),
        ("check none.toml --baseline latin1.json", "latin1.json: line 2", "saved as UTF-8"),
    ] {
        let output = folder.command(arguments).output().expect("it runs");
        let error = said(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {error}");
        assert!(error.contains(place) && error.contains(help), "{arguments}: {error}");
    }
}
