//! Operations ended in the last 24 hours, by hour and by kind, compared with the days before.

use app_state::Zones;
use components::placeholders::{Skeleton, Trouble};
use components::reactive::{part, text};
use display::format;
use display::zone::Zone;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::OperationStore;
use live::Positioned;
use live::api::{self};
use live::model::joined::{Added, Joinable, Joined};
use protocol::activity::{Activity, Ends, KindActivity};
use protocol::{Event, EventBody, Problem};
use std::sync::Arc;
use std::time::Duration;

/// Delay before activity is requested again: many operations may end at once.
const SETTLE: Duration = Duration::from_secs(1);
const HOUR: i64 = 3_600_000_000;
/// Height of the chart, width and distance of its bars, in SVG units.
const HIGH: f64 = 48.0;
const WIDE: f64 = 8.0;
const STEP: f64 = 10.0;

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
    let minute = Memo::new(move |_| clock.get().micros() / (HOUR / 60));
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
        minute.track();
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
            <h2 id="lately-title">"Last 24 hours"</h2>
            <Suspense fallback=|| view! { <Skeleton lines=3/> }>
                {part(move || {
                    let answer = current.newer.get().map(Ok).or_else(|| first.get());
                    Some(match answer {
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

fn drawn(activity: &Activity) -> AnyView {
    let now = activity.now;
    let clock = OperationStore::here().clock();
    // The clock goes on while requests fail; then the figures state their age.
    let age = text(move || {
        let seconds = clock.get().seconds_since(now);
        if seconds < 90.0 { String::new() } else { format!("As of {}", format::ago(seconds)) }
    });
    // A new installation has no past days to compare with.
    let known = activity.usual_days > 0.0;
    let rows = activity.kinds.iter().map(|kind| row(kind, known)).collect_view();
    let total = activity.hours.iter().fold(Ends::default(), |sum, hour| Ends {
        succeeded: sum.succeeded + hour.succeeded,
        failed: sum.failed + hour.failed,
        cancelled: sum.cancelled + hour.cancelled,
    });
    view! {
        <div class="card lately">
            <p>
                <span>{display::activity::ends(total)}</span>
                " "
                <span class="muted">{age}</span>
            </p>
            <Hours activity=activity.clone() total/>
            <div class="scroll" tabindex="0" role="region" aria-label="By kind">
                <table class="plain">
                    <thead>
                        <tr>
                            <th scope="col">"Kind"</th>
                            <th scope="col" class="num">"Ended"</th>
                            <th scope="col" class="num">"Failed"</th>
                            <th scope="col" class="num">"Mean duration"</th>
                            {known.then(|| view! { <th scope="col">"Compared with usual"</th> })}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {usual(activity.usual_days).map(|wording| view! { <p class="muted lately-note">{wording}</p> })}
        </div>
    }
    .into_any()
}

fn usual(days: f64) -> Option<String> {
    (days > 0.0).then(|| match display::format::figure(days.round()).as_str() {
        "1" => "Usual: mean of the previous day".to_owned(),
        days => format!("Usual: mean of the previous {days} days"),
    })
}

fn row(kind: &KindActivity, usual_known: bool) -> impl IntoView + use<> {
    let beside = usual_known.then(|| {
        let usual = display::activity::usual_a_day(kind);
        let against = display::activity::against_usual(kind);
        let slow = against.as_ref().and_then(|(_, slow)| slow.then_some(""));
        view! {
            <td>
                <span data-slow=slow>{against.map(|(wording, _)| wording)}</span>
                {usual.map(|wording| view! { " " <span class="muted">{wording}</span> })}
            </td>
        }
    });
    view! {
        <tr>
            <th scope="row" class="kind">{kind.kind.to_string()}</th>
            <td class="num">{format::count(kind.ends.all())}</td>
            <td class="num" data-bad=(kind.ends.failed > 0).then_some("")>{format::count(kind.ends.failed)}</td>
            <td class="num">{kind.seconds.map_or("–".to_owned(), format::span)}</td>
            {beside}
        </tr>
    }
}

/// Operations ended in the busiest hour.
fn most(hours: &[Ends]) -> u64 {
    hours.iter().map(|hour| hour.all()).max().unwrap_or_default()
}

/// `10:00 UTC`
fn to_the_minute(at: protocol::Time, zone: Zone) -> String {
    format!("{} {}", &zone.bare_clock(at)[..5], zone.name(at))
}

/// One bar per hour, stacked: succeeded, failed (hatched), cancelled.
#[component]
fn Hours(activity: Activity, total: Ends) -> impl IntoView {
    let zone = Zones::here();
    let most = most(&activity.hours);
    // Avoids a division by zero.
    let scale = HIGH / most.max(1) as f64;
    let bars = activity.hours.iter().enumerate().map(|(i, hour)| {
        let begins = activity.since.plus_micros(i as i64 * HOUR);
        let ends = display::activity::ends(*hour);
        let wording = text(move || format!("{}: {ends}", to_the_minute(begins, zone.get())));
        let mut at = HIGH;
        let parts = [(hour.succeeded, "succeeded"), (hour.failed, "failed"), (hour.cancelled, "cancelled")];
        let parts = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, how)| {
            // A single operation stays visible beside very many.
            let high = (n as f64 * scale).max(1.5);
            at -= high;
            view! { <rect x=i as f64 * STEP y=at width=WIDE height=high data-state=how></rect> }
        });
        let parts = parts.collect_view();
        view! {
            <g>
                <title>{wording}</title>
                <rect class="hour" x=i as f64 * STEP y=0.0 width=STEP height=HIGH></rect>
                {parts}
            </g>
        }
    });
    let since = activity.since;
    let wording = format!(
        "Operations ended per hour in the last 24 hours: {} in total",
        display::activity::ends(total)
    );
    view! {
        <figure class="hours">
            <svg viewBox="0 0 240 48" preserveAspectRatio="none" role="img" aria-label=wording>
                {bars.collect_view()}
                <line x1="0" y1="48" x2="240" y2="48"></line>
            </svg>
            <figcaption class="muted num">
                <span>{text(move || to_the_minute(since, zone.get()))}</span>
                <span>{format!("Peak: {}/h", format::count(most))}</span>
                <span>"now"</span>
            </figcaption>
        </figure>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tallest_bar_is_the_hour_with_most_ended_operations() {
        let failed = |failed| Ends { failed, succeeded: 1, ..Ends::default() };
        assert_eq!(most(&[failed(2), failed(7), failed(0)]), 8);
        assert_eq!(most(&[Ends::default(); 24]), 0);
    }
}
