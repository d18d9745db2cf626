//! Figures of now and of the last 24 hours, kept up to date, beside the hours.

use super::hours::{Hours, ended_since};
use super::now::ALL_RUNNING;
use components::link::A;
use components::placeholders::{Skeleton, Trouble};
use components::reactive::{mark, part, text};
use display::format;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::OperationStore;
use live::Positioned;
use live::api::{self};
use live::model::joined::{Added, Joinable, Joined};
use protocol::activity::{Activity, Ends};
use protocol::{Event, EventBody, Problem, State};
use std::sync::Arc;
use std::time::Duration;

/// Delay before activity is requested again: many operations may end at once.
const SETTLE: Duration = Duration::from_secs(1);
const MINUTE: i64 = 60_000_000;

pub type Answer = Result<Positioned<Activity>, Problem>;

/// Join without state: every relevant event makes the answer stale, because no event carries the figures.
struct Newest;

impl Joinable for Newest {
    type Answer = ();

    fn take(&mut self, (): ()) {}

    fn add(&mut self, _: &Event) -> Added {
        Added::Stale
    }
}

/// Staleness of the answer, and the newest answer since the page was opened.
#[derive(Clone, Copy)]
pub struct CurrentActivity {
    join: StoredValue<Arc<Joined<Newest>>>,
    newer: RwSignal<Option<Positioned<Activity>>>,
}

impl CurrentActivity {
    /// Must run before the first request, so that no event is missed.
    pub fn new(live: &OperationStore) -> Self {
        let join = live.join(Newest, |event| match &event.body {
            EventBody::Operation { operation } => operation.state.ended() || operation.attempt > 1,
            EventBody::Deleted { .. } => true,
            _ => false,
        });
        Self { join: StoredValue::new(join), newer: RwSignal::new(None) }
    }

    /// The newest answer, or the first one while there is no newer.
    pub fn answer(self, first: live::Loaded<Answer>) -> Option<Answer> {
        self.newer.get().map(Ok).or_else(|| first.get())
    }

    fn ask(self, live: &OperationStore) {
        let Some(join) = self.join.try_get_value() else { return };
        let question = join.ask(live.seq());
        spawn_local(async move {
            match api::activity().await {
                Ok(activity) => {
                    if join.take(question, activity.seq, ()) {
                        // The page may be gone by now.
                        self.newer.try_set(Some(activity));
                    }
                }
                // The answer states its time, and is requested again within a minute.
                Err(_) => join.failed(question),
            }
        });
    }
}

/// The section, rendered with the page's first answer and kept up to date.
#[component]
pub fn Lately(first: live::Loaded<Answer>, current: CurrentActivity) -> impl IntoView {
    let live = OperationStore::here();
    let join = current.join.get_value();
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let clock = live.clock();
    let minute = Memo::new(move |_| clock.get().micros() / MINUTE);
    Effect::new({
        let join = join.clone();
        move |_| {
            if let Some(answer) = first.get() {
                join.take_first(answer.ok().map(|activity| (activity.seq, ())));
            }
        }
    });
    let asks = join.asks();
    let retry = live.clone();
    // Requests the answer again when it is stale, and once a minute.
    Effect::new(move |before: Option<()>| {
        // Not `track`, which does not compute a memo.
        minute.get();
        let asked_again = asks.get() > 0;
        if (before.is_some() || asked_again) && timer.with_value(Option::is_none) {
            let live = live.clone();
            let later = set_timeout_with_handle(
                move || {
                    timer.try_set_value(None);
                    current.ask(&live);
                },
                SETTLE,
            );
            timer.set_value(later.ok());
        }
    });
    on_cleanup(move || {
        if let Some(Some(handle)) = timer.try_get_value() {
            handle.clear();
        }
    });
    view! {
        <section class="list" aria-labelledby="lately-title">
            <h2 id="lately-title" class="unseen">"Last 24 hours"</h2>
            <Suspense fallback=|| view! { <Skeleton lines=3/> }>
                {part(move || {
                    Some(match current.answer(first) {
                        None => view! { <Skeleton lines=3/> }.into_any(),
                        Some(Err(problem)) => {
                            let live = retry.clone();
                            let retry = move |()| current.ask(&live);
                            view! { <Trouble problem retry/> }.into_any()
                        }
                        Some(Ok(activity)) => drawn(&activity.of),
                    })
                })}
            </Suspense>
        </section>
    }
    .into_any()
}

