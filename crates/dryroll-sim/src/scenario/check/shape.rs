//! The shape of a file: a walk of its tree beside the schema, that tells everything that does not
//! fit, each at its place. It knows as much of JSON Schema as the generated schema uses.

use serde_json::Value as Json;

use super::super::diagnostic::{listing, nearest, quote};
use super::super::schema::part::{Part as Schema, Range, choices_of, is_type, names_of, required_of, resolve};
use super::super::tree::{Entry, Node, Value};
use super::context::Reports;
use crate::text::escaped;

/// How many keys of a table are looked at for one that is a misspelt other: enough for people.
const COMPARED: usize = 100;

/// Walks `root` beside `schema`, and tells what does not fit.
pub(in crate::scenario) fn check(root: &Node, schema: &Json, reports: &mut Reports<'_>) {
    let definitions = schema.get("$defs").and_then(Json::as_object);
    let Some(schema) = schema.as_object() else { return };
    Walk { definitions, reports }.node(root, schema, &At { key: None, name: "the scenario".into() });
}

struct Walk<'w, 'a> {
    definitions: Option<&'w Schema>,
    reports: &'w mut Reports<'a>,
}

/// Where the walk stands, for messages.
struct At<'t> {
    /// The entry whose value is looked at, or in whose list it stands.
    key: Option<&'t Entry>,
    /// What the value is called.
    name: String,
}

impl<'t> At<'t> {
    fn ends(&self, ends: &[&str]) -> bool {
        self.key.is_some_and(|entry| ends.iter().any(|end| entry.key.ends_with(end)))
    }

    /// Whether it is a share, 0 to 1.
    fn is_share(&self) -> bool {
        self.ends(&["_rate", "share", "fraction", "min_completed", "limit_tolerance", "good", "bad", "alpha", "beta"])
    }

    /// Whether it is a percentage.
    fn is_percent(&self) -> bool {
        self.ends(&["_pct"])
    }

    /// What to write where a share is meant as a percentage, or the other way round.
    fn instead_of(&self, found: &str) -> Option<String> {
        let found: f64 = found.parse().ok()?;
        if self.is_share() && found > 1.0 && found <= 100.0 {
            return Some(format!("it is a share, 0 to 1: for {found} % write {}", found / 100.0));
        }
        (self.is_percent() && found > 0.0 && found < 1.0).then(|| format!("it is in percent: write {}", percent(found)))
    }

    /// Where a table or list of that node is pointed at: its key where it stands in the text as one.
    fn place(&self, node: &Node) -> std::ops::Range<usize> {
        match self.key {
            // A brace or bracket says little; the key before it says what it is.
            Some(entry) if entry.node.span == node.span && node.span.len() <= 1 => entry.key_span.clone(),
            _ => node.span.clone(),
        }
    }

    fn of(entry: &'t Entry) -> Self {
        Self { key: Some(entry), name: quote(&entry.key) }
    }
}

