//! Column of facts beside the charts: times, host, attempt, checkpoint, cost, parameters, auto-cancel rule and
//! activity.

use super::sections::rule_section;
use app_state::{Zones, address};
use components::ident::Ident;
use components::link::A;
use components::moment::{Ago, Clock};
use components::reactive::{part, text, word};
use display::format;
use leptos::prelude::*;
use live::model::curves::Curves;
use live::query;
use live::{Fixed, OpView, OperationStore};
use protocol::{AuditEntry, KindSpec, State, Time};
use serde_json::Value;

/// Number of lines of activity.
const ACTIVITY: usize = 5;

/// A parameter and its text.
type Param = (String, String);

/// Parameters that differ from the defaults of the kind, and those that do not. All differ if the kind is unknown.
fn by_default(params: &Value, schema: Option<&Value>) -> (Vec<Param>, Vec<Param>) {
    let declared = schema.and_then(|schema| schema.get("properties"));
    let is_default = |name: &str, value: &Value| {
        let default = declared.and_then(|d| d.get(name)).and_then(|field| field.get("default"));
        match (default, value.as_f64()) {
            (Some(default), Some(number)) => default.as_f64() == Some(number),
            (Some(default), None) => default == value,
            (None, _) => value.is_null(),
        }
    };
    let all = params.as_object().into_iter().flatten();
    let (defaults, given): (Vec<_>, Vec<_>) = all.partition(|(name, value)| is_default(name, value));
    let texts = |list: Vec<(&String, &Value)>| {
        list.into_iter().map(|(name, value)| (name.clone(), format::param(value))).collect()
    };
    (texts(given), texts(defaults))
}

fn params_list(params: Vec<Param>) -> AnyView {
    let rows = params.into_iter().map(|(name, value)| {
        let lines = value.trim_end().contains('\n').then_some("");
        view! {
            <div data-lines=lines>
                <dt>{name}</dt>
                <dd class="num">{value}</dd>
            </div>
        }
    });
    view! { <dl class="fact-list">{rows.collect_view()}</dl> }.into_any()
}

fn fact(name: &'static str, value: AnyView) -> AnyView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd class="num">{value}</dd>
        </div>
    }
    .into_any()
}

/// Page of the list with the operations of a host.
fn of_host(host: &str) -> String {
    query::url("/operations", [("host", host)])
}

/// Times, host, attempt, checkpoint and ID.
fn standing(op: OpView) -> AnyView {
    let live = OperationStore::here();
    let (clock, newest, zone) = (live.clock(), live.newest(), Zones::here());
    let fixed = op.fixed();
    let created = fixed.created_at;
    let parent = fixed.parent.map(|parent| {
        fact("Part of", view! { <A href=address::operation(parent)>{parent.short()}</A> }.into_any())
    });
    let elapsed = text(move || {
        let now = clock.get();
        match op.state.get() {
            State::Queued => format::duration(now.seconds_since(op.facts.with(|f| f.queued_at))),
            _ => op.condition.with(|condition| {
                op.facts.with(|f| display::elapsed_text(&f.attempt_facts(), condition.as_ref(), now))
            }),
        }
    });
    let queued = Memo::new(move |_| op.state.get() == State::Queued);
    let elapsed_name = word(move || if queued.get() { "Queued for" } else { "Duration" });
    let eta = part(move || {
        let zone = zone.get();
        let expected = op.expected_end(clock.get(), newest.get(), |forecast, eta, now| {
            // The row is always present while it runs, so that nothing shifts when the estimate arrives.
            let unknown = || "not known yet".to_owned();
            let by_host = |left| format!("{left} left, estimated by the host");
            Some(match forecast {
                Some(forecast) => display::forecast::sentence(forecast, now, zone),
                None => display::forecast::left(None, eta, now).map_or_else(unknown, by_host),
            })
        });
        expected
            .map(|wording| fact("Expected end", view! { <span class="forecast">{wording}</span> }.into_any()))
    });
    let times = part(move || {
        let (started, ended) = op.facts.with(|f| (f.started_at, f.ended_at));
        let first = match started {
            Some(at) => fact("Started", view! { <Clock at/> }.into_any()),
            None => fact("Created", view! { <Clock at=created/> }.into_any()),
        };
        let end = ended.map(|at| fact("Ended", view! { <Clock at/> }.into_any()));
        Some(view! { {first} {end} }.into_any())
    });
    let work = part(move || {
        let (host, attempt, priority) = op.facts.with(|f| (f.host.clone(), f.attempt, f.priority));
        let host = host.map(|host| {
            let title = format!("Operations of {host}");
            let href = of_host(host.as_str());
            fact("Host", view! { <A href attr:title=title>{host.to_string()}</A> }.into_any())
        });
        let priority = (priority != 0).then(|| fact("Priority", priority.to_string().into_any()));
        Some(view! { {host} {fact("Attempt", attempt.to_string().into_any())} {priority} }.into_any())
    });
    let checkpoint = part(move || {
        let checkpoint = op.facts.with(|f| f.checkpoint.clone())?;
        let note = if checkpoint.note.is_empty() { "stored".to_owned() } else { checkpoint.note.clone() };
        Some(fact("Checkpoint", note.into_any()))
    });
    view! {
        <dl class="fact-list">
            <div>
                <dt>{elapsed_name}</dt>
                <dd class="num">{elapsed}</dd>
            </div>
            {times}
            {eta}
            {work}
            {checkpoint}
            {parent}
            {fact("ID", view! { <Ident short=fixed.id.short() whole=fixed.id.to_string()/> }.into_any())}
        </dl>
    }
    .into_any()
}

