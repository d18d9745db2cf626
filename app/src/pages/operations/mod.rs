//! Operations page: active and ended operations, as the URL filters, sorts and groups them.

mod back;
mod column_list;
mod columns;
mod counted;
mod differing;
mod empty;
mod field;
mod filter_bar;
mod freeze;
mod frozen_lists;
mod list;
mod matching;
mod order;
mod peek;
mod peek_log;
mod peek_panel;
mod sections;
mod seen;
mod stored;
pub mod table;
mod tree;
mod views;
mod virtual_table;
mod window;

use app_state::Selection;
use app_state::address::list::{Asked, Sort};
use columns::Chooser;
use components::hint::Hint;
use components::icon::Icon;
use components::link::A;
use components::placeholders::WithSnapshot;
use components::reactive::{mark, part, text};
use components::row_selection::Picks;
use display::format;
use empty::{NoneEnded, Nothing};
use filter_bar::FilterBar;
use frozen_lists::{News, Still};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use list::{Family, List};
use live::OperationStore;
use matching::{CancelMatching, DeleteMatching};
use peek::Peek;
use protocol::State;
pub use sections::SECTIONS;
use stored::{More, Stored};
use virtual_table::Sheet;
use window::PLAIN;

#[component]
pub fn OperationsPage() -> impl IntoView {
    view! {
        <Title text="Operations · Signalbox"/>
        <div class="page-head">
            <h1>"Operations"</h1>
            <A href="/new" attr:class="button primary">
                <Icon name="plus"/>
                "New operation"
            </A>
        </div>
        <Hint page="operations" text="All operations, newest first. Type words or states to filter, click a heading to sort, and press Space for a preview."/>
        <WithSnapshot lines=10>
            <Lists/>
        </WithSnapshot>
    }
    .into_any()
}

