//! What needs a look: hosts in trouble, operations that can't go on or can't be stopped, and failures that the user has
//! not seen. The page holds the newest operations only: if more failures are stored, it requests the newest of them,
//! and states when even these are not all.

use crate::pages::operations::table::Table;
use app_state::Failures;
use app_state::failures::Marks;
use app_state::toasts::Toasts;
use components::link::A;
use components::reactive::{mark, part, text, word};
use display::format;
use display::hosts::trouble_of;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::OperationStore;
use live::api;
use protocol::HostName;
use protocol::api::HostStatus;

/// Maximum number of failures shown.
const MAX_FAILED: usize = 10;
/// Request for the newest failures, if the page does not hold all.
const NEWEST: &str = "/api/v1/operations?state=failed&limit=200";
/// List of all failed operations.
pub const ALL_FAILED: &str = "/operations?state=failed";

/// Requests the newest failures if the page does not hold all stored ones: once, and again after each snapshot.
fn ask_for_others(live: OperationStore, whole: Memo<bool>) {
    let epoch = live.epoch();
    Effect::new(move |asked: Option<Option<u32>>| {
        let (asked, now) = (asked.flatten(), epoch.get());
        if whole.get() || asked == Some(now) {
            return asked;
        }
        let live = live.clone();
        spawn_local(async move {
            // Without an answer the page goes on to state that more may exist.
            loop {
                let question = live.page_question();
                let Ok(response) = api::operations(NEWEST).await else { break };
                if live.take_page(&question, response.seq, &response.of.operations) {
                    break;
                }
            }
        });
        Some(now)
    });
}

/// Hosts with problems, and what is wrong with each.
fn bad_hosts(hosts: &[HostStatus]) -> Vec<(HostName, String)> {
    hosts.iter().filter_map(|host| Some((host.name.clone(), trouble_of(host)?))).collect()
}

/// `3 failures marked as seen`
fn seen_note(count: usize) -> String {
    format!("{} marked as seen", format::counted(count as u64, "failure", "failures"))
}

