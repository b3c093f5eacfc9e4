//! The token that lets a browser in.

use std::hint::black_box;

use super::WebError;
use dryroll_sim::digest::hex;

/// 128 random bits of the operating system, as text.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A new one.
    pub fn draw() -> Result<Self, WebError> {
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes).map_err(WebError::Token)?;
        Ok(Self(hex(&bytes)))
    }

    /// As it is printed.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether the text is the token, compared in constant time.
    pub fn is(&self, offered: &str) -> bool {
        let (own, offered) = (self.0.as_bytes(), offered.as_bytes());
        own.len() == offered.len() && own.iter().zip(offered).fold(0, |all, (a, b)| black_box(all | (a ^ b))) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_is_itself_alone() {
        let (token, other) = (Token::draw().unwrap(), Token::draw().unwrap());
        assert_eq!(token.text().len(), 32);
        assert!(token.is(token.text()) && !token.is(other.text()));
        assert!(!token.is("") && !token.is(&token.text()[1..]) && !token.is(&format!("{}0", token.text())));
    }
}
