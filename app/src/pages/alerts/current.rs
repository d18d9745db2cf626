//! The current alerts: rendered with the page, and requested again when the feed says that they changed.

use components::placeholders::Trouble;
use components::reactive::part;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::{OperationStore, api};
use protocol::Problem;
use protocol::alerts::{AlertList, RuleList};
use std::sync::Arc;

pub type AlertsAnswer = Result<AlertList, Problem>;
pub type RulesAnswer = Result<RuleList, Problem>;

/// Newest answer, and the way to request it again.
#[derive(Clone, Copy)]
pub struct CurrentAlerts {
    list: Memo<Option<Arc<AlertList>>>,
    trouble: RwSignal<Option<Problem>>,
    ask: Callback<()>,
}

impl CurrentAlerts {
    /// Begins with the answer that the page was rendered with.
    pub fn new(first: live::Loaded<AlertsAnswer>) -> Self {
        let newer = RwSignal::new(None::<Arc<AlertList>>);
        let trouble = RwSignal::new(None::<Problem>);
        let list = Memo::new(move |_| newer.get().or_else(|| Some(Arc::new(first.get()?.ok()?))));
        // Whether a request is in flight, and whether something changed meanwhile.
        let (asked, again) = (StoredValue::new(false), RwSignal::new(0_u32));
        let changed = StoredValue::new(false);
        let ask = Callback::new(move |()| {
            if asked.try_get_value() != Some(false) {
                changed.try_set_value(true);
                return;
            }
            asked.set_value(true);
            changed.set_value(false);
            spawn_local(async move {
                let answer = api::alerts().await;
                // The page may be gone by now.
                if asked.try_set_value(false).is_some() {
                    return;
                }
                match answer {
                    Ok(list) => {
                        trouble.try_set(None);
                        newer.try_set(Some(Arc::new(list)));
                    }
                    Err(problem) => {
                        trouble.try_set(Some(problem));
                    }
                }
                if changed.try_get_value() == Some(true) {
                    again.try_update(|n| *n += 1);
                }
            });
        });
        let alerts = OperationStore::here().alerts();
        let revision = Memo::new(move |_| alerts.with(|alerts| alerts.revision));
        Effect::new(move |before: Option<()>| {
            let revision = revision.get();
            again.track();
            let known = list.with_untracked(|list| list.as_ref().map(|list| list.revision));
            // At first only if the page was rendered before the last change.
            if before.is_some() || known.is_some_and(|known| known < revision) {
                ask.run(());
            }
        });
        Self { list, trouble, ask }
    }

    /// The newest list; `None` while none was received. Tracked.
    pub fn list(self) -> Option<Arc<AlertList>> {
        self.list.get()
    }

    /// Number of changes of rules, as of the newest list. Tracked.
    fn rules_revision(self) -> Option<u64> {
        self.list.with(|list| list.as_ref().map(|list| list.rules_revision))
    }

    /// Whether a list was received. Tracked.
    pub fn is_known(self) -> bool {
        self.list.with(Option::is_some)
    }

    /// Requests the list again.
    pub fn ask(self) -> Callback<()> {
        self.ask
    }

    /// Error of the last request, with a retry button; nothing if it succeeded.
    pub fn trouble(self) -> impl IntoView {
        let Self { trouble, ask, .. } = self;
        part(move || {
            let problem = trouble.get()?;
            Some(view! { <Trouble problem retry=ask/> }.into_any())
        })
    }
}

/// Rules as of the newest answer; requested again when anyone changes one.
#[derive(Clone, Copy)]
pub struct CurrentRules {
    list: Memo<Option<Arc<RuleList>>>,
    ask: Callback<()>,
}

impl CurrentRules {
    /// Begins with the answer that the page was rendered with. `before` runs before newer rules are shown.
    pub fn new(first: live::Loaded<RulesAnswer>, current: CurrentAlerts, before: Callback<()>) -> Self {
        let newer = RwSignal::new(None::<Arc<RuleList>>);
        let list = Memo::new(move |_| newer.get().or_else(|| Some(Arc::new(first.get()?.ok()?))));
        // Only the answer to the newest request counts.
        let asked = StoredValue::new(0_u32);
        let ask = Callback::new(move |()| {
            let number = asked.try_update_value(|asked| {
                *asked += 1;
                *asked
            });
            spawn_local(async move {
                // After a failure, the known rules stay; the next change of the alerts asks again.
                if let Ok(list) = api::alert_rules().await
                    && asked.try_get_value() == number
                    && number.is_some()
                {
                    before.run(());
                    newer.try_set(Some(Arc::new(list)));
                }
            });
        });
        let revision = Memo::new(move |_| current.rules_revision());
        Effect::new(move |before: Option<Option<u64>>| {
            let revision = revision.get();
            if before.flatten().is_some_and(|before| Some(before) != revision) {
                ask.run(());
            }
            revision
        });
        Self { list, ask }
    }

    /// The newest rules; `None` while none were received. Tracked.
    pub fn list(self) -> Option<Arc<RuleList>> {
        self.list.get()
    }

    /// Requests the rules again.
    pub fn ask(self) {
        self.ask.run(());
    }
}