/// The section; one line when nothing needs attention.
#[component]
pub fn Attention() -> impl IntoView {
    let live = OperationStore::here();
    let (clock, failures, toasts) = (live.clock(), Failures::here(), expect_context::<Toasts>());
    let unseen = failures.unseen();
    let places = Memo::new({
        let live = live.clone();
        move |_| live.places()
    });
    let troubled = Memo::new({
        let live = live.clone();
        move |_| live.troubled()
    });
    let hosts = live.hosts();
    let bad = Memo::new(move |_| hosts.with(|hosts| bad_hosts(hosts)));
    let failed = Memo::new(move |_| unseen.with(|unseen| unseen.failed.len()));
    let whole = Memo::new(move |_| unseen.with(|unseen| unseen.whole));
    ask_for_others(live, whole);
    let ids = Memo::new(move |_| {
        let mut ids = troubled.get();
        unseen.with(|unseen| ids.extend(unseen.failed.iter().take(MAX_FAILED).map(|(_, id)| *id)));
        ids
    });
    let alerts = OperationStore::here().alerts();
    let fired = Memo::new(move |_| {
        alerts.with(|alerts| format::alert_counts(u64::from(alerts.firing), u64::from(alerts.unknown)))
    });
    let count = Memo::new(move |_| {
        usize::from(fired.with(|fired| !fired.is_empty()))
            + bad.with(Vec::len)
            + troubled.with(Vec::len)
            + failed.get()
    });
    // The marks before the last press of the button, for Undo.
    let before = RwSignal::new(None::<Marks>);
    let put_back = move |marks: Marks| {
        failures.mark(marks);
        before.try_set(None);
    };
    let seen = move |_| {
        // A failure that arrives after this press must not be marked as seen.
        let newest = unseen.with_untracked(|unseen| unseen.failed.first().map(|(at, _)| *at));
        let at = newest.unwrap_or_else(|| clock.get_untracked());
        let was = untrack(|| failures.marks());
        before.set(Some(was.clone()));
        failures.mark(Marks::up_to(at));
        toasts.undoable(seen_note(failed.get_untracked()), move || put_back(was.clone()));
    };
    let back = move |_| {
        if let Some(was) = before.get_untracked() {
            put_back(was);
        }
    };
    let since = text(move || {
        let since = match failures.marks().at {
            Some(at) => {
                format!("Failures since your last check, {}", format::ago(clock.get().seconds_since(at)))
            }
            None => "Failures of the last 24 hours".to_owned(),
        };
        if whole.get() { since } else { format!("{since} (older operations not searched)") }
    });
    let all_clear = move || match whole.get() {
        true => "Nothing needs attention",
        false => "Nothing needs attention among the newest operations",
    };
    let button = part(move || {
        let (wording, press): (_, Box<dyn Fn(web_sys::MouseEvent)>) =
            match (failed.get(), before.read().is_some()) {
                (0, false) => return None,
                (0, true) => ("Show again", Box::new(back)),
                _ => ("Mark as seen", Box::new(seen)),
            };
        Some(
            view! {
                <button type="button" class="link only-script" on:click=press>
                    {wording}
                </button>
            }
            .into_any(),
        )
    });
    view! {
        <section class="list attention" aria-labelledby="attention-title" data-clear=mark(move || count.get() == 0)>
            <header class="list-head">
                <h2 id="attention-title">
                    "Needs attention " <span class="count num">{text(move || format::count(count.get() as u64))}</span>
                </h2>
                <p class="all-clear">{part(move || (count.get() == 0).then(|| word(all_clear).into_any()))}</p>
                <span class="muted attention-since">{since}</span>
                {button}
            </header>
            {part(move || {
                let fired = Some(fired.get()).filter(|fired| !fired.is_empty())?;
                Some(view! { <p class="quiet-line"><A href="/alerts">{format!("Alerts: {fired}")}</A></p> }.into_any())
            })}
            {part(move || (!bad.read().is_empty()).then(|| view! { <BadHosts bad/> }.into_any()))}
            <Show when=move || !ids.read().is_empty()>
                <Table ids left="Ended" doing="Reason" places of="attention"/>
            </Show>
            <Show when=move || { failed.get() > MAX_FAILED || !whole.get() }>
                <p class="muted quiet-line">
                    {word(move || match (whole.get(), failed.get() > MAX_FAILED) {
                        (true, _) => "Showing the newest failures. ",
                        (false, true) => "Showing the newest failures. Older operations may also have failed. ",
                        (false, false) => "Older operations may also have failed. ",
                    })} <A href=ALL_FAILED>"Show all failed operations"</A>
                </p>
            </Show>
        </section>
    }
    .into_any()
}

/// Each host in trouble as a link to its details.
#[component]
fn BadHosts(bad: Memo<Vec<(HostName, String)>>) -> impl IntoView {
    let one = |(name, trouble): (HostName, String)| {
        view! {
            <li>
                <A href=format!("/hosts#host-{name}") attr:class="link-word" attr:data-link="away">
                    {name.to_string()}
                </A>
                <span class="clip" title=trouble.clone()>{trouble.clone()}</span>
            </li>
        }
        .into_any()
    };
    let list = part(move || Some(bad.get().into_iter().map(one).collect_view().into_any()));
    view! { <ul class="bad-hosts" aria-label="Hosts with problems">{list}</ul> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_host_in_trouble_is_named_with_what_is_wrong() {
        let host = |name: &str, link: &str, trouble: &str| -> HostStatus {
            from_value(json!({
                "name": name, "url": "http://x", "link": link, "capacity": 8, "running": 0, "kinds": [],
                "trouble": trouble
            }))
            .unwrap()
        };
        let hosts = [host("a", "up", ""), host("b", "away", ""), host("c", "away", "Connection refused.")];
        let bad = bad_hosts(&hosts);
        let texts: Vec<_> = bad.iter().map(|(name, trouble)| (name.as_str(), trouble.as_str())).collect();
        assert_eq!(texts, [("b", "Unreachable"), ("c", "Connection refused.")]);
    }

    #[test]
    fn the_confirmation_counts_failures() {
        assert_eq!(
            (seen_note(1), seen_note(12)),
            ("1 failure marked as seen".into(), "12 failures marked as seen".into())
        );
    }
}
