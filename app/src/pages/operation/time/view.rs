//! Time breakdown: the sentence, the bar, the consumers of the resource, and the parts over time.

use super::answer::Answer;
use super::parts::{PARTS, Part, WIDTH, parts, share_text};
use crate::pages::host::alerts::HostAlerts;
use app_state::{Zones, address};
use charts::{Chart, ChartGroup, Sheet, Spec};
use components::link::A;
use components::placeholders::{Skeleton, Trouble};
use components::reactive::{part, text};
use leptos::prelude::*;
use live::{OpView, query};
use protocol::Time;
use protocol::time_breakdown::{Limit, ResourceConsumer, TimeBreakdown, TimeCourse};
use std::sync::Arc;

/// Height of the chart in pixels.
const HEIGHT: u32 = 180;
/// Shortest time of a host's charts in seconds.
const MIN_HOST_SECONDS: i64 = 60;

/// The content of the tab.
pub fn time_view(op: OpView, shown: Signal<bool>) -> AnyView {
    let answer = Answer::new(op, shown);
    let read = answer.breakdown;
    let known = Memo::new(move |_| read.with(Option::is_some));
    let trouble = part(move || {
        let problem = answer.trouble.get()?;
        Some(view! { <Trouble problem retry=answer.ask/> }.into_any())
    });
    let content = part(move || {
        Some(match known.get() {
            true => known_view(op, read),
            false => view! { <Skeleton lines=6/> }.into_any(),
        })
    });
    view! {
        {trouble}
        {content}
    }
    .into_any()
}

/// The sentence, the bar and the charts, once there is an answer; newer answers change their values.
fn known_view(op: OpView, read: RwSignal<Option<TimeBreakdown>>) -> AnyView {
    let zone = Zones::here();
    let sentence = text(move || {
        let zone = zone.get();
        read.with(|read| read.as_ref().map(|read| bottleneck::sentence(read, zone)).unwrap_or_default())
    });
    let advice = text(move || read.with(|read| read.as_ref().map(|r| r.advice.clone()).unwrap_or_default()));
    let shown_parts = Memo::new(move |_| read.with(|read| read.as_ref().map(parts).unwrap_or_default()));
    let consumers =
        Memo::new(move |_| read.with(|read| read.as_ref().map(|r| (r.limit, r.consumers.clone()))));
    let host = Memo::new(move |_| read.with(|read| read.as_ref().and_then(host_of)));
    view! {
        <section class="card time-why" aria-labelledby="time-title">
            <h2 id="time-title" class="unseen">"Time breakdown"</h2>
            <p class="time-sentence">{sentence}</p>
            <p class="muted">{advice}</p>
            {part(move || Some(bar(&shown_parts.get())))}
            {part(move || {
                let (limit, consumers) = consumers.get()?;
                (!consumers.is_empty()).then(|| consumers_list(limit, consumers))
            })}
            {part(move || {
                let (name, href) = host.get()?;
                Some(view! { <p><A href>{format!("Charts of {name} for this period")}</A></p> }.into_any())
            })}
        </section>
        {course_chart(op, read)}
    }
    .into_any()
}

/// Bar of all parts, and its legend.
fn bar(parts: &[Part]) -> AnyView {
    let rects = parts.iter().map(|part| {
        let (x, width) = (format!("{:.1}", part.x), format!("{:.1}", part.width));
        view! { <rect x=x y="0" width=width height="20" data-part=part.kind.name></rect> }.into_any()
    });
    let rows = parts.iter().map(|part| {
        let largest = part.is_largest.then_some("");
        view! {
            <li title=part.kind.means data-largest=largest>
                <span class="time-swatch" data-part=part.kind.name aria-hidden="true"></span>
                <span>{part.kind.label}</span>
                <span class="num">{part.share.clone()}</span>
                <span class="num muted">{part.seconds.clone()}</span>
            </li>
        }
        .into_any()
    });
    let view_box = format!("0 0 {WIDTH:.0} 20");
    view! {
        <svg class="time-bar" viewBox=view_box preserveAspectRatio="none" aria-hidden="true">
            {rects.collect_view()}
        </svg>
        <ul class="time-parts">{rows.collect_view()}</ul>
    }
    .into_any()
}

/// Consumers of the resource that the operation waited for.
fn consumers_list(limit: Limit, consumers: Vec<ResourceConsumer>) -> AnyView {
    let title = match limit {
        Limit::Disk => "Disk consumers",
        Limit::Memory => "Memory consumers",
        _ => "CPU consumers",
    };
    let rows = consumers.into_iter().map(|consumer| {
        let name = match consumer.operation {
            _ if consumer.is_self => view! { <strong>"This operation"</strong> }.into_any(),
            Some(id) => {
                let href = address::operation(id);
                let kind = consumer.kind.as_ref().map(ToString::to_string).unwrap_or_default();
                view! { <A href>{consumer.title.clone()}</A> " " <span class="kind">{kind}</span> }.into_any()
            }
            None => view! { <span>"Other programs"</span> }.into_any(),
        };
        let host = consumer.host.as_ref().map(ToString::to_string).unwrap_or_default();
        let width = format!("{:.1}", consumer.share.clamp(0.0, 1.0) * 100.0);
        view! {
            <li>
                <span class="time-consumer">{name} " " <span class="muted">{host}</span></span>
                <svg class="time-share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                    <rect x="0" y="0" width=width height="6"></rect>
                </svg>
                <span class="num">{share_text(consumer.share)}</span>
            </li>
        }
        .into_any()
    });
    view! {
        <div>
            <h3>{title}</h3>
            <ul class="time-consumers">{rows.collect_view()}</ul>
        </div>
    }
    .into_any()
}

