//! The head of an operation's page: what it is, where it stands, what can be asked of it.

use super::condition::InLine;
use crate::actions::{Actions, Question};
use crate::components::icon::Icon;
use crate::components::ident::{Ident, copy_and_say};
use crate::components::moment::Clock;
use crate::components::row::Tags;
use crate::components::state_mark::StateMark;
use crate::components::toasts::Toasts;
use crate::live::{Live, OpView};
use crate::pages::compare::Wanted;
use crate::reactive::{part, text, yes};
use crate::{format, query, words};
use leptos::prelude::*;
use leptos_router::components::A;
use protocol::State;

/// Title, state, actions and the line below them.
#[component]
pub fn Head(op: OpView) -> impl IntoView {
    let fixed = op.fixed();
    let title = fixed.title.clone();
    // Read out when it changes, not when it is first shown.
    let announced = text(move || format!("{title} is {}", op.state.get()));
    let part_of = fixed.parent.map(|parent| {
        view! { " · " <A href=query::operation(parent)>{format!("part of {}", parent.short())}</A> }
    });
    view! {
        <p class="crumbs">
            <A href="/operations">"Operations"</A>
            {part_of}
        </p>
        <div class="page-head op-head">
            <h1>
                <span class="kind">{fixed.kind.to_string()}</span>
                " "
                {fixed.title.clone()}
                <Tags op/>
            </h1>
            <div class="op-state">
                <StateMark state=op.state/>
                <p class="unseen" aria-live="polite">{announced}</p>
            </div>
            <HeadActions op/>
        </div>
        <SubLine op/>
    }
    .into_any()
}

#[component]
fn HeadActions(op: OpView) -> impl IntoView {
    let actions = Actions::here();
    let toasts = expect_context::<Toasts>();
    let fixed = op.fixed();
    let next = Memo::new(move |_| words::next(op.state.get(), op.facts.with(|f| f.checkpoint.is_some())));
    let ended = Memo::new(move |_| op.state.get().ended());
    let busy = move || actions.pending(op.id);
    let again = query::start_again(fixed.kind.as_str(), &fixed.params);
    let copy_link = move |_| {
        let origin = window().location().origin().unwrap_or_default();
        copy_and_say(toasts, format!("{origin}{}", query::operation(op.id)), "Link");
    };
    let button = move |word: &'static str, class: &'static str, act: fn(Actions, OpView)| {
        view! {
            <button type="button" class=class disabled=yes(busy) on:click=move |_| act(actions, op)>
                {word}
            </button>
        }
        .into_any()
    };
    view! {
        <div class="op-actions">
            {part(move || {
                let next = next.get();
                Some(view! {
                    {next.cancel.then(|| button("Cancel operation", "button danger", |a, op| a.cancel(op)))}
                    {next.resume.then(|| button("Resume…", "button primary", |a, op| a.question.set(Some(Question::Resume(op.id)))))}
                    {next.retry.then(|| button("Retry from the start", "button", |a, op| a.retry(op.id)))}
                    {ended.get().then(|| button("Delete…", "button danger", |a, op| a.question.set(Some(Question::Delete(op.id)))))}
                }
                .into_any())
            })}
            <A href=again attr:class="button">
                "Again with these params"
            </A>
            <A href=Wanted::of([op.id]).address() attr:class="button">
                "Compare with…"
            </A>
            <button type="button" class="button" title="Copy a link to this page" on:click=copy_link>
                <Icon name="copy"/>
                "Link"
            </button>
        </div>
    }
    .into_any()
}

/// `attempt 1 on gpu-1 · started 10:41:07 UTC · 2 m 10 s · about 40 s left`
#[component]
fn SubLine(op: OpView) -> impl IntoView {
    let clock = Live::here().clock();
    let fixed = op.fixed();
    let attempt = text(move || {
        op.facts.with(|f| match &f.host {
            Some(host) => format!("attempt {} on {host}", f.attempt),
            None => format!("attempt {}", f.attempt),
        })
    });
    let created = fixed.created_at;
    let when = part(move || {
        let (started, ended) = op.facts.with(|f| (f.started_at, f.ended_at));
        let start = match started {
            Some(at) => view! { <span>"started " <Clock at/></span> }.into_any(),
            None => view! { <span>"asked for " <Clock at=created/></span> }.into_any(),
        };
        let end = ended.map(|at| view! { <span>"ended " <Clock at/></span> }.into_any());
        Some(
            view! {
                {start}
                {end}
            }
            .into_any(),
        )
    });
    let took = text(move || {
        let now = clock.get();
        match op.state.get() {
            State::Queued => {
                let since = op.facts.with(|f| f.queued_at).unwrap_or(created);
                format!("waits {}", format::duration(now.seconds_since(since)))
            }
            _ => op.condition.with(|c| op.facts.with(|f| words::elapsed_text(f, c.as_ref(), now))),
        }
    });
    let left = part(move || {
        words::forecast::of(op, clock.get(), words::forecast::left_with_band)
            .map(|said| view! { <span class="num">{said}</span> }.into_any())
    });
    view! {
        <p class="sub-line dotted">
            <span>{attempt}</span>
            {when}
            <span class="num">{took}</span>
            <InLine op/>
            {left}
            <Ident short=op.id.short() whole=op.id.to_string()/>
        </p>
    }
    .into_any()
}
