//! Dialog that creates a silence.

use super::current::{CurrentAlerts, RulesAnswer};
use app_state::toasts::Toasts;
use components::dialog;
use components::reactive::{part, spoken, text, yes};
use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::{OperationStore, api};
use protocol::HostName;
use protocol::alerts::NewSilence;

/// Choices of the duration: label and minutes.
const DURATIONS: [(&str, i64); 6] =
    [("30 min", 30), ("1 h", 60), ("4 h", 240), ("1 d", 1_440), ("7 d", 10_080), ("30 d", 43_200)];
const DEFAULT_MINUTES: i64 = 60;
const MINUTE_MICROS: i64 = 60_000_000;

/// The dialog's state.
#[derive(Clone, Copy)]
pub struct Silencing {
    current: CurrentAlerts,
    open: RwSignal<bool>,
    /// What is silenced.
    new: RwSignal<Option<NewSilence>>,
    minutes: RwSignal<i64>,
    reason: RwSignal<String>,
    error: RwSignal<String>,
    busy: RwSignal<bool>,
}

impl Silencing {
    pub fn new(current: CurrentAlerts) -> Self {
        Self {
            current,
            open: RwSignal::new(false),
            new: RwSignal::new(None),
            minutes: RwSignal::new(DEFAULT_MINUTES),
            reason: RwSignal::new(String::new()),
            error: RwSignal::new(String::new()),
            busy: RwSignal::new(false),
        }
    }

    /// Opens the dialog with what is to be silenced.
    pub fn open(self, new: NewSilence) {
        self.new.set(Some(new));
        self.minutes.set(DEFAULT_MINUTES);
        self.reason.set(String::new());
        self.error.set(String::new());
        self.open.set(true);
    }

    fn submit(self, toasts: Toasts) {
        let now = OperationStore::here().clock().get_untracked();
        let reason = self.reason.get_untracked().trim().to_owned();
        if reason.is_empty() {
            self.error.set("Enter a reason for the silence.".to_owned());
            return;
        }
        let Some(new) = self.new.get_untracked().filter(|_| !self.busy.get_untracked()) else { return };
        let until = now.plus_micros(self.minutes.get_untracked() * MINUTE_MICROS);
        let silence = NewSilence { reason, until, ..new };
        self.busy.set(true);
        spawn_local(async move {
            let answer = api::silence_alerts(&silence).await;
            self.busy.try_set(false);
            match answer {
                Ok(_) => {
                    self.open.try_set(false);
                    toasts.say("Silence created. Matching alerts send no notifications.");
                }
                Err(problem) => {
                    self.error.try_set(problem.detail);
                }
            }
            self.current.ask().run(());
        });
    }
}

/// The dialog.
#[component]
pub fn SilenceDialog(silencing: Silencing, rules: live::Loaded<RulesAnswer>) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    let first = NodeRef::<Input>::new();
    let open = silencing.open;
    dialog::follow(dialog, move || open.get());
    // A closed dialog keeps its content, so that nothing disappears during its animation.
    let content = part(move || {
        silencing.new.get()?;
        Some(form(silencing, rules, first))
    });
    view! {
        <dialog
            node_ref=dialog
            class="dialog"
            aria-labelledby="silence-title"
            on:close=dialog::on_close(dialog, open)
        >
            {content}
        </dialog>
    }
    .into_any()
}

/// A list of choices; the empty one stands for all.
fn choice(
    id: &'static str,
    label: &'static str,
    all: &'static str,
    options: Vec<String>,
    chosen: Option<String>,
    choose: impl Fn(Option<String>) + 'static,
) -> AnyView {
    let options = options.into_iter().map(|option| {
        let selected = chosen.as_deref() == Some(option.as_str());
        view! { <option value=option.clone() selected=selected>{option.clone()}</option> }
    });
    view! {
        <label class="field" for=id>
            <span>{label}</span>
            <select
                id=id
                on:change=move |event| {
                    let value = event_target_value(&event);
                    choose((!value.is_empty()).then_some(value));
                }
            >
                <option value="">{all}</option>
                {options.collect_view()}
            </select>
        </label>
    }
    .into_any()
}

fn form(silencing: Silencing, rules: live::Loaded<RulesAnswer>, first: NodeRef<Input>) -> AnyView {
    let Silencing { new, minutes, reason, error, busy, .. } = silencing;
    let toasts = expect_context::<Toasts>();
    let chosen = new.get_untracked();
    let rule_names: Vec<String> = match rules.get_untracked() {
        Some(Ok(list)) => list.rules.into_iter().map(|status| status.rule.name).collect(),
        _ => chosen.iter().filter_map(|new| new.rule.clone()).collect(),
    };
    let hosts = OperationStore::here().hosts();
    let host_names = hosts.with_untracked(|hosts| hosts.iter().map(|host| host.name.to_string()).collect());
    let rule = chosen.as_ref().and_then(|new| new.rule.clone());
    let host = chosen.as_ref().and_then(|new| new.host.as_ref().map(ToString::to_string));
    let change = move |change: &dyn Fn(&mut NewSilence)| {
        new.try_update(|new| {
            if let Some(new) = new {
                change(new);
            }
        });
    };
    let durations = DURATIONS.map(|(label, value)| {
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="silence-for"
                    prop:checked=yes(move || minutes.get() == value)
                    on:change=move |_| minutes.set(value)
                />
                <span>{label}</span>
            </label>
        }
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        silencing.submit(toasts);
    };
    view! {
        <form class="silence-form" on:submit=submit>
            <h2 id="silence-title">"Silence alerts"</h2>
            <p class="muted">"Silenced alerts stay listed, but send no notifications. If an alert still fires when the silence ends, its notification is sent then."</p>
            {choice("silence-rule", "Rule", "All rules", rule_names, rule, move |rule| change(&|new| new.rule.clone_from(&rule)))}
            {choice("silence-host", "Host", "All hosts", host_names, host, move |host| {
                change(&|new| new.host = host.as_ref().and_then(|host| host.parse::<HostName>().ok()));
            })}
            <fieldset class="field">
                <legend>"Duration"</legend>
                <div class="segments">{durations}</div>
            </fieldset>
            <label class="field" for="silence-reason">
                <span>"Reason"</span>
                <input
                    node_ref=first
                    id="silence-reason"
                    type="text"
                    maxlength="500"
                    autofocus=true
                    autocomplete="off"
                    aria-describedby="silence-error"
                    aria-invalid=spoken(move || !error.read().is_empty())
                    prop:value=text(move || reason.get())
                    on:input=move |event| {
                        reason.set(event_target_value(&event));
                        error.set(String::new());
                    }
                />
            </label>
            <p id="silence-error" class="field-error" role="alert">{text(move || error.get())}</p>
            <div class="dialog-do">
                <button type="button" class="button" on:click=move |_| silencing.open.set(false)>
                    "Cancel"
                </button>
                <button type="submit" class="button primary" aria-busy=spoken(move || busy.get())>
                    "Silence"
                </button>
            </div>
        </form>
    }
    .into_any()
}
