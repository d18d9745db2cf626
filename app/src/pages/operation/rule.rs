//! Auto-cancel rule of an operation that has not ended: the current rule with its progress, and the form for a new
//! one.

use crate::features::curves::info;
use app_state::toasts::Toasts;
use components::moment::Clock;
use components::permission::needs;
use components::reactive::{part, text, yes};
use components::rule_fields::{ABOUT, RuleFields};
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use live::model::curves::Curves;
use live::{OpView, OperationStore};
use protocol::access::Permission;
use protocol::band::{BandRule, SetRule, Side};
use protocol::{KindSpec, Operation, OperationId, Problem};

/// Requests of the card, one at a time.
#[derive(Clone, Copy)]
struct Asks {
    id: OperationId,
    busy: RwSignal<bool>,
    /// Error of the last request.
    refused: RwSignal<String>,
    toasts: Toasts,
}

impl Asks {
    /// Sets or removes a rule; runs `then` on success.
    fn ask(self, rule: Option<SetRule>, then: impl FnOnce() + 'static) {
        // Undo may be used after the card is gone.
        if self.busy.try_get_untracked() == Some(true) {
            return;
        }
        self.busy.try_set(true);
        let live = OperationStore::here();
        spawn_local(async move {
            let answer: Result<Operation, Problem> = match &rule {
                Some(rule) => api::set_rule(self.id, rule).await,
                None => api::drop_rule(self.id).await,
            };
            match answer {
                Ok(operation) => {
                    live.adopt(&operation, 0);
                    self.refused.try_set(String::new());
                    then();
                }
                // The card may be gone by now; toasts remain.
                Err(problem) => {
                    if self.refused.try_set(problem.detail.clone()).is_some() {
                        self.toasts.warn(problem.detail);
                    }
                }
            }
            self.busy.try_set(false);
        });
    }

    fn set(self, rule: SetRule) {
        self.ask(Some(rule), move || self.toasts.say("Auto-cancel rule saved. It checks new points only."));
    }

    fn remove(self, rule: SetRule) {
        self.ask(None, move || {
            self.toasts.undoable("Auto-cancel rule removed.", move || {
                let again = rule.clone();
                self.ask(Some(again), move || {
                    self.toasts.say("Auto-cancel rule restored. It counts new points only.")
                });
            });
        });
    }
}

/// Card of the rule; hidden once the operation has ended, and while there is no series.
#[component]
pub fn RuleCard(op: OpView, curves: RwSignal<Curves>, spec: StoredValue<Option<KindSpec>>) -> impl IntoView {
    let asks = Asks {
        id: op.id,
        busy: RwSignal::new(false),
        refused: RwSignal::new(String::new()),
        toasts: expect_context::<Toasts>(),
    };
    let open = Memo::new(move |_| !op.state.get().ended());
    let rule = Memo::new(move |_| op.facts.with(|f| f.rule.clone()));
    // Declared series, then undeclared ones that have points.
    let choices = Memo::new(move |_| {
        let mut names: Vec<String> =
            spec.with_value(|s| s.iter().flat_map(|s| &s.series).map(|info| info.name.clone()).collect());
        curves.with(|c| {
            let new: Vec<_> = c.names().filter(|n| !names.iter().any(|known| known == n)).collect();
            names.extend(new.into_iter().map(str::to_owned));
        });
        names.into_iter().map(|name| (info(&name, spec).1.title, name)).collect::<Vec<_>>()
    });
    let any = Memo::new(move |_| !choices.read().is_empty());
    let refused = part(move || {
        let wording = asks.refused.get();
        (!wording.is_empty()).then(|| view! { <p class="field-error">{wording}</p> }.into_any())
    });
    part(move || {
        if !open.get() || !(any.get() || rule.with(Option::is_some)) {
            return None;
        }
        let body = match rule.get() {
            Some(rule) => standing(op, asks, rule),
            None => form(asks, choices),
        };
        Some(
            view! {
                <section class="card rule-card" aria-label="Auto-cancel rule">
                    {body}
                    <div role="alert">{refused.clone()}</div>
                </section>
            }
            .into_any(),
        )
    })
}

/// Current rule.
fn standing(op: OpView, asks: Asks, rule: BandRule) -> AnyView {
    let sentence = capital(&rule.sentence());
    let (wanted, again) = (rule.wanted(), rule.wanted());
    let (by, at) = (display::audit::who(&rule.set_by), rule.set_at);
    let armed = rule.is_armed();
    let look_again = (!rule.why.is_empty()).then(|| {
        view! {
            <button {..needs(Permission::Control)}
                type="button"
                class="button"
                disabled=yes(move || asks.busy.get())
                on:click=move |_| asks.set(again.clone())
            >
                "Refresh baseline"
            </button>
        }
    });
    let state = if rule.fired.is_some() {
        view! { <p class="note">"This rule cancelled the operation and is no longer active."</p> }.into_any()
    } else if !armed {
        view! { <p class="note warn">{format!("Inactive: there is no baseline. {}", rule.why)}</p> }
            .into_any()
    } else {
        let far = text(move || display::baseline::how_far(&rule, op.outside.get()));
        view! {
            <p>
                <strong class="num">{far}</strong>
            </p>
        }
        .into_any()
    };
    view! {
        <div class="rule-text">
            <h2>"Auto-cancel rule"</h2>
            <p>{format!("{sentence}.")}</p>
            {state}
            <p class="muted">
                {format!("Set by {by} at ")} <Clock at/>
                ". The rule compares later points with the baseline of that time. It ignores points without a baseline."
            </p>
        </div>
        <div class="rule-do only-script">
            {look_again}
            <button {..needs(Permission::Control)}
                type="button"
                class="button"
                disabled=yes(move || asks.busy.get())
                on:click=move |_| asks.remove(wanted.clone())
            >
                "Remove rule"
            </button>
        </div>
    }
    .into_any()
}

/// Form for a new rule.
fn form(asks: Asks, choices: Memo<Vec<(String, String)>>) -> AnyView {
    let series = choices.with_untracked(|c| c.first().map(|c| c.1.clone()).unwrap_or_default());
    let rule = RwSignal::new(SetRule { series, side: Side::Above, points: 10 });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let wanted = rule.get_untracked();
        match wanted.check().into_iter().next() {
            Some(wrong) => asks.refused.set(wrong.message),
            None => asks.set(wanted),
        }
    };
    view! {
        <details class="rule-new">
            <summary>"Auto-cancel…"</summary>
            <form class="rule-form" aria-label="Set auto-cancel rule" on:submit=submit>
                <RuleFields rule choices/>
                <button {..needs(Permission::Control)}
                    type="submit"
                    class="button primary"
                    disabled=yes(move || asks.busy.get())
                >
                    "Set rule"
                </button>
            </form>
            <p class="muted">{ABOUT}</p>
        </details>
    }
    .into_any()
}

/// Text with a capital first letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
