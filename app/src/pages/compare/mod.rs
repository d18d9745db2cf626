//! Comparison of 2 to 20 operations: parameter differences, results and shared charts. The URL holds the selection
//! and the settings.

mod curves;
mod differ;
mod entry;
mod notes;
mod picker;
mod results;
mod run_legend;
mod table;

use super::not_found::answer_404;
use crate::features::curves::cached::Following;
use app_state::Data;
use app_state::address::comparison::{Comparison, MAX_COMPARED, MIN_COMPARED};
use app_state::clipboard::copy_and_say;
use app_state::kinds::wait_for;
use app_state::toasts::Toasts;
use charts::ChartGroup;
use components::hint::Hint;
use components::icon::Icon;
use components::link::A;
use components::placeholders::{Empty, Skeleton, WithSnapshot};
use components::reactive::part;
use curves::Charts;
use entry::{Answer, Entry};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use live::OperationStore;
use live::base;
use notes::{Missing, Notes};
use picker::Picker;
use run_legend::RunLegend;
use table::SideTable;

/// Comparison page.
#[component]
pub fn ComparePage() -> impl IntoView {
    let query = use_query_map();
    let wanted = Memo::new(move |_| {
        query.with(|q| {
            let of = |name: &str| q.get_str(name).unwrap_or_default();
            Comparison::new(of("ids"), of("series"), of("x"), of("smooth"), of("rows"))
        })
    });
    let (data, live) = (Data::here(), OperationStore::here());
    // Events are kept from before the request.
    let following = Following::default();
    let ids = Memo::new(move |_| wanted.with(|w| w.ids.clone()));
    // Requested here: the view may be built several times before it is shown, and would repeat the requests. The
    // snapshot comes first: the feed starts at its sequence number, so these responses must not be older.
    let found = live::load(
        move || ids.get(),
        move |ids| {
            following.begin(&live, &ids, OperationStore::follow_curves);
            async move {
                let _ = data.snapshot.await;
                entry::ask(ids).await
            }
        },
    );
    view! {
        <WithSnapshot lines=12>
            <Asked found wanted following/>
        </WithSnapshot>
    }
    .into_any()
}

/// Operations in the URL. The previous ones stay until the responses arrive.
#[component]
fn Asked(found: live::Loaded<Vec<Answer>>, wanted: Memo<Comparison>, following: Following) -> impl IntoView {
    let data = Data::here();
    view! {
        <Transition fallback=|| view! { <Skeleton lines=12/> }>
            {part(move || {
                let found = found.get();
                wait_for(data.kinds);
                Some(match found {
                    Some(found) => view! { <Found found wanted following/> }.into_any(),
                    None => view! { <Skeleton lines=12/> }.into_any(),
                })
            })}
        </Transition>
    }
    .into_any()
}

/// Comparison of the operations that were found.
#[component]
fn Found(found: Vec<Answer>, wanted: Memo<Comparison>, following: Following) -> impl IntoView {
    let asked = found.len();
    let dated = Signal::derive(move || wanted.with(|w| !w.counted));
    let (mut entries, mut missing) = (Vec::new(), Vec::new());
    for (id, answer) in found {
        match answer {
            Ok((detail, series)) => {
                entries.extend(Entry::new(entries.len(), asked, detail, series, dated, following))
            }
            Err(problem) => missing.push(Missing { id, problem }),
        }
    }
    entry::name_all(&entries);
    if entries.is_empty() && !missing.is_empty() {
        answer_404();
    }
    let title = match entries.as_slice() {
        [] => "Compare · Signalbox".to_owned(),
        [one] => format!("Compare {} · Signalbox", one.op.fixed().title),
        [first, second] => {
            format!("{} vs. {} · Signalbox", first.op.fixed().title, second.op.fixed().title)
        }
        more => format!("{} operations compared · Signalbox", more.len()),
    };
    let enough = entries.len() >= MIN_COMPARED;
    let heading = if enough { format!("Compare {} operations", entries.len()) } else { "Compare".to_owned() };
    let room = asked < MAX_COMPARED;
    let mut kinds = Vec::new();
    for entry in &entries {
        let kind = entry.op.fixed().kind.clone();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let group = ChartGroup::new();
    let body = if enough {
        view! {
            <SideTable entries=entries.clone() wanted group/>
            {room.then(|| view! {
                <details class="card compared-add">
                    <summary>"Add operations"</summary>
                    <Picker wanted kinds first=entries.first().copied()/>
                </details>
            })}
            <RunLegend entries=entries.clone() group/>
            <Charts entries=entries.clone() wanted group/>
        }
        .into_any()
    } else {
        view! { <Few entries=entries.clone() wanted kinds/> }.into_any()
    };
    view! {
        <Title text=title/>
        <div class="page-head">
            <h1>{heading}</h1>
            {enough.then(|| view! { <CopyLink wanted/> })}
        </div>
        <Hint page="compare" text="Operations side by side: parameters and figures in the table, curves below. Add or remove operations at any time; the URL stores the selection."/>
        <Notes entries missing wanted/>
        {body}
    }
    .into_any()
}

/// Button that copies the link to this comparison.
#[component]
fn CopyLink(wanted: Memo<Comparison>) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let copy = move |_| {
        let origin = base::origin();
        copy_and_say(toasts, format!("{origin}{}", wanted.with_untracked(Comparison::address)), "Link");
    };
    view! {
        <button type="button" class="button only-script" title="Copy a link to this comparison" on:click=copy>
            <Icon name="copy"/>
            "Copy link"
        </button>
    }
    .into_any()
}

/// Shown with fewer than two operations: what the page is for, and recent operations to add.
#[component]
fn Few(entries: Vec<Entry>, wanted: Memo<Comparison>, kinds: Vec<protocol::KindName>) -> impl IntoView {
    let go = || {
        view! {
            <A href="/operations" attr:class="button">
                "Select operations"
            </A>
        }
    };
    match entries.first() {
        None => view! {
            <Empty
                title="Nothing to compare yet"
                text="Compare 2 to 20 operations: parameter differences, results with the best value marked, and curves in one chart. Select operations on the Operations page and press Compare, or begin with a recent operation below."
            >
                {go()}
            </Empty>
            <section class="card" aria-labelledby="others-title">
                <h2 id="others-title">"Recent operations"</h2>
                <Picker wanted kinds first=None/>
            </section>
        }
        .into_any(),
        Some(one) => {
            let title = format!("Compare {} with", one.op.fixed().title);
            view! {
                <section class="card" aria-labelledby="others-title">
                    <h2 id="others-title">{title}</h2>
                    <Picker wanted kinds first=Some(*one)/>
                    <div class="go-on">{go()}</div>
                </section>
            }
            .into_any()
        }
    }
}
