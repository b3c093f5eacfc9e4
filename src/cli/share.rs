//! Shares on the command line.

/// Parses a share from 0 to 1: a number, or a percentage.
///
/// # Errors
/// Text that is not a share; the message says what is allowed.
pub fn share(text: &str) -> Result<f64, String> {
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.trim().parse::<f64>().map(|number| number / whole);
    share.ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| {
        format!("`{text}` is not a share; write a number from 0 to 1, such as 0.01, or a percentage, such as 1%")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_percentages() {
        for (text, is) in [("0", 0.0), ("0.01", 0.01), ("1%", 0.01), ("2.5 %", 0.025), ("1", 1.0), ("100%", 1.0)] {
            assert_eq!(share(text), Ok(is), "{text}");
        }
        for text in ["", "%", "2", "101%", "-1%", "nan", "1%%", "a"] {
            assert!(share(text).is_err_and(|says| says.contains("from 0 to 1")), "{text}");
        }
    }
}