impl<'w> Walk<'w, '_> {
    fn node(&mut self, node: &Node, schema: &'w Schema, at: &At<'_>) {
        let schema = resolve(self.definitions, schema);
        if let Some(names) = names_of(schema) {
            return self.name(node, &names, at);
        }
        if let Some(choices) = choices_of(schema) {
            return self.choice(node, &choices, at);
        }
        match schema.get("type").and_then(Json::as_str) {
            Some("object") => self.table(node, schema, at),
            Some("array") => self.list(node, schema, at),
            Some("string") => self.text(node, schema, at),
            Some("boolean") if !matches!(node.value, Value::Bool(_)) => self.wrong_kind(node, "true or false", at),
            Some("integer") => self.whole(node, schema, at),
            Some("number") => self.number(node, schema, at),
            _ => {}
        }
    }

    fn table(&mut self, node: &Node, schema: &'w Schema, at: &At<'_>) {
        let Value::Table(entries) = &node.value else {
            return self.wrong_kind(node, "a table", at);
        };
        let properties = schema.get("properties").and_then(Json::as_object);
        for entry in entries {
            match properties.and_then(|all| all.get(&entry.key)).and_then(Json::as_object) {
                Some(property) => self.node(&entry.node, property, &At::of(entry)),
                None => self.unknown_key(entry, properties, entries),
            }
        }
        for name in required_of(schema) {
            if entries.iter().any(|entry| entry.key == name) {
                continue;
            }
            // An unknown key that is spelt like it has been told, with this one as the help.
            let misspelt = entries.iter().take(COMPARED).any(|entry| {
                let known = properties.is_some_and(|all| all.contains_key(&entry.key));
                !known && properties.and_then(|all| nearest(&entry.key, all.keys().map(String::as_str))) == Some(name)
            });
            if !misspelt {
                self.missing_key(node, name, properties, at);
            }
        }
        let least = schema.get("minProperties").and_then(Json::as_u64).unwrap_or(0);
        if (entries.len() as u64) < least {
            self.reports.add(at.place(node), |mark| {
                mark.say(format!("{} changes nothing", at.name))
                    .label("empty")
                    .allowed(keys(properties))
                    .help("give at least one of these keys, or leave the whole out")
            });
        }
    }

    fn unknown_key(&mut self, entry: &Entry, properties: Option<&'w Schema>, siblings: &[Entry]) {
        self.reports.add(entry.key_span.clone(), |mark| {
            let diagnostic = mark.say(format!("unknown key {}", quote(&entry.key))).allowed(keys(properties));
            let free = properties.into_iter().flat_map(Schema::keys).map(String::as_str);
            match nearest(&entry.key, free) {
                Some(near) if siblings.iter().any(|sibling| sibling.key == near) => {
                    diagnostic.help(format!("remove it; `{near}` is given already"))
                }
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help("remove it, or move it to the table that it belongs to"),
            }
        });
    }

    fn missing_key(&mut self, node: &Node, name: &str, properties: Option<&'w Schema>, at: &At<'_>) {
        let property = properties.and_then(|all| all.get(name)).and_then(Json::as_object);
        let what = property.and_then(|one| one.get("description")).and_then(Json::as_str).map(one_line);
        let is_table =
            property.is_some_and(|one| resolve(self.definitions, one).get("type").is_some_and(|kind| kind == "object"));
        let is_list = property.is_some_and(|one| one.get("type").is_some_and(|kind| kind == "array"));
        self.reports.add(at.place(node), |mark| {
            let (message, help) = match (is_table, is_list && at.key.is_none()) {
                (true, _) => (format!("the table `{name}` is missing"), format!("add `[{name}]`")),
                (_, true) => (format!("no `{name}`"), format!("add at least one `[[{name}]]`")),
                _ => (format!("the key `{name}` is missing"), format!("add `{name} = …`")),
            };
            let help = what.map_or(help.clone(), |what| format!("{help}: {what}"));
            mark.say(message).label(format!("{} has no `{name}`", at.name)).help(help)
        });
    }

    fn list(&mut self, node: &Node, schema: &'w Schema, at: &At<'_>) {
        let Value::List(items) = &node.value else {
            return self.wrong_kind(node, "a list", at);
        };
        let least = schema.get("minItems").and_then(Json::as_u64).unwrap_or(0);
        let most = schema.get("maxItems").and_then(Json::as_u64);
        let count = items.len() as u64;
        if let Some(most) = most.filter(|most| count > *most || count < least) {
            self.reports.add(at.place(node), |mark| {
                let items = if count == 1 { "1 item".to_owned() } else { format!("{count} items") };
                mark.say(format!("{} has {items}", at.name)).allowed(format!("just {most} items"))
            });
        } else if count < least {
            self.reports.add(at.place(node), |mark| {
                mark.say(format!("{} is an empty list", at.name)).label("empty").allowed("at least one item")
            });
        }
        if let Some(schema) = schema.get("items").and_then(Json::as_object) {
            let inner = At { key: None, name: format!("an item of {}", at.name) };
            for item in items {
                self.node(item, schema, &inner);
            }
        }
    }

    fn text(&mut self, node: &Node, schema: &Schema, at: &At<'_>) {
        let Value::Text(text) = &node.value else {
            return self.wrong_kind(node, "a string", at);
        };
        let least = schema.get("minLength").and_then(Json::as_u64).unwrap_or(0);
        if least > 0 && text.trim().is_empty() {
            self.reports.add(node.span.clone(), |mark| {
                mark.say(format!("{} is empty", at.name))
                    .label("nothing in it")
                    .allowed("a text of at least one letter")
            });
        }
    }

    fn name(&mut self, node: &Node, names: &[&str], at: &At<'_>) {
        let Value::Text(text) = &node.value else {
            return self.wrong_kind(node, &format!("one of {}", listing(names.iter().copied())), at);
        };
        if names.contains(&text.as_str()) {
            return;
        }
        self.reports.add(node.span.clone(), |mark| {
            let message = format!("{} cannot be {}", at.name, quote(text));
            // A name with a dot is the long form of one without.
            let short = names.iter().copied().filter(|name| !name.contains('.'));
            let diagnostic = mark.say(message).allowed(listing(short));
            match nearest(text, names.iter().copied()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic,
            }
        });
    }

    fn whole(&mut self, node: &Node, schema: &Schema, at: &At<'_>) {
        let range = Range::of(schema);
        match node.value {
            Value::Int(number) if range.holds_whole(number) => {}
            Value::Int(number) => self.out_of_range(node, &number.to_string(), &range, at),
            _ => self.wrong_kind(node, &range.text(), at),
        }
    }

    fn number(&mut self, node: &Node, schema: &Schema, at: &At<'_>) {
        let range = Range::of(schema);
        let number = match node.value {
            Value::Int(number) => number as f64,
            Value::Float(number) => number,
            _ => return self.wrong_kind(node, &range.text(), at),
        };
        if !number.is_finite() {
            self.reports.add(node.span.clone(), |mark| {
                mark.say(format!("{} is not a finite number", at.name)).allowed(range.text())
            });
        } else if !range.holds(number) {
            self.out_of_range(node, &number.to_string(), &range, at);
        }
    }

    fn out_of_range(&mut self, node: &Node, found: &str, range: &Range<'_>, at: &At<'_>) {
        self.reports.add(node.span.clone(), |mark| {
            let found = if found.len() > 24 { "out of every range" } else { found };
            let diagnostic = mark.say(format!("{} is out of range", at.name)).label(format!("found {found}"));
            // How large a fleet is, is not known here.
            match at.key.map(|entry| entry.key.as_str()) {
                Some("count" | "size") => diagnostic
                    .allowed("a whole number from 1 to the `instances` of [fleet]")
                    .help("`count` × `size` is at most the `instances` of [fleet]"),
                _ => diagnostic.allowed(range.text()).help_where(at.instead_of(found)),
            }
        });
    }

    /// One of several shapes: which one is meant is told by what the node is, so that an error in
    /// it can be told at its own place.
    fn choice(&mut self, node: &Node, choices: &[&'w Schema], at: &At<'_>) {
        let resolved: Vec<&'w Schema> = choices.iter().map(|choice| resolve(self.definitions, choice)).collect();
        let tables: Vec<&'w Schema> = resolved.iter().copied().filter(|choice| is_type(choice, "object")).collect();
        if let Value::Float(number) = node.value
            && resolved.iter().any(|choice| is_share(choice))
        {
            return self.fraction_for_share(node, number, at);
        }
        if let Value::Table(entries) = &node.value {
            if !tables.is_empty() {
                return self.one_key_table(node, entries, &tables, at);
            }
        } else if let Some(choice) = resolved.iter().copied().find(|choice| admits(choice, node)) {
            return self.node(node, choice, at);
        }
        let mut kinds: Vec<String> = Vec::new();
        for choice in &resolved {
            let kind = match (names_of(choice), choice.get("type").and_then(Json::as_str)) {
                (Some(names), _) => format!("one of {}", listing(names)),
                (_, Some("object")) => table_with(&one_keys(&tables)),
                (_, Some("array")) => "a list".into(),
                (_, Some("string")) if is_share(choice) => A_SHARE.into(),
                (_, Some("string")) => "a string".into(),
                (_, Some("integer")) => "a whole number".into(),
                (_, Some("boolean")) => "true or false".into(),
                _ => "a number".into(),
            };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds.sort_by_key(|kind| kind.len());
        self.wrong_kind(node, &kinds.join(", or "), at);
    }

    /// A number with decimals where a count or a share is wanted.
    fn fraction_for_share(&mut self, node: &Node, number: f64, at: &At<'_>) {
        self.reports.add(node.span.clone(), |mark| {
            let diagnostic = mark
                .say(format!("{} has the wrong type", at.name))
                .label(format!("found {number:?}"))
                .allowed(format!("a whole number, or {A_SHARE}"));
            if number > 0.0 && number < 1.0 {
                diagnostic.help(format!("write \"{}%\"", percent(number)))
            } else if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number) {
                diagnostic.help(format!("write {number:.0}"))
            } else {
                diagnostic
            }
        });
    }

    fn one_key_table(&mut self, node: &Node, entries: &[Entry], tables: &[&'w Schema], at: &At<'_>) {
        let allowed = format!("a number, or {}", table_with(&one_keys(tables)));
        for entry in entries {
            let property = tables.iter().find_map(|table| table.get("properties")?.get(&entry.key)?.as_object());
            match property {
                Some(property) => self.node(&entry.node, property, &At::of(entry)),
                None => self.reports.add(entry.key_span.clone(), |mark| {
                    let diagnostic = mark.say(format!("unknown distribution {}", quote(&entry.key))).allowed(&*allowed);
                    match nearest(&entry.key, one_keys(tables)) {
                        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                        None => diagnostic,
                    }
                }),
            }
        }
        if let [] | [_, _, ..] = entries {
            let found = if entries.is_empty() { "no key" } else { "more than one key" };
            self.reports.add(at.place(node), |mark| {
                mark.say(format!("{} names not just one distribution", at.name)).label(found).allowed(&*allowed).help(
                    match one_keys(tables).first() {
                        Some(&"beta") => "for example `{beta = {mean = 0.03, concentration = 33}}`",
                        _ => "for example `{exponential = {mean = 30}}`",
                    },
                )
            });
        }
    }

    fn wrong_kind(&mut self, node: &Node, wanted: &str, at: &At<'_>) {
        self.reports.add(at.place(node), |mark| {
            let found = match &node.value {
                Value::Text(text) => format!("the string {}", quote(text)),
                Value::Float(number) if number.is_finite() => format!("{number:?}"),
                Value::Bool(truth) => truth.to_string(),
                _ => node.kind().to_owned(),
            };
            let diagnostic =
                mark.say(format!("{} has the wrong type", at.name)).label(format!("found {found}")).allowed(wanted);
            match &node.value {
                Value::Null => diagnostic.help("leave the key out instead"),
                Value::Table(_) if at.ends(&["brick_rate", "degrade_rate"]) => {
                    diagnostic.help("this rate is the same in every replicate: write a number")
                }
                Value::Table(entries) if entries.iter().any(|entry| entry.key == "beta") => {
                    diagnostic.help("`{beta = …}` belongs to a rate of [[versions]]; here the rate is a number")
                }
                Value::Table(_) if at.ends(&["breakers"]) => {
                    diagnostic.help("write `[[rollout.breakers]]`, one for each rule, or `breakers = [{…}]`")
                }
                Value::Text(text) if wanted == "a list" => diagnostic.help(format!("write [\"{}\"]", one_line(text))),
                Value::Text(text) if text.parse::<f64>().is_ok() || text == "true" || text == "false" => {
                    diagnostic.help("take the quotes off")
                }
                Value::Text(text) => match meant(text, at) {
                    Some(number) => diagnostic.help(format!("write {number}, without quotes")),
                    None => diagnostic,
                },
                Value::Float(number) if wanted.contains("whole") && number.fract() == 0.0 && number.abs() < 1e15 => {
                    diagnostic.help(format!("write {number:.0}"))
                }
                Value::Float(share) if at.is_percent() && (0.0..1.0).contains(share) => {
                    diagnostic.help(format!("it is in percent: write {}", percent(*share)))
                }
                _ => diagnostic,
            }
        });
    }
}

/// What to write for a text with a unit: `20%`, `5m`, `1h30m`.
fn meant(text: &str, at: &At<'_>) -> Option<String> {
    let text = text.trim();
    if let Some(number) = text.strip_suffix('%') {
        let number: f64 = number.trim().parse().ok()?;
        let share = number / 100.0;
        return Some(if at.ends(&["at_most", "at_least", "equals"]) {
            format!("{number} for a metric in percent, or {share} for a rate")
        } else if at.is_share() || at.ends(&["mean"]) {
            share.to_string()
        } else {
            number.to_string()
        });
    }
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number: f64 = rest.strip_suffix(unit)?.parse().ok()?;
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        seconds += number * seconds_of(unit[..end].trim())?;
        rest = &unit[end..];
    }
    (!text.is_empty()).then(|| seconds.to_string())
}

