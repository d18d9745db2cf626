//! Page of one operation: state, charts, log and result.

mod audit;
mod band;
mod candles;
mod condition;
mod curve_events;
pub mod curves;
pub mod detail;
mod facts;
mod failure;
mod head;
mod key_figures;
mod log;
mod phases;
mod progress;
mod result;
mod rule;
mod sections;
mod sweep;
mod tables;
mod tabs;
mod time;

use super::left;
use super::not_found::{NotFound, answer_404};
use crate::features::curves::cached::Following;
use app_state::kinds::wait_for;
use app_state::{Data, Failures};
use components::lazy_section::LazySection;
use components::link::A;
use components::placeholders::{Empty, Skeleton, Trouble, WithSnapshot};
use components::reactive::part;
use detail::Detail;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use live::OperationStore;
use live::api;
use protocol::api::{LogPage, OperationDetail, SeriesAnswer};
use protocol::{OperationId, Problem, ProblemType};

/// Sections whose code is loaded when they are shown.
pub fn lazy_sections() -> Vec<LazySection> {
    sections::SECTIONS.into_iter().chain(result::SECTIONS).collect()
}

/// Points requested per series: about twice the width of a chart.
const POINTS: u32 = 1_200;

/// Page of the operation in the URL.
#[component]
pub fn OperationPage() -> impl IntoView {
    let params = use_params_map();
    let id =
        Memo::new(move |_| params.with(|p| p.get_str("id").and_then(|id| id.parse::<OperationId>().ok())));
    let (data, live) = (Data::here(), OperationStore::here());
    // Events are kept from before the first request.
    let following = Following::default();
    // Requested here, once per ID. The view may be built several times before it is shown, and repeated requests
    // could return newer data than the browser hydrates from. The snapshot comes first: the feed starts at its
    // sequence number, so these responses must not be older.
    let detail = live::load(move || id.get(), {
        let live = live.clone();
        move |id: Option<OperationId>| {
            following.begin(&live, id.as_slice(), OperationStore::follow);
            async move {
                let _ = data.snapshot.await;
                match id {
                    Some(id) => Some((id, api::operation(id).await)),
                    None => None,
                }
            }
        }
    });
    let beside = live::load(
        move || id.get(),
        move |id: Option<OperationId>| {
            following.begin(&live, id.as_slice(), OperationStore::follow);
            async move {
                let _ = data.snapshot.await;
                match id {
                    Some(id) => Some((id, api::series(id, POINTS).await.ok(), api::logs(id).await.ok())),
                    None => None,
                }
            }
        },
    );
    part(move || {
        Some(match id.get() {
            Some(id) => view! {
                <WithSnapshot lines=12>
                    <Opened id detail beside following/>
                </WithSnapshot>
            }
            .into_any(),
            None => view! { <NotFound what="operation"/> }.into_any(),
        })
    })
}

/// Responses for the operation with this ID.
type Asked = Option<(OperationId, Result<OperationDetail, Problem>)>;
type AskedBeside = Option<(OperationId, Option<SeriesAnswer>, Option<LogPage>)>;

/// Loads and shows the operation.
#[component]
fn Opened(
    id: OperationId,
    detail: live::Loaded<Asked>,
    beside: live::Loaded<AskedBeside>,
    following: Following,
) -> impl IntoView {
    let data = Data::here();
    let live = OperationStore::here();
    let forgotten = Memo::new(move |_| live.is_deleted(id));
    Failures::here().watch(id);
    left::forget_readers_of(id);
    view! {
        <Suspense fallback=|| view! { <Skeleton lines=12/> }>
            {part(move || {
                if forgotten.get() {
                    return Some(gone(id));
                }
                // Ignores a response about the previous operation.
                let detail = detail.get().flatten().filter(|(of, _)| *of == id);
                let beside = beside.get().flatten().filter(|(of, ..)| *of == id);
                wait_for(data.kinds);
                Some(match (detail, beside) {
                    (Some((_, Ok(detail))), Some((_, series, logs))) => {
                        view! { <Detail first=detail series logs following/> }.into_any()
                    }
                    (Some((_, Err(problem))), _) => view! { <NoOperation problem retry=move |()| refetch(id)/> }.into_any(),
                    _ => view! { <Skeleton lines=12/> }.into_any(),
                })
            })}
        </Suspense>
    }
    .into_any()
}

/// Reloads the page.
fn refetch(id: OperationId) {
    // Fails only outside of a document.
    let _ = window().location().set_href(&live::base::url(&app_state::address::operation(id)));
}

/// Shown when the operation is deleted while its page is open.
fn gone(id: OperationId) -> AnyView {
    let text = format!(
        "Operation {} was deleted with its parameters, attempts, checkpoint, curves, log and result. This can't be undone.",
        id.short()
    );
    view! {
        <Title text="Deleted · Signalbox"/>
        <div role="alert">
            <h1>"Operation deleted"</h1>
        </div>
        <Empty title="Nothing left to show" text>
            <A href="/operations" attr:class="button">
                "Go to operations"
            </A>
        </Empty>
    }
    .into_any()
}

/// Shown when the operation does not exist or cannot be loaded.
#[component]
fn NoOperation(problem: Problem, #[prop(into)] retry: Callback<()>) -> impl IntoView {
    if problem.kind != ProblemType::NotFound {
        return view! { <Trouble problem retry/> }.into_any();
    }
    answer_404();
    view! {
        <Title text="Not found · Signalbox"/>
        <h1>"Operation not found"</h1>
        <Empty title="No operation with this ID" text=problem.detail>
            <A href="/operations" attr:class="button">
                "Go to operations"
            </A>
        </Empty>
    }
    .into_any()
}
