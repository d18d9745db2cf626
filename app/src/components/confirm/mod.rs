//! Asks before what can't be undone: a cancel that loses work, many cancels, giving up, deleting, draining a host; and
//! before a resume says what it starts from, before many get another attempt which do.

mod host;
mod many;
mod one;

pub use many::tally;

use crate::actions::{Actions, Question};
use crate::reactive::part;
use leptos::html::Dialog;
use leptos::prelude::*;

/// The question, shown when [`Actions::question`] holds one.
#[component]
pub fn Confirm() -> impl IntoView {
    let actions = Actions::here();
    let dialog = NodeRef::<Dialog>::new();
    // A closed dialog keeps what it said until it is asked again: nothing vanishes before it is gone.
    let asked = Memo::new(move |before: Option<&Option<Question>>| {
        actions.question.get().or_else(|| before.cloned().flatten())
    });
    view! {
        <dialog
            node_ref=dialog
            class="dialog"
            aria-labelledby="confirm-title"
            on:close=move |_| actions.question.set(None)
        >
            {part(move || {
                let question = asked.get()?;
                opened_for(dialog, actions, question.clone());
                let view = match question {
                    Question::Cancel(id) => one::cancel(id),
                    Question::Resume(id) => one::resume(id),
                    Question::Abandon(id) => one::abandon(id),
                    Question::Delete(id) => one::delete(id),
                    Question::DeleteMany(ids) => many::delete(ids, None),
                    Question::DeleteMatching(filter) => many::delete([].into(), Some(filter)),
                    Question::Many(ids) => many::cancel_these(ids),
                    Question::Matching(filter) => many::cancel_matching(filter),
                    Question::Again(ids, again) => many::again(ids, again),
                    Question::Drain(name) => host::drain(name),
                };
                Some(view)
            })}
        </dialog>
    }
    .into_any()
}

/// Shows the dialog when it is asked this question, which stands in it by then: the dialog gives the focus to the way
/// out that is marked for it. In the turn of the press that asked, so that the next key already goes to the dialog.
fn opened_for(dialog: NodeRef<Dialog>, actions: Actions, question: Question) {
    Effect::new(move |_| {
        if actions.question.read().as_ref() == Some(&question)
            && let Some(dialog) = dialog.get()
            && !dialog.open()
        {
            // It fails only for a dialog that is already open.
            drop(dialog.show_modal());
        }
    });
}

/// The two ways out: leave it as it is, or do it.
fn ways_out(keep: &'static str, act: AnyView) -> AnyView {
    view! {
        <form method="dialog" class="dialog-do">
            <button class="button" autofocus=true>{keep}</button>
            {act}
        </form>
    }
    .into_any()
}
