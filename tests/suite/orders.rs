//! Policies that differ in the order of the plan alone are distinguished wherever they are named.

use crate::common::folder::{Folder, said};

const SCENARIO: &str = r#"
seed = 3
[fleet]
instances = 12
zones = 3
[[versions]]
id = "v-1"
[[versions]]
id = "v-2"
[[versions]]
id = "v-bad"
defective = true
failure_rate = 0.5
[[classes]]
id = "rack"
zone = 1
versions = ["v-2"]
failure_rate = 0.2
[rollout]
target_version_id = "v-2"
batch_pct = 50
[reconciler]
policy = "auto_approve"
[tune]
good = "v-2"
defective = ["v-bad"]
batch_pct = [50]
max_consecutive_failures = [4]
order = ["listed", "by_zone"]
limits = [{metric = "false_trip_rate", at_most = 0.9}]
"#;

fn run(folder: &Folder, arguments: &str) -> String {
    let printed = folder.run(arguments);
    assert!(printed.status.success(), "{arguments}: {}{}", said(&printed.stdout), said(&printed.stderr));
    said(&printed.stdout)
}

#[test]
fn a_comparison_names_the_order_on_the_terminal_on_its_page_and_in_its_record() {
    let folder = Folder::with(&[("s.toml", SCENARIO)]);
    let printed = run(
        &folder,
        "compare s.toml --policy order=listed --policy order=shuffled --replicates 50 --versions v-2 --report c.json",
    );
    assert!(printed.contains("A  order = listed") && printed.contains("B  order = shuffled"), "{printed}");
    run(&folder, "report c.json --html c.html");
    let page = folder.read("c.html");
    assert!(page.contains("order listed") && page.contains("order shuffled"));
    let record = run(&folder, "learn c.json");
    assert!(record.contains("order=listed") && record.contains("order=shuffled"), "{record}");
    let facts = record.split("Facts: ").nth(1).expect("facts");
    assert!(facts.contains(", order=listed") || facts.contains(", order=shuffled"), "{facts}");
    // Where both have the fleet's order, it is not said.
    let printed = run(
        &folder,
        "compare s.toml --policy batch_pct=25 --policy batch_pct=50 --replicates 50 --versions v-2 --report d.json",
    );
    assert!(!printed.contains("order = "), "{printed}");
    assert!(!folder.read("d.json").contains("\"order\""));
    run(&folder, "report d.json --html d.html");
    assert!(!folder.read("d.html").contains("order listed"));
}

#[test]
fn a_heat_map_has_the_cells_of_the_fleets_order() {
    let folder = Folder::with(&[("s.toml", SCENARIO)]);
    run(
        &folder,
        "sweep s.toml --set order=listed,shuffled --max-consecutive-failures 2..4 --versions v-2 --replicates 50 --report s.json",
    );
    run(&folder, "report s.json --html s.html");
    let page = folder.read("s.html");
    assert!(page.contains("How often the breaker trips: 6 cells"), "the heat map has not all cells");
}

#[test]
fn a_search_names_the_order_of_its_answer_and_says_that_it_is_a_lever() {
    let folder = Folder::with(&[("s.toml", SCENARIO)]);
    let printed = run(&folder, "tune s.toml --replicates 500 --report t.json");
    assert!(printed.contains("order listed") || printed.contains("order by_zone"), "{printed}");
    let lever = "`order` in [rollout] is a lever here";
    assert!(printed.contains(lever), "{printed}");
    run(&folder, "report t.json --html t.html");
    let page = folder.read("t.html");
    assert!(page.contains("listed") && page.contains("by zone") && page.contains("is a lever here"));
    let record = run(&folder, "learn t.json");
    assert!(record.contains("order=") && record.contains(lever), "{record}");
}

#[test]
fn a_changed_order_is_compared_by_a_command_that_runs() {
    let listed = SCENARIO
        .replace("failure_rate = 0.2", "failure_rate = 0.7")
        .replace("batch_pct = 50\n[rec", "batch_pct = 50\nbreaker_order = \"listed\"\n[rec");
    let folder = Folder::with(&[("s.toml", &listed)]);
    run(&folder, "check s.toml --baseline b --accept --baseline-replicates 1000");
    let by_zone = "breaker_order = \"listed\"\norder = \"by_zone\"\n";
    folder.write("s.toml", &listed.replace("breaker_order = \"listed\"\n", by_zone));
    let printed = said(&folder.run("check s.toml --baseline b").stdout);
    assert!(printed.contains("order \"listed\" → \"by_zone\""), "{printed}");
    let command = printed.lines().find(|line| line.contains("dryroll compare")).unwrap_or_default();
    assert!(command.contains("--policy order=listed"), "{printed}");
    let arguments = command.trim().trim_start_matches("dryroll ").replace(" --policy ''", "");
    run(&folder, &format!("{arguments} --policy order=by_zone"));
}
