//! Alerts that fire, and those that may fire soon.

use super::current::CurrentAlerts;
use super::moment;
use super::silence_form::Silencing;
use components::link::A;
use components::moment::Ago;
use components::permission::needs;
use components::reactive::{part, text};
use display::format;
use leptos::prelude::*;
use live::OperationStore;
use protocol::OperationId;
use protocol::access::Permission;
use protocol::alerts::{Alert, AlertList, AlertState, NewSilence, Silence};

/// Number of operations that are named; the others are counted.
const MAX_NAMED: usize = 3;

/// Firing alerts, then those whose state is unknown, then pending ones; a line if nothing fires.
#[component]
pub fn Active(current: CurrentAlerts, silencing: Silencing) -> impl IntoView {
    let count = Memo::new(move |_| current.list().map_or(0, |list| firing(&list).count()));
    let rows = part(move || {
        let list = current.list()?;
        let rows = |of: Vec<&Alert>| of.into_iter().map(|alert| row(alert, &list, silencing)).collect_view();
        let firing: Vec<&Alert> = firing(&list).collect();
        let unknown: Vec<&Alert> = fired(&list).filter(|alert| alert.state == AlertState::Unknown).collect();
        let pending: Vec<&Alert> = list.alerts.iter().filter(|alert| alert.fired_at.is_none()).collect();
        let none = firing.is_empty().then(|| view! { <p class="alerts-clear">"No firing alerts."</p> });
        let unknown = (!unknown.is_empty()).then(|| {
            view! {
                <h3>"Unknown"</h3>
                <p class="muted">
                    "These alerts fired, and their metrics have no values now. They neither resolve nor fire again until there are values."
                </p>
                <ul class="alerts">{rows(unknown)}</ul>
            }
        });
        let pending = (!pending.is_empty()).then(|| {
            view! {
                <h3>"Pending"</h3>
                <ul class="alerts">{rows(pending)}</ul>
            }
        });
        Some(view! { {none} <ul class="alerts">{rows(firing)}</ul> {unknown} {pending} }.into_any())
    });
    view! {
        <section class="list" aria-labelledby="firing-title">
            <header class="list-head">
                <h2 id="firing-title">
                    "Firing " <span class="count num">{text(move || format::count(count.get() as u64))}</span>
                </h2>
            </header>
            {rows}
        </section>
    }
    .into_any()
}

fn fired(list: &AlertList) -> impl Iterator<Item = &Alert> {
    list.alerts.iter().filter(|alert| alert.fired_at.is_some())
}

fn firing(list: &AlertList) -> impl Iterator<Item = &Alert> {
    fired(list).filter(|alert| alert.state != AlertState::Unknown)
}

/// Word for a state.
fn state_word(state: AlertState) -> &'static str {
    match state {
        AlertState::Inactive => "Inactive",
        AlertState::Pending => "Pending",
        AlertState::Firing => "Firing",
        AlertState::Recovering => "Recovering",
        AlertState::Unknown => "Unknown",
    }
}

/// Word for a severity.
pub fn severity_word(severity: protocol::alerts::Severity) -> &'static str {
    match severity {
        protocol::alerts::Severity::Info => "Info",
        protocol::alerts::Severity::Warning => "Warning",
        protocol::alerts::Severity::Critical => "Critical",
    }
}

fn row(alert: &Alert, list: &AlertList, silencing: Silencing) -> AnyView {
    let silence =
        alert.silence.as_ref().and_then(|id| list.silences.iter().find(|silence| silence.id == *id));
    let subject = moment::subject(alert).map(|(to, label)| view! { <A href=to>{label}</A> });
    let action = (!alert.action.is_empty()).then(|| view! { <p class="muted">{alert.action.clone()}</p> });
    let new = NewSilence {
        rule: Some(alert.rule.clone()),
        host: alert.subject.host.clone(),
        kind: alert.subject.kind.clone(),
        reason: String::new(),
        until: list.now,
    };
    let silenced = match silence {
        Some(silence) => silenced(silence),
        None => {
            let label = format!("Silence: {}", alert.sentence);
            view! {
                <button {..needs(Permission::Silence)}
                    type="button"
                    class="button only-script"
                    aria-label=label
                    on:click=move |_| silencing.open(new.clone())
                >
                    "Silence…"
                </button>
            }
            .into_any()
        }
    };
    view! {
        <li class="alert" data-severity=alert.severity.as_str() data-state=alert.state.as_str()>
            <div class="alert-head">
                <span class="alert-mark">{severity_word(alert.severity)}</span>
                <strong class="alert-sentence">{alert.sentence.clone()}</strong>
            </div>
            <p class="alert-facts muted">
                <span>{state_word(alert.state)} ", started " <Ago at=alert.since/></span>
                <a href=format!("#rule-{}", alert.rule)>{alert.rule.clone()}</a>
                {subject}
            </p>
            {action}
            {touched(&alert.operations)}
            <div class="alert-do">{silenced}</div>
        </li>
    }
    .into_any()
}

fn silenced(silence: &Silence) -> AnyView {
    let reason = silence.reason.clone();
    view! { <span class="muted">"Silenced: " {reason}</span> }.into_any()
}

/// Links to the operations that an alert touches.
fn touched(ids: &[OperationId]) -> Option<AnyView> {
    if ids.is_empty() {
        return None;
    }
    let live = OperationStore::here();
    let links = ids.iter().take(MAX_NAMED).map(|id| {
        let title = live.operation(*id).map_or_else(|| id.to_string(), |op| op.fixed().title.clone());
        view! { <A href=format!("/operations/{id}")>{title}</A> }
    });
    let others = ids.len().saturating_sub(MAX_NAMED);
    let others = (others > 0).then(|| format!("and {} more", format::count(others as u64)));
    Some(
        view! {
            <p class="alert-touched">
                <span class="muted">"Affects "</span>
                {links.collect_view()}
                <span class="muted">{others}</span>
            </p>
        }
        .into_any(),
    )
}
