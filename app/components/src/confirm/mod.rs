//! Confirmation dialogs before actions that can't be undone: cancels that lose work, bulk cancels, abandon, delete,
//! drain. Also before resume and bulk retries, to state what they start from.

mod host;
mod many;
mod one;

pub use many::tally;

use crate::deferred::Deferred;
use crate::reactive::part;
use app_state::actions::{Actions, Question};
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

/// The current or last question: a closed dialog keeps its content, so that nothing disappears during its animation.
/// The same question asked again counts as a new one.
#[derive(Clone, Default)]
struct Asked {
    /// Incremented with each question.
    turn: u32,
    open: bool,
    question: Option<Question>,
}

impl Asked {
    /// State after a question is set or cleared.
    fn after(before: Option<&Self>, now: Option<Question>) -> Self {
        let before = before.cloned().unwrap_or_default();
        match now {
            None => Self { open: false, ..before },
            same if before.open && same == before.question => before,
            question => Self { turn: before.turn + 1, open: true, question },
        }
    }
}

/// The dialog, shown while [`Actions::question`] holds a question.
#[component]
pub fn Confirm() -> impl IntoView {
    let actions = Actions::here();
    let dialog = NodeRef::<Dialog>::new();
    let code = Deferred::new(|| Box::pin(load_content()), move || actions.question.set(None));
    let asked = Memo::new_with_compare(
        move |before: Option<&Asked>| Asked::after(before, actions.question.get()),
        |before, now| before.map(|asked| asked.turn) != now.map(|asked| asked.turn),
    );
    view! {
        <dialog
            node_ref=dialog
            class="dialog"
            aria-labelledby="confirm-title"
            on:close=move |_| actions.question.set(None)
        >
            {part(move || {
                let Asked { turn, question, .. } = asked.get();
                let question = question?;
                let view = code.view(|| content(question))?;
                opened_for(dialog, asked, turn);
                Some(view)
            })}
        </dialog>
    }
    .into_any()
}

/// The text of a question, and its buttons.
#[wasm_split(later, wasm_split_path = leptos::wasm_split, preload(load_content), fallible)]
fn content(question: Question) -> Result<AnyView, SplitLoaderError> {
    Ok(match question {
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
    })
}

/// Opens the dialog for a question. Its content is already rendered, so the dialog focuses the button with `autofocus`.
/// Runs in the same turn as the press, so that the next key goes to the dialog.
fn opened_for(dialog: NodeRef<Dialog>, asked: Memo<Asked>, turn: u32) {
    Effect::new(move |_| {
        // The effect of the previous question may still run; it must not open the dialog again.
        if asked.with(|asked| asked.open && asked.turn == turn)
            && let Some(dialog) = dialog.get()
            && !dialog.open()
        {
            // Fails only for a dialog that is already open.
            drop(dialog.show_modal());
        }
    });
}

/// The two buttons: keep things as they are, or act.
fn ways_out(keep: &'static str, act: AnyView) -> AnyView {
    view! {
        <form method="dialog" class="dialog-do">
            <button class="button" autofocus=true>{keep}</button>
            {act}
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_question_opens_a_new_dialog_and_a_closed_one_keeps_its_text() {
        let question = || Some(Question::Delete("0199c2d4-7f3a-7c11-9e1b-000000000001".parse().unwrap()));
        let first = Asked::after(None, None);
        assert!(first.question.is_none() && !first.open);
        let asked = Asked::after(Some(&first), question());
        let still = Asked::after(Some(&asked), question());
        assert!(still.open && still.turn == asked.turn);
        let closed = Asked::after(Some(&still), None);
        assert!(!closed.open && closed.turn == asked.turn && closed.question == question());
        let again = Asked::after(Some(&closed), question());
        assert!(again.open && again.turn > closed.turn);
    }
}
