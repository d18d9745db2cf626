//! Virtual table of operations: only visible rows and a margin around them are in the document.

use super::differing::differing;
use super::order::Item;
use super::peek::Peek;
use super::stored::Stored;
use super::table::Head;
use super::window::{Layout, Window};
use app_state::address::columns::Column;
use app_state::address::list::Asked;
use components::print_note::{OnPaper, Printed};
use components::reactive::{mark, maybe, part, text, whole, word};
use components::row::{Branch, InList, Row};
use components::row_selection::{Picks, move_by_arrows};
use display::QueuePosition;
use display::format;
use leptos::ev;
use leptos::html::Tbody;
use leptos::prelude::*;
use live::OperationStore;
use live::base;
use protocol::OperationId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusEvent, FocusOptions, HtmlElement, KeyboardEvent};

/// Row height before a row is measured, pixels.
const ROW: f64 = 36.0;
/// Distance to the end of the list at which the next page is loaded, pixels.
const NEAR: f64 = 1_500.0;
/// Rows kept in memory beyond those in the document.
const KEPT: usize = 200;

/// One child of the table body.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Shown {
    Item(Item),
    Space(Space),
}

/// Placeholders for rows outside the document.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Space {
    Above,
    Between,
    Below,
}

/// Children of rows: shown below their parents, or hidden.
#[derive(Clone, Copy)]
pub struct Kin {
    pub branches: Memo<HashMap<OperationId, Branch>>,
    pub fold: Callback<OperationId>,
    /// Number of operations in the list, including hidden ones.
    pub len: Memo<usize>,
}

