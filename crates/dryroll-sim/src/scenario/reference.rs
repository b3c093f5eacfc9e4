//! The reference of the scenario file as Markdown: every table and every key with its type, range and default. It is
//! made from the JSON Schema, so it says what editors and the checks say.

mod order;

use std::fmt::Write;

use serde_json::Value as Json;

use super::file::File;
use super::limits::MAX_SECONDS;
use super::schema::part::{self, Part, Range, choices_of, is_type, names_of, refers_to, required_of, resolve};
use super::schema::shared;

const BEGINNING: &str = "\
# Every key of a scenario

What `dryroll schema --markdown` prints: every key of a scenario file, from the types that read it. What the keys come to
together, and what a virtual instance does, is in [scenario.md](scenario.md).

A key that ends in `_sec` is in seconds, at most 1,000,000,000, to the nearest millisecond; one that ends in `_pct` is in
whole percent. Other whole numbers are 0 or more, and at most 4,294,967,295 (`seed`, `replicate`: what fits into 64 bits).
A *duration* is a number of seconds or a [distribution](#durations). A *rate* is a chance from 0 to 1, or [drawn](#rates) once
a replicate; so is a [*factor*](#factors). A default of *none* means that nothing is there.
A *share* is a text such as `\"25%\"`: above 0 and at most 100 %, with at most three decimals.
";

/// So many names still fit into a cell.
const INLINE: usize = 4;

/// The reference of every key of a scenario file, in Markdown.
#[must_use]
pub fn reference() -> String {
    let definitions = shared().get("$defs").and_then(Json::as_object);
    let mut writer = Writer { definitions, out: BEGINNING.to_owned(), listed: Vec::new(), drawn: Vec::new() };
    if let Some(file) = shared().as_object() {
        writer.table(&Heading::default(), file, order::keys_of::<File>());
    }
    writer.drawn();
    writer.out
}

/// Where a table stands in the file: its keys from the top, and whether it is one of a list.
#[derive(Clone, Debug, Default)]
struct Heading {
    path: Vec<String>,
    list: bool,
}

impl Heading {
    fn of(&self, key: &str, list: bool) -> Self {
        let path = self.path.iter().cloned().chain([key.to_owned()]).collect();
        Self { path, list }
    }

    fn text(&self) -> String {
        match (self.path.join("."), self.list) {
            (path, _) if path.is_empty() => "At the top".to_owned(),
            (path, true) => format!("`[[{path}]]`"),
            (path, false) => format!("`[{path}]`"),
        }
    }

    /// What the heading is linked to by: its letters, as GitHub takes them.
    fn link(&self) -> String {
        let anchor = if self.path.is_empty() { "at-the-top".to_owned() } else { self.path.concat() };
        format!("[{}](#{anchor})", self.text())
    }
}

/// What is a number, or a table with one key that names a distribution.
struct Drawn {
    /// Its name in the schema.
    definition: &'static str,
    name: &'static str,
    title: &'static str,
    /// How a key of its unit ends.
    unit: &'static str,
}

const DRAWN: [Drawn; 3] = [
    Drawn { definition: "Duration", name: "duration", title: "Durations", unit: "_sec" },
    Drawn { definition: "Rate", name: "rate", title: "Rates", unit: "" },
    Drawn { definition: "Factor", name: "factor", title: "Factors", unit: "" },
];

/// The name of the definition that a property refers to, also where it may be left out.
fn definition_of(property: &Part) -> Option<&str> {
    let choices = || choices_of(property).unwrap_or_default().into_iter();
    refers_to(property).or_else(|| choices().find_map(refers_to))
}

struct Writer<'s> {
    definitions: Option<&'s Part>,
    out: String,
    /// Names that stand in a list of their own, and a link to it.
    listed: Vec<(Vec<&'s str>, String)>,
    /// Definitions of what can be drawn, once a key has needed them.
    drawn: Vec<(&'static Drawn, &'s Part)>,
}

impl<'s> Writer<'s> {
    /// A table of the file, and then the tables in it.
    fn table(&mut self, heading: &Heading, part: &'s Part, first: &[&str]) {
        let Some(properties) = part.get("properties").and_then(Json::as_object) else { return };
        self.line(&format!("\n## {}\n", heading.text()));
        if let Some(text) = description(part) {
            self.line(&format!("{text}\n"));
        }
        self.line("| key | type | default | means |\n| --- | --- | --- | --- |");
        let rank = |name: &str| first.iter().position(|key| *key == name).unwrap_or(first.len());
        let mut keys: Vec<(&String, &Part)> =
            properties.iter().filter_map(|(key, part)| Some((key, part.as_object()?))).collect();
        keys.sort_by_key(|(key, _)| rank(key));
        let rollout = self.definitions.and_then(|all| all.get("Rollout")?.get("properties")?.as_object());
        if heading.path == ["policies"] {
            // Its other keys are those of [rollout], which stand there.
            keys.retain(|(key, _)| rollout.is_none_or(|keys| !keys.contains_key(*key)));
        }
        let mut inner = Vec::new();
        let mut lists = Vec::new();
        for (key, property) in keys {
            let kind = self.kind(heading, key, property, false, &mut inner, &mut lists);
            let required = required_of(part).any(|name| name == key);
            let (means, default) = self.said(property, required);
            self.line(&format!("| `{key}` | {} | {} | {} |", cell(&kind), cell(&default), cell(&means)));
        }
        for list in lists {
            self.line(&list);
        }
        for (heading, part, keys) in inner {
            self.table(&heading, part, keys);
        }
    }

    /// What a key means, and its default.
    fn said(&self, property: &'s Part, required: bool) -> (String, String) {
        let text = description(property).or_else(|| description(resolve(self.definitions, property)));
        let text = text.unwrap_or_default();
        let default = match property.get("default") {
            _ if required => "required".to_owned(),
            Some(Json::Array(items)) if items.is_empty() => "none".to_owned(),
            Some(Json::Object(_)) | None => {
                let is_table = is_type(resolve(self.definitions, property), "object");
                let without = if is_table { "may be left out" } else { "none" };
                let (means, default) = text.split_once("Left out: ").unwrap_or((&text, without));
                return (means.trim().to_owned(), default.trim().trim_end_matches('.').to_owned());
            }
            Some(default) => format!("`{}`", toml(default)),
        };
        (text, default)
    }

    /// What a value may be, in words. Tables that it may be go to `inner`, lists of names to `lists`.
    fn kind(
        &mut self,
        heading: &Heading,
        key: &str,
        property: &'s Part,
        many: bool,
        inner: &mut Vec<(Heading, &'s Part, &'static [&'static str])>,
        lists: &mut Vec<String>,
    ) -> String {
        let part = resolve(self.definitions, property);
        if let Some(names) = names_of(part) {
            return self.names(heading, key, part, names, lists);
        }
        if let Some(choices) = choices_of(part) {
            if choices.iter().any(|choice| is_type(resolve(self.definitions, choice), "object")) {
                let drawn =
                    definition_of(property).and_then(|name| DRAWN.iter().find(|drawn| drawn.definition == name));
                if let Some(drawn) = drawn {
                    if self.drawn.iter().all(|(known, _)| known.definition != drawn.definition) {
                        self.drawn.push((drawn, part));
                    }
                    return format!("[{}](#{})", drawn.name, drawn.title.to_lowercase());
                }
            }
            let mut kinds: Vec<String> = Vec::new();
            for choice in choices {
                let kind = self.kind(heading, key, choice, many, inner, lists);
                let again =
                    kind.strip_prefix("list of ").is_some_and(|items| kinds.last().is_some_and(|last| last == items));
                kinds.push(if again { "a list of them".to_owned() } else { kind });
            }
            return kinds.join("; or ");
        }
        match part.get("type").and_then(Json::as_str) {
            Some("object") => {
                let heading = heading.of(key, many);
                let link = heading.link();
                inner.push((heading, part, order::keys(refers_to(property).unwrap_or_default())));
                if many { format!("tables {link}") } else { format!("table {link}") }
            }
            Some("array") => match part.get("items").and_then(Json::as_object) {
                Some(items) if is_type(resolve(self.definitions, items), "object") => {
                    self.kind(heading, key, items, true, inner, lists)
                }
                Some(items) => format!("list of {}", self.kind(heading, key, items, true, inner, lists)),
                None => "list".to_owned(),
            },
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("integer" | "number") => numbers(key, part, many),
            _ if part.contains_key("pattern") => if many { "shares" } else { "share" }.to_owned(),
            _ => if many { "texts" } else { "text" }.to_owned(),
        }
    }

    /// One of some names: in the cell where they are few, and in a list below where there are many or each means
    /// something.
    fn names(
        &mut self,
        heading: &Heading,
        key: &str,
        part: &'s Part,
        names: Vec<&'s str>,
        lists: &mut Vec<String>,
    ) -> String {
        // A name with a dot is the long form of one without.
        let short: Vec<&str> = names.iter().copied().filter(|name| !name.contains('.')).collect();
        let inline = or(&short);
        let described: Vec<(&str, String)> = part
            .get("oneOf")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(|choice| Some((choice.get("const")?.as_str()?, description(choice.as_object()?)?)))
            .collect();
        if let Some((_, link)) = self.listed.iter().find(|(known, _)| *known == names) {
            return if short.len() <= INLINE { inline } else { format!("a name, as {link}") };
        }
        if described.is_empty() && short.len() <= INLINE {
            return inline;
        }
        let anchor = heading.path.concat();
        self.listed.push((names, format!("[`{key}`](#{anchor}) of `{}`", heading.path.join("."))));
        if described.is_empty() {
            lists.push(format!("\n`{key}` is {inline}."));
        } else {
            let rows: Vec<String> =
                described.iter().map(|(name, means)| format!("| `{name}` | {} |", cell(means))).collect();
            lists.push(format!("\n| `{key}` | means |\n| --- | --- |\n{}", rows.join("\n")));
        }
        if short.len() <= INLINE { inline } else { "a name, see below".to_owned() }
    }

    /// What durations, rates and factors can be.
    fn drawn(&mut self) {
        for drawn in &DRAWN {
            let part = self.drawn.iter().find(|(known, _)| known.definition == drawn.definition).map(|&(_, part)| part);
            if let Some(part) = part {
                self.forms(drawn, part);
            }
        }
    }

    fn forms(&mut self, drawn: &Drawn, part: &'s Part) {
        self.line(&format!("\n## {}\n", drawn.title));
        if let Some(text) = description(part) {
            self.line(&format!("{text}\n"));
        }
        self.line("| written as | means | with |\n| --- | --- | --- |");
        for choice in choices_of(part).unwrap_or_default() {
            let means = cell(&description(choice).unwrap_or_default());
            let named = choice.get("properties").and_then(Json::as_object).into_iter().flatten().next();
            let (written, with) = match named.and_then(|(name, part)| Some((name, part.as_object()?))) {
                None => ("…".to_owned(), numbers(drawn.unit, choice, false)),
                Some((name, part)) => match part.get("properties").and_then(Json::as_object) {
                    None => {
                        let items = part.get("items").and_then(Json::as_object);
                        let each = items.map(|items| numbers(drawn.unit, items, false)).unwrap_or_default();
                        (format!("{{ {name} = [ …, … ] }}"), format!("{each} each"))
                    }
                    Some(properties) => {
                        // In the order of the type, which the list of what is required keeps.
                        let is_required = |key: &&String| required_of(part).any(|name| name == *key);
                        let optional = properties.keys().filter(|key| !is_required(key)).map(String::as_str);
                        let keys = required_of(part).chain(optional);
                        let keys = keys.filter_map(|key| Some((key, properties.get(key)?.as_object()?)));
                        let (keys, with): (Vec<String>, Vec<String>) =
                            keys.map(|(key, part)| (format!("{key} = …"), parameter(key, part))).unzip();
                        (format!("{{ {name} = {{ {} }} }}", keys.join(", ")), with.join(" "))
                    }
                },
            };
            self.line(&format!("| `{written}` | {means} | {} |", cell(&with)));
        }
    }

    fn line(&mut self, text: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.out, "{text}");
    }
}

/// A number or numbers, with what they may be.
fn numbers(key: &str, part: &Part, many: bool) -> String {
    let mut range = Range::of(part);
    let is = |limit: Option<&Json>, number: f64| limit.and_then(Json::as_f64) == Some(number);
    let seconds = key.ends_with("_sec");
    // What the beginning of the page says of all of them is not said again.
    let usual = match (range.whole, seconds) {
        (true, _) => is(range.most, f64::from(u32::MAX)) || is(range.most, u64::MAX as f64),
        (false, true) => is(range.most, MAX_SECONDS),
        (false, false) => false,
    };
    if usual {
        range.most = None;
        range.least = range.least.filter(|least| !is(Some(least), 0.0));
    }
    let kind = match (seconds, key.ends_with("_pct"), range.whole) {
        (true, _, _) => "seconds",
        (_, true, _) => "percent",
        (_, _, true) if many => "whole numbers",
        (_, _, true) => "whole number",
        (_, _, false) if many => "numbers",
        (_, _, false) => "number",
    };
    format!("{kind}{}", range.suffix())
}

/// A parameter of a distribution, with what it may be.
fn parameter(key: &str, part: &Part) -> String {
    let text = description(part).unwrap_or_default();
    let unit = if text.contains(", in seconds") { "_sec" } else { key };
    let text = text.replace(", in seconds", "");
    format!("`{key}`: {}; {}.", text.trim_end_matches('.'), numbers(unit, part, false))
}

/// A description on one line.
fn description(part: &Part) -> Option<String> {
    part.get("description").and_then(Json::as_str).map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn or(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// A default as it would stand in the file.
fn toml(value: &Json) -> String {
    match value {
        Json::Number(_) => part::number(value),
        Json::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
