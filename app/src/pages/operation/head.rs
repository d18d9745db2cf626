//! Head of an operation's page: title, state and actions.

use app_state::address;
use app_state::address::comparison::Comparison;
use app_state::current::{ActionScope, CurrentOperation, OperationAction};
use app_state::kinds::SWEPT;
use app_state::notifications::Notifications;
use components::focus::hand_over;
use components::icon::Icon;
use components::kind_mark::KindPill;
use components::link::A;
use components::menu::Menu;
use components::permission::needs;
use components::reactive::{mark, part, spoken, text, word};
use components::row::Tags;
use components::state_mark::StateMark;
use leptos::html::Div;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use live::{OpView, OperationStore};
use protocol::ConditionKind;
use protocol::access::Permission;

/// Title with the kind, state and actions.
#[component]
pub fn Head(op: OpView) -> impl IntoView {
    let fixed = op.fixed();
    CurrentOperation::here().hold(op);
    let title = fixed.title.clone();
    let state = NodeRef::<Div>::new();
    // Announced on changes, not on the first render.
    let announced = text(move || display::announcement(&title, op.state.get()));
    let part_of = fixed.parent.map(|parent| {
        view! { <A href=address::operation(parent)>{format!("Part of {}", parent.short())}</A> }
    });
    view! {
        <header class="op-head">
            <div class="op-title">
                <p class="crumbs dotted">
                    // Elsewhere the bar has it.
                    <span class="phone-only">
                        <A href="/operations">"Operations"</A>
                    </span>
                    {part_of}
                </p>
                <h1>
                    <KindPill kind=fixed.kind.clone()/>
                    " "
                    {fixed.title.clone()}
                    <Tags op/>
                </h1>
            </div>
            <div class="op-state" node_ref=state tabindex="-1" role="group" aria-label="State">
                <StateMark state=op.state/>
                <p class="unseen" aria-live="polite">{announced}</p>
                <Strip op state/>
            </div>
            <HeadActions op state/>
        </header>
    }
    .into_any()
}

/// What a phone shows beside the state while the page scrolls: progress, time left and *Cancel*; elsewhere the duration
/// of an ended operation.
#[component]
fn Strip(op: OpView, state: NodeRef<Div>) -> impl IntoView {
    let live = OperationStore::here();
    let doer = ActionScope::here();
    let (clock, newest) = (live.clock(), live.newest());
    let far = text(move || {
        let left = op.expected_end(clock.get(), newest.get(), display::forecast::left);
        let far = if op.state.get().ended() {
            String::new()
        } else {
            op.progress.with(|p| display::how_far(p.as_ref()))
        };
        // "any moment" and "overdue" say it all.
        let left = left.map(|left| if left.starts_with("about") { format!("{left} left") } else { left });
        let left = left.unwrap_or_default();
        [far, left].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" · ")
    });
    let took = text(move || {
        let ended = op.state.get().ended();
        if !ended {
            return String::new();
        }
        let now = clock.get_untracked();
        op.facts.with(|f| display::elapsed_text(&f.attempt_facts(), None, now))
    });
    let cancellable = Memo::new(move |_| op.state.get().cancellable());
    let busy = move || doer.actions.pending(op.id);
    let cancel = part(move || {
        let shown = cancellable.get();
        hand_over(state.get_untracked().as_deref(), move || {
            state.try_get_untracked().flatten().map(Into::into)
        });
        shown.then(|| {
            let press = move |_| {
                if !untrack(busy) {
                    OperationAction::Cancel.carry_out(op, doer, &|_| ());
                }
            };
            let words = word(move || OperationAction::Cancel.words(false, doer.actions.cancel_asks(op)));
            view! {
                <button {..needs(Permission::Control)}
                    type="button"
                    class="button danger"
                    aria-busy=spoken(busy)
                    on:click=press
                >
                    {words}
                </button>
            }
            .into_any()
        })
    });
    view! {
        <span class="muted num took">{took}</span>
        <span class="strip">
            <span class="num" aria-hidden="true">
                {far}
            </span>
            {cancel}
        </span>
    }
    .into_any()
}

/// What an action does, where its label does not say it.
fn means(action: OperationAction) -> Option<&'static str> {
    Some(action.means()).filter(|means| !means.is_empty())
}

