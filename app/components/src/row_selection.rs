//! Row selection: a checkbox per row, one for all, and a bar with the number of selected rows and their actions.

use super::confirm::tally;
use super::focus::{find, hand_over};
use super::permission::{needs, needs_and};
use crate::link::A;
use crate::reactive::{part, text, yes};
use app_state::Selection;
use app_state::actions::{Actions, Question};
use app_state::address::comparison::{Comparison, refusal};
use display::confirm::{self, Again};
use display::format;
use leptos::html::Div;
use leptos::prelude::*;
use live::{OpView, OperationStore};
use protocol::OperationId;
use protocol::access::Permission;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent};

/// The selection, and the rows it is made in.
#[derive(Clone, Copy)]
pub struct Picks {
    pub selection: Selection,
    /// In display order.
    pub shown: Memo<Vec<OperationId>>,
    /// Label of the select-all checkbox.
    pub all: &'static str,
}

/// Checkbox of a row. Shift selects the range from the last one.
#[component]
pub fn PickOne(op: OpView, picks: Picks) -> impl IntoView {
    let id = op.id;
    let picked = Memo::new(move |_| picks.selection.has(id));
    let clicked = move |event: MouseEvent| {
        let on = event_target::<HtmlInputElement>(&event).checked();
        picks.shown.with_untracked(|shown| picks.selection.pick(id, on, event.shift_key(), shown));
    };
    view! {
        <input
            type="checkbox"
            data-pick=""
            aria-label=format!("Select {}", op.fixed().title)
            prop:checked=yes(move || picked.get())
            on:click=clicked
        />
    }
}

/// Checkbox that selects or clears all shown rows.
#[component]
pub fn PickAll(picks: Picks) -> impl IntoView {
    let Picks { selection, shown, all } = picks;
    // Number of selected rows, and of all rows.
    let of = Memo::new(move |_| shown.with(|shown| (selection.count_of(shown), shown.len())));
    let changed = move |event| {
        let on = event_target_checked(&event);
        shown.with_untracked(|shown| selection.set_all(shown, on));
    };
    view! {
        <input
            type="checkbox"
            class="only-script"
            aria-label=all
            prop:checked=yes(move || matches!(of.get(), (n, of) if n > 0 && n == of))
            prop:indeterminate=yes(move || matches!(of.get(), (n, of) if n > 0 && n < of))
            on:change=changed
        />
    }
}

/// Arrow keys move between checkboxes; with Shift they select on the way.
pub fn move_by_arrows(event: &KeyboardEvent) {
    let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
    let Some(row) =
        target.filter(|t| t.has_attribute("data-pick")).and_then(|t| t.closest("tr").ok().flatten())
    else {
        return;
    };
    let step: fn(&Element) -> Option<Element> = match event.key().as_str() {
        "ArrowDown" => Element::next_element_sibling,
        "ArrowUp" => Element::previous_element_sibling,
        _ => return,
    };
    event.prevent_default();
    let select = event.shift_key();
    with_neighbours(&row.clone(), move || {
        // Group headings between rows have no checkbox.
        let mut rows = std::iter::successors(step(&row), step);
        let next = rows.find_map(|row| row.query_selector("[data-pick]").ok().flatten());
        if let Some(next) = next.and_then(|n| n.dyn_into::<HtmlInputElement>().ok()) {
            // Fails only for elements that can't take the focus.
            let _ = next.focus();
            if select && !next.checked() {
                next.click();
            }
        }
    });
}

/// Runs `then` when the neighbours of a row are in the document. A focused row that is scrolled out of view has none,
/// so the list is scrolled back first.
pub fn with_neighbours(row: &Element, then: impl FnOnce() + 'static) {
    let place = row.get_bounding_client_rect();
    let screen = window().inner_height().ok().and_then(|h| h.as_f64()).unwrap_or(f64::MAX);
    if place.bottom() >= 0.0 && place.top() <= screen {
        return then();
    }
    row.scroll_into_view_with_bool(false);
    // The scroll event arrives before the next frame.
    request_animation_frame(then);
}

/// Checkbox of the first visible row.
fn box_in_sight() -> Option<HtmlElement> {
    let all = document().query_selector_all("[data-pick]").ok()?;
    let boxes = || (0..all.length()).filter_map(|n| all.item(n)?.dyn_into::<HtmlElement>().ok());
    boxes().find(|pick| pick.get_bounding_client_rect().top() >= 0.0).or_else(|| boxes().next_back())
}