/// What the ended attempt cost.
fn cost(op: OpView) -> AnyView {
    let usage = Memo::new(move |_| {
        op.facts.with(|f| f.ended_at.filter(|_| f.started_at.is_some()).map(|_| f.usage.clone()))
    });
    part(move || {
        let body = match usage.get()? {
            None => view! { <p class="muted">"Not measured by the host."</p> }.into_any(),
            Some(usage) => {
                let lines = display::usage::lines(&usage).into_iter().map(|line| {
                    view! {
                        <div title=line.means>
                            <dt>{line.name}</dt>
                            <dd class="num">{line.value}</dd>
                        </div>
                    }
                });
                view! { <dl class="fact-list" title=display::usage::measured(usage.measured)>{lines.collect_view()}</dl> }
                    .into_any()
            }
        };
        Some(view! { <section aria-labelledby="facts-cost"><h2 id="facts-cost">"Cost"</h2>{body}</section> }.into_any())
    })
    .into_any()
}

/// Parameters of the operation; defaults are folded.
fn params(fixed: &Fixed, spec: StoredValue<Option<KindSpec>>) -> AnyView {
    let (given, defaults) =
        spec.with_value(|spec| by_default(&fixed.params, spec.as_ref().map(|spec| &spec.params)));
    let folded = (!defaults.is_empty()).then(|| {
        let wording = format::counted(defaults.len() as u64, "default", "defaults");
        view! {
            <details>
                <summary class="muted">{wording}</summary>
                {params_list(defaults)}
            </details>
        }
    });
    let none = given.is_empty().then(|| view! { <p class="muted">"All parameters have default values."</p> });
    view! {
        <section aria-labelledby="facts-params">
            <h2 id="facts-params">"Parameters"</h2>
            {none}
            {params_list(given)}
            {folded}
        </section>
    }
    .into_any()
}