/// Frequent actions as buttons, the others in a menu. `state` receives the focus after an action. Those that depend on
/// the state come first, so that the others keep their place when it changes.
#[component]
fn HeadActions(op: OpView, state: NodeRef<Div>) -> impl IntoView {
    let (doer, tell) = (ActionScope::here(), Notifications::here());
    let navigate = use_navigate();
    let next = Memo::new(move |_| {
        let has_checkpoint = op.facts.with(|f| f.checkpoint.is_some());
        let next = display::next(op.state.get(), has_checkpoint);
        let pausing = op.condition.with(|c| c.as_ref().is_some_and(|c| c.kind == ConditionKind::Backoff));
        if pausing { next.in_pause(has_checkpoint) } else { next }
    });
    let ended = Memo::new(move |_| op.state.get().ended());
    let awaited = Memo::new(move |_| tell.awaits(op.id));
    // Marked as busy instead of disabled: a disabled button loses the focus.
    let busy = move || doer.actions.pending(op.id);
    let button = move |deed: OperationAction, class: &'static str| {
        let press = move |_| {
            if !untrack(busy) {
                deed.carry_out(op, doer, &|_| ());
            }
        };
        let words = word(move || deed.words(false, doer.actions.cancel_asks(op)));
        view! {
            <button {..deed.needs().map(needs).unwrap_or_default()}
                type="button"
                class=class
                title=means(deed)
                aria-busy=spoken(busy)
                on:click=press
            >
                {words}
            </button>
        }
        .into_any()
    };
    let link = move |deed: OperationAction, class: &'static str, href: String| {
        view! {
            <A href attr:class=class attr:title=deed.means()>
                {deed.words(false, false)}
            </A>
        }
        .into_any()
    };
    let fixed = op.fixed();
    let again =
        link(OperationAction::Again, "button", address::start_again(fixed.kind.as_str(), &fixed.params));
    let swept = SWEPT.iter().any(|(kind, _)| *kind == fixed.kind.as_str());
    // Buttons where there is room for them beside the title, otherwise entries of the menu.
    let rare = move |class: &'static str| {
        let sweep = swept.then(|| {
            let href = address::sweep_of(fixed.kind.as_str(), address::plain(&fixed.params));
            view! {
                <A href attr:class=class>
                    "Sweep this…"
                </A>
            }
            .into_any()
        });
        let compare = link(OperationAction::Compare, class, Comparison::of([op.id]).address());
        view! { {sweep} {compare} }.into_any()
    };
    let go = move |to: &str| navigate(to, Default::default());
    let item = move |deed: OperationAction| {
        let go = go.clone();
        let hidden = mark(move || !deed.fits(next.get(), ended.get()));
        view! {
            <button {..deed.needs().map(needs).unwrap_or_default()}
                type="button"
                hidden=hidden
                on:click=move |_| deed.carry_out(op, doer, &go)
            >
                <span>
                    {word(move || deed.words(awaited.get(), false))}
                    {means(deed).map(|means| view! { <span class="menu-note">{means}</span> })}
                </span>
                // Browsers draw an empty `kbd` as a box.
                {(!deed.key().is_empty()).then(|| view! { <kbd aria-hidden="true">{deed.key()}</kbd> })}
            </button>
        }
        .into_any()
    };
    let tell_now = part(move || {
        let pressed = word(move || if awaited.get() { "true" } else { "false" });
        (!ended.get()).then(|| {
            view! {
                <button
                    type="button"
                    class="button only-script"
                    aria-pressed=pressed
                    on:click=move |_| tell.toggle(op)
                >
                    <Icon name="bell"/>
                    {OperationAction::Notify.words(false, false)}
                </button>
            }
            .into_any()
        })
    });
    let actions = NodeRef::<Div>::new();
    view! {
        <div class="op-actions" node_ref=actions>
            {tell_now}
            {part(move || {
                let next = next.get();
                // The focus does not move to the next button: a double key press would undo the action.
                hand_over(actions.get_untracked().as_deref(), move || {
                    state.try_get_untracked().flatten().map(Into::into)
                });
                Some(view! {
                    {next.cancel.then(|| button(OperationAction::Cancel, "button danger"))}
                    {next.resume.then(|| button(OperationAction::Resume, "button primary"))}
                    {next.retry.then(|| button(OperationAction::Retry, "button"))}
                }
                .into_any())
            })}
            {again}
            {rare("button op-rare")}
            <Menu label="More actions">
                {rare("op-rare-entry")}
                {[OperationAction::Notify, OperationAction::CopyLink, OperationAction::CopyId, OperationAction::CopyCurl, OperationAction::CopyCommand, OperationAction::Delete].map(item).collect_view()}
            </Menu>
        </div>
    }
    .into_any()
}
