//! Resolved alerts, and notifications with their delivery status.

use super::current::CurrentAlerts;
use super::moment;
use app_state::Zones;
use components::link::A;
use components::moment::Ago;
use components::reactive::{part, text};
use display::format;
use leptos::prelude::*;
use protocol::Time;
use protocol::alerts::{Alert, Delivery, DeliveryState};

/// Number of rows shown before *Show all*.
const MAX_ROWS: usize = 10;

/// Resolved alerts, newest first.
#[component]
pub fn Resolved(current: CurrentAlerts) -> impl IntoView {
    let all = RwSignal::new(false);
    part(move || {
        let list = current.list().filter(|list| !list.recent.is_empty())?;
        let rows = shown(&list.recent, all.get()).iter().map(resolved).collect_view();
        let more = more(list.recent.len(), all);
        Some(
            view! {
                <section class="list" aria-labelledby="resolved-title">
                    <h2 id="resolved-title">"Resolved"</h2>
                    <ul class="alerts">{rows}</ul>
                    {more}
                </section>
            }
            .into_any(),
        )
    })
}

fn shown<T>(rows: &[T], all: bool) -> &[T] {
    if all { rows } else { &rows[..rows.len().min(MAX_ROWS)] }
}

fn more(count: usize, all: RwSignal<bool>) -> Option<AnyView> {
    (count > MAX_ROWS && !all.get()).then(|| {
        let label = format!("Show all {}", format::count(count as u64));
        view! {
            <button type="button" class="link only-script" on:click=move |_| all.set(true)>
                {label}
            </button>
        }
        .into_any()
    })
}

fn resolved(alert: &Alert) -> AnyView {
    let ended = alert.resolved_at.unwrap_or(alert.since);
    let lasted = alert.fired_at.map(|fired| format!("lasted {}", format::span(ended.seconds_since(fired))));
    let subject = moment::subject(alert).map(|(to, label)| view! { <A href=to>{label}</A> });
    view! {
        <li class="alert" data-state="inactive">
            <span class="alert-sentence">{alert.sentence.clone()}</span>
            <p class="alert-facts muted">
                <span>"Resolved " <Ago at=ended/></span>
                <span class="num">{lasted}</span>
                <a href=format!("#rule-{}", alert.rule)>{alert.rule.clone()}</a>
                {subject}
            </p>
        </li>
    }
    .into_any()
}

/// Notifications with their delivery status; what to do if no destination is configured.
#[component]
pub fn Notifications(current: CurrentAlerts) -> impl IntoView {
    let all = RwSignal::new(false);
    let rows = part(move || {
        let list = current.list()?;
        if list.deliveries.is_empty() {
            let none = "No notifications yet. To receive notifications, configure a webhook or e-mail: see docs/alerts.md.";
            return Some(view! { <p class="muted">{none}</p> }.into_any());
        }
        let rows = shown(&list.deliveries, all.get()).iter().map(delivery_row).collect_view();
        let more = more(list.deliveries.len(), all);
        Some(
            view! {
                <div class="card scroll" tabindex="0" role="region" aria-labelledby="notifications-title">
                    <table class="plain">
                        <thead>
                            <tr>
                                <th scope="col">"Notification"</th>
                                <th scope="col">"To"</th>
                                <th scope="col">"Created"</th>
                                <th scope="col">"Delivery"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                {more}
            }
            .into_any(),
        )
    });
    view! {
        <section class="list" aria-labelledby="notifications-title">
            <h2 id="notifications-title">"Notifications"</h2>
            {rows}
        </section>
    }
    .into_any()
}

fn delivery_row(delivery: &Delivery) -> AnyView {
    let zone = Zones::here();
    let bad = (delivery.state == DeliveryState::GaveUp || !delivery.error.is_empty()).then_some("");
    let next = delivery.next_try_at.map(|at: Time| {
        view! { " Next try " {text(move || zone.get().moment(at))} }
    });
    view! {
        <tr>
            <td>{delivery.title.clone()}</td>
            <td title=delivery.address.clone()>{delivery.destination.clone()}</td>
            <td><Ago at=delivery.created_at/></td>
            <td data-bad=bad>{outcome(delivery)} {next}</td>
        </tr>
    }
    .into_any()
}

/// `Delivered (200)`; with more than one try, their number; with an error, what failed.
fn outcome(delivery: &Delivery) -> String {
    let state = match delivery.state {
        DeliveryState::Waiting if delivery.tries == 0 => "Waiting",
        DeliveryState::Waiting => "Retrying",
        DeliveryState::Delivered => "Delivered",
        DeliveryState::GaveUp => "Failed",
    };
    let status = delivery.status.map(|status| status.to_string());
    let tries = (delivery.tries > 1).then(|| format!("{} tries", delivery.tries));
    let error = (!delivery.error.is_empty()).then(|| delivery.error.clone());
    let details: Vec<String> = [status, tries, error].into_iter().flatten().collect();
    if details.is_empty() { state.to_owned() } else { format!("{state} ({})", details.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_delivery_status_says_what_became_of_the_notification() {
        let delivery = |of: serde_json::Value| -> Delivery {
            let mut delivery = json!({
                "id": "1", "destination": "ops", "address": "https://x", "title": "t",
                "created_at": "2026-11-25T10:00:00Z", "state": "waiting", "tries": 0
            });
            for (name, value) in of.as_object().unwrap() {
                delivery[name] = value.clone();
            }
            from_value(delivery).unwrap()
        };
        assert_eq!(outcome(&delivery(json!({}))), "Waiting");
        assert_eq!(
            outcome(&delivery(json!({"state": "delivered", "tries": 1, "status": 200}))),
            "Delivered (200)"
        );
        let failed = json!({"state": "gave_up", "tries": 3, "status": 500, "error": "server error"});
        assert_eq!(outcome(&delivery(failed)), "Failed (500, 3 tries, server error)");
    }
}