/// Name of the host, and the address of its charts in the time of the operation.
fn host_of(breakdown: &TimeBreakdown) -> Option<(String, String)> {
    let (host, from) = (breakdown.host.as_ref()?, breakdown.started_at?);
    let second = |time: Time| time.micros().div_euclid(1_000_000);
    let (from, to) = (second(from), second(breakdown.to) + 1);
    let margin = (MIN_HOST_SECONDS - (to - from)).max(0) / 2;
    let time = |second: i64| Time::from_micros(second.saturating_mul(1_000_000)).to_string();
    let (from, to) = (time(from - margin), time(to + margin));
    let href = query::url(&format!("/hosts/{host}"), [("from", from.as_str()), ("to", &to)]);
    Some((host.to_string(), href))
}

/// Chart of the parts over time.
fn course_chart(op: OpView, read: RwSignal<Option<TimeBreakdown>>) -> AnyView {
    // The chart is built again only when its lines change.
    let names = Memo::new(move |_| {
        read.with(|read| {
            let course = read.as_ref().and_then(|read| read.course.as_ref());
            course.map(|course| course.parts.keys().cloned().collect::<Vec<_>>())
        })
    });
    let host = Memo::new(move |_| read.with(|read| read.as_ref().and_then(|read| read.host.clone())));
    part(move || {
        let Some(names) = names.get().filter(|names| !names.is_empty()) else {
            return Some(
                view! { <p class="muted">"No samples of this attempt. It was too short, is too old, or the host does not measure operations."</p> }
                    .into_any(),
            );
        };
        let lines: Vec<_> = PARTS.into_iter().filter(|part| names.iter().any(|n| n == part.name)).collect();
        let spec = Spec {
            title: "Time by part".to_owned(),
            file: format!("operation-{}", op.id.short().replace('…', "-")),
            time: true,
            unit: "share".to_owned(),
            names: lines.iter().map(|part| part.label.to_owned()).collect(),
            styles: lines.iter().map(|part| part.style).collect(),
            zero: true,
            height: HEIGHT,
            ..Spec::default()
        };
        let alerts = host.get().map(HostAlerts::new);
        let columns: Vec<&'static str> = lines.iter().map(|part| part.name).collect();
        let sheet = Signal::derive(move || {
            let read = read.with(|read| {
                let read = read.as_ref()?;
                Some((sheet_of(read.course.as_ref()?, &columns), read.to))
            });
            let Some((mut sheet, to)) = read else { return Arc::default() };
            if let (Some(alerts), Some(first), Some(last)) = (alerts, sheet.x.first(), sheet.x.last()) {
                let bounds = (*first, *last);
                (sheet.bands, sheet.band_texts) = alerts.bands(is_resource, bounds, to);
            }
            Arc::new(sheet)
        });
        let group = ChartGroup::new();
        Some(
            view! {
                <section class="card stacked chart-group" aria-label="Time by part">
                    <Chart spec sheet group own_tools=true/>
                </section>
            }
            .into_any(),
        )
    })
    .into_any()
}

/// Whether an alert about this metric of the host can explain why an operation is slow.
fn is_resource(metric: &str) -> bool {
    const AREAS: [&str; 7] = ["cpu", "load", "memory", "swap", "pressure", "disk", "limit"];
    metric.split('.').next().is_some_and(|area| AREAS.contains(&area))
}

/// Data of the chart. What is unknown is a gap.
fn sheet_of(course: &TimeCourse, columns: &[&str]) -> Sheet {
    let count = course.parts.values().map(Vec::len).max().unwrap_or(0);
    let start = course.from.micros() as f64 / 1e6;
    let step = f64::from(course.bucket_seconds);
    let column = |name: &&str| -> Vec<f64> {
        let values = course.parts.get(*name).map_or(&[][..], Vec::as_slice);
        (0..count).map(|n| values.get(n).copied().flatten().unwrap_or(f64::NAN)).collect()
    };
    Sheet {
        x: (0..count).map(|n| start + n as f64 * step).collect(),
        columns: columns.iter().map(column).collect(),
        ..Sheet::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn alerts_about_resources_are_marked_and_others_are_not() {
        for metric in ["cpu.busy_ratio", "memory.used_ratio", "pressure.io.some_ratio", "disk.sda.busy_ratio"]
        {
            assert!(is_resource(metric), "{metric}");
        }
        for metric in ["requests.p95_growth", "host.unreachable", "kind.failures", "cpufreq"] {
            assert!(!is_resource(metric), "{metric}");
        }
    }

    #[test]
    fn an_unknown_bucket_is_a_gap_and_x_is_the_time() {
        let course = TimeCourse {
            from: Time::from_micros(100_000_000),
            bucket_seconds: 2,
            parts: BTreeMap::from([("on_cpu".to_owned(), vec![Some(0.25), None])]),
        };
        let sheet = sheet_of(&course, &["on_cpu", "disk_wait"]);
        assert_eq!(sheet.x, [100.0, 102.0]);
        assert!(sheet.columns[0][0] == 0.25 && sheet.columns[0][1].is_nan() && sheet.columns[1][0].is_nan());
    }
}
