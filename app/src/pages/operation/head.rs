//! Head of an operation's page: title, state and actions.

use super::condition::InLine;
use crate::components::focus::hand_over;
use crate::components::icon::Icon;
use crate::components::ident::Ident;
use crate::components::link::A;
use crate::components::menu::Menu;
use crate::components::moment::Clock;
use crate::components::row::Tags;
use crate::components::state_mark::StateMark;
use crate::live::{Live, OpView};
use crate::notifications::Tell;
use crate::open::{Deed, Doer, Open};
use crate::pages::compare::Wanted;
use crate::query;
use crate::reactive::{mark, part, spoken, text, word};
use display::format;
use leptos::html::Div;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use protocol::{ConditionKind, State};

/// Title, state, actions and the summary line below.
#[component]
pub fn Head(op: OpView) -> impl IntoView {
    let fixed = op.fixed();
    Open::here().hold(op);
    let title = fixed.title.clone();
    let state = NodeRef::<Div>::new();
    // Announced on changes, not on the first render.
    let announced = text(move || display::announcement(&title, op.state.get()));
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
            <div class="op-state" node_ref=state tabindex="-1" role="group" aria-label="State">
                <StateMark state=op.state/>
                <p class="unseen" aria-live="polite">{announced}</p>
            </div>
            <HeadActions op state/>
        </div>
        <SubLine op/>
    }
    .into_any()
}

/// Frequent actions as buttons, the others in a menu. `state` receives the focus after an action.
#[component]
fn HeadActions(op: OpView, state: NodeRef<Div>) -> impl IntoView {
    let (doer, tell) = (Doer::here(), Tell::here());
    let navigate = use_navigate();
    let next = Memo::new(move |_| {
        let has_checkpoint = op.facts.with(|f| f.checkpoint.is_some());
        let next = display::next(op.state.get(), has_checkpoint);
        let pausing = op.condition.with(|c| c.as_ref().is_some_and(|c| c.kind == ConditionKind::Backoff));
        if pausing { next.in_pause(has_checkpoint) } else { next }
    });
    let ended = Memo::new(move |_| op.state.get().ended());
    let told = Memo::new(move |_| tell.awaits(op.id));
    // Marked as busy instead of disabled: a disabled button loses the focus.
    let busy = move || doer.actions.pending(op.id);
    let button = move |deed: Deed, class: &'static str| {
        let press = move |_| {
            if !untrack(busy) {
                deed.carry_out(op, doer, &|_| ());
            }
        };
        let words = word(move || deed.words(false, doer.actions.cancel_asks(op)));
        view! {
            <button type="button" class=class aria-busy=spoken(busy) on:click=press>
                {words}
            </button>
        }
        .into_any()
    };
    let link = move |deed: Deed, href: String| {
        view! {
            <A href attr:class="button">
                {deed.words(false, false)}
            </A>
        }
        .into_any()
    };
    let fixed = op.fixed();
    let again = link(Deed::Again, query::start_again(fixed.kind.as_str(), &fixed.params));
    let compare = link(Deed::Compare, Wanted::of([op.id]).address());
    let go = move |to: &str| navigate(to, Default::default());
    let item = move |deed: Deed| {
        let go = go.clone();
        let hidden = mark(move || !deed.fits(next.get(), ended.get()));
        view! {
            <button type="button" hidden=hidden on:click=move |_| deed.carry_out(op, doer, &go)>
                <span>{word(move || deed.words(told.get(), false))}</span>
                // Browsers draw an empty `kbd` as a box.
                {(!deed.key().is_empty()).then(|| view! { <kbd aria-hidden="true">{deed.key()}</kbd> })}
            </button>
        }
        .into_any()
    };
    let tell_now = part(move || {
        let pressed = word(move || if told.get() { "true" } else { "false" });
        (!ended.get()).then(|| {
            view! {
                <button
                    type="button"
                    class="button only-script"
                    aria-pressed=pressed
                    on:click=move |_| tell.toggle(op)
                >
                    <Icon name="told"/>
                    {Deed::Tell.words(false, false)}
                </button>
            }
            .into_any()
        })
    });
    let actions = NodeRef::<Div>::new();
    view! {
        <div class="op-actions" node_ref=actions>
            {part(move || {
                let next = next.get();
                // The focus does not move to the next button: a double key press would undo the action.
                hand_over(actions.get_untracked().as_deref(), move || {
                    state.try_get_untracked().flatten().map(Into::into)
                });
                Some(view! {
                    {next.cancel.then(|| button(Deed::Cancel, "button danger"))}
                    {next.resume.then(|| button(Deed::Resume, "button primary"))}
                    {next.retry.then(|| button(Deed::Retry, "button"))}
                }
                .into_any())
            })}
            {again}
            {compare}
            {tell_now}
            <Menu label="More actions">
                {[Deed::Tell, Deed::CopyLink, Deed::CopyId, Deed::CopyCurl, Deed::CopyCommand, Deed::Delete].map(item).collect_view()}
            </Menu>
        </div>
    }
    .into_any()
}

/// Summary line: `attempt 1 on gpu-1 · started 10:41:07 UTC · 2 m 10 s · about 40 s left`.
#[component]
fn SubLine(op: OpView) -> impl IntoView {
    let live = Live::here();
    let (clock, newest) = (live.clock(), live.newest());
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
            None => view! { <span>"created " <Clock at=created/></span> }.into_any(),
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
                let since = op.facts.with(|f| f.queued_at);
                format!("queued for {}", format::duration(now.seconds_since(since)))
            }
            _ => op
                .condition
                .with(|c| op.facts.with(|f| display::elapsed_text(&f.attempt_facts(), c.as_ref(), now))),
        }
    });
    let left = part(move || {
        op.expected_end(clock.get(), newest.get(), display::forecast::left_with_band)
            .map(|said| view! { <span class="num left">{said}</span> }.into_any())
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
