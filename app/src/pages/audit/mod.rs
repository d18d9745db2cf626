//! Audit log of the server. The URL has the filter, so that a view of the log can be shared.

mod filter;

use app_state::address;
use components::link::A;
use components::moment::Clock;
use components::permission;
use components::placeholders::{Empty, Skeleton, Trouble, WithSnapshot};
use components::reactive::{part, text};
use filter::{Filter, FilterForm};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use live::{api, base, query};
use protocol::access::Permission;
use protocol::api::AuditPage as Entries;
use protocol::{AuditEntry, Outcome, Problem, paths};

type Answer = Result<Entries, Problem>;

/// Number of entries of a page.
const ROWS: u32 = 100;

#[component]
pub fn AuditPage() -> impl IntoView {
    let search = use_location().search;
    let shown = Memo::new(move |_| Filter::parse(&search.read()));
    // Created here: the view below may be built several times before it is shown.
    let loaded = live::load(move || shown.get(), |shown| api::audit(shown.query(Some(ROWS))));
    let download = move || {
        let pairs = shown.get().of_all().query(None).pairs();
        base::url(&query::url(
            paths::AUDIT_LOG_EXPORT,
            pairs.iter().map(|(name, value)| (*name, value.as_str())),
        ))
    };
    view! {
        <Title text="Audit log · Signalbox"/>
        <div class="page-head">
            <h1>"Audit log"</h1>
            <a class="button" href=text(download) download rel="external" {..permission::needs(Permission::ReadAudit)}>
                "Download as JSON lines"
            </a>
        </div>
        <WithSnapshot lines=8>
            <FilterForm shown/>
            <Shown shown loaded/>
        </WithSnapshot>
    }
    .into_any()
}

/// Entries that match the filter.
#[component]
fn Shown(shown: Memo<Filter>, loaded: live::Loaded<Answer>) -> impl IntoView {
    view! {
        <Suspense fallback=|| view! { <Skeleton lines=8/> }>
            {part(move || {
                Some(match loaded.get()? {
                    Ok(entries) => table(&entries, &shown.get()),
                    Err(problem) => {
                        let retry = move |()| loaded.refetch();
                        view! { <Trouble problem retry/> }.into_any()
                    }
                })
            })}
        </Suspense>
    }
    .into_any()
}

fn table(page: &Entries, shown: &Filter) -> AnyView {
    if page.entries.is_empty() {
        return empty(shown);
    }
    let rows = page.entries.iter().map(row).collect_view();
    let newest = shown.before.is_some().then(|| {
        let to = shown.of_all().address();
        view! { <A href=to>"Newest entries"</A> }
    });
    let older = page.next.map(|next| {
        let to = Filter { before: Some(next), ..shown.clone() }.address();
        view! { <A href=to>"Older entries"</A> }
    });
    view! {
        <div class="card scroll" tabindex="0" role="region" aria-label="Audit log">
            <table class="plain two-lines audit">
                <thead>
                    <tr>
                        <th scope="col">"Time"</th>
                        <th scope="col">"Action"</th>
                        <th scope="col">"Actor"</th>
                        <th scope="col">"IP address"</th>
                        <th scope="col">"Subject"</th>
                        <th scope="col">"Details"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <nav class="pager" aria-label="Pages of the audit log">{newest} {older}</nav>
    }
    .into_any()
}

fn empty(shown: &Filter) -> AnyView {
    if *shown == Filter::default() {
        let text = "Signalbox records changes of operations, hosts, alert rules and access here, and refused requests.";
        return view! { <Empty title="No entries yet" text>()</Empty> }.into_any();
    }
    view! {
        <Empty title="No entries match this filter" text="Change or remove the filter to see other entries.">
            <A href="/audit">"Show all entries"</A>
        </Empty>
    }
    .into_any()
}

fn row(entry: &AuditEntry) -> AnyView {
    let refused = (entry.outcome == Outcome::Refused).then_some("");
    let operation = entry.operation.map(|id| {
        let attempt = entry.attempt.filter(|attempt| *attempt > 1).map(|n| format!(" attempt {n}"));
        view! { <A href=address::operation(id)>{format!("Operation {}", id.short())}</A> {attempt} }
    });
    let host = entry.host.clone().map(|host| {
        view! { <A href=format!("/hosts/{host}")>{format!("Host {host}")}</A> }
    });
    view! {
        <tr data-refused=refused>
            <td class="t-at"><Clock at=entry.at/></td>
            <td class="t-what">{display::audit::action_of(entry)}</td>
            <td class="t-by" title=entry.by.agent.clone()>{display::audit::who(&entry.by)}</td>
            <td class="t-from">{entry.by.address.clone()}</td>
            <td class="t-of">{operation} {host}</td>
            <td class="wrap t-why">{entry.detail.clone()}</td>
        </tr>
    }
    .into_any()
}
