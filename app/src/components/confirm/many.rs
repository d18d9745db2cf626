//! Confirmations for many operations.

use super::ways_out;
use crate::actions::{Actions, resumable, to_delete};
use crate::api;
use crate::live::Live;
use crate::reactive::{part, text, yes};
use display::confirm::{self, Again, Tally};
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::api::{DeleteMany, Deleted};
use protocol::{Filter, OperationId, Problem, State};
use std::collections::HashMap;
use std::sync::Arc;

/// Counts operations by what can be done with them. Tracked.
pub fn tally(live: &Live, ids: &[OperationId]) -> Tally {
    live.track_roster();
    let mut tally = Tally::default();
    let mut resumes = HashMap::new();
    for id in ids {
        let Some(cell) = live.operation(*id) else {
            tally.ended += 1;
            continue;
        };
        let (state, checkpoint) = cell.standing();
        match state {
            State::Queued => tally.queued += 1,
            State::Starting | State::Running => {
                tally.running += 1;
                let kind = cell.fixed().kind.clone();
                let resumes = *resumes.entry(kind).or_insert_with_key(resumable);
                tally.lost += u32::from(!checkpoint && !resumes);
            }
            State::Cancelling => tally.cancelling += 1,
            State::Succeeded => tally.ended += 1,
            State::Failed | State::Cancelled => {
                tally.ended += 1;
                tally.again += 1;
                tally.resumable += u32::from(checkpoint);
            }
        }
    }
    tally
}

/// Confirms the cancel of selected operations.
pub fn cancel_these(ids: Arc<[OperationId]>) -> AnyView {
    cancel(Signal::derive(move || ids.clone()), None)
}

/// Confirms the cancel of all operations that match a filter at that time.
pub fn cancel_matching(filter: Filter) -> AnyView {
    let live = Live::here();
    let found = {
        let filter = filter.clone();
        Memo::new(move |_| Arc::<[OperationId]>::from(live.find(&filter).0))
    };
    cancel(found.into(), Some(filter))
}

/// States how many operations are cancelled, and how.
fn cancel(ids: Signal<Arc<[OperationId]>>, filter: Option<Filter>) -> AnyView {
    let (actions, live) = (Actions::here(), Live::here());
    let count = move || ids.with(|ids| ids.len()) as u32;
    // Operations end and start while the dialog is open.
    let now = Memo::new(move |_| ids.with(|ids| tally(&live, ids)));
    let reason = RwSignal::new(String::new());
    let lines = part(move || {
        let lines = confirm::cancel_many(now.get()).into_iter().map(|line| view! { <li>{line}</li> });
        Some(view! { <ul class="asked-list">{lines.collect_view()}</ul> }.into_any())
    });
    let words = text(move || match now.get().open() {
        0 => "Nothing left to cancel".to_owned(),
        open => format!("Cancel {}", confirm::operations(open)),
    });
    let act = view! {
        <button
            class="button danger"
            disabled=yes(move || now.get().open() == 0)
            on:click=move |_| {
                let why = reason.get_untracked().trim().to_owned();
                actions.cancel_many_now(ids.get_untracked(), filter.clone(), why);
            }
        >
            {words}
        </button>
    };
    view! {
        <h2 id="confirm-title">{text(move || format!("Cancel {}?", confirm::operations(count())))}</h2>
        <div aria-live="polite">{lines}</div>
        <label class="asked-why">
            "Reason (optional, stored in the receipts)"
            <input type="text" maxlength="500" autocomplete="off" on:input=move |event| reason.set(event_target_value(&event))/>
        </label>
        {ways_out("Keep running", act.into_any())}
    }
    .into_any()
}

/// Confirms retry or resume of many operations, and states which are skipped.
pub fn again(ids: Arc<[OperationId]>, again: Again) -> AnyView {
    let (actions, live) = (Actions::here(), Live::here());
    let count = ids.len() as u32;
    let now = Memo::new({
        let ids = ids.clone();
        move |_| tally(&live, &ids)
    });
    let taken = move || match (again, now.get()) {
        (Again::Retry, now) => now.again,
        (Again::Resume, now) => now.resumable,
    };
    let verb = match again {
        Again::Retry => "Retry",
        Again::Resume => "Resume",
    };
    let lines = part(move || {
        let lines =
            confirm::again_many(now.get(), again, count).into_iter().map(|line| view! { <li>{line}</li> });
        Some(view! { <ul class="asked-list">{lines.collect_view()}</ul> }.into_any())
    });
    let said = move || format!("{verb} {}", confirm::operations(taken()));
    let act = view! {
        <button
            class="button primary"
            disabled=yes(move || taken() == 0)
            on:click=move |_| actions.again_many_now(&ids, again)
        >
            {text(said)}
        </button>
    };
    view! {
        <h2 id="confirm-title">{text(move || format!("{}?", said()))}</h2>
        <div aria-live="polite">{lines}</div>
        {ways_out("Back", act.into_any())}
    }
    .into_any()
}

/// Confirms the delete of selected operations, or of all that match a filter. Only the server knows their number, child
/// operations included; the button is disabled until it answers. Later changes are not part of that number and are left
/// alone.
pub fn delete(ids: Arc<[OperationId]>, filter: Option<Filter>) -> AnyView {
    let actions = Actions::here();
    let requests = to_delete(&ids, filter.as_ref());
    let told = RwSignal::new(None::<Result<Deleted, Problem>>);
    spawn_local({
        let requests = requests.clone();
        async move {
            let said = would_go(requests).await;
            // The dialog may be closed by now.
            told.try_set(Some(said));
        }
    });
    let count =
        move || told.with(|told| told.as_ref().and_then(|t| t.as_ref().ok()).map_or(0, |t| t.deleted));
    let lines = part(move || {
        let lines = match told.get() {
            None => vec!["Counting operations…".to_owned()],
            Some(Err(problem)) => vec![format!("Could not count the operations: {}", problem.detail)],
            Some(Ok(told)) => confirm::delete_many(told),
        };
        let lines = lines.into_iter().map(|line| view! { <li>{line}</li> });
        Some(view! { <ul class="asked-list">{lines.collect_view()}</ul> }.into_any())
    });
    let said = text(move || match (count(), told.with(Option::is_some)) {
        (0, false) => "Delete".to_owned(),
        (0, true) => "Nothing to delete".to_owned(),
        (n, _) => format!("Delete {}", confirm::operations(n as u32)),
    });
    let act = view! {
        <button
            class="button danger"
            disabled=yes(move || count() == 0)
            on:click=move |_| {
                let until = told.with_untracked(|told| told.as_ref()?.as_ref().ok()?.until);
                let requests = requests.iter().cloned().map(|request| DeleteMany { until, ..request });
                actions.delete_many_now(requests.collect());
            }
        >
            {said}
        </button>
    };
    view! {
        <h2 id="confirm-title">"Delete ended operations?"</h2>
        <div aria-live="polite">{lines}</div>
        {ways_out("Keep", act.into_any())}
    }
    .into_any()
}

/// Dry run: what the server would delete.
async fn would_go(requests: Vec<DeleteMany>) -> Result<Deleted, Problem> {
    let mut all = Deleted::default();
    for request in requests {
        all += api::delete_many(&DeleteMany { dry_run: true, ..request }).await?;
    }
    Ok(all)
}
