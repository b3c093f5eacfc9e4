//! docs/reference.md is what `dryroll schema --markdown` prints, and it has every key of the schema, in its table, with
//! its default. `UPDATE_GOLDEN=1 cargo test --test suite reference::` writes it anew; read the difference.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_dryroll")).arg("schema").args(arguments).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_page_is_what_the_program_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let now = printed(&["--markdown"]);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(&path, &now).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page == now, "docs/reference.md is not what is printed; UPDATE_GOLDEN=1 writes it anew");
}

fn resolve<'s>(schema: &'s Value, mut part: &'s Value) -> &'s Value {
    while let Some(target) = part["$ref"].as_str() {
        part = schema.pointer(target.strip_prefix('#').unwrap()).unwrap();
    }
    part
}

/// The page's part under a heading.
fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
    rest.split("\n## ").next().unwrap()
}

/// Looks up every key of a table and of the tables in it; says how many.
fn look_up(page: &str, schema: &Value, part: &Value, path: &[&str], list: bool) -> usize {
    let name = path.join(".");
    let heading = match list {
        _ if path.is_empty() => "At the top".to_owned(),
        true => format!("`[[{name}]]`"),
        false => format!("`[{name}]`"),
    };
    let section = section(page, &heading);
    let required: Vec<&str> = part["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut count = 0;
    for (key, property) in part["properties"].as_object().unwrap() {
        count += 1;
        let row = section.lines().find(|line| line.starts_with(&format!("| `{key}` | ")));
        let row = row.unwrap_or_else(|| panic!("{heading} has no {key}"));
        let cells: Vec<&str> = row.split(" | ").collect();
        assert_eq!(cells.len(), 4, "{row}");
        let default = cells[2];
        match &property["default"] {
            _ if required.contains(&key.as_str()) => assert_eq!(default, "required", "{row}"),
            Value::Number(number) => {
                assert_eq!(default.trim_matches('`').parse::<f64>().ok(), number.as_f64(), "{row}");
            }
            Value::Bool(_) | Value::String(_) => {
                assert_eq!(default, format!("`{}`", property["default"]), "{row}");
            }
            Value::Array(items) if items.is_empty() => assert_eq!(default, "none", "{row}"),
            _ => assert!(!default.is_empty() && default != "required", "{row}"),
        }
        assert!(!cells[1].is_empty() && cells[3].len() > 3, "{row}");
        let property = resolve(schema, property);
        for name in property["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert!(name.contains('.') || page.contains(&format!("`{name}`")), "{heading} {key}: {name}");
        }
        for choice in property["oneOf"].as_array().into_iter().flatten() {
            let Some(name) = choice["const"].as_str() else { continue };
            assert!(page.contains(&format!("| `{name}` | ")), "{heading} {key}: {name}");
        }
        let items = resolve(schema, &property["items"]);
        if key == "policies" {
            // Its keys are those of `[rollout]`, which have their table.
            assert!(page.contains("It takes every key of `[rollout]`"), "{row}");
            continue;
        }
        let path: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
        if property["properties"].is_object() {
            count += look_up(page, schema, property, &path, false);
        } else if items["properties"].is_object() {
            count += look_up(page, schema, items, &path, true);
        }
    }
    count
}

#[test]
fn every_key_stands_in_its_table_with_its_default() {
    let (schema, page) = (serde_json::from_str(&printed(&[])).unwrap(), printed(&["--markdown"]));
    let keys = look_up(&page, &schema, &schema, &[], false);
    assert!(keys > 100, "{keys} keys");
}

#[test]
fn every_distribution_is_there_with_its_parameters() {
    let (schema, page): (Value, String) = (serde_json::from_str(&printed(&[])).unwrap(), printed(&["--markdown"]));
    let section = section(&page, "Durations");
    let choices = schema["$defs"]["Duration"].as_object().unwrap().values().find_map(Value::as_array).unwrap();
    assert!(choices.len() >= 6);
    for (name, part) in choices.iter().filter_map(|choice| choice["properties"].as_object()).flatten() {
        let row = section.lines().find(|line| line.starts_with(&format!("| `{{ {name} = ")));
        let row = row.unwrap_or_else(|| panic!("no {name}"));
        for key in part["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
            assert!(row.contains(&format!("{key} = …")) && row.contains(&format!("`{key}`: ")), "{row}");
        }
    }
}

/// The important keys come first, as the types have them, not by the alphabet.
#[test]
fn the_order_is_that_of_the_types() {
    let page = printed(&["--markdown"]);
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(place("## `[fleet]`") < place("## `[module]`") && place("## `[rollout]`") < place("## `[operator]`"));
    for heading in ["`[rollout]`", "`[[faults]]`", "`[[expect]]`", "`[[tune.limits]]`", "`[fleet.statuses]`"] {
        let keys: Vec<&str> = section(&page, heading).lines().filter_map(|line| line.strip_prefix("| `")).collect();
        assert!(!keys.is_sorted(), "{heading} is sorted by the alphabet, so its type is not in reference/order.rs");
    }
}
