//! What a calibration says of its distributions: parameters, curves and evidence that go together.

use serde_json::{Map, Value};

use crate::checked::range::Range;
use crate::checked::{Reader, alike, list};

/// Holds an object with a distribution, its parameters or its curves against itself.
pub fn check(reader: &mut Reader, object: &Map<String, Value>) {
    if let Some(distribution) = object.get("distribution") {
        reader.below("distribution", |reader| drawn_from(reader, distribution));
        parameters(reader, object, distribution);
    }
    for key in ["staircase", "curve"] {
        if let Some(Value::Array(points)) = object.get(key) {
            reader.below(key, |reader| rising(reader, points));
        }
    }
    if let (Some(seen), Some(fit)) = (object.get("n").and_then(Value::as_f64), object.get("fit")) {
        for (place, candidate) in list(fit, "candidates").iter().enumerate() {
            evidence(reader, seen, place, candidate);
        }
    }
}

/// The names of a family's parameters in a report.
fn names(distribution: &Value) -> Vec<(&str, &Value)> {
    match distribution {
        Value::Object(family) => {
            let parameters = family.values().filter_map(Value::as_object).flatten();
            parameters.map(|(name, value)| (name.as_str(), value)).collect()
        }
        number @ Value::Number(_) => vec![("constant", number)],
        _ => Vec::new(),
    }
}

/// The values of a distribution, as a scenario file may have them.
fn drawn_from(reader: &mut Reader, distribution: &Value) {
    let mut hold = |at: String, value: &Value, range: Range| {
        if let Some(found) = value.as_f64().filter(|&found| !range.has(found)) {
            reader.fault(&at, found, range.says());
        }
    };
    match distribution {
        Value::Number(_) => hold(String::new(), distribution, Range::SETTING),
        Value::Object(families) => {
            for (family, of_it) in families {
                match of_it {
                    Value::Array(values) => values
                        .iter()
                        .enumerate()
                        .for_each(|(place, value)| hold(format!("/{family}/{place}"), value, Range::SETTING)),
                    Value::Object(parameters) => {
                        for (name, value) in parameters {
                            hold(format!("/{family}/{name}"), value, Range::SETTING);
                        }
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Parameters are those of the distribution.
fn parameters(reader: &mut Reader, object: &Map<String, Value>, distribution: &Value) {
    let known = names(distribution);
    let Some(Value::Array(listed)) = object.get("parameters") else { return };
    for (place, parameter) in listed.iter().enumerate() {
        let Some(name) = parameter.get("name").and_then(Value::as_str) else { continue };
        match known.iter().find(|(known, _)| *known == name) {
            None => {
                let known: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                reader.fault(&format!("/parameters/{place}/name"), format!("{name:?}"), known.join(", "));
            }
            Some((_, value)) => {
                let pair = (parameter.get("estimate").and_then(Value::as_f64), value.as_f64());
                if let (Some(estimate), Some(value)) = pair
                    && !alike(estimate, value)
                {
                    let allowed = format!("that of the distribution, which is {value}");
                    reader.fault(&format!("/parameters/{place}/estimate"), estimate, allowed);
                }
            }
        }
        for end in 0..2 {
            let at = format!("/ci/{end}");
            let found = parameter.pointer(&at).and_then(Value::as_f64).filter(|&end| !(0.0..=1e12).contains(&end));
            if let Some(found) = found {
                reader.fault(&format!("/parameters/{place}{at}"), found, "a number, 0 to 1e12");
            }
        }
    }
}

/// Points of a distribution function: times that do not go back, and shares that do not fall.
fn rising(reader: &mut Reader, points: &[Value]) {
    let mut before = (0.0, 0.0);
    for (place, point) in points.iter().enumerate() {
        let [Some(time), Some(share)] = [0, 1].map(|end| point.get(end).and_then(Value::as_f64)) else { continue };
        if !Range::SECONDS.has(time) || time < before.0 {
            let allowed = format!("{}, and no less than the one before, {}", Range::SECONDS.says(), before.0);
            reader.fault(&format!("/{place}/0"), time, allowed);
        }
        if !Range::SHARE.has(share) || share < before.1 && !alike(share, before.1) {
            let allowed = format!("{}, and no less than the one before, {}", Range::SHARE.says(), before.1);
            reader.fault(&format!("/{place}/1"), share, allowed);
        }
        before = (time, share);
    }
}

/// Schwarz's criterion is that of the likelihood, with the parameters of the family, and one more where some never end.
fn evidence(reader: &mut Reader, seen: f64, place: usize, candidate: &Value) {
    let number = |key: &str| candidate.get(key).and_then(Value::as_f64);
    let (Some(log), Some(bic)) = (number("log_likelihood"), number("bic")) else { return };
    let own = names(candidate.get("distribution").unwrap_or(&Value::Null)).len();
    // The count in a report is that of whole ends; of an end that counts by half it leaves out the half.
    let due = |parameters: usize, seen: f64| parameters as f64 * libm::log(seen) - 2.0 * log;
    let (least, most) = (due(own, seen), due(own + 1, seen + 1.0));
    let room = 1e-6 * bic.abs().max(1.0);
    if seen >= 1.0 && own > 0 && !(least - room..=most + room).contains(&bic) {
        let allowed = format!("{least} to {most} by its log_likelihood, {log}, and n, {seen}");
        reader.fault(&format!("/fit/candidates/{place}/bic"), bic, allowed);
    }
}
