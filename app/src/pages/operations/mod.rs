//! Operations page: active and ended operations, as the URL filters, sorts and groups them.

mod back;
mod counted;
mod field;
mod filter_bar;
mod freeze;
mod frozen_lists;
mod order;
mod stored;
pub mod table;
mod views;
mod virtual_table;
mod window;

use app_state::Selection;
use app_state::actions::{Actions, Question};
use app_state::address::list::{Asked, Sort};
use components::icon::Icon;
use components::link::A;
use components::placeholders::{Empty, WithSnapshot};
use components::reactive::{part, text, whole};
use components::row_selection::{Picks, SelectBar};
use display::format;
use filter_bar::FilterBar;
use freeze::Placed;
use frozen_lists::{News, Still};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use live::OperationStore;
use order::{Item, items};
use protocol::{OperationId, State};
use std::collections::HashMap;
use std::sync::Arc;
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
        <WithSnapshot lines=10>
            <Lists/>
        </WithSnapshot>
    }
    .into_any()
}

/// Rows of one list, as its table needs them.
#[derive(Clone, Copy)]
struct List {
    items: Memo<Vec<Item>>,
    /// Rows only, without group headings.
    ids: Memo<Vec<OperationId>>,
    /// Number of rows per group.
    counts: Memo<HashMap<Arc<str>, usize>>,
    /// Number of rows, including collapsed groups.
    len: Memo<usize>,
}

impl List {
    fn new(asked: Memo<Asked>, rows: Memo<Vec<Placed>>, ready: RwSignal<bool>) -> Self {
        let items = Memo::new(move |_| {
            let mut items = rows.with(|rows| asked.with(|a| items(rows, &a.folded)));
            // Without a script there is no virtual scrolling.
            if !ready.get() {
                items.truncate(PLAIN);
            }
            items
        });
        let ids = Memo::new(move |_| {
            items.with(|items| {
                let rows = items.iter();
                rows.filter_map(|item| if let Item::Row(id) = item { Some(*id) } else { None }).collect()
            })
        });
        let counts = Memo::new(move |_| {
            rows.with(|rows| {
                let mut counts: HashMap<Arc<str>, usize> = HashMap::new();
                rows.iter().for_each(|row| *counts.entry(row.group.clone()).or_default() += 1);
                counts
            })
        });
        Self { items, ids, counts, len: Memo::new(move |_| rows.with(Vec::len)) }
    }
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
    let still = Still::new(asked, stored);
    let active = List::new(asked, Memo::new(move |_| still.shown.with(|s| s.lists.active.clone())), ready);
    let ended = List::new(asked, Memo::new(move |_| still.shown.with(|s| s.lists.ended.clone())), ready);
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
        <FilterBar asked/>
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
                            when=move || active.len.get() != 0
                            fallback=|| view! { <p class="muted quiet-line">"No active operations"</p> }
                        >
                            <Sheet
                                asked
                                items=active.items
                                counts=active.counts
                                left="Remaining"
                                doing="Activity"
                                picks
                                places
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
                            when=move || ended.len.get() != 0
                            fallback=move || view! { <NoneEnded asked stored/> }
                        >
                            <Sheet
                                asked
                                items=ended.items
                                counts=ended.counts
                                left="Ended"
                                doing="Reason"
                                picks=ended_picks
                                places
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
                        <SelectBar picks matching/>
                    </div>
                }
                .into_any(),
            )
        })}
    }
    .into_any()
}

/// States how much of the stored operations the sort order or grouping covers.
#[component]
fn Ordered(asked: Memo<Asked>, stored: Stored, shown: Signal<usize>) -> impl IntoView {
    let live = OperationStore::here();
    let partly = Memo::new(move |_| {
        let (sort, group) = asked.with(|a| (a.sort, a.group));
        (!sort.whole() || group.is_some()) && stored.more(&live, shown.get())
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

/// Placeholder of an empty ended list: none exist, none match, or the search is still running.
#[component]
fn NoneEnded(asked: Memo<Asked>, stored: Stored) -> impl IntoView {
    let live = OperationStore::here();
    let wording = text(move || {
        if stored.more(&live, 0) {
            "Searching older operations…".to_owned()
        } else if asked.with(Asked::is_open) {
            "No ended operations yet".to_owned()
        } else {
            "No ended operations match".to_owned()
        }
    });
    view! { <p class="muted quiet-line" role="status">{wording}</p> }.into_any()
}

/// Cancels all active operations that match the filter. Hidden without a filter: the selection covers that.
#[component]
fn CancelMatching(asked: Memo<Asked>, matching: Signal<Vec<OperationId>>) -> impl IntoView {
    let actions = Actions::here();
    let there = Memo::new(move |_| asked.with(|a| !a.is_open()) && !matching.read().is_empty());
    let wording = move || match matching.with(Vec::len) {
        1 => "Cancel 1 matching…".to_owned(),
        n => format!("Cancel {} matching…", format::count(n as u64)),
    };
    part(move || {
        there.get().then(|| {
            view! {
                <button
                    type="button"
                    class="link danger only-script"
                    on:click=move |_| {
                        let filter = asked.with_untracked(|a| a.filter.clone());
                        actions.question.set(Some(Question::Matching(filter)));
                    }
                >
                    {text(wording)}
                </button>
            }
            .into_any()
        })
    })
}

/// Deletes all ended operations that match the filter, shown or not, after a confirmation with their number.
#[component]
fn DeleteMatching(asked: Memo<Asked>, shown: Signal<usize>) -> impl IntoView {
    let actions = Actions::here();
    let there = Memo::new(move |_| asked.with(|a| !a.is_open()) && shown.get() > 0);
    part(move || {
        there.get().then(|| {
            let ask = move |_| {
                let filter = asked.with_untracked(|a| a.filter.clone());
                actions.question.set(Some(Question::DeleteMatching(filter)));
            };
            view! {
                <button type="button" class="link danger only-script" on:click=ask>
                    "Delete matching…"
                </button>
            }
            .into_any()
        })
    })
}

/// Placeholder of an empty page: no operations exist, or none match.
#[component]
fn Nothing(asked: Memo<Asked>, stored: Stored) -> impl IntoView {
    let live = OperationStore::here();
    let looking = Memo::new(move |_| stored.more(&live, 0));
    whole(move || {
        if asked.with(Asked::is_open) {
            view! {
                <Empty
                    title="No operations yet"
                    text="This page lists all active and ended operations, updated live. Start with loading market data; the synthetic source needs no files."
                >
                    <A href="/new?kind=data.load" attr:class="button primary">
                        "Load market data"
                    </A>
                </Empty>
            }
            .into_any()
        } else if looking.get() {
            view! {
                <p class="muted quiet-line only-script" role="status">
                    "No matches here. Searching older operations…"
                </p>
            }
            .into_any()
        } else {
            let wording = asked.with(|a| format!("No operations match {}", a.wording()));
            view! {
                <Empty title=wording text="All stored operations were searched.">
                    <A href="/operations" attr:class="button">
                        "Show all operations"
                    </A>
                </Empty>
            }
            .into_any()
        }
    })
}
