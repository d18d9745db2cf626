//! The open operation and its actions: the same in the header, the menu, by key and in the palette.

use crate::actions::{Actions, Question};
use crate::base;
use crate::components::ident::copy_and_say;
use crate::components::toasts::Toasts;
use crate::live::OpView;
use crate::notifications::Tell;
use crate::pages::compare::Wanted;
use crate::query;
use display::{Next, next, shell_command};
use leptos::prelude::*;
use protocol::OperationId;

/// The operation; from the context.
#[derive(Clone, Copy)]
pub struct Open(RwSignal<Option<OpView>>);

impl Open {
    /// Called once, by the frame.
    pub fn new() -> Self {
        Self(RwSignal::new(None))
    }

    /// The page's own, provided by the frame.
    pub fn here() -> Self {
        expect_context::<Open>()
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
pub enum Deed {
    Cancel,
    Resume,
    Retry,
    Again,
    Compare,
    Tell,
    CopyLink,
    CopyId,
    CopyCurl,
    CopyCommand,
    Delete,
}

/// What the actions need.
#[derive(Clone, Copy)]
pub struct Doer {
    pub actions: Actions,
    pub toasts: Toasts,
    pub tell: Tell,
}

impl Doer {
    /// From the context.
    pub fn here() -> Self {
        Self { actions: Actions::here(), toasts: expect_context(), tell: Tell::here() }
    }
}

impl Deed {
    pub const ALL: [Deed; 11] = [
        Deed::Cancel,
        Deed::Resume,
        Deed::Retry,
        Deed::Again,
        Deed::Compare,
        Deed::Tell,
        Deed::CopyLink,
        Deed::CopyId,
        Deed::CopyCurl,
        Deed::CopyCommand,
        Deed::Delete,
    ];

    /// Label. `told`: this browser will be notified. `asks`: the cancel must be confirmed.
    pub fn words(self, told: bool, asks: bool) -> &'static str {
        match self {
            Deed::Cancel if asks => "Cancel operation…",
            Deed::Cancel => "Cancel operation",
            Deed::Resume => "Resume…",
            Deed::Retry => "Retry",
            Deed::Again => "Duplicate…",
            Deed::Compare => "Compare with…",
            Deed::Tell if told => "Don't notify me",
            Deed::Tell => "Notify me",
            Deed::CopyLink => "Copy link",
            Deed::CopyId => "Copy ID",
            Deed::CopyCurl => "Copy as curl",
            Deed::CopyCommand => "Copy as command line",
            Deed::Delete => "Delete…",
        }
    }

    /// Key on the operation page, with Shift for actions that change something; empty for none.
    pub fn key(self) -> &'static str {
        match self {
            Deed::Cancel => "C",
            Deed::Resume => "S",
            Deed::Retry => "R",
            Deed::Again => "a",
            Deed::Compare => "m",
            Deed::Tell => "t",
            Deed::CopyLink => "l",
            Deed::CopyId => "i",
            Deed::CopyCurl | Deed::CopyCommand | Deed::Delete => "",
        }
    }

    /// Whether it applies to the operation's state.
    pub fn fits(self, next: Next, ended: bool) -> bool {
        match self {
            Deed::Cancel => next.cancel,
            Deed::Resume => next.resume,
            Deed::Retry => next.retry,
            Deed::Tell => !ended,
            Deed::Delete => ended,
            _ => true,
        }
    }

    /// Actions that apply now. Not tracked.
    pub fn fitting(op: OpView) -> impl Iterator<Item = Deed> {
        let state = op.state.get_untracked();
        let next = next(state, op.facts.with_untracked(|f| f.checkpoint.is_some()));
        Deed::ALL.into_iter().filter(move |deed| deed.fits(next, state.ended()))
    }

    /// Runs the action, after a confirmation where it can't be undone. `go` navigates to a path.
    pub fn carry_out(self, op: OpView, by: Doer, go: &dyn Fn(&str)) {
        let Doer { actions, toasts, tell } = by;
        let fixed = op.fixed();
        let origin = base::origin;
        let copy = |text: String, what: &'static str| copy_and_say(toasts, text, what);
        match self {
            Deed::Cancel => actions.cancel(op),
            Deed::Resume => actions.question.set(Some(Question::Resume(op.id))),
            Deed::Retry => actions.retry(op.id),
            Deed::Again => go(&query::start_again(fixed.kind.as_str(), &fixed.params)),
            Deed::Compare => go(&Wanted::of([op.id]).address()),
            Deed::Tell => tell.toggle(op),
            Deed::Delete => actions.question.set(Some(Question::Delete(op.id))),
            Deed::CopyLink => copy(address(&origin(), op.id), "Link"),
            Deed::CopyId => copy(op.id.to_string(), "ID"),
            Deed::CopyCurl | Deed::CopyCommand => {
                let start = shell_command::Start {
                    origin: &origin(),
                    kind: fixed.kind.as_str(),
                    params: &fixed.params,
                    priority: op.facts.with_untracked(|f| f.priority),
                };
                match self {
                    Deed::CopyCurl => copy(start.curl(), "curl command"),
                    _ => copy(start.command_line(), "Command line"),
                }
            }
        }
    }
}

fn address(origin: &str, id: OperationId) -> String {
    format!("{origin}{}", query::operation(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::State;

    #[test]
    fn what_asks_back_says_so_and_what_acts_at_once_does_not() {
        assert_eq!(Deed::Cancel.words(false, true), "Cancel operation…");
        assert_eq!(Deed::Cancel.words(false, false), "Cancel operation");
        for asks in [Deed::Resume, Deed::Delete] {
            assert!(asks.words(false, false).ends_with('…'));
        }
    }

    #[test]
    fn only_what_fits_is_offered_and_no_key_means_two_things() {
        let offered = |state: State, checkpoint| {
            let next = next(state, checkpoint);
            Deed::ALL.into_iter().filter(move |deed| deed.fits(next, state.ended())).collect::<Vec<_>>()
        };
        assert!(offered(State::Running, false).starts_with(&[Deed::Cancel, Deed::Again]));
        assert!(offered(State::Failed, true).starts_with(&[Deed::Resume, Deed::Retry]));
        assert!(!offered(State::Succeeded, true).contains(&Deed::Tell));
        let mut keys: Vec<_> =
            Deed::ALL.iter().map(|deed| deed.key()).filter(|key| !key.is_empty()).collect();
        keys.sort_unstable();
        assert!(keys.windows(2).all(|two| two[0] != two[1]));
    }
}
