//! A list of operations of any length: of its rows only those in sight, and some around them, are in the document.

use super::order::Item;
use super::stored::Stored;
use super::table::Head;
use super::window::Window;
use crate::components::picks::{Picks, move_by_arrows};
use crate::components::row::Row;
use crate::filter::Asked;
use crate::format;
use crate::live::Live;
use crate::live::line::Place;
use crate::reactive::{mark, maybe, part, text, whole, word};
use leptos::ev;
use leptos::html::Tbody;
use leptos::prelude::*;
use leptos_router::components::A;
use protocol::OperationId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How high a row is until one was measured, pixels.
const ROW: f64 = 44.0;
/// Nearer than this to the end of the list the next page is asked for, pixels.
const NEAR: f64 = 1_500.0;
/// So many rows beside those in the document are not forgotten.
const KEPT: usize = 200;
/// Columns that the head of a group stands over.
const COLUMNS: &str = "10";

/// The table; `stored` where it shows what has ended.
#[component]
pub fn Sheet(
    asked: Memo<Asked>,
    items: Memo<Vec<Item>>,
    /// How many rows each group has, folded or not.
    counts: Memo<HashMap<Arc<str>, usize>>,
    /// What its column of times tells.
    left: &'static str,
    /// What its column of words tells.
    doing: &'static str,
    picks: Picks,
    places: Memo<HashMap<OperationId, Place>>,
    /// The page lives: rows can come and go with scrolling.
    ready: RwSignal<bool>,
    /// Its first rows are out of sight.
    scrolled: RwSignal<bool>,
    #[prop(optional)] stored: Option<Stored>,
) -> impl IntoView {
    let live = Live::here();
    let body = NodeRef::<Tbody>::new();
    let sight = RwSignal::new(Window::begin());
    let row_height = RwSignal::new(ROW);
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
            // Rows that come below all others move none; in other orders a person asks for them.
            let Some(stored) = stored else { return };
            let follows = asked.with_untracked(|a| a.sort.whole() && a.group.is_none());
            let shown = items.with_untracked(Vec::len);
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
            // Of an answer nothing may be shown yet, where places are held; then what is in sight still asks for more.
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
            window_event_listener(ev::scroll, move |_| on_scroll()),
            window_event_listener(ev::resize, move |_| on_resize()),
        ];
        on_cleanup(move || {
            handles.into_iter().for_each(|handle| handle.remove());
            // A list that is gone holds nothing.
            scrolled.try_set(false);
        });
    });
    let rows = Memo::new(move |_| items.with(|items| sight.get().of(items).to_vec()));
    let numbers = Memo::new(move |_| {
        let first = sight.get().first;
        rows.with(|rows| {
            let ids = rows.iter().zip(first..).filter_map(|(item, at)| match item {
                Item::Row(id) => Some((*id, at + 2)),
                Item::Head(_) => None,
            });
            ids.collect::<HashMap<OperationId, usize>>()
        })
    });
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
                let kept = Window { first: sight.first.saturating_sub(KEPT), end: sight.end + KEPT };
                live.keep(ids(kept).into_iter().collect::<HashSet<_>>());
                let forgotten =
                    ids(sight).into_iter().filter(|id| live.operation(*id).is_none() && !live.forgotten(*id));
                if let Some(newest) = forgotten.max() {
                    stored.fill(&live, newest);
                }
            }
        });
    }
    let space = move |above: bool| {
        part(move || {
            let (before, after) = sight.get().beyond(items.with(Vec::len));
            let rows = if above { before } else { after };
            (ready.get() && rows > 0).then(|| {
                let style = format!("height:{:.0}px", rows as f64 * row_height.get());
                view! { <tr class="space" aria-hidden="true"><td colspan=COLUMNS style=style></td></tr> }
                    .into_any()
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
            move || asked.with(|a| a.with_fold(&name).address())
        };
        let (said, of) = (name.to_string(), name);
        view! {
            <tr class="group">
                <th scope="rowgroup" colspan=COLUMNS>
                    <A
                        href=fold
                        prop:replace=true
                        scroll=false
                        attr:aria-expanded=word(move || if folded.get() { "false" } else { "true" })
                    >
                        <span class="fold-mark" aria-hidden="true" data-folded=mark(move || folded.get())></span>
                        {said}
                        " "
                        <span class="count num">
                            {text(move || format::count(counts.with(|c| c.get(&of).copied().unwrap_or_default()) as u64))}
                        </span>
                    </A>
                </th>
            </tr>
        }
        .into_any()
    };
    let counted = live.clone();
    let one = move |item: Item| match item {
        Item::Head(name) => head(name),
        Item::Row(id) => {
            let live = live.clone();
            let known = Memo::new(move |_| (live.has(id), live.forgotten(id)));
            whole(move || match known.get() {
                (true, _) => view! { <Row id picks=Some(picks) places numbers/> }.into_any(),
                // Nothing moves while one points at the list, so its place stays until then.
                (_, true) => {
                    view! { <tr class="row"><td colspan=COLUMNS class="muted">"Deleted"</td></tr> }.into_any()
                }
                // The page let it go, and asks for it again now that it is in sight.
                _ => view! { <tr class="row" aria-busy="true"><td colspan=COLUMNS></td></tr> }.into_any(),
            })
            .into_any()
        }
    };
    let count = maybe(move || {
        let more = stored.is_some_and(|stored| stored.more(&counted, items.with(Vec::len)));
        // Minus one says that nobody knows yet how many there are.
        Some(if more { "-1".to_owned() } else { (items.with(Vec::len) + 1).to_string() })
    });
    view! {
        <table class="ops" data-picks="" aria-rowcount=count on:keydown=move |event| move_by_arrows(&event)>
            <Head left doing picks=Some(picks)/>
            <tbody node_ref=body>
                {space(true)}
                <For each=move || rows.get() key=Item::clone children=one/>
                {space(false)}
            </tbody>
        </table>
    }
    .into_any()
}