/// The seconds in one of a unit.
fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" => 0.001,
        "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    })
}

/// A share in percent, whole where it is one.
fn percent(share: f64) -> String {
    ((share * 1e6).round() / 1e4).to_string()
}

/// What is a share, for messages.
const A_SHARE: &str = "a share such as \"25%\"";

/// Whether a text is one with a `%`.
fn is_share(schema: &Schema) -> bool {
    is_type(schema, "string") && schema.contains_key("pattern")
}

/// Whether a node is of a schema's kind, right or wrong in itself.
fn admits(schema: &Schema, node: &Node) -> bool {
    match node.value {
        Value::Text(_) => is_type(schema, "string") || names_of(schema).is_some(),
        Value::Bool(_) => is_type(schema, "boolean"),
        Value::Int(_) | Value::Float(_) => is_type(schema, "number") || is_type(schema, "integer"),
        Value::List(_) => is_type(schema, "array"),
        Value::Table(_) => is_type(schema, "object"),
        Value::Null | Value::Datetime => false,
    }
}

/// The keys of the tables that have just one.
fn one_keys<'s>(tables: &[&'s Schema]) -> Vec<&'s str> {
    tables.iter().copied().flat_map(required_of).collect()
}

fn table_with(keys: &[&str]) -> String {
    match keys {
        [key] => format!("a table with the key {key}"),
        keys => format!("a table with one of the keys {}", listing(keys.iter().copied())),
    }
}

fn keys(properties: Option<&Schema>) -> String {
    listing(properties.into_iter().flat_map(Schema::keys).map(String::as_str))
}

fn one_line(text: &str) -> String {
    escaped(&text.replace('\n', " ")).into_owned()
}
