//! Audit log of an operation.

use components::moment::Clock;
use components::reactive::part;
use leptos::prelude::*;
use live::base;
use protocol::AuditEntry;

/// Audit entries, newest first.
#[component]
pub fn AuditTable(audit: RwSignal<Vec<AuditEntry>>) -> impl IntoView {
    // The column appears only if an entry has a reason.
    let reasons = Memo::new(move |_| audit.with(|all| all.iter().any(|entry| !entry.detail.is_empty())));
    let rows =
        part(move || {
            let reasons = reasons.get();
            Some(audit.with(|all| {
                all.iter().rev().map(|entry| audit_row(entry, reasons)).collect_view().into_any()
            }))
        });
    let reason_head = part(move || reasons.get().then(|| view! { <th scope="col">"Reason"</th> }.into_any()));
    let table = move || {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-labelledby="audit-title">
                <table class="plain two-lines audit">
                    <thead>
                        <tr>
                            <th scope="col">"Time"</th>
                            <th scope="col">"Action"</th>
                            <th scope="col" class="num">"Attempt"</th>
                            <th scope="col">"Actor"</th>
                            <th scope="col">"IP address"</th>
                            {reason_head.clone()}
                        </tr>
                    </thead>
                    <tbody>{rows.clone()}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    let empty = Memo::new(move |_| audit.with(Vec::is_empty));
    view! {
        <section class="card">
            <h2 id="audit-title">"Audit log"</h2>
            <p class="muted">
                <a href=base::url("/audit")>"Audit log of the server"</a>
            </p>
            {part(move || {
                Some(
                    if empty.get() {
                        view! { <p class="muted">"No entries: this operation is older than the oldest entry of the audit log."</p> }
                            .into_any()
                    } else {
                        table()
                    },
                )
            })}
        </section>
    }
    .into_any()
}

fn audit_row(entry: &AuditEntry, reasons: bool) -> impl IntoView + use<> {
    view! {
        <tr>
            <td class="t-at"><Clock at=entry.at/></td>
            <td class="t-what">{display::audit::action(entry.action)}</td>
            <td class="num t-no">{entry.attempt}</td>
            <td class="t-by" title=entry.by.agent.clone()>{display::audit::who(&entry.by)}</td>
            <td class="t-from">{entry.by.address.clone()}</td>
            {reasons.then(|| view! { <td class="wrap t-why">{entry.detail.clone()}</td> })}
        </tr>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use app_state::Zones;
    use live::OperationStore;
    use protocol::{Action, Actor, Time};

    #[test]
    fn a_time_names_its_zone_unless_its_column_does() {
        let owner = Owner::new();
        owner.set();
        provide_context(OperationStore::default());
        provide_context(Zones::new());
        let by: Actor = serde_json::from_str(r#"{ "via": "page" }"#).unwrap();
        let entry = AuditEntry::new(Time::from_micros(0), Action::Start, by);
        let html = view! { <AuditTable audit=RwSignal::new(vec![entry])/> }.into_any().to_html();
        assert!(html.contains(r#"<th scope="col">Time</th>"#), "{html}");
        assert!(html.contains(">00:00:00 UTC<"), "{html}");
    }
}