/// The table; `stored` for the list of ended operations.
#[component]
pub fn Sheet(
    asked: Memo<Asked>,
    items: Memo<Vec<Item>>,
    /// Number of rows per group, including collapsed groups.
    counts: Memo<HashMap<Arc<str>, usize>>,
    kin: Kin,
    peek: Peek,
    /// Heading of the time column.
    left: &'static str,
    /// Heading of the text column.
    doing: &'static str,
    picks: Picks,
    places: Memo<HashMap<OperationId, QueuePosition>>,
    /// Chosen columns; empty for the standard ones.
    columns: Memo<Vec<Column>>,
    /// The page is hydrated: rows can come and go while scrolling.
    ready: RwSignal<bool>,
    /// The first rows are scrolled out of view.
    scrolled: RwSignal<bool>,
    #[prop(optional)] stored: Option<Stored>,
) -> impl IntoView {
    let live = OperationStore::here();
    let body = NodeRef::<Tbody>::new();
    let sight = RwSignal::new(Window::begin());
    let row_height = RwSignal::new(ROW);
    // A pointer was pressed since the focus came in.
    let pressed = StoredValue::new(false);
    let look = {
        let live = live.clone();
        move || {
            let Some(body) = body.get_untracked() else { return };
            let place = body.get_bounding_client_rect();
            let screen = window().inner_height().ok().and_then(|h| h.as_f64()).unwrap_or_default();
            let row = body.query_selector("tr.row").ok().flatten();
            if let Some(height) = row.map(|row| row.get_bounding_client_rect().height()).filter(|h| *h > 1.0)
            {
                row_height.maybe_update(|known| std::mem::replace(known, height) != height);
            }
            let row = row_height.get_untracked();
            let now = Window::in_sight(place.top(), screen, row, items.with_untracked(Vec::len));
            sight.maybe_update(|sight| std::mem::replace(sight, now) != now);
            let above = place.top() + row < 0.0;
            scrolled.maybe_update(|scrolled| std::mem::replace(scrolled, above) != above);
            // Rows appended at the end move no others; in other orders the user loads more explicitly.
            let Some(stored) = stored else { return };
            let follows = asked.with_untracked(|a| a.sort.whole() && a.group.is_none());
            let shown = kin.len.get_untracked();
            if follows
                && place.bottom() < screen + NEAR
                && place.top() < 0.0
                && untrack(|| stored.more(&live, shown))
            {
                stored.ask(&live, false);
            }
        }
    };
    Effect::new({
        let look = look.clone();
        move |_| {
            items.track();
            // While the list is frozen an answer may add no rows; then it asks again.
            if let Some(stored) = stored {
                stored.answered.track();
            }
            if ready.get() {
                look();
            }
        }
    });
    Effect::new(move |_| {
        let (on_scroll, on_resize) = (look.clone(), look.clone());
        let handles = [
            window_event_listener(ev::pointerdown, move |_| pressed.set_value(true)),
            window_event_listener(ev::scroll, move |_| on_scroll()),
            window_event_listener(ev::resize, move |_| on_resize()),
        ];
        on_cleanup(move || {
            handles.into_iter().for_each(|handle| handle.remove());
            // A removed list freezes nothing.
            scrolled.try_set(false);
        });
    });
    // The focused row stays in the document while scrolled out of view, or the focus would be lost.
    let focused = RwSignal::new(None::<OperationId>);
    let layout = Memo::new(move |_| {
        let held = focused.get().map(Item::Row);
        items.with(|items| {
            let held = held.and_then(|held| items.iter().position(|item| *item == held));
            sight.get().layout(items.len(), held)
        })
    });
    let rows = Memo::new(move |_| {
        let layout = layout.get();
        items.with(|items| in_document(items, sight.get(), layout))
    });
    let differing = Memo::new({
        let live = live.clone();
        move |_| {
            let visible: HashSet<_> = rows.with(|rows| {
                let ids = rows.iter().filter_map(|shown| match shown {
                    Shown::Item(Item::Row(id)) => Some(*id),
                    _ => None,
                });
                ids.collect()
            });
            // All children, so that scrolling does not change what they say.
            let loaded: Vec<_> = items.with(|items| {
                let known = items.iter().filter_map(|item| match item {
                    Item::Row(id) => live.operation(*id),
                    Item::Head(_) => None,
                });
                known.filter(|op| op.fixed().parent.is_some() || visible.contains(&op.fixed().id)).collect()
            });
            differing(loaded.iter().map(|signals| signals.fixed()))
        }
    });
    let numbers = Memo::new(move |_| {
        let (first, held) = (sight.get().first, layout.get().held);
        items.with(|items| {
            let shown = sight.get().of(items).iter().zip(first..);
            let apart = held.and_then(|at| items.get(at).map(|item| (item, at)));
            let ids = shown.chain(apart).filter_map(|(item, at)| match item {
                Item::Row(id) => Some((*id, at + 2)),
                Item::Head(_) => None,
            });
            ids.collect::<HashMap<OperationId, usize>>()
        })
    });
    let list = InList { numbers, branches: kin.branches, fold: kin.fold, differing, columns };
    // Empty cells of a row that has only a first one. They are hidden with their columns; a cell that spans more
    // columns than are shown would take room for the others.
    let rest = move || {
        whole(move || {
            let chosen = columns.get();
            let chosen = if chosen.is_empty() { Column::STANDARD.to_vec() } else { chosen };
            let classes = ["c-state", "c-what"].into_iter().chain(chosen.iter().map(Column::class));
            let cells = classes.chain(["c-do"]).map(|class| view! { <td class=class></td> }.into_any());
            cells.collect::<Vec<_>>().into_any()
        })
    };
    let focus_came = move |event: FocusEvent| {
        pressed.set_value(false);
        let number = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .and_then(|target| target.closest("tr").ok().flatten())
            .and_then(|row| row.get_attribute("aria-rowindex")?.parse::<usize>().ok());
        let item = number.and_then(|n| items.with_untracked(|items| items.get(n.checked_sub(2)?).cloned()));
        let id = if let Some(Item::Row(id)) = item { Some(id) } else { None };
        focused.set(id);
        if let Some(id) = id {
            peek.follow(id);
        }
    };
    let pressed_key = move |event: KeyboardEvent| {
        move_by_arrows(&event);
        peek.key(&event, focused.get_untracked());
    };
    let focus_went = move |event: FocusEvent| {
        // After a switch to another window the focus returns to the same row.
        if !document().has_focus().unwrap_or(true) {
            return;
        }
        if event.related_target().is_some() || pressed.get_value() {
            focused.set(None);
            return;
        }
        // The focus was not moved away: the row was moved in the document, which drops the focus.
        let element = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
        request_animation_frame(move || match element.filter(|element| element.is_connected()) {
            Some(element) => {
                let nowhere = document().active_element().is_none_or(|at| at.tag_name() == "BODY");
                if nowhere {
                    let options = FocusOptions::new();
                    options.set_prevent_scroll(true);
                    // Fails only for elements that can't take the focus.
                    let _ = element.focus_with_options(&options);
                }
            }
            None => drop(focused.try_set(None)),
        });
    };
    if let Some(stored) = stored {
        let live = live.clone();
        Effect::new(move |_| {
            let (sight, ready) = (sight.get(), ready.get());
            let ids = |range: Window| -> Vec<OperationId> {
                items.with(|items| {
                    let rows = range.of(items).iter();
                    rows.filter_map(|item| if let Item::Row(id) = item { Some(*id) } else { None }).collect()
                })
            };
            if ready {
                let extended = Window { first: sight.first.saturating_sub(KEPT), end: sight.end + KEPT };
                live.keep_loaded(ids(extended).into_iter().chain(focused.get()).collect::<HashSet<_>>());
                let forgotten = ids(sight)
                    .into_iter()
                    .filter(|id| live.operation(*id).is_none() && !live.is_deleted(*id));
                if let Some(newest) = forgotten.max() {
                    stored.fill(&live, newest);
                }
            }
        });
    }
    let space = move |space: Space| {
        part(move || {
            let Layout { above, between, below, .. } = layout.get();
            let rows = match space {
                Space::Above => above,
                Space::Between => between,
                Space::Below => below,
            };
            (ready.get() && rows > 0).then(|| {
                let style = format!("height:{:.0}px", rows as f64 * row_height.get());
                view! { <tr class="space" aria-hidden="true"><td style=style></td></tr> }.into_any()
            })
        })
    };
    let head = move |name: Arc<str>| {
        let folded = {
            let name = name.clone();
            Memo::new(move |_| asked.with(|a| a.folded.iter().any(|folded| **folded == *name)))
        };
        let fold = {
            let name = name.clone();
            move || base::url(&asked.with(|a| a.with_fold(&name).address()))
        };
        let (wording, of) = (name.to_string(), name);
        view! {
            <tr class="group">
                <th scope="rowgroup">
                    // Not the router's link: by path alone it would be the current page.
                    <a
                        href=text(fold)
                        prop:replace=true
                        data-noscroll=""
                        aria-expanded=word(move || if folded.get() { "false" } else { "true" })
                    >
                        <span class="fold-mark" aria-hidden="true" data-folded=mark(move || folded.get())></span>
                        {wording}
                        " "
                        <span class="count num">
                            {text(move || format::count(counts.with(|c| c.get(&of).copied().unwrap_or_default()) as u64))}
                        </span>
                    </a>
                </th>
                {rest()}
            </tr>
        }
        .into_any()
    };
    let (counted, for_more) = (live.clone(), live.clone());
    let one = move |shown: Shown| match shown {
        Shown::Space(of) => space(of).into_any(),
        Shown::Item(Item::Head(name)) => head(name),
        Shown::Item(Item::Row(id)) => {
            let live = live.clone();
            let known = Memo::new(move |_| (live.has(id), live.is_deleted(id)));
            whole(move || match known.get() {
                (true, _) => view! { <Row id picks=Some(picks) places list/> }.into_any(),
                // The list is frozen, so the row keeps its position until it is released.
                (_, true) => {
                    view! { <tr class="row"><td class="c-gone muted">"Deleted"</td>{rest()}</tr> }.into_any()
                }
                // The page dropped the row and requests it again now that it is visible.
                _ => view! { <tr class="row" aria-busy="true"><td></td>{rest()}</tr> }.into_any(),
            })
            .into_any()
        }
    };
    let count = maybe(move || {
        let more = stored.is_some_and(|stored| stored.more(&counted, kin.len.get()));
        // ARIA: -1 means that the number of rows is unknown.
        Some(if more { "-1".to_owned() } else { (items.with(Vec::len) + 1).to_string() })
    });
    let printed = Signal::derive(move || {
        let sight = sight.get();
        items.with(|items| Printed {
            before: rows_of(&items[..sight.first.min(items.len())]),
            here: rows_of(sight.of(items)),
            all: rows_of(items),
            more: stored.is_some_and(|stored| stored.more(&for_more, kin.len.get())),
        })
    });
    view! {
        <div class="ops-wide" data-chosen=mark(move || !columns.read().is_empty())>
            <table class="ops" data-picks="" data-list=stored.map_or("active", |_| "ended") aria-rowcount=count on:keydown=pressed_key>
                <Head left doing picks=Some(picks) asked=Some(asked) columns=Some(columns)/>
                <tbody node_ref=body on:focusin=focus_came on:focusout=focus_went>
                    <For each=move || rows.get() key=Shown::clone children=one/>
                </tbody>
            </table>
        </div>
        <OnPaper what="rows" printed/>
    }
    .into_any()
}

/// Number of operations among the items.
fn rows_of(items: &[Item]) -> usize {
    items.iter().filter(|item| matches!(item, Item::Row(_))).count()
}

/// Children of the table body, from top to bottom.
fn in_document(items: &[Item], sight: Window, layout: Layout) -> Vec<Shown> {
    let held = layout.held.and_then(|at| items.get(at)).cloned().map(Shown::Item);
    let (before, after) = if layout.held_below { (None, held) } else { (held, None) };
    let between = Shown::Space(Space::Between);
    let mut all = vec![Shown::Space(Space::Above)];
    all.extend(before.into_iter().flat_map(|held| [held, between.clone()]));
    all.extend(sight.of(items).iter().cloned().map(Shown::Item));
    all.extend(after.into_iter().flat_map(|held| [between.clone(), held]));
    all.push(Shown::Space(Space::Below));
    all
}
