//! History of a host for the shown time: requested when the time changes, and again while it is live.

use super::panels::{metrics, newest};
use super::span::{BUCKETS, Span};
use app_state::Zones;
use components::placeholders::Trouble;
use components::reactive::part;
use display::format;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::{OperationStore, api};
use protocol::history::History;
use protocol::{HostName, Operation, Problem, Time};
use std::sync::Arc;

/// Number of operations that are requested to find which ones ran within the time.
const OPERATIONS: u32 = 200;
/// Age in seconds from which on the newest sample is old: several requests of the server to the host have failed then.
const OLD_SECONDS: i64 = 30;

/// Latest answer.
#[derive(Clone)]
pub struct Answer {
    pub history: Arc<History>,
    /// Newest operations of the host that were accepted before the end of the time.
    pub operations: Arc<[Operation]>,
    /// Requested time, in seconds since 1970.
    pub bounds: (i64, i64),
    /// When it was requested.
    pub at: Time,
    /// Increases when the charts must show all of it.
    pub fit: u32,
    span: Span,
}

impl Answer {
    /// Whether nothing is known of the time.
    pub fn is_empty(&self) -> bool {
        self.history.metrics.is_empty()
    }

    /// Whether the host has a sample in the time.
    pub fn is_sampled(&self) -> bool {
        newest(&self.history).is_some()
    }

    /// Whether it ends now.
    pub fn is_live(&self) -> bool {
        self.span.refresh_seconds().is_some()
    }
}

/// Requests and their latest answer.
#[derive(Clone, Copy)]
pub struct Charted {
    pub answer: RwSignal<Option<Answer>>,
    trouble: RwSignal<Option<Problem>>,
    ask: Callback<()>,
}

impl Charted {
    /// Requests the history of a host in the browser, as long as the page lives.
    pub fn new(host: HostName, span: Memo<Span>) -> Self {
        let (answer, trouble) = (RwSignal::new(None::<Answer>), RwSignal::new(None::<Problem>));
        let clock = OperationStore::here().clock();
        // Time of the request in flight; the number counts the finished ones.
        let (asked, finished) = (StoredValue::new(None::<Span>), RwSignal::new(0_u32));
        let ask = Callback::new(move |()| {
            if asked.try_get_value() != Some(None) {
                return;
            }
            let (host, shown, now) = (host.clone(), span.get_untracked(), clock.get_untracked());
            asked.set_value(Some(shown));
            spawn_local(async move {
                let bounds = shown.bounds(now);
                let read = read(&host, bounds).await;
                // The page may be gone by now.
                if asked.try_set_value(None).is_some() {
                    return;
                }
                match read {
                    Ok((history, operations)) => {
                        trouble.try_set(None);
                        answer.try_update(|answer| {
                            let fit = answer.as_ref().map_or(0, |a| a.fit + u32::from(a.span != shown));
                            *answer = Some(Answer { history, operations, bounds, at: now, fit, span: shown });
                        });
                    }
                    Err(problem) => {
                        trouble.try_set(Some(problem));
                    }
                }
                // The time was changed meanwhile.
                if span.try_get_untracked().is_some_and(|now| now != shown) {
                    finished.try_update(|n| *n += 1);
                }
            });
        });
        // Changes when the answer is due again.
        let due = Memo::new(move |_| {
            let shown = span.get();
            let refreshed =
                shown.refresh_seconds().map(|every| clock.get().micros() / i64::from(every) / 1_000_000);
            (shown, refreshed)
        });
        Effect::new(move |_| {
            // Not `track`, which does not compute a memo.
            let _ = due.get();
            finished.track();
            ask.run(());
        });
        Self { answer, trouble, ask }
    }

    /// Error with a retry button, and how old the newest sample is if it is old; nothing if all is well.
    pub fn trouble(self) -> impl IntoView {
        let Self { answer, trouble, ask } = self;
        let (clock, zone) = (OperationStore::here().clock(), Zones::here());
        let failed = part(move || {
            let problem = trouble.get()?;
            Some(view! { <Trouble problem retry=ask/> }.into_any())
        });
        let old = Memo::new(move |_| {
            let (sample, live) = answer.with(|answer| answer.as_ref().map(old_sample))?;
            let age = clock.get().micros().div_euclid(1_000_000) - sample?;
            // Evaluated every second; the words change less often.
            (live && age > OLD_SECONDS).then(|| (sample, format::ago(age as f64)))
        });
        let age = part(move || {
            let (sample, ago) = old.get()?;
            let at = Time::from_micros(sample?.saturating_mul(1_000_000));
            Some(
                view! {
                    <p class="note warn">
                        {format!("The newest sample is from {} ({ago}). ", zone.get().moment(at))}
                        "Check that the host is running and that the server can reach it."
                    </p>
                }
                .into_any(),
            )
        });
        view! {
            <div role="status">{age}</div>
            {failed}
        }
    }
}

/// End of the newest bucket with a value, in seconds since 1970, and whether the time is live.
fn old_sample(answer: &Answer) -> (Option<i64>, bool) {
    let sample = newest(&answer.history).map(|from| from + i64::from(answer.history.bucket_seconds) - 1);
    (sample, answer.is_live())
}

async fn read(host: &HostName, bounds: (i64, i64)) -> Result<(Arc<History>, Arc<[Operation]>), Problem> {
    let history = api::history(host, bounds, BUCKETS, &metrics()).await?;
    let until = Time::from_micros(bounds.1.saturating_mul(1_000_000));
    let page = api::operations_of_host(host, until, OPERATIONS).await?;
    Ok((Arc::new(history), page.operations.into()))
}
