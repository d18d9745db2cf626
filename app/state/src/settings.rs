//! Settings of the page, stored in the browser and set on the document. The shell's script applies them before the
//! first paint.

use leptos::prelude::*;

/// Stores a setting and sets it on the document; an empty value removes it.
pub fn store(name: &str, value: &str) {
    let Some(root) = document().document_element() else { return };
    let attribute = format!("data-{name}");
    // Without storage the setting lasts until the page is left.
    let storage = window().local_storage().ok().flatten();
    let key = format!("signalbox.{name}");
    if value.is_empty() {
        let _ = root.remove_attribute(&attribute);
        if let Some(storage) = storage {
            let _ = storage.remove_item(&key);
        }
    } else {
        let _ = root.set_attribute(&attribute, value);
        if let Some(storage) = storage {
            let _ = storage.set_item(&key, value);
        }
    }
}

/// Current value of a setting.
pub fn stored(name: &str) -> String {
    document()
        .document_element()
        .and_then(|root| root.get_attribute(&format!("data-{name}")))
        .unwrap_or_default()
}
