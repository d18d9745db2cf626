//! One operation: where it stands, its curves and log as they grow, what came out of it.

mod audit;
mod band;
mod candles;
mod condition;
pub mod curves;
pub mod detail;
mod failure;
pub mod group;
mod head;
pub mod kept;
mod log;
mod phases;
mod result;
mod rule;
pub mod sampled;
mod sweep;
mod tables;

use super::not_found::{NotFound, answer_404};
use crate::api;
use crate::app::Data;
use crate::components::faces::{Empty, Skeleton, Trouble, WithSnapshot};
use crate::components::link::A;
use crate::kinds::wait_for;
use crate::live::Live;
use crate::reactive::part;
use detail::Detail;
use kept::Following;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use protocol::api::{LogPage, OperationDetail, SeriesAnswer};
use protocol::{OperationId, Problem, ProblemType};

/// Points asked for of each curve: about twice what a chart is wide.
const POINTS: u32 = 1_200;

/// The page; its address names the operation.
#[component]
pub fn OperationPage() -> impl IntoView {
    let params = use_params_map();
    let id =
        Memo::new(move |_| params.with(|p| p.get_str("id").and_then(|id| id.parse::<OperationId>().ok())));
    let (data, live) = (Data::here(), Live::here());
    // Events of it are held from before the first question on.
    let following = Following::default();
    // Asked for here, once for each id: what is inside of the view may be made several times before it is shown, and
    // each would ask anew and might be told something newer than the browser then gets to hydrate from.
    // After the snapshot: the feed is followed from its seq, so these answers must not be older.
    let detail = Resource::new(move || id.get(), {
        let live = live.clone();
        move |id: Option<OperationId>| {
            following.begin(&live, id.as_slice(), Live::follow);
            async move {
                let _ = data.snapshot.await;
                match id {
                    Some(id) => Some((id, api::operation(id).await)),
                    None => None,
                }
            }
        }
    });
    let beside = Resource::new(
        move || id.get(),
        move |id: Option<OperationId>| {
            following.begin(&live, id.as_slice(), Live::follow);
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

/// What was asked for of the operation with this id.
type Asked = Option<(OperationId, Result<OperationDetail, Problem>)>;
type AskedBeside = Option<(OperationId, Option<SeriesAnswer>, Option<LogPage>)>;

/// Shows all of it once it is there.
#[component]
fn Opened(
    id: OperationId,
    detail: Resource<Asked>,
    beside: Resource<AskedBeside>,
    following: Following,
) -> impl IntoView {
    let data = Data::here();
    let live = Live::here();
    let forgotten = Memo::new(move |_| live.forgotten(id));
    view! {
        <Suspense fallback=|| view! { <Skeleton lines=12/> }>
            {part(move || {
                if forgotten.get() {
                    return Some(gone(id));
                }
                // An answer about the one that was open before is none.
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

/// The page again from the start: what failed may work now.
fn refetch(id: OperationId) {
    // It fails only outside a document.
    let _ = window().location().set_href(&crate::base::url(&crate::query::operation(id)));
}

/// It was there when the page was opened, and is no more.
fn gone(id: OperationId) -> AnyView {
    let text = format!("Operation {} and all its data were deleted. This cannot be undone.", id.short());
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

/// The operation can't be shown: it is not there, or the server can't say.
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
