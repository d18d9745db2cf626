//! Table row of an operation; on phones its cells form two lines.

use super::bar::ProgressBar;
use super::focus::{find, hand_over};
use super::icon::Icon;
use super::moment::Ago;
use super::row_selection::{PickOne, Picks};
use super::state_mark::StateMark;
use crate::actions::{Actions, Question};
use crate::base;
use crate::components::link::A;
use crate::live::{Live, OpView};
use crate::open::Deed;
use crate::query;
use crate::reactive::{maybe, part, spoken, text, word};
use display::QueuePosition;
use leptos::html::Button;
use leptos::prelude::*;
use protocol::{ConditionKind, Forecast, OperationId, Time};
use std::collections::HashMap;

/// The row of a loaded operation.
#[component]
pub fn Row(
    id: OperationId,
    /// Present where rows can be selected.
    picks: Option<Picks>,
    places: Memo<HashMap<OperationId, QueuePosition>>,
    /// Row number in a virtual table.
    #[prop(optional)]
    numbers: Option<Memo<HashMap<OperationId, usize>>>,
) -> impl IntoView {
    let live = Live::here();
    let Some(op) = live.operation(id).map(|cell| cell.view()) else { return ().into_any() };
    let (clock, newest) = (live.clock(), live.newest());
    let fixed = op.fixed();
    let place = Memo::new(move |_| places.with(|p| p.get(&id).copied()));
    let kind = fixed.kind.clone();
    let doing = move || -> String {
        if op.state.get().ended() {
            return op.facts.with(|f| f.failure.as_ref().map(|f| f.message.clone()).unwrap_or_default());
        }
        if let Some(place) = place.get() {
            return display::place_in_row(place, &kind);
        }
        op.progress.with(|p| p.as_ref().map(display::doing).unwrap_or_default())
    };
    let left = part(move || match op.facts.with(|f| f.ended_at) {
        Some(at) => Some(view! { <Ago at/> }.into_any()),
        None => {
            let left = move |of: fn(Option<&Forecast>, Option<f64>, Time) -> Option<String>| {
                text(move || op.expected_end(clock.get(), newest.get(), of).unwrap_or_default())
            };
            Some(
                view! {
                    <span title=left(display::forecast::left_with_band)>{left(display::forecast::left)}</span>
                    <span class="under">{left(display::forecast::band)}</span>
                }
                .into_any(),
            )
        }
    });
    let took = text(move || {
        let now = clock.get();
        op.condition.with(|c| op.facts.with(|f| display::elapsed_text(&f.attempt_facts(), c.as_ref(), now)))
    });
    let host = text(move || op.facts.with(|f| f.host.as_ref().map(|h| h.to_string()).unwrap_or_default()));
    let began = part(move || op.facts.with(|f| f.started_at).map(|at| view! { <Ago at/> }.into_any()));
    let heard = text(move || {
        let silent = op.condition.with(|c| c.as_ref().is_some_and(|c| c.kind == ConditionKind::Unreachable));
        match op.heard_at.get() {
            // An unreachable host is stated in the progress column.
            Some(at) if op.state.get().on_host() && !silent => display::last_seen(at, clock.get()),
            _ => String::new(),
        }
    });
    let number = maybe(move || numbers?.with(|numbers| numbers.get(&id).map(usize::to_string)));
    let doing_title = text(doing.clone());
    view! {
        <tr class="row" aria-rowindex=number data-state=word(move || op.state.get().as_str())>
            {picks.map(|picks| {
                view! {
                    <td class="c-pick">
                        <PickOne op picks/>
                    </td>
                }
                .into_any()
            })}
            <td class="c-state">
                <StateMark state=op.state/>
            </td>
            <td class="c-what">
                <span class="kind">{fixed.kind.to_string()}</span>
                " "
                <A href=query::operation(id) attr:class="title">
                    {fixed.title.clone()}
                </A>
                <Tags op/>
            </td>
            <td class="c-bar">
                <ProgressBar op/>
            </td>
            <td class="c-doing">
                <span class="clip" title=doing_title>
                    {text(doing)}
                </span>
            </td>
            <td class="c-left num">{left}</td>
            <td class="c-host">{host}</td>
            <td class="c-began num">
                {began}
                <span class="under">{heard}</span>
            </td>
            <td class="c-took num">{took}</td>
            <td class="c-do">
                <RowAction op/>
            </td>
        </tr>
    }
    .into_any()
}

/// Tags of the data source: `synthetic`.
#[component]
pub fn Tags(op: OpView) -> impl IntoView {
    part(move || {
        let tags = op.facts.with(|f| f.tags.clone());
        let tags = tags.into_iter().map(|tag| view! { <span class="tag">{tag}</span> }.into_any());
        Some(tags.collect_view().into_any())
    })
}

/// Most likely action: cancel, resume or duplicate.
#[component]
pub fn RowAction(op: OpView) -> impl IntoView {
    let actions = Actions::here();
    let fixed = op.fixed();
    let next = Memo::new(move |_| display::next(op.state.get(), op.facts.with(|f| f.checkpoint.is_some())));
    let asks = Memo::new(move |_| actions.cancel_asks(op));
    let pressed = NodeRef::<Button>::new();
    // Marked busy, not disabled: a disabled button loses the focus.
    let busy = move || actions.pending(op.id);
    part(move || {
        let next = next.get();
        if let Some(button) = pressed.get_untracked() {
            // Link of the operation in its row or card, wherever it is by then.
            let href = base::url(&query::operation(op.id));
            let link = format!("tr.row a.title[href='{href}'], article h3 a[href='{href}']");
            hand_over(Some(&button), move || find(&document().document_element()?, &link));
        }
        let title = fixed.title.clone();
        let button = |said: &str, picture: &'static str, act: fn(Actions, OpView)| {
            let label = format!("{said}: {title}");
            view! {
                <button
                    node_ref=pressed
                    type="button"
                    class="quiet"
                    title=said.to_owned()
                    aria-label=label
                    aria-busy=spoken(busy)
                    on:click=move |_| {
                        if !untrack(busy) {
                            act(actions, op);
                        }
                    }
                >
                    <Icon name=picture/>
                </button>
            }
            .into_any()
        };
        if next.cancel {
            let said = Deed::Cancel.words(false, asks.get());
            Some(button(said, "cross", |actions, op| actions.cancel(op)))
        } else if next.resume {
            Some(button("Resume operation", "resume", |actions, op| {
                actions.question.set(Some(Question::Resume(op.id)));
            }))
        } else if op.state.get_untracked().ended() {
            let href = query::start_again(fixed.kind.as_str(), &fixed.params);
            let label = format!("Duplicate: {title}");
            Some(
                view! {
                    <A
                        href=href
                        attr:class="quiet"
                        attr:title="Duplicate…"
                        attr:aria-label=label
                    >
                        <Icon name="again"/>
                    </A>
                }
                .into_any(),
            )
        } else {
            None
        }
    })
}
