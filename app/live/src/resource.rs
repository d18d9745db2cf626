//! Data that the server renders and the browser takes over from the document.

use leptos::prelude::Resource;
use leptos::server::codee::{Decoder, Encoder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;

/// Data from the server; in the first document, or requested by the page.
pub type Loaded<T> = Resource<T, Json>;

/// JSON as codec of a resource, read by the reader that the feed has as well.
pub struct Json;

impl<T: Serialize> Encoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, serde_json::Error> {
        serde_json::to_string(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for Json {
    type Error = json::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, json::Error> {
        json::from_str(text)
    }
}

/// Loads data: at once, and again when `source` changes.
pub fn load<S, T, Answer>(
    source: impl Fn() -> S + Send + Sync + 'static,
    fetch: impl Fn(S) -> Answer + Send + Sync + 'static,
) -> Loaded<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    Answer: Future<Output = T> + Send + 'static,
{
    Resource::new_with_options(source, fetch, false)
}
