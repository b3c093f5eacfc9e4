//! How a part of the generated schema is read: as much of JSON Schema as the schema uses.

use serde_json::{Map, Value as Json};

/// A schema, or a part of it.
pub(in crate::scenario) type Part = Map<String, Json>;

/// The part that this one refers to, or else itself.
pub(in crate::scenario) fn resolve<'s>(definitions: Option<&'s Part>, part: &'s Part) -> &'s Part {
    let mut part = part;
    // The generated schema refers at most twice in a row.
    for _ in 0..8 {
        let Some(target) = refers_to(part) else { break };
        match definitions.and_then(|all| all.get(target)).and_then(Json::as_object) {
            Some(found) => part = found,
            None => break,
        }
    }
    part
}

/// The name of the definition that a part refers to.
pub(in crate::scenario) fn refers_to(part: &Part) -> Option<&str> {
    part.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix("#/$defs/"))
}

/// The names that a part lists, if it is of names alone.
pub(in crate::scenario) fn names_of(part: &Part) -> Option<Vec<&str>> {
    if let Some(names) = part.get("enum").and_then(Json::as_array) {
        return names.iter().map(Json::as_str).collect();
    }
    let choices = part.get("oneOf").and_then(Json::as_array)?;
    choices.iter().map(|choice| choice.get("const").and_then(Json::as_str)).collect()
}

/// The shapes that a part leaves the choice of.
pub(in crate::scenario) fn choices_of(part: &Part) -> Option<Vec<&Part>> {
    let choices = part.get("anyOf").or_else(|| part.get("oneOf"))?.as_array()?;
    choices.iter().map(Json::as_object).collect()
}

pub(in crate::scenario) fn is_type(part: &Part, name: &str) -> bool {
    part.get("type").and_then(Json::as_str) == Some(name)
}

pub(in crate::scenario) fn required_of(part: &Part) -> impl Iterator<Item = &str> {
    part.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}

/// What a number may be.
pub(in crate::scenario) struct Range<'s> {
    pub least: Option<&'s Json>,
    pub above: Option<&'s Json>,
    pub most: Option<&'s Json>,
    pub whole: bool,
}

impl<'s> Range<'s> {
    pub fn of(part: &'s Part) -> Self {
        Self {
            least: part.get("minimum"),
            above: part.get("exclusiveMinimum"),
            most: part.get("maximum"),
            whole: is_type(part, "integer"),
        }
    }

    pub fn holds(&self, number: f64) -> bool {
        let limit = |json: Option<&Json>| json.and_then(Json::as_f64);
        limit(self.least).is_none_or(|least| number >= least)
            && limit(self.above).is_none_or(|above| number > above)
            && limit(self.most).is_none_or(|most| number <= most)
    }

    /// The same for whole numbers, which a float cannot tell apart when they are large.
    pub fn holds_whole(&self, number: i128) -> bool {
        let limit = |json: Option<&Json>| json.and_then(Json::as_i64).map(i128::from);
        let most = self.most.and_then(|json| json.as_u64().map(i128::from).or_else(|| json.as_i64().map(i128::from)));
        limit(self.least).is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
    }

    pub fn text(&self) -> String {
        let kind = if self.whole { "a whole number" } else { "a number" };
        format!("{kind}{}", self.suffix())
    }

    /// What follows the kind of number: ` from 1 to 100`.
    pub fn suffix(&self) -> String {
        match (self.least.map(number), self.above.map(number), self.most.map(number)) {
            (Some(least), _, Some(most)) => format!(" from {least} to {most}"),
            (Some(least), _, None) => format!(", at least {least}"),
            (None, Some(above), Some(most)) => format!(" above {above}, at most {most}"),
            (None, Some(above), None) => format!(" above {above}"),
            (None, None, Some(most)) => format!(", at most {most}"),
            (None, None, None) => String::new(),
        }
    }
}

/// A number as people write it: `30`, not `30.0`.
pub(in crate::scenario) fn number(json: &Json) -> String {
    match json.as_f64() {
        Some(number) if number.fract() == 0.0 && !json.is_u64() => format!("{number:.0}"),
        _ => json.to_string(),
    }
}
