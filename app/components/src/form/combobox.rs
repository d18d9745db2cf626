//! Text field with a list of known values: chosen by mouse or key, or typed freely. Follows the combobox pattern of the
//! ARIA Authoring Practices Guide.

use super::control::Control;
use super::typed::Offer;
use crate::moment::Ago;
use crate::reactive::{mark, maybe, spoken, text as text_of, whole, yes};
use leptos::prelude::*;
use web_sys::KeyboardEvent;

/// Position and value of each offer that fits what is typed. Until something is typed, all of them.
fn fitting(offers: &[Offer], typed: &str, searching: bool) -> Vec<usize> {
    let wanted = last_part(typed).to_lowercase();
    let fits = |offer: &Offer| !searching || offer.value.to_lowercase().contains(&wanted);
    (0..offers.len()).filter(|place| fits(&offers[*place])).collect()
}

/// Whether the only value that fits is typed already.
fn says_all(offers: &[Offer], fitting: &[usize], typed: &str) -> bool {
    matches!(fitting, [only] if offers.get(*only).is_some_and(|offer| offer.value == last_part(typed)))
}

/// What is being typed: in a list with commas, its last part.
fn last_part(typed: &str) -> &str {
    typed.rsplit(',').next().unwrap_or_default().trim()
}

/// The text with a chosen value: in a list with commas, instead of its last part.
fn with_choice(typed: &str, value: &str) -> String {
    match typed.rsplit_once(',') {
        Some((before, _)) => format!("{before}, {value}"),
        None => value.to_owned(),
    }
}

/// Next active option: one down or up, round the ends.
fn step(fitting: &[usize], active: Option<usize>, down: bool) -> Option<usize> {
    let last = fitting.len().checked_sub(1)?;
    let at = active.and_then(|active| fitting.iter().position(|place| *place == active));
    let next = match (at, down) {
        (None, true) => 0,
        (None, false) => last,
        (Some(at), true) => {
            if at == last {
                0
            } else {
                at + 1
            }
        }
        (Some(at), false) => at.checked_sub(1).unwrap_or(last),
    };
    fitting.get(next).copied()
}

