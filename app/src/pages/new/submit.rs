//! Start of an operation from a form: one request at a time, repeated with the same key while it is the same.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;
use live::OperationStore;
use live::api;
use live::http::new_key;
use protocol::Problem;
use protocol::api::StartWithRule;

/// State of the start.
#[derive(Clone, Copy)]
pub struct Submission {
    pub pending: RwSignal<bool>,
    /// What the server refused.
    pub trouble: RwSignal<Option<Problem>>,
    /// Read out when a start is refused.
    pub announced: RwSignal<String>,
    start: Callback<(StartWithRule, Callback<Problem>)>,
}

impl Submission {
    /// Nothing is started yet.
    pub fn new() -> Self {
        let (live, navigate) = (OperationStore::here(), use_navigate());
        let pending = RwSignal::new(false);
        // Reused while the request is the same, so that a lost response starts nothing twice.
        let key = StoredValue::new(None::<(StartWithRule, String)>);
        let start = Callback::new(move |(start, refused): (StartWithRule, Callback<Problem>)| {
            let key_of_start = match key.get_value() {
                Some((of, key)) if of == start => key,
                _ => new_key(),
            };
            key.set_value(Some((start.clone(), key_of_start.clone())));
            pending.set(true);
            let (live, navigate) = (live.clone(), navigate.clone());
            spawn_local(async move {
                match api::start(&start, &key_of_start).await {
                    Ok(operation) => {
                        live.adopt(&operation, 0);
                        navigate(&app_state::address::operation(operation.id), Default::default());
                    }
                    // Nobody sees the refusal on another page.
                    Err(problem) => {
                        if pending.try_set(false).is_none() {
                            refused.run(problem);
                        }
                    }
                }
            });
        });
        Self { pending, trouble: RwSignal::new(None), announced: RwSignal::default(), start }
    }

    /// Forgets the last refusal; false while a start is pending.
    pub fn begin(self) -> bool {
        if self.pending.get_untracked() {
            return false;
        }
        self.trouble.set(None);
        self.announced.set(String::new());
        true
    }

    /// Sends the request, then opens the operation. `refused` gets the problem if the server refuses it.
    pub fn send(self, start: StartWithRule, refused: impl Fn(Problem) + Send + Sync + 'static) {
        self.start.run((start, Callback::new(refused)));
    }
}
