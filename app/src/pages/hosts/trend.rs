//! Load of each host in the last hour: a small curve of the CPU, memory, latency and errors. Requested twice a minute.

use components::reactive::part;
use display::format;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::{OperationStore, api};
use protocol::HostName;
use protocol::host_trends::HostTrend;
use std::fmt::Write;
use std::sync::Arc;

/// Interval of requests in seconds.
const REFRESH_SECONDS: i64 = 30;
/// Share from which on a resource is near its limit.
pub const HIGH: f64 = 0.9;
/// Share of time with waiting tasks from which on pressure is high.
pub const HIGH_PRESSURE: f64 = 0.4;
/// Minutes that count as now.
const RECENT_MINUTES: usize = 5;
/// Size of the curve.
const WIDTH: f64 = 72.0;
const HEIGHT: f64 = 18.0;

/// Newest trends; `None` until the browser has them.
#[derive(Clone, Copy)]
pub struct Trends(RwSignal<Option<Arc<[HostTrend]>>>);

impl Trends {
    /// Requests them in the browser, as long as the page lives.
    pub fn new() -> Self {
        let trends = RwSignal::new(None::<Arc<[HostTrend]>>);
        let clock = OperationStore::here().clock();
        let due = Memo::new(move |_| clock.get().micros() / (REFRESH_SECONDS * 1_000_000));
        Effect::new(move |_| {
            // Not `track`, which does not compute a memo.
            let _ = due.get();
            spawn_local(async move {
                // Without an answer, the figures of before stay for half a minute more.
                if let Ok(answer) = api::host_trends().await {
                    // The page may be gone by now.
                    trends.try_set(Some(answer.hosts.into()));
                }
            });
        });
        Self(trends)
    }

    /// How bad the load of a host is. Tracked.
    pub fn rank(self, host: &HostName) -> u8 {
        rank(self.of(host).as_ref())
    }

    /// Trend of a host. Tracked.
    pub fn of(self, host: &HostName) -> Option<HostTrend> {
        self.0.with(|trends| trends.as_ref()?.iter().find(|trend| trend.host == *host).cloned())
    }
}

/// Newest known CPU usage of the last five minutes.
fn cpu_now(trend: &HostTrend) -> Option<f64> {
    trend.cpu.iter().rev().take(RECENT_MINUTES).copied().flatten().next()
}

/// How bad the load of a host is: 0 has errors, 1 is near a limit, 2 is fine or unknown.
fn rank(trend: Option<&HostTrend>) -> u8 {
    let Some(trend) = trend else { return 2 };
    let is_high = |share: Option<f64>, limit: f64| share.is_some_and(|share| share >= limit);
    let now = cpu_now(trend);
    if trend.errors > 0 {
        0
    } else if is_high(now, HIGH) || is_high(trend.memory, HIGH) || is_high(trend.pressure, HIGH_PRESSURE) {
        1
    } else {
        2
    }
}

