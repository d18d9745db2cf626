//! The operation whose page is open, and its actions: the same in the header, the menu, by key and in the palette.

use crate::actions::{Actions, Question};
use crate::address;
use crate::address::comparison::Comparison;
use crate::clipboard::copy_and_say;
use crate::notifications::Notifications;
use crate::toasts::Toasts;
use display::{Next, next, shell_command};
use leptos::prelude::*;
use live::OpView;
use live::base;
use protocol::OperationId;

/// The operation; from the context.
#[derive(Clone, Copy)]
pub struct CurrentOperation(RwSignal<Option<OpView>>);

impl CurrentOperation {
    /// Called once, by the frame.
    pub fn new() -> Self {
        Self(RwSignal::new(None))
    }

    /// The page's own, provided by the frame.
    pub fn here() -> Self {
        expect_context::<CurrentOperation>()
    }

    /// `None` unless the page of an operation is open. Not tracked.
    pub fn operation(&self) -> Option<OpView> {
        self.0.get_untracked()
    }

    /// Sets the operation as long as its page is open.
    pub fn hold(&self, op: OpView) {
        let open = self.0;
        Effect::new(move |_| open.set(Some(op)));
        on_cleanup(move || {
            // The next page may have set its operation already.
            if open.try_with_untracked(|held| held.is_some_and(|held| held.id == op.id)) == Some(true) {
                open.set(None);
            }
        });
    }
}

/// An action on an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OperationAction {
    Cancel,
    Resume,
    Retry,
    Again,
    Compare,
    Notify,
    CopyLink,
    CopyId,
    CopyCurl,
    CopyCommand,
    Delete,
}

/// What the actions need.
#[derive(Clone, Copy)]
pub struct ActionScope {
    pub actions: Actions,
    pub toasts: Toasts,
    pub notifications: Notifications,
}

impl ActionScope {
    /// From the context.
    pub fn here() -> Self {
        Self { actions: Actions::here(), toasts: expect_context(), notifications: Notifications::here() }
    }
}

impl OperationAction {
    pub const ALL: [OperationAction; 11] = [
        OperationAction::Cancel,
        OperationAction::Resume,
        OperationAction::Retry,
        OperationAction::Again,
        OperationAction::Compare,
        OperationAction::Notify,
        OperationAction::CopyLink,
        OperationAction::CopyId,
        OperationAction::CopyCurl,
        OperationAction::CopyCommand,
        OperationAction::Delete,
    ];

