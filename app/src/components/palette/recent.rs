//! What was chosen lately, kept in the browser: keys and names, the newest first.

use crate::base;
use leptos::prelude::window;

const KEY: &str = "signalbox.chosen";
/// Some more than are shown: not all of them can be found again.
const MOST: usize = 12;

/// What is kept.
pub fn read() -> Vec<(String, String)> {
    let storage = window().local_storage().ok().flatten();
    let text =
        storage.and_then(|storage| storage.get_item(&base::scoped(KEY)).ok().flatten()).unwrap_or_default();
    text.lines().filter_map(|line| line.split_once('\t')).map(|(k, n)| (k.to_owned(), n.to_owned())).collect()
}

/// Puts one first.
pub fn note(key: &str, name: &str) {
    let others = read().into_iter().filter(|(known, _)| known != key).take(MOST - 1);
    let all = std::iter::once((key.to_owned(), name.to_owned())).chain(others);
    let text: Vec<String> =
        all.map(|(key, name)| format!("{key}\t{}", name.replace(['\n', '\t'], " "))).collect();
    // A browser that keeps nothing offers nothing lately chosen.
    if let Some(storage) = window().local_storage().ok().flatten() {
        let _ = storage.set_item(&base::scoped(KEY), &text.join("\n"));
    }
}
