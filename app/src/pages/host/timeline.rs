//! Timeline below the charts: when each operation waited and ran on the host, on the time axis of the charts.

use app_state::address;
use components::link::A;
use components::state_mark::StateMark;
use display::format;
use display::zone::Zone;
use leptos::prelude::*;
use protocol::{HostName, Operation, State, Time};

/// Largest number of rows.
const MAX_ROWS: usize = 40;
/// Width of the drawing of a row.
const WIDTH: f64 = 1_000.0;
/// Smallest width of a run, so that a short one is visible.
const MIN_RUN: f64 = 3.0;

/// Row of an operation. Positions are those in the drawing.
#[derive(Clone, PartialEq, Debug)]
struct Row {
    path: String,
    title: String,
    state: State,
    /// Beginning of the wait for a slot.
    queued: f64,
    started: f64,
    ended: f64,
    /// `12 s` or `12 s so far`.
    length: String,
    /// From when to when, for the tooltip and screen readers.
    times: String,
}

/// Rows of the operations that ran on the host within the time, newest first, and how many more there are.
fn rows(
    operations: &[Operation],
    host: &HostName,
    (from, to): (i64, i64),
    now: Time,
    zone: Zone,
) -> (Vec<Row>, usize) {
    let (from, to) = (from as f64, to as f64);
    let second = |at: Time| at.micros() as f64 / 1e6;
    let mut ran: Vec<(&Operation, Time)> = operations
        .iter()
        .filter(|operation| operation.host.as_ref() == Some(host))
        .filter_map(|operation| Some((operation, operation.started_at?)))
        .filter(|(operation, started)| {
            let ended = operation.ended_at.map_or(f64::INFINITY, second);
            second(*started) < to && ended >= from
        })
        .collect();
    ran.sort_by_key(|(operation, started)| (std::cmp::Reverse(*started), operation.id));
    let more = ran.len().saturating_sub(MAX_ROWS);
    let place = |at: Time| ((second(at) - from) / (to - from) * WIDTH).clamp(0.0, WIDTH);
    let row = |(operation, started): (&Operation, Time)| {
        let end = operation.ended_at.unwrap_or(now).max(started);
        let left = place(started).min(WIDTH - MIN_RUN);
        let seconds = end.seconds_since(started);
        let (length, until) = match operation.ended_at {
            Some(at) => (format::span(seconds), zone.moment(at)),
            None => (format!("{} so far", format::duration(seconds)), "now".to_owned()),
        };
        Row {
            path: address::operation(operation.id),
            title: operation.title.clone(),
            state: operation.state,
            queued: place(operation.queued_at.unwrap_or(started)).min(left),
            started: left,
            ended: place(end).max(left + MIN_RUN),
            length,
            times: format!("{} to {until}", zone.moment(started)),
        }
    };
    (ran.into_iter().take(MAX_ROWS).map(row).collect(), more)
}

/// The rows.
#[component]
pub fn Timeline(
    host: HostName,
    operations: Vec<Operation>,
    bounds: (i64, i64),
    now: Time,
    zone: Zone,
) -> impl IntoView {
    let (rows, more) = rows(&operations, &host, bounds, now, zone);
    if rows.is_empty() {
        return view! { <p class="muted">"No operation ran on this host in this period."</p> }.into_any();
    }
    let rows = rows.into_iter().map(|row| {
        let Row { path, title, state, queued, started, ended, length, times } = row;
        let rect = |class: &'static str, from: f64, to: f64| {
            view! { <rect class=class x=format!("{from:.1}") y="0" width=format!("{:.1}", to - from) height="10"></rect> }
                .into_any()
        };
        let hint = times.clone();
        let wait = (started > queued).then(|| rect("timeline-wait", queued, started));
        view! {
            <li class="timeline-row" title=hint>
                <span class="timeline-head">
                    <StateMark state=Signal::stored(state)/>
                    <A href=path attr:class="timeline-title">{title}</A>
                    <span class="muted num">{length}</span>
                    <span class="unseen">{times}</span>
                </span>
                <svg class="timeline-run" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" data-state=state.as_str()>
                    {wait}
                    {rect("timeline-bar", started, ended)}
                </svg>
            </li>
        }
        .into_any()
    });
    let more = (more > 0).then(|| {
        let count = format::counted(more as u64, "earlier operation", "earlier operations");
        view! { <p class="muted">{count} " not shown. Choose a shorter period to see more."</p> }
    });
    view! {
        <ul class="timeline">{rows.collect_view()}</ul>
        {more}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn at(second: i64) -> Time {
        Time::from_micros(second * 1_000_000)
    }

    fn ran(from: i64, to: Option<i64>) -> Operation {
        Operation {
            host: Some("gpu-1".parse().unwrap()),
            queued_at: Some(at(from - 50)),
            started_at: Some(at(from)),
            ended_at: to.map(at),
            ..fixtures::operation(State::Running, 1)
        }
    }

    #[test]
    fn a_row_shows_the_part_of_a_run_and_of_its_wait_within_the_time() {
        let host = "gpu-1".parse().unwrap();
        let operations = [ran(900, Some(1_100)), ran(1_150, None), ran(100, Some(200)), ran(5_000, None)];
        let (rows, more) = rows(&operations, &host, (1_000, 1_200), at(1_200), Zone::Utc);
        let drawn: Vec<[f64; 3]> = rows.iter().map(|l| [l.queued, l.started, l.ended]).collect();
        assert_eq!((drawn.as_slice(), more), ([[500.0, 750.0, 1_000.0], [0.0, 0.0, 500.0]].as_slice(), 0));
        assert!(rows[0].times.ends_with("to now"));
        assert_eq!((rows[0].length.as_str(), rows[1].length.as_str()), ("50 s so far", "3 m 20 s"));
    }

    #[test]
    fn operations_of_other_hosts_have_no_row() {
        let other = "local".parse().unwrap();
        assert!(rows(&[ran(1, None)], &other, (0, 10), at(0), Zone::Utc).0.is_empty());
    }
}