    /// Label. `awaited`: this browser will be notified. `asks`: the cancel must be confirmed.
    pub fn words(self, awaited: bool, asks: bool) -> &'static str {
        match self {
            OperationAction::Cancel if asks => "Cancel operation…",
            OperationAction::Cancel => "Cancel operation",
            OperationAction::Resume => "Resume…",
            OperationAction::Retry => "Retry",
            OperationAction::Again => "Duplicate…",
            OperationAction::Compare => "Compare with…",
            OperationAction::Notify if awaited => "Don't notify me",
            OperationAction::Notify => "Notify me",
            OperationAction::CopyLink => "Copy link",
            OperationAction::CopyId => "Copy ID",
            OperationAction::CopyCurl => "Copy as curl",
            OperationAction::CopyCommand => "Copy as command line",
            OperationAction::Delete => "Delete…",
        }
    }

    /// What it does, in a sentence; empty where the label says it.
    pub fn means(self) -> &'static str {
        match self {
            OperationAction::Resume => "Continues from the last checkpoint, as a new attempt",
            OperationAction::Retry => {
                "Runs the operation again from the beginning with the same parameters, as a new attempt"
            }
            OperationAction::Again => "Opens the form with these parameters, to start a new operation",
            OperationAction::Compare => {
                "Shows parameters, results and curves beside those of other operations"
            }
            OperationAction::Notify => "This browser notifies you when the operation ends",
            OperationAction::CopyCurl => "A command that starts the same operation through the API",
            OperationAction::CopyCommand => "A signalbox command that starts the same operation",
            _ => "",
        }
    }

    /// Key on the operation page, with Shift for actions that change something; empty for none.
    pub fn key(self) -> &'static str {
        match self {
            OperationAction::Cancel => "C",
            OperationAction::Resume => "S",
            OperationAction::Retry => "R",
            OperationAction::Again => "a",
            OperationAction::Compare => "m",
            OperationAction::Notify => "t",
            OperationAction::CopyLink => "l",
            OperationAction::CopyId => "i",
            OperationAction::CopyCurl | OperationAction::CopyCommand | OperationAction::Delete => "",
        }
    }

    /// Whether it applies to the operation's state.
    pub fn fits(self, next: Next, ended: bool) -> bool {
        match self {
            OperationAction::Cancel => next.cancel,
            OperationAction::Resume => next.resume,
            OperationAction::Retry => next.retry,
            OperationAction::Notify => !ended,
            OperationAction::Delete => ended,
            _ => true,
        }
    }

    /// Actions that apply now. Not tracked.
    pub fn fitting(op: OpView) -> impl Iterator<Item = OperationAction> {
        let state = op.state.get_untracked();
        let next = next(state, op.facts.with_untracked(|f| f.checkpoint.is_some()));
        OperationAction::ALL.into_iter().filter(move |deed| deed.fits(next, state.ended()))
    }

    /// Runs the action, after a confirmation where it can't be undone. `go` navigates to a path.
    pub fn carry_out(self, op: OpView, by: ActionScope, go: &dyn Fn(&str)) {
        let ActionScope { actions, toasts, notifications } = by;
        let fixed = op.fixed();
        let origin = base::origin;
        let copy = |text: String, what: &'static str| copy_and_say(toasts, text, what);
        match self {
            OperationAction::Cancel => actions.cancel(op),
            OperationAction::Resume => actions.question.set(Some(Question::Resume(op.id))),
            OperationAction::Retry => actions.retry(op.id),
            OperationAction::Again => go(&address::start_again(fixed.kind.as_str(), &fixed.params)),
            OperationAction::Compare => go(&Comparison::of([op.id]).address()),
            OperationAction::Notify => notifications.toggle(op),
            OperationAction::Delete => actions.question.set(Some(Question::Delete(op.id))),
            OperationAction::CopyLink => copy(address(&origin(), op.id), "Link"),
            OperationAction::CopyId => copy(op.id.to_string(), "ID"),
            OperationAction::CopyCurl | OperationAction::CopyCommand => {
                let start = shell_command::Start {
                    origin: &origin(),
                    kind: fixed.kind.as_str(),
                    params: &fixed.params,
                    priority: op.facts.with_untracked(|f| f.priority),
                };
                match self {
                    OperationAction::CopyCurl => copy(start.curl(), "curl command"),
                    _ => copy(start.command_line(), "Command line"),
                }
            }
        }
    }
}

fn address(origin: &str, id: OperationId) -> String {
    format!("{origin}{}", address::operation(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::State;

    #[test]
    fn only_actions_that_ask_first_have_an_ellipsis() {
        assert_eq!(OperationAction::Cancel.words(false, true), "Cancel operation…");
        assert_eq!(OperationAction::Cancel.words(false, false), "Cancel operation");
        for asks in [OperationAction::Resume, OperationAction::Delete] {
            assert!(asks.words(false, false).ends_with('…'));
        }
    }

    #[test]
    fn the_ways_to_run_again_say_how_they_differ() {
        let ways = [OperationAction::Retry, OperationAction::Resume, OperationAction::Again];
        let said = ways.map(OperationAction::means);
        assert!(said[0].contains("from the beginning") && said[1].contains("from the last checkpoint"));
        assert!(said[2].contains("a new operation"));
    }

    #[test]
    fn only_possible_actions_are_offered_with_unique_keys() {
        let offered = |state: State, checkpoint| {
            let next = next(state, checkpoint);
            OperationAction::ALL
                .into_iter()
                .filter(move |deed| deed.fits(next, state.ended()))
                .collect::<Vec<_>>()
        };
        assert!(
            offered(State::Running, false).starts_with(&[OperationAction::Cancel, OperationAction::Again])
        );
        assert!(offered(State::Failed, true).starts_with(&[OperationAction::Resume, OperationAction::Retry]));
        assert!(!offered(State::Succeeded, true).contains(&OperationAction::Notify));
        let mut keys: Vec<_> =
            OperationAction::ALL.iter().map(|deed| deed.key()).filter(|key| !key.is_empty()).collect();
        keys.sort_unstable();
        assert!(keys.windows(2).all(|two| two[0] != two[1]));
    }
}
