//! Filter bar of the list: views, state chips, the filter field and active filters. All of it is in the URL.
//!
//! Plain links, not the router's: the router compares paths only, so every one would be the current page.

use super::columns::{Chooser, ColumnsButton};
use super::counted::Counted;
use super::field::FilterField;
use super::views::ViewTabs;
use app_state::address::list::{Asked, Chip, Group, Sort};
use app_state::settings;
use components::icon::Icon;
use components::reactive::{mark, part, spoken, text, whole, word};
use display::format;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use live::OperationStore;
use live::base;
use protocol::State;
use web_sys::Event;

/// Views, state chips with counts, the field, sort order, grouping and active filters.
#[component]
pub fn FilterBar(asked: Memo<Asked>, chooser: Chooser) -> impl IntoView {
    let live = OperationStore::here();
    let counted = Counted::new(asked);
    let chip = {
        let live = live.clone();
        move |state: Option<State>| {
            let live = live.clone();
            let chosen = Memo::new(move |_| {
                asked.with(|a| match state {
                    Some(state) => a.filter.states.contains(&state),
                    None => a.filter.states.is_empty(),
                })
            });
            let count = move || counted.of(&live, state).map(format::count).unwrap_or_default();
            view! {
                <a
                    href=text(move || base::url(&asked.with(|a| a.with_state(state).address())))
                    data-noscroll=""
                    class="chip"
                    data-state=state.map(State::as_str)
                    data-chosen=mark(move || chosen.get())
                    aria-current=spoken(move || chosen.get())
                >
                    {state.map_or("all", State::as_str)}
                    <span class="num">{text(count)}</span>
                </a>
            }
        }
    };
    view! {
        <ViewTabs asked/>
        <div class="filter">
            <nav class="chips" aria-label="Filter by state">
                {chip(None)}
                {State::ALL.map(|state| chip(Some(state))).collect_view()}
            </nav>
            <FilterField asked/>
            <Arrange asked/>
            <ColumnsButton chooser/>
            <Density/>
        </div>
        <InForce asked/>
    }
    .into_any()
}

/// Active filters, each removable, and query parameters that could not be parsed.
#[component]
fn InForce(asked: Memo<Asked>) -> impl IntoView {
    let chips = Memo::new(move |_| asked.with(Asked::chips));
    let wrong = Memo::new(move |_| asked.with(|a| a.wrong.clone()));
    let one = move |chip: Chip| {
        let Chip { name, value } = chip.clone();
        let label = format!("Remove filter {name}: {value}");
        view! {
            <li>
                <a
                    href=text(move || base::url(&asked.with(|a| a.without(&chip).address())))
                    data-noscroll=""
                    class="token"
                    aria-label=label
                >
                    <span class="muted">{name}</span>
                    <span>{value}</span>
                    <Icon name="cross"/>
                </a>
            </li>
        }
        .into_any()
    };
    part(move || {
        let (chips, wrong) = (chips.get(), wrong.get());
        if chips.is_empty() && wrong.is_empty() {
            return None;
        }
        let clear = (chips.len() > 1).then(|| {
            view! {
                <li>
                    <a href=base::url("/operations") data-noscroll="" class="link">
                        "Clear filters"
                    </a>
                </li>
            }
            .into_any()
        });
        let wrong = wrong.into_iter().map(|w| {
            let wording = format!("Ignored {}={}: {}.", w.name, w.value, w.why.trim_end_matches('.'));
            view! { <p class="note warn">{wording}</p> }.into_any()
        });
        Some(
            view! {
                {(!chips.is_empty()).then(|| view! {
                    <ul class="tokens" aria-label="Active filters">
                        {chips.into_iter().map(one).collect_view()}
                        {clear}
                    </ul>
                }.into_any())}
                {wrong.collect_view()}
            }
            .into_any(),
        )
    })
}

/// Sort order and grouping.
#[component]
fn Arrange(asked: Memo<Asked>) -> impl IntoView {
    let navigate = use_navigate();
    let go = Callback::new(move |asked: Asked| {
        navigate(&asked.address(), NavigateOptions { scroll: false, ..Default::default() });
    });
    let sorted = move |event| {
        let word = event_target_value(&event);
        let sort = Sort::read(&word).unwrap_or_default();
        go.run(asked.with_untracked(|a| a.with_sort(sort)));
    };
    let grouped = move |event| {
        let word = event_target_value(&event);
        let group = Group::ALL.into_iter().find(|g| g.as_str() == word);
        go.run(asked.with_untracked(|a| a.with_group(group)));
    };
    let option = |value: &'static str, wording: &'static str, chosen: bool| {
        view! { <option value=value selected=chosen>{wording}</option> }.into_any()
    };
    let group = asked.with_untracked(|a| a.group);
    // Orders of every list, those of the chosen columns, and the current one.
    let sorts = Memo::new(move |_| {
        asked.with(|a| {
            let chosen = a.columns.iter().filter(|column| column.sorts());
            let by_columns = chosen.flat_map(|column| [Sort::Up(column.clone()), Sort::Down(column.clone())]);
            let mut sorts: Vec<Sort> = Sort::ALL.into_iter().chain(by_columns).collect();
            if !sorts.contains(&a.sort) {
                sorts.push(a.sort.clone());
            }
            sorts
        })
    });
    let sort_options = whole(move || {
        let now = asked.with_untracked(|a| a.sort.clone());
        let option = |sort: &Sort| {
            view! { <option value=sort.text() selected=*sort == now>{sort.wording()}</option> }.into_any()
        };
        sorts.with(|sorts| sorts.iter().map(option).collect_view()).into_any()
    });
    let group_word = |group: Option<Group>| group.map(Group::as_str).unwrap_or_default();
    view! {
        <div class="arrange only-script">
            <select
                class="sort-select"
                aria-label="Sort by"
                prop:value=text(move || asked.with(|a| a.sort.text()))
                on:change=sorted
            >
                {sort_options}
            </select>
            <select
                aria-label="Group by"
                prop:value=text(move || asked.with(|a| group_word(a.group).to_owned()))
                on:change=grouped
            >
                {option("", "No grouping", group.is_none())}
                {option("kind", "Group by kind", group == Some(Group::Kind))}
                {option("host", "Group by host", group == Some(Group::Host))}
            </select>
        </div>
    }
    .into_any()
}

/// Name of the setting, and its value for low rows.
const DENSITY: &str = "density";
const COMPACT: &str = "compact";

/// Switch between comfortable and compact rows, remembered by the browser.
#[component]
fn Density() -> impl IntoView {
    let compact = RwSignal::new(false);
    Effect::new(move |_| compact.set(settings::stored(DENSITY) == COMPACT));
    let turn = move |_| {
        compact.update(|on| *on = !*on);
        settings::store(DENSITY, if compact.get_untracked() { COMPACT } else { "" });
        // The lists measure their rows when the window changes.
        if let Ok(event) = Event::new("resize") {
            let _ = window().dispatch_event(&event);
        }
    };
    view! {
        <button
            type="button"
            class="quiet density only-script wide-only"
            title="Compact rows"
            aria-label="Compact rows"
            aria-pressed=word(move || if compact.get() { "true" } else { "false" })
            on:click=turn
        >
            <Icon name="rows"/>
        </button>
    }
    .into_any()
}
