//! Tokens that a host accepts.

use http_wire::Token;
use parking_lot::RwLock;
use std::sync::Arc;

/// Tokens that a host accepts, each of them alone. Clones share them, so they can be replaced while the host runs:
/// accept the old and the new token, give the new one to the server, then remove the old one.
#[derive(Clone, Debug, Default)]
pub struct HostTokens(Arc<RwLock<Vec<Token>>>);

impl HostTokens {
    /// These tokens.
    pub fn new(tokens: impl IntoIterator<Item = String>) -> Self {
        let all = Self::default();
        all.replace(tokens);
        all
    }

    /// Accepts these tokens instead, from the next request on. Without any, no request is accepted.
    pub fn replace(&self, tokens: impl IntoIterator<Item = String>) {
        *self.0.write() = tokens.into_iter().map(Token::new).collect();
    }

    /// Whether a token is one of these. The time depends on the lengths and the number of tokens alone.
    pub(crate) fn accept(&self, given: &[u8]) -> bool {
        self.0.read().iter().fold(false, |found, token| token.matches(given) | found)
    }

    /// Whether there is no token, or one is empty.
    pub(crate) fn are_incomplete(&self) -> bool {
        let tokens = self.0.read();
        tokens.is_empty() || tokens.iter().any(Token::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_and_the_new_token_are_accepted_until_the_old_one_is_removed() {
        let tokens = HostTokens::new(["old".to_owned()]);
        let accepted = || ["old", "new", "", "ol"].map(|given| tokens.accept(given.as_bytes()));
        assert_eq!(accepted(), [true, false, false, false]);
        tokens.replace(["old", "new"].map(str::to_owned));
        assert_eq!(accepted(), [true, true, false, false]);
        tokens.replace(["new".to_owned()]);
        assert_eq!(accepted(), [false, true, false, false]);
        tokens.replace([]);
        assert_eq!(accepted(), [false; 4]);
        assert!(tokens.are_incomplete() && HostTokens::new(["a".to_owned(), String::new()]).are_incomplete());
    }
}
