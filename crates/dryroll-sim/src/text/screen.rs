//! The last gate before a terminal.

use std::io::{self, Write};

use super::{acts, push};

/// The longest sequence of a colour that is waited for.
const LONGEST: usize = 32;

/// Passes letters, line ends and colours (`ESC [ … m`), and shows everything else that a terminal would act on as
/// escapes. Foreign text should be escaped before it comes here: this gate cannot know where a line end comes from.
#[derive(Debug)]
pub struct Screen<W: Write> {
    out: W,
    /// The beginning of a letter or of a colour whose rest is still to come.
    begun: Vec<u8>,
}

impl<W: Write> Screen<W> {
    /// A gate before `out`.
    pub fn new(out: W) -> Self {
        Self { out, begun: Vec::new() }
    }

    /// Passes complete sequences; passes everything if no more input comes.
    fn pass(&mut self, bytes: &[u8], is_all: bool) -> io::Result<()> {
        let joined;
        let mut rest = if self.begun.is_empty() {
            bytes
        } else {
            self.begun.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.begun);
            &joined[..]
        };
        let mut said = String::with_capacity(rest.len());
        while let Some((&first, after)) = rest.split_first() {
            if first == 0x1b {
                match colour(rest) {
                    Sequence::Whole(length) => {
                        let (sequence, more) = rest.split_at(length);
                        said.extend(sequence.iter().map(|&byte| char::from(byte)));
                        rest = more;
                        continue;
                    }
                    Sequence::Begun if !is_all => break,
                    Sequence::Begun | Sequence::Other => {
                        push(&mut said, '\u{1b}');
                        rest = after;
                        continue;
                    }
                }
            }
            let end = rest.iter().position(|&byte| byte == 0x1b).unwrap_or(rest.len());
            let (run, more) = rest.split_at(end);
            match std::str::from_utf8(run) {
                Ok(text) => {
                    letters(&mut said, text);
                    rest = more;
                }
                Err(error) => {
                    let (whole, broken) = run.split_at(error.valid_up_to());
                    letters(&mut said, std::str::from_utf8(whole).unwrap_or_default());
                    let bad = error.error_len();
                    if bad.is_none() && !is_all && more.is_empty() {
                        rest = broken;
                        break;
                    }
                    said.push(char::REPLACEMENT_CHARACTER);
                    rest = rest.get(whole.len() + bad.unwrap_or(broken.len())..).unwrap_or_default();
                }
            }
        }
        self.begun = rest.to_vec();
        self.out.write_all(said.as_bytes())
    }
}

fn letters(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '\n' => out.push('\n'),
            letter if acts(letter) => push(out, letter),
            letter => out.push(letter),
        }
    }
}

enum Sequence {
    /// A colour of so many bytes.
    Whole(usize),
    /// May become one.
    Begun,
    /// Something else.
    Other,
}

/// What begins with an escape character.
fn colour(bytes: &[u8]) -> Sequence {
    for (place, byte) in bytes.iter().enumerate().skip(1) {
        match (place, byte) {
            (1, b'[') => {}
            (1, _) => return Sequence::Other,
            (_, b'm') => return Sequence::Whole(place + 1),
            (_, b'0'..=b'9' | b';') if place < LONGEST => {}
            _ => return Sequence::Other,
        }
    }
    Sequence::Begun
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pass(bytes, false)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass(&[], true)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Through the gate in pieces of each size, with the same end.
    fn passed(text: &[u8]) -> String {
        let mut seen: Option<Vec<u8>> = None;
        for size in 1..=text.len().max(1) {
            let mut out = Vec::new();
            let mut screen = Screen::new(&mut out);
            for piece in text.chunks(size) {
                screen.write_all(piece).unwrap();
            }
            screen.flush().unwrap();
            drop(screen);
            assert_eq!(*seen.get_or_insert_with(|| out.clone()), out, "pieces of {size}");
        }
        String::from_utf8(seen.unwrap()).unwrap()
    }

    #[test]
    fn colours_and_lines_pass_and_nothing_else_does() {
        for (text, said) in [
            ("\u{1b}[1;31mred\u{1b}[0m 版本\n", "\u{1b}[1;31mred\u{1b}[0m 版本\n"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{1b}]0;t\u{7}", "\\u{1b}]0;t\\u{7}"),
            ("\u{1b}", "\\u{1b}"),
            ("\u{1b}\u{1b}[0m", "\\u{1b}\u{1b}[0m"),
            ("a\rb\u{9b}2J\u{202e}", "a\\rb\\u{9b}2J\\u{202e}"),
            ("", ""),
        ] {
            assert_eq!(passed(text.as_bytes()), said);
        }
        assert_eq!(passed(b"a\xffb\xe7\x89"), "a\u{fffd}b\u{fffd}");
    }
}
