//! Recently chosen entries in the browser's storage: keys and names, newest first.

use leptos::prelude::window;
use live::base;

const KEY: &str = "signalbox.chosen";
/// More than are shown, because some may no longer exist.
const MAX_RECENT: usize = 12;

/// Stored entries.
pub fn read() -> Vec<(String, String)> {
    let storage = window().local_storage().ok().flatten();
    let text =
        storage.and_then(|storage| storage.get_item(&base::scoped(KEY)).ok().flatten()).unwrap_or_default();
    text.lines().filter_map(|line| line.split_once('\t')).map(|(k, n)| (k.to_owned(), n.to_owned())).collect()
}

/// Moves an entry to the front.
pub fn note(key: &str, name: &str) {
    let others = read().into_iter().filter(|(known, _)| known != key).take(MAX_RECENT - 1);
    let all = std::iter::once((key.to_owned(), name.to_owned())).chain(others);
    let text: Vec<String> =
        all.map(|(key, name)| format!("{key}\t{}", name.replace(['\n', '\t'], " "))).collect();
    // Without storage there are no recent entries.
    if let Some(storage) = window().local_storage().ok().flatten() {
        let _ = storage.set_item(&base::scoped(KEY), &text.join("\n"));
    }
}
