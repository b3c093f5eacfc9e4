//! Lines broken between words, and titles that fill a row.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Theme;

/// How wide a text is on the screen.
pub fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// A text in lines of at most this width; all but the first are indented.
pub fn wrap(text: &str, most: usize, indent: usize) -> Vec<String> {
    let most = most.max(indent + 8);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut is_empty = true;
    for word in text.split(' ') {
        if !is_empty && width(&line) + 1 + width(word) > most {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

/// A text cut to a width, with a sign that it was.
pub fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if width(&kept) + width(letter.encode_utf8(&mut [0; 4])) >= most {
            break;
        }
        kept.push(letter);
    }
    kept.push('…');
    kept
}

/// A title with a rule to the end of its row.
pub fn title(text: &str, style: Style, columns: u16, theme: Theme) -> Line<'static> {
    let text = cut(text, usize::from(columns).saturating_sub(5));
    let rule = "─".repeat(usize::from(columns).saturating_sub(width(&text) + 4));
    Line::from(vec![
        Span::styled("── ", theme.dim()),
        Span::styled(text, style),
        Span::styled(format!(" {rule}"), theme.dim()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_between_words_and_cut_with_a_sign() {
        assert_eq!(wrap("one two three four", 10, 2), ["one two", "  three", "  four"]);
        assert_eq!(wrap("", 10, 0), [""]);
        assert_eq!(wrap("unbreakable-long-word x", 10, 0), ["unbreakable-long-word", "x"]);
        assert_eq!(cut("rollback", 6), "rollb…");
        assert_eq!(cut("rollback", 8), "rollback");
        assert_eq!(cut("rollback", 0), "…");
    }
}
