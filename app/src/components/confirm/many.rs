//! The question about many operations at once.

use super::ways_out;
use crate::actions::{Actions, resumable};
use crate::live::Live;
use crate::reactive::{part, text, yes};
use crate::words::asking::{self, Tally};
use leptos::prelude::*;
use protocol::{OperationId, State};
use std::collections::HashMap;
use std::sync::Arc;

/// How those stand that are named. Follows them.
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
            State::Succeeded | State::Failed | State::Cancelled => tally.ended += 1,
        }
    }
    tally
}

/// Before many are cancelled: what will happen to how many of them.
pub fn cancel(ids: Arc<[OperationId]>) -> AnyView {
    let (actions, live) = (Actions::here(), Live::here());
    let count = ids.len() as u32;
    // It goes on while the question stands: some may end.
    let now = Memo::new({
        let ids = ids.clone();
        move |_| tally(&live, &ids)
    });
    let reason = RwSignal::new(String::new());
    let lines = part(move || {
        let lines = asking::cancel_many(now.get()).into_iter().map(|line| view! { <li>{line}</li> });
        Some(view! { <ul class="asked-list">{lines.collect_view()}</ul> }.into_any())
    });
    let words = text(move || match now.get().open() {
        0 => "Nothing left to cancel".to_owned(),
        open => format!("Cancel {}", asking::operations(open)),
    });
    let act = view! {
        <button
            class="button danger"
            disabled=yes(move || now.get().open() == 0)
            on:click=move |_| actions.cancel_many_now(ids.clone(), reason.get_untracked().trim().to_owned())
        >
            {words}
        </button>
    };
    let keep = if count == 1 { "Keep it" } else { "Keep them" };
    view! {
        <h2 id="confirm-title">{format!("Cancel {}?", asking::operations(count))}</h2>
        <div aria-live="polite">{lines}</div>
        <label class="asked-why">
            "Why (kept in their receipts; may stay empty)"
            <input type="text" maxlength="500" autocomplete="off" on:input=move |event| reason.set(event_target_value(&event))/>
        </label>
        {ways_out(keep, act.into_any())}
    }
    .into_any()
}