/// One line of the activity: what happened, when, and by whom or in which attempt.
type Happened = (Time, &'static str, String);

/// The latest activity, newest first: entries of the audit log, and the end of the operation.
fn latest(audit: &[AuditEntry], end: Option<(Time, State, u32)>) -> Vec<Happened> {
    let mut all: Vec<Happened> = audit
        .iter()
        .rev()
        .map(|entry| {
            let of = entry.attempt.map(|n| format!(", attempt {n}")).unwrap_or_default();
            (
                entry.at,
                display::audit::action(entry.action),
                format!("{}{of}", display::audit::who(&entry.by)),
            )
        })
        .collect();
    if let Some((at, state, attempt)) = end {
        let word = match state {
            State::Succeeded => "Succeeded",
            State::Failed => "Failed",
            _ => "Cancelled",
        };
        // Something may have been done after the end.
        let place = all.iter().position(|(entry, ..)| *entry <= at).unwrap_or(all.len());
        all.insert(place, (at, word, format!("attempt {attempt}")));
    }
    all.truncate(ACTIVITY);
    all
}

/// The latest activity.
fn activity(op: OpView, audit: RwSignal<Vec<AuditEntry>>) -> AnyView {
    let end = Memo::new(move |_| {
        let state = op.state.get();
        op.facts.with(|f| f.ended_at.filter(|_| state.ended()).map(|at| (at, state, f.attempt)))
    });
    part(move || {
        let all = audit.with(|audit| latest(audit, end.get()));
        let lines = all.into_iter().map(|(at, what, by)| {
            view! {
                <li title=by>
                    <span>{what}</span>
                    <span class="muted num">
                        <Ago at/>
                    </span>
                </li>
            }
            .into_any()
        });
        let lines: Vec<_> = lines.collect();
        (!lines.is_empty()).then(|| {
            view! {
                <section aria-labelledby="facts-activity">
                    <h2 id="facts-activity">"Activity"</h2>
                    <ul class="activity-list">{lines}</ul>
                </section>
            }
            .into_any()
        })
    })
    .into_any()
}

/// The column.
#[component]
pub fn FactsColumn(
    op: OpView,
    spec: StoredValue<Option<KindSpec>>,
    curves: RwSignal<Curves>,
    audit: RwSignal<Vec<AuditEntry>>,
) -> impl IntoView {
    view! {
        <aside class="card op-facts" aria-label="Facts">
            {standing(op)}
            {cost(op)}
            {params(&op.fixed(), spec)}
            {rule_section(op, curves, spec)}
            {activity(op, audit)}
        </aside>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn default_parameters_are_distinguished_from_given_ones() {
        let schema = json!({"properties": {
            "epochs": {"default": 50}, "rate": {"default": 0.001}, "mode": {"default": "full"}, "end": {}
        }});
        let params = json!({"epochs": 400, "rate": 0.001, "mode": "full", "end": null, "symbol": "MSFT"});
        let (given, defaults) = by_default(&params, Some(&schema));
        let names = |list: &[Param]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&given), ["epochs", "symbol"]);
        assert_eq!(names(&defaults), ["rate", "mode", "end"]);
        assert_eq!(by_default(&params, None).0.len(), 4);
        // 50.0 is the default 50.
        assert!(by_default(&json!({"epochs": 50.0}), Some(&schema)).0.is_empty());
    }

    #[test]
    fn the_end_has_its_place_among_what_users_did() {
        let entry = |action: &str, at: &str| -> AuditEntry {
            serde_json::from_value(json!({"at": at, "by": {"via": "page"}, "action": action})).unwrap()
        };
        let audit = [
            entry("start", "2026-11-23T10:00:00Z"),
            entry("cancel", "2026-11-23T10:00:05Z"),
            entry("drop_rule", "2026-11-23T11:00:00Z"),
        ];
        let words = |end| latest(&audit, end).into_iter().map(|(_, word, _)| word).collect::<Vec<_>>();
        assert_eq!(words(None), ["Removed rule", "Requested cancel", "Started"]);
        let at = Time::parse("2026-11-23T10:00:06Z").unwrap();
        assert_eq!(
            words(Some((at, State::Cancelled, 1))),
            ["Removed rule", "Cancelled", "Requested cancel", "Started"]
        );
        assert_eq!(latest(&[], Some((at, State::Failed, 2))), [(at, "Failed", "attempt 2".to_owned())]);
    }

    #[test]
    fn a_host_leads_to_its_operations() {
        assert_eq!(of_host("gpu-1"), "/operations?host=gpu-1");
    }
}
