//! A time budget as text: `60s`, `5m`, `1h`, `500ms`.

use std::time::Duration;

/// Parses a budget; the error says what is allowed.
pub fn budget(text: &str) -> Result<Duration, String> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let found = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let wrong = || format!("`{text}` is not a length of time; write a number above 0 with its unit: 60s, 5m or 1h");
    let (number, seconds) = found.ok_or_else(wrong)?;
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let budget = Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
    if budget.is_zero() { Err(wrong()) } else { Ok(budget) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_its_unit() {
        let read = |text| budget(text).map(|time| time.as_millis());
        assert_eq!(read("60s"), Ok(60_000));
        assert_eq!(read("1.5m"), Ok(90_000));
        assert_eq!(read("1h"), Ok(3_600_000));
        assert_eq!(read("500ms"), Ok(500));
        for wrong in ["", "60", "s", "-1s", "0s", "NaNs", "infs", "1e300h", "1d"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