/// Selection bar, visible while anything is selected.
#[component]
pub fn SelectBar(
    picks: Picks,
    /// All operations that match the filter, shown or not.
    matching: Signal<Vec<OperationId>>,
) -> impl IntoView {
    let (actions, live) = (Actions::here(), OperationStore::here());
    let Picks { selection, shown, .. } = picks;
    let there = Memo::new(move |_| !selection.is_empty());
    let now = Memo::new(move |_| tally(&live, &selection.all()));
    let note = text(move || {
        let all = selection.all();
        let hidden = all.len() - matching.with(|m| selection.count_of(m));
        let now = now.get();
        // Ended operations are counted on their own, not as hidden.
        let hidden = (hidden as u32).saturating_sub(now.ended);
        let mut parts = Vec::new();
        if now.ended > 0 {
            parts.push(format!("{} ended", format::count(u64::from(now.ended))));
        }
        if now.cancelling > 0 {
            parts.push(format!("{} cancelling", format::count(u64::from(now.cancelling))));
        }
        if hidden > 0 {
            parts.push(format!("{} not in this list", format::count(u64::from(hidden))));
        }
        parts.join(" · ")
    });
    // All shown rows are selected, but more match the filter.
    let more = Memo::new(move |_| {
        let (shown, all) = (shown.with(Vec::len), matching.with(Vec::len));
        let selected = matching.with(|m| selection.count_of(m));
        (all > shown && selected >= shown && selected < all).then_some(all)
    });
    let act = text(move || match now.get().open() {
        0 => "Nothing left to cancel".to_owned(),
        open => format!("Cancel {}…", confirm::operations(open)),
    });
    // Ended operations have nothing to cancel, but a button that was there stays.
    let cancels = Memo::new(move |before: Option<&bool>| {
        let (now, any) = (now.get(), there.get());
        any && (now.open() > 0 || now.cancelling > 0 || before.copied().unwrap_or_default())
    });
    let ask = move |_| {
        if untrack(|| now.get().open()) > 0 {
            actions.question.set(Some(Question::Many(untrack(|| selection.all()).into())));
        }
    };
    // Pressed parts of the bar may disappear, and the whole bar with the last selected row. Then the focus moves to the
    // rest of the bar, or back to the rows.
    let bar_node = NodeRef::<Div>::new();
    let before_it_changes = move || {
        hand_over(bar_node.get_untracked().as_deref(), move || {
            let left = bar_node.try_get_untracked().flatten().filter(|bar| bar.is_connected());
            left.and_then(|bar| find(&bar, "[data-clears]")).or_else(box_in_sight)
        });
    };
    // Retry and Resume, with the number of operations that allow it.
    let again = move |again: Again| {
        part(move || {
            let (verb, count) = match again {
                Again::Retry => ("Retry", now.get().again),
                Again::Resume => ("Resume", now.get().resumable),
            };
            before_it_changes();
            (count > 0).then(|| {
                let ask = move |_| {
                    actions.question.set(Some(Question::Again(untrack(|| selection.all()).into(), again)));
                };
                view! {
                    <button {..needs(Permission::Control)} type="button" class="button" on:click=ask>
                        {format!("{verb} {}…", format::count(u64::from(count)))}
                    </button>
                }
                .into_any()
            })
        })
    };
    // Delete, for ended operations.
    let delete = part(move || {
        let ended = now.get().ended;
        before_it_changes();
        (ended > 0).then(|| {
            let ask = move |_| {
                actions.question.set(Some(Question::DeleteMany(untrack(|| selection.all()).into())));
            };
            view! {
                <button {..needs(Permission::Delete)} type="button" class="button" on:click=ask>
                    {format!("Delete {}…", format::count(u64::from(ended)))}
                </button>
            }
            .into_any()
        })
    });
    let bar = move || {
        view! {
            <div class="select-bar" node_ref=bar_node role="region" aria-label="Selection">
                <p aria-live="polite">
                    <strong class="num">
                        {text(move || format!("{} selected", format::count(selection.all().len() as u64)))}
                    </strong>
                    " "
                    <span class="muted">{note.clone()}</span>
                </p>
                {part(move || {
                    let more = more.get();
                    before_it_changes();
                    more.map(|all| {
                        view! {
                            <button
                                type="button"
                                class="link"
                                on:click=move |_| matching.with_untracked(|m| selection.set_all(m, true))
                            >
                                {format!("Select all {} matching", format::count(all as u64))}
                            </button>
                        }
                        .into_any()
                    })
                })}
                <CompareSelected selection/>
                {again(Again::Resume)}
                {again(Again::Retry)}
                {delete.clone()}
                {part({
                    let act = act.clone();
                    move || {
                        let act = act.clone();
                        let cancels = cancels.get();
                        before_it_changes();
                        cancels.then(|| {
                            view! {
                                <button {..needs_and(Permission::Control, move || now.get().open() == 0, None)}
                                    type="button"
                                    class="button danger"
                                    on:click=ask
                                >
                                    {act}
                                </button>
                            }
                            .into_any()
                        })
                    }
                })}
                <button
                    type="button"
                    class="button"
                    data-clears=""
                    aria-label="Clear selection"
                    on:click=move |_| selection.clear()
                >
                    "Clear"
                </button>
            </div>
        }
        .into_any()
    };
    part(move || {
        let there = there.get();
        before_it_changes();
        there.then(&bar)
    })
}

/// Link to compare the selection, or the reason why that is not possible.
#[component]
fn CompareSelected(selection: Selection) -> impl IntoView {
    part(move || {
        // Oldest first: it is the reference of the comparison.
        let ids: Vec<_> = selection.all().into_iter().rev().collect();
        Some(match refusal(ids.len()) {
            None => view! {
                <A href=Comparison::of(ids).address() attr:class="button">
                    "Compare"
                </A>
            }
            .into_any(),
            Some(why) => view! {
                <span class="muted" id="compare-why">{why}</span>
                <button type="button" class="button" disabled=true aria-describedby="compare-why">
                    "Compare"
                </button>
            }
            .into_any(),
        })
    })
}
