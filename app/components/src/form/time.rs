//! Control of a date, or of a time with its zone.

use super::control::Control;
use crate::reactive::{maybe, whole, word};
use form::Field;
use leptos::html::Input;
use leptos::prelude::*;

impl Control {
    /// Date picker, with a text field for a time and zone.
    pub(super) fn time(self, field: &Field) -> impl IntoView + use<> {
        let text = self.text;
        let typed = self.typed;
        let exact = RwSignal::new(false);
        let by_text = Memo::new(move |_| exact.get() || !is_day(&text.read()));
        let field = StoredValue::new(field.clone());
        let control = StoredValue::new(self);
        let input = whole(move || {
            let control = control.get_value();
            if by_text.get() {
                field.with_value(|field| control.line("text", field)).into_any()
            } else {
                control.day().into_any()
            }
        });
        let turn = move |_| {
            if by_text.get_untracked() {
                // Keeps the date of a time.
                let day: String = text.get_untracked().trim().chars().take(10).collect();
                if !is_day(&text.get_untracked()) {
                    typed.run(if is_day(&day) { day } else { String::new() });
                }
                exact.set(false);
            } else {
                exact.set(true);
            }
        };
        view! {
            <div class="timed">
                {input}
                <button type="button" class="link only-script" on:click=turn>
                    {word(move || if by_text.get() { "Date only" } else { "Add time" })}
                </button>
            </div>
        }
    }

    fn day(self) -> impl IntoView {
        let invalid = self.invalid();
        let Self { id, name, text, typed, described, .. } = self;
        let node = NodeRef::<Input>::new();
        // Only on a different value: setting it would clear a partly typed date.
        Effect::new(move |_| {
            let text = text.get();
            if let Some(input) = node.get()
                && input.value() != text
            {
                input.set_value(&text);
            }
        });
        view! {
            <input
                node_ref=node
                id=id
                name=name
                type="date"
                value=text.get_untracked()
                aria-invalid=invalid
                aria-describedby=maybe(move || described.get())
                on:input=move |event| typed.run(event_target_value(&event))
            />
        }
    }
}

/// Whether a date picker can show the text: a date, or empty.
fn is_day(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let text = text.trim();
    text.is_empty()
        || matches!(text.split('-').collect::<Vec<_>>()[..], [year, month, day]
            if year.len() == 4 && month.len() == 2 && day.len() == 2 && [year, month, day].iter().all(|p| digits(p)))
}

#[cfg(test)]
mod tests {
    use super::is_day;

    #[test]
    fn a_calendar_axis_shows_days_only() {
        assert!(is_day("2024-03-01") && is_day(" ") && is_day(""));
        assert!(
            ["2024-03-01T09:30:00Z", "2024", "yesterday", "24-3-1", "2024-0x-01"].iter().all(|t| !is_day(t))
        );
    }
}
