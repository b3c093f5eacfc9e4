//! Numbers of instances and shares.

use super::super::diagnostic::quote;
use super::super::file::Amount;
use super::super::tree::Cursor;
use super::context::Reports;
use super::values::positive;
use dryroll_engine::{Share, Size};

/// A number or a share.
pub(super) fn size(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Amount) -> Size {
    match file {
        Amount::Count(count) => Size::Count(positive(*count)),
        Amount::Share(text) => Size::Share(share(reports, at, text)),
    }
}

/// Several of them, in turn.
pub(super) fn sizes(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &[Amount]) -> Vec<Size> {
    file.iter().enumerate().map(|(index, one)| size(reports, &at.item(index), one)).collect()
}

/// A share as it is written. What is none is told, and taken as the whole.
pub(super) fn share(reports: &mut Reports<'_>, at: &Cursor<'_>, text: &str) -> Share {
    read(text).unwrap_or_else(|wrong| {
        reports.add(at.value(), |mark| {
            let diagnostic = mark.say(format!("{} {}", quote(text), wrong.message()));
            diagnostic
                .allowed(
                    "a number without quotes, or a share above 0 % and at most 100 %, such as \"25%\" or \"0.125%\"",
                )
                .help_where(wrong.help(text))
        });
        Share::ALL
    })
}

/// Why a text is no share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    NoShare,
    NoSign,
    Decimals,
    Zero,
    TooMuch,
}

impl Wrong {
    fn message(self) -> &'static str {
        match self {
            Self::NoShare => "is no share",
            Self::NoSign => "is no share: the `%` is missing",
            Self::Decimals => "has more than three decimals",
            Self::Zero => "is a share of nothing",
            Self::TooMuch => "is more than the whole",
        }
    }

    fn help(self, text: &str) -> Option<String> {
        match self {
            Self::NoSign => {
                let number = text.trim();
                Some(match number.parse::<u32>() {
                    Ok(count) => format!("write {count} for a count, or \"{count}%\" for a share"),
                    Err(_) => format!("write \"{number}%\""),
                })
            }
            Self::NoShare => {
                let tight: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                read(&tight).ok().map(|share| format!("write \"{share}\""))
            }
            Self::Decimals => {
                let end = text.find('.').map_or(text.len(), |point| point + 4);
                text.get(..end)
                    .map(|cut| format!("{cut}%"))
                    .filter(|cut| read(cut).is_ok())
                    .map(|cut| format!("write \"{cut}\""))
            }
            Self::Zero | Self::TooMuch => None,
        }
    }
}

fn read(text: &str) -> Result<Share, Wrong> {
    let is_number = |text: &str| {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        [whole, part].iter().all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let Some(number) = text.strip_suffix('%') else {
        return Err(if is_number(text.trim()) { Wrong::NoSign } else { Wrong::NoShare });
    };
    if !is_number(number) {
        return Err(Wrong::NoShare);
    }
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if part.len() > 3 {
        return Err(Wrong::Decimals);
    }
    // What does not fit is far above 100.
    let thousandths = format!("{whole}{part:0<3}").parse().unwrap_or(u32::MAX);
    match thousandths {
        0 => Err(Wrong::Zero),
        _ => Share::from_thousandths(thousandths).ok_or(Wrong::TooMuch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_exactly() {
        for (text, thousandths) in
            [("5%", 5_000), ("0.1%", 100), ("0.001%", 1), ("33.333%", 33_333), ("100%", 100_000), ("007.50%", 7_500)]
        {
            assert_eq!(read(text).map(Share::thousandths), Ok(thousandths), "{text}");
        }
        for (text, wrong) in [
            ("", Wrong::NoShare),
            ("%", Wrong::NoShare),
            (".5%", Wrong::NoShare),
            ("5.%", Wrong::NoShare),
            ("-5%", Wrong::NoShare),
            ("+5%", Wrong::NoShare),
            ("5 %", Wrong::NoShare),
            ("1e1%", Wrong::NoShare),
            ("٥%", Wrong::NoShare),
            ("5", Wrong::NoSign),
            ("0.5", Wrong::NoSign),
            ("1.2345%", Wrong::Decimals),
            ("0%", Wrong::Zero),
            ("0.000%", Wrong::Zero),
            ("100.001%", Wrong::TooMuch),
            ("99999999999999999999%", Wrong::TooMuch),
        ] {
            assert_eq!(read(text), Err(wrong), "{text}");
            let _ = wrong.help(text);
        }
        assert_eq!(Wrong::NoShare.help("5 %").as_deref(), Some("write \"5%\""));
        assert_eq!(Wrong::Decimals.help("1.2345%").as_deref(), Some("write \"1.234%\""));
    }
}