/// One of the large figures, a link to the operations that it counts.
#[component]
fn Figure(
    #[prop(into)] href: String,
    /// Tooltip: where it leads.
    leads_to: &'static str,
    label: &'static str,
    #[prop(into)] value: Signal<u64>,
    /// What the figure is compared with, or an empty text.
    #[prop(into)]
    note: Signal<String>,
    /// A value above 0 is bad.
    #[prop(optional)]
    bad: bool,
) -> impl IntoView {
    view! {
        <li>
            <A href attr:class="overview-figure" attr:title=leads_to>
                <span class="figure num" data-bad=mark(move || bad && value.get() > 0)>
                    {text(move || format::count(value.get()))}
                </span>
                <span>{label}</span>
                <span class="muted num">{text(move || note.get())}</span>
            </A>
        </li>
    }
    .into_any()
}

/// `3 queued`; empty without any.
fn queued(count: u64) -> String {
    if count > 0 { format!("{} queued", format::count(count)) } else { String::new() }
}

/// `4 % of all ended`; empty when nothing ended.
fn failed_share(total: Ends) -> String {
    match total.all() {
        0 => String::new(),
        all => format!("{} of all ended", format::percent(total.failed as f64 / all as f64)),
    }
}

/// `usually 95`, from all kinds; empty without past days.
fn usual(activity: &Activity) -> String {
    let usual: f64 = activity.kinds.iter().filter_map(|kind| kind.usual_a_day).sum();
    if activity.usual_days > 0.0 {
        format!("usually {}", format::count(usual.round() as u64))
    } else {
        String::new()
    }
}

fn total(activity: &Activity) -> Ends {
    activity.hours.iter().fold(Ends::default(), |sum, hour| Ends {
        succeeded: sum.succeeded + hour.succeeded,
        failed: sum.failed + hour.failed,
        cancelled: sum.cancelled + hour.cancelled,
    })
}

fn drawn(activity: &Activity) -> AnyView {
    let now = activity.now;
    let live = OperationStore::here();
    let clock = live.clock();
    // The clock goes on while requests fail; then the figures state their age.
    let age = text(move || {
        let seconds = clock.get().seconds_since(now);
        if seconds < 90.0 { String::new() } else { format!("As of {}", format::ago(seconds)) }
    });
    let total = total(activity);
    let counts = live.clone();
    let running = Signal::derive(move || {
        [State::Starting, State::Running, State::Cancelling]
            .map(|state| counts.count(state))
            .iter()
            .sum::<u64>()
    });
    let waiting = Signal::derive(move || queued(live.count(State::Queued)));
    let of_all = display::activity::ends(total);
    view! {
        <div class="card lately">
            <ul class="overview-figures" aria-label="Operations in figures">
                <Figure href=ALL_RUNNING leads_to="Show running operations" label="running" value=running note=waiting/>
                <Figure
                    href=ended_since(activity.since, "failed", "")
                    leads_to="Show these failed operations"
                    label="failed in 24 h"
                    value=total.failed
                    note=failed_share(total)
                    bad=true
                />
                <Figure
                    href=ended_since(activity.since, "", "")
                    leads_to="Show these operations"
                    label="ended in 24 h"
                    value=total.all()
                    note=usual(activity)
                />
            </ul>
            <div class="lately-hours">
                <p class="muted">
                    <span>{of_all}</span>
                    " "
                    <span>{age}</span>
                </p>
                <Hours activity=activity.clone() total/>
            </div>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::activity::KindActivity;
    use protocol::{KindName, Time};

    #[test]
    fn figures_say_what_they_are_compared_with() {
        let hour = |succeeded, failed| Ends { succeeded, failed, ..Ends::default() };
        let kind = |usual_a_day| KindActivity {
            kind: KindName::new("x.y").unwrap(),
            ends: Ends::default(),
            seconds: None,
            usual_a_day,
            usual_seconds: None,
        };
        let mut activity = Activity {
            now: Time::from_micros(0),
            since: Time::from_micros(0),
            hours: vec![hour(80, 1), hour(16, 3)],
            kinds: vec![kind(Some(90.4)), kind(None), kind(Some(4.9))],
            usual_days: 3.0,
        };
        let all = total(&activity);
        assert_eq!((all.all(), failed_share(all).as_str()), (100, "4 % of all ended"));
        assert_eq!(usual(&activity), "usually 95");
        activity.usual_days = 0.0;
        assert_eq!((usual(&activity), failed_share(Ends::default()), queued(0)), Default::default());
        assert_eq!(queued(1_200), "1,200 queued");
    }
}