/// Cells of a host: CPU with its curve, memory, pressure, latency and errors. Unknown is said to be unknown.
#[component]
pub fn Trend(host: HostName, trends: Trends) -> impl IntoView {
    let trend = Memo::new(move |_| trends.of(&host));
    let awaited = Memo::new(move |_| trends.0.with(Option::is_none));
    part(move || {
        let (trend, awaited) = (trend.get(), awaited.get());
        let trend = trend.as_ref();
        let curve = trend.map(|trend| curve(&trend.cpu)).unwrap_or_default();
        let drawn = (!curve.is_empty()).then(|| {
            let peak = trend.map_or(0.0, |t| t.cpu.iter().flatten().copied().fold(0.0, f64::max));
            let says = format!("CPU in the last hour: at most {}", format::percent(peak));
            let hint = says.clone();
            view! {
                <span class="host-curve" title=hint>
                    <svg class="spark host-spark" viewBox="0 0 72 18" preserveAspectRatio="none" role="img" aria-label=says>
                        <path d=curve></path>
                    </svg>
                </span>
            }
            .into_any()
        });
        let share = |share: Option<f64>, limit: f64| {
            (share.map(format::percent), share.filter(|share| *share >= limit).map(|_| "warn"))
        };
        let cpu = share(trend.and_then(cpu_now), HIGH);
        let memory = share(trend.and_then(|t| t.memory), HIGH);
        let pressure = share(trend.and_then(|t| t.pressure), HIGH_PRESSURE);
        let p95 = trend.and_then(|t| t.p95_seconds).map(|p95| display::hosts::latency(p95 * 1000.0));
        let errors = trend
            .filter(|t| t.requests > 0)
            .map(|t| format!("{} of {}", format::count(t.errors), format::count(t.requests)));
        let failed = trend.filter(|t| t.errors > 0).map(|_| "bad");
        Some(
            view! {
                <dl class="host-trend num">
                    {cell("CPU", "CPU usage in the newest minute; the curve shows the last hour", cpu, drawn, awaited)}
                    {cell("Memory", "Used memory of the machine", memory, None, awaited)}
                    {cell("Pressure", "Share of time in which a task waited for CPU, memory or disk: the largest of the three", pressure, None, awaited)}
                    {cell("p95", "p95 latency of the server's requests to this host in the last five minutes", (p95, None), None, awaited)}
                    {cell("Errors", "Failed requests of the server to this host in the last five minutes", (errors, failed), None, awaited)}
                </dl>
            }
            .into_any(),
        )
    })
}

/// A labelled figure with its tone, `warn` or `bad`, and with a drawing beside it. It may be `awaited`.
fn cell(
    label: &'static str,
    means: &'static str,
    (value, tone): (Option<String>, Option<&'static str>),
    drawn: Option<AnyView>,
    awaited: bool,
) -> AnyView {
    let unknown = value.is_none().then_some("");
    let value = value.unwrap_or_else(|| if awaited { "…" } else { "Unknown" }.to_owned());
    view! {
        <div title=means>
            <dt class="muted">{label}</dt>
            <dd data-tone=tone data-unknown=unknown>{value} {drawn}</dd>
        </div>
    }
    .into_any()
}

/// Path of shares from left to right, 0 at the bottom and 1 at the top. It breaks where a value is unknown.
fn curve(shares: &[Option<f64>]) -> String {
    let step = WIDTH / (shares.len().max(2) - 1) as f64;
    let (mut path, mut connected) = (String::new(), false);
    for (n, share) in shares.iter().enumerate() {
        let Some(share) = share else {
            connected = false;
            continue;
        };
        let y = HEIGHT - 1.0 - share.clamp(0.0, 1.0) * (HEIGHT - 2.0);
        let command = if connected { 'L' } else { 'M' };
        // A text in memory takes everything.
        let _ = write!(path, "{command}{:.1} {y:.1}", n as f64 * step);
        connected = true;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_rank_before_a_high_load_and_unknown_is_no_trouble() {
        let fine = HostTrend {
            host: "gpu-1".parse().unwrap(),
            cpu: vec![Some(0.95), Some(0.2), None],
            memory: Some(0.5),
            pressure: None,
            p95_seconds: None,
            requests: 10,
            errors: 0,
        };
        let busy = HostTrend { pressure: Some(0.6), ..fine.clone() };
        let failing = HostTrend { errors: 1, ..fine.clone() };
        assert_eq!([Some(&failing), Some(&busy), Some(&fine), None].map(rank), [0, 1, 2, 2]);
    }

    #[test]
    fn a_curve_breaks_where_the_load_is_unknown() {
        assert_eq!(curve(&[]), "");
        assert_eq!(curve(&[None, None]), "");
        let shares = [Some(0.0), Some(1.0), None, Some(0.5)];
        assert_eq!(curve(&shares), "M0.0 17.0L24.0 1.0M72.0 9.0");
    }
}