#[component]
fn Lists() -> impl IntoView {
    let live = OperationStore::here();
    let location = use_location();
    let path = app_state::address::use_path();
    let asked = Memo::new(move |before: Option<&Asked>| {
        // While the page is left, the URL is already that of the next page.
        match before {
            Some(before) if path.read().as_str() != "/operations" => before.clone(),
            _ => location.search.with(|search| Asked::read(search)),
        }
    });
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    let stored = Stored::new(asked);
    back::come_back(asked, stored);
    seen::mark_listed(asked);
    let chooser = Chooser::new(asked);
    let columns = chooser.shown();
    let still = Still::new(asked, stored);
    let peek = Peek::new(asked);
    let family = Family::new(still);
    let rows = Memo::new(move |_| still.shown.with(|s| s.lists.active.clone()));
    let active = List::new(asked, rows, family, ready);
    let rows = Memo::new(move |_| still.shown.with(|s| s.lists.ended.clone()));
    let ended = List::new(asked, rows, family, ready);
    let places = Memo::new({
        let live = live.clone();
        move |_| live.places()
    });
    let selection = Selection::here();
    let picks = Picks { selection, shown: active.ids, all: "Select all shown" };
    let ended_picks = Picks { selection, shown: ended.ids, all: "Select all ended" };
    let matching = Signal::derive(move || still.found.with(|(active, _)| active.clone()));
    let active_count = Memo::new(move |_| matching.with(Vec::len));
    let (active_scrolled, ended_scrolled) = still.scrolled;
    // A filter by states may exclude one of the lists.
    let about = move |which: fn(&State) -> bool| {
        asked.with(|a| a.filter.states.is_empty() || a.filter.states.iter().any(which))
    };
    let about_active = Memo::new(move |_| about(|s| !s.ended()));
    let about_ended = Memo::new(move |_| about(|s| s.ended()));
    let nothing = Memo::new({
        let live = live.clone();
        move |_| {
            active.len.get() == 0
                && ended.len.get() == 0
                && (live.count_all() == 0 || asked.with(|a| !a.is_open()))
        }
    });
    let shown = Signal::derive(move || ended.len.get());
    view! {
        <FilterBar asked chooser/>
        <div class="with-peek" data-peek=mark(move || asked.with(|a| a.peek.is_some()))>
        {part(move || {
            if nothing.get() {
                let filtered = asked.with_untracked(|a| !a.is_open());
                return Some(
                    view! {
                        <Nothing asked stored/>
                        {filtered.then(|| view! { <More stored shown/> }.into_any())}
                    }
                    .into_any(),
                );
            }
            let active_list = move || {
                view! {
                    <section class="list" aria-labelledby="active-title">
                        <header class="list-head">
                            <h2 id="active-title">
                                "Active" <span class="count num">{text(move || format::count(active_count.get() as u64))}</span>
                            </h2>
                            <CancelMatching asked matching/>
                        </header>
                        <Show
                            when=move || !active.items.read().is_empty()
                            fallback=|| view! { <p class="muted quiet-line">"No active operations"</p> }
                        >
                            <Sheet
                                asked
                                items=active.items
                                counts=active.counts
                                kin=active.kin
                                peek
                                left="Remaining"
                                doing="Activity"
                                picks
                                places
                                columns
                                ready
                                scrolled=active_scrolled
                            />
                        </Show>
                        <Show when=move || { !ready.get() && active.len.get() > PLAIN }>
                            <p class="muted quiet-line no-script">
                                "Not all active operations are shown. Filter the list to narrow it down."
                            </p>
                        </Show>
                    </section>
                }
                .into_any()
            };
            let ended_list = move || {
                view! {
                    <section class="list" aria-labelledby="ended-title">
                        <header class="list-head">
                            <h2 id="ended-title">"Ended"</h2>
                            <Ordered asked stored shown/>
                            <DeleteMatching asked shown/>
                        </header>
                        <Show
                            when=move || !ended.items.read().is_empty()
                            fallback=move || view! { <NoneEnded asked stored below=ended.len/> }
                        >
                            <Sheet
                                asked
                                items=ended.items
                                counts=ended.counts
                                kin=ended.kin
                                peek
                                left="Ended"
                                doing="Result"
                                picks=ended_picks
                                places
                                columns
                                ready
                                scrolled=ended_scrolled
                                stored
                            />
                        </Show>
                        <More stored shown/>
                    </section>
                }
                .into_any()
            };
            Some(
                view! {
                    <div
                        class="lists"
                        node_ref=still.region
                        on:pointermove=move |_| still.pointed()
                        on:pointerleave=move |_| still.points.set(false)
                        on:focusin=move |_| still.focused.set(true)
                        on:focusout=move |event| still.left(&event)
                    >
                        <News still/>
                        {part(move || about_active.get().then(active_list))}
                        {part(move || about_ended.get().then(ended_list))}
                        {sections::selected_section(picks, matching)}
                    </div>
                }
                .into_any(),
            )
        })}
        {sections::peek_section(peek)}
        </div>
    }
    .into_any()
}

/// States how much of the stored operations the sort order or grouping covers.
#[component]
fn Ordered(asked: Memo<Asked>, stored: Stored, shown: Signal<usize>) -> impl IntoView {
    let live = OperationStore::here();
    let partly = Memo::new(move |_| {
        let whole = asked.with(|a| a.sort.whole() && a.group.is_none());
        !whole && stored.more(&live, shown.get())
    });
    part(move || {
        partly.get().then(|| {
            let wording = text(move || {
                let what = match asked.with(|a| a.sort.whole()) {
                    true => "grouped",
                    false => "sorted",
                };
                let which = if asked.with(|a| a.sort == Sort::Oldest) { "oldest" } else { "newest" };
                format!(
                    "Only the {which} {} are {what}. Load more to include others.",
                    format::count(shown.get() as u64)
                )
            });
            view! { <p class="muted quiet-line">{wording}</p> }.into_any()
        })
    })
}
