//! Button that makes a field vary.

use super::super::typed::Typed;
use super::{Varied, first_values, values_of};
use crate::reactive::text as text_of;
use form::Field;
use leptos::prelude::*;

/// Button that makes a field vary. Meanwhile the field's own text is the first of the values, so that other fields that
/// depend on it are shown; afterwards it is what it was.
pub fn vary_toggle(form: Typed, field: &Field, text: RwSignal<String>, varied: Varied) -> AnyView {
    let before = StoredValue::new(None::<String>);
    let field = StoredValue::new(field.clone());
    Effect::new(move |earlier: Option<()>| {
        let list = varied.get();
        if earlier.is_some() {
            field.with_value(|field| form.forgive(&field.name));
        }
        let first = field.with_value(|field| values_of(field, list.as_deref()?).ok()?.into_iter().next());
        if let Some(first) = first.filter(|first| text.with_untracked(|text| text != first)) {
            text.set(first);
        }
    });
    let turn = move |_| {
        if varied.with_untracked(Option::is_some) {
            varied.set(None);
            if let Some(before) = before.try_update_value(Option::take).flatten() {
                text.set(before);
            }
        } else {
            let now = text.get_untracked();
            let list = field.with_value(|field| first_values(field, &now));
            before.set_value(Some(now));
            varied.set(Some(list));
        }
    };
    let label = field.with_value(|field| format!("Vary {}", field.title));
    view! {
        <button
            type="button"
            class="vary-turn only-script"
            aria-label=label
            aria-pressed=text_of(move || varied.read().is_some().to_string())
            on:click=turn
        >
            "Vary"
        </button>
    }
    .into_any()
}
