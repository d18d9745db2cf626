//! Panel beside the list with the operation of one row.

use super::peek::Peek;
use super::peek_log::LastLines;
use app_state::Failures;
use app_state::address;
use components::bar::ProgressBar;
use components::headline::{HeadFigure, Headline};
use components::icon::Icon;
use components::kind_mark::KindPill;
use components::link::A;
use components::reactive::{part, text};
use components::row::{RowAction, Tags};
use components::spark::Spark;
use components::state_mark::StateMark;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::{OpView, OperationStore, api};
use protocol::OperationId;
use web_sys::KeyboardEvent;

/// Maximum number of parameters shown.
const MAX_PARAMS: usize = 10;
/// Maximum number of figures shown.
const MAX_FIGURES: usize = 4;

/// The panel; nothing while none is open.
#[component]
pub fn PeekPanel(peek: Peek) -> impl IntoView {
    let live = OperationStore::here();
    let missing = RwSignal::new(None::<OperationId>);
    // A link may name an operation that the list has not loaded.
    Effect::new({
        let live = live.clone();
        move |_| {
            let Some(id) = peek.shown.get().filter(|id| live.operation(*id).is_none()) else { return };
            let live = live.clone();
            spawn_local(async move {
                match api::operation(id).await {
                    Ok(detail) => live.adopt(&detail.operation, detail.seq),
                    Err(_) => drop(missing.try_set(Some(id))),
                }
            });
        }
    });
    let known = Memo::new(move |_| peek.shown.get().map(|id| (id, live.has(id))));
    part(move || {
        let (id, loaded) = known.get()?;
        let body = match loaded {
            true => view! { <Body id/> }.into_any(),
            false => {
                let wording = text(move || match missing.get() == Some(id) {
                    true => "This operation was not found. It may have been deleted.".to_owned(),
                    false => "Loading…".to_owned(),
                });
                view! { <p class="muted">{wording}</p> }.into_any()
            }
        };
        let escaped = move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.prevent_default();
                peek.close();
            }
        };
        Some(
            view! {
                <aside class="peek" aria-label="Preview" on:keydown=escaped>
                    <button
                        type="button"
                        class="quiet peek-close"
                        title="Close (Esc)"
                        aria-label="Close preview"
                        on:click=move |_| peek.close()
                    >
                        <Icon name="cross"/>
                    </button>
                    {body}
                </aside>
            }
            .into_any(),
        )
    })
}

#[component]
fn Body(id: OperationId) -> impl IntoView {
    let live = OperationStore::here();
    let Some(op) = live.operation(id).map(|signals| signals.view()) else { return ().into_any() };
    let (clock, newest) = (live.clock(), live.newest());
    Failures::here().watch(id);
    let fixed = op.fixed();
    let over = Memo::new(move |_| op.state.get().ended());
    let figures = Signal::derive(move || {
        op.facts.with(|facts| {
            let figures = facts.figures.iter().take(MAX_FIGURES);
            let figures = figures.map(|figure| HeadFigure {
                label: figure.name.clone(),
                value: display::key_figure::value(figure),
                ..HeadFigure::default()
            });
            figures.collect::<Vec<_>>()
        })
    });
    let left = text(move || {
        op.expected_end(clock.get(), newest.get(), display::forecast::left_with_band).unwrap_or_default()
    });
    let took = text(move || {
        let now = clock.get();
        op.condition.with(|c| op.facts.with(|f| display::elapsed_text(&f.attempt_facts(), c.as_ref(), now)))
    });
    let doing = text(move || op.progress.with(|p| p.as_ref().map(display::doing).unwrap_or_default()));
    let host =
        text(move || op.facts.with(|f| f.host.as_ref().map(|h| format!("on {h}")).unwrap_or_default()));
    view! {
        <header class="peek-head">
            <p>
                <StateMark state=op.state/>
                <KindPill kind=fixed.kind.clone()/>
            </p>
            <h2>
                <A href=address::operation(id)>{fixed.title.clone()}</A>
            </h2>
            <p class="muted num peek-line">
                <span>{took}</span>
                <span>{host}</span>
                <Tags op/>
            </p>
        </header>
        {part(move || {
            (!over.get()).then(|| {
                view! {
                    <ProgressBar op/>
                    <p class="muted num peek-line">
                        <span>{left.clone()}</span>
                        <span>{doing.clone()}</span>
                    </p>
                    <Spark op/>
                }
                .into_any()
            })
        })}
        <Headline figures/>
        <Reason op/>
        <Params op/>
        <LastLines op/>
        <p class="peek-do">
            <A href=address::operation(id) attr:class="button">
                "Open"
            </A>
            <RowAction op/>
        </p>
    }
    .into_any()
}

/// Failure of the operation, with what to do about it.
#[component]
fn Reason(op: OpView) -> impl IntoView {
    part(move || {
        let failure = op.facts.with(|f| f.failure.clone())?;
        let hint = (!failure.hint.is_empty()).then(|| view! { <p>{failure.hint.clone()}</p> }.into_any());
        Some(
            view! {
                <div class="note bad">
                    <p title=failure.message.clone()><strong>{display::outcome::reason(&failure.message)}</strong></p>
                    {hint}
                </div>
            }
            .into_any(),
        )
    })
}

/// Parameters with a plain value.
#[component]
fn Params(op: OpView) -> impl IntoView {
    let fixed = op.fixed();
    let params = fixed.params.as_object().into_iter().flatten();
    let plain = params.filter(|(_, value)| !value.is_null() && !value.is_object() && !value.is_array());
    let shown: Vec<_> = plain
        .take(MAX_PARAMS)
        .map(|(name, value)| {
            let value = display::format::param(value);
            view! { <dt>{name.clone()}</dt><dd>{value}</dd> }.into_any()
        })
        .collect();
    (!shown.is_empty()).then(|| view! { <dl class="peek-params">{shown}</dl> }.into_any())
}
