//! JSON reader of the browser. It reads the same documents as `serde_json`, into the same types, with half the code:
//! text becomes a tree first, so that no part of the parser is compiled once per type.
//!
//! Knows: JSON. Must not know: what the documents mean.

mod de;
mod error;
mod node;
mod number;
mod parse;

pub use error::Error;
pub use node::Node;
pub use number::float;
pub use parse::parse;

#[cfg(test)]
mod tests;

use serde::de::{Deserialize, DeserializeOwned};

/// Reads a value from JSON.
///
/// # Errors
/// When the text is no JSON, or no value of this type.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    from_node(&parse(text)?)
}

/// Reads a value from a parsed document. The value may borrow from it.
///
/// # Errors
/// When the document is no value of this type.
pub fn from_node<'de, T: Deserialize<'de>>(node: &'de Node<'de>) -> Result<T, Error> {
    T::deserialize(node)
}