impl Control {
    /// Line of text; with known values, a combobox.
    pub(super) fn combobox(self) -> impl IntoView + use<> {
        let invalid = self.invalid();
        let Self { id, name, text, typed, described, offers, .. } = self;
        let open = RwSignal::new(false);
        // Whether the list is filtered by what is typed.
        let searching = RwSignal::new(false);
        let active = RwSignal::new(None::<usize>);
        let any = Memo::new(move |_| !offers.read().is_empty());
        let found = Memo::new(move |_| fitting(&offers.read(), &text.read(), searching.get()));
        let shown = Memo::new(move |_| {
            open.get()
                && !found.read().is_empty()
                && !(searching.get() && says_all(&offers.read(), &found.read(), &text.read()))
        });
        let close = move || {
            open.try_set(false);
            active.try_set(None);
        };
        let unfold = move |search: bool| {
            searching.set(search);
            active.set(None);
            open.set(any.get_untracked());
        };
        let choose = move |place: usize| {
            let value = offers.with_untracked(|offers| offers.get(place).map(|offer| offer.value.clone()));
            if let Some(value) = value {
                typed.run(text.with_untracked(|text| with_choice(text, &value)));
            }
            close();
        };
        let pressed = move |event: KeyboardEvent| match event.key().as_str() {
            key @ ("ArrowDown" | "ArrowUp") if any.get_untracked() => {
                event.prevent_default();
                if !shown.get_untracked() {
                    unfold(false);
                }
                let down = key == "ArrowDown";
                active.update(|active| *active = step(&found.get_untracked(), *active, down));
            }
            "Enter" if shown.get_untracked() && !event.ctrl_key() && !event.meta_key() => {
                if let Some(place) = active.get_untracked() {
                    event.prevent_default();
                    choose(place);
                }
            }
            "Escape" if shown.get_untracked() => {
                event.prevent_default();
                event.stop_propagation();
                close();
            }
            _ => {}
        };
        let list_id = format!("{id}-list");
        let option_id = {
            let list_id = list_id.clone();
            move |place: usize| format!("{list_id}-{place}")
        };
        let current = {
            let option_id = option_id.clone();
            maybe(move || active.get().filter(|_| shown.get()).map(&option_id))
        };
        let options = whole(move || {
            let option = |(place, offer): (usize, Offer)| {
                let id = option_id(place);
                let here = Memo::new(move |_| active.get() == Some(place));
                let Offer { value, note, at } = offer;
                let name = value.clone();
                view! {
                    <li
                        id=id
                        role="option"
                        data-value=name
                        data-active=mark(move || here.get())
                        aria-selected=spoken(move || here.get())
                        hidden=yes(move || !found.read().contains(&place))
                        // The focus stays in the field.
                        on:mousedown=move |event| event.prevent_default()
                        on:click=move |_| choose(place)
                    >
                        <span class="offer-value">{value}</span>
                        {(!note.is_empty()).then(|| view! { <span class="offer-note">{note}</span> })}
                        {at.map(|at| view! { <span class="offer-at"><Ago at/></span> })}
                    </li>
                }
                .into_any()
            };
            offers.get().into_iter().enumerate().map(option).collect_view().into_any()
        });
        let list_of = list_id.clone();
        view! {
            <div class="combo">
                <input
                    id=id
                    name=name
                    type="text"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    role=maybe(move || any.get().then(|| "combobox".to_owned()))
                    aria-autocomplete=maybe(move || any.get().then(|| "list".to_owned()))
                    aria-controls=maybe(move || any.get().then(|| list_of.clone()))
                    aria-expanded=maybe(move || any.get().then(|| shown.get().to_string()))
                    aria-activedescendant=current
                    data-offers=mark(move || any.get())
                    value=text.get_untracked()
                    prop:value=text_of(move || text.get())
                    aria-invalid=invalid
                    aria-describedby=maybe(move || described.get())
                    on:input=move |event| {
                        typed.run(event_target_value(&event));
                        unfold(true);
                    }
                    on:click=move |_| unfold(false)
                    on:keydown=pressed
                    // Later: the focus also leaves a field that is removed with the page.
                    on:blur=move |_| queue_microtask(close)
                />
                <ul
                    id=list_id
                    class="offers"
                    role="listbox"
                    aria-label="Suggestions"
                    hidden=yes(move || !shown.get())
                >
                    {options}
                </ul>
            </div>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(values: &[&str]) -> Vec<Offer> {
        values.iter().map(|v| Offer { value: (*v).to_owned(), note: String::new(), at: None }).collect()
    }

    #[test]
    fn all_values_are_suggested_for_an_empty_field() {
        let offers = offers(&["MSFT", "NVDA", "BTC/USDT"]);
        assert_eq!(fitting(&offers, "MSFT", false), [0, 1, 2]);
        assert_eq!(fitting(&offers, "sd", true), [2]);
        assert!(fitting(&offers, "x", true).is_empty());
    }

    #[test]
    fn a_completely_typed_value_has_no_suggestion() {
        let offers = offers(&["MSFT", "MSFT2", "NVDA"]);
        let of = |typed: &str| says_all(&offers, &fitting(&offers, typed, true), typed);
        assert!(of("NVDA") && of("MSFT2") && !of("MSFT") && !of("NVD"));
    }

    #[test]
    fn in_a_list_the_last_part_is_searched_and_replaced() {
        let offers = offers(&["MSFT", "NVDA"]);
        assert_eq!(fitting(&offers, "MSFT, n", true), [1]);
        assert_eq!(with_choice("MSFT, n", "NVDA"), "MSFT, NVDA");
        assert_eq!(with_choice("n", "NVDA"), "NVDA");
    }

    #[test]
    fn arrow_keys_cycle_through_the_matches() {
        let found = [1, 3];
        assert_eq!(step(&found, None, true), Some(1));
        assert_eq!(step(&found, Some(3), true), Some(1));
        assert_eq!(step(&found, Some(1), false), Some(3));
        assert_eq!(step(&found, Some(2), true), Some(1), "no longer there");
        assert_eq!(step(&[], None, true), None);
    }
}
