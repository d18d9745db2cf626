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
/// Size of the curve.
const WIDTH: f64 = 72.0;
const HEIGHT: f64 = 18.0;

/// Newest trends; empty until the browser has them.
#[derive(Clone, Copy)]
pub struct Trends(RwSignal<Arc<[HostTrend]>>);

impl Trends {
    /// Requests them in the browser, as long as the page lives.
    pub fn new() -> Self {
        let trends = RwSignal::new(Arc::<[HostTrend]>::default());
        let clock = OperationStore::here().clock();
        let due = Memo::new(move |_| clock.get().micros() / (REFRESH_SECONDS * 1_000_000));
        Effect::new(move |_| {
            // Not `track`, which does not compute a memo.
            let _ = due.get();
            spawn_local(async move {
                // Without an answer, the figures of before stay for half a minute more.
                if let Ok(answer) = api::host_trends().await {
                    // The page may be gone by now.
                    trends.try_set(answer.hosts.into());
                }
            });
        });
        Self(trends)
    }

    /// Trend of a host. Tracked.
    pub fn of(self, host: &HostName) -> Option<HostTrend> {
        self.0.with(|trends| trends.iter().find(|trend| trend.host == *host).cloned())
    }
}

/// Load of a host.
#[component]
pub fn Trend(host: HostName, trends: Trends) -> impl IntoView {
    let trend = Memo::new(move |_| trends.of(&host));
    part(move || {
        let trend = trend.get()?;
        let curve = curve(&trend.cpu);
        let drawn = (!curve.is_empty()).then(|| {
            let peak = trend.cpu.iter().flatten().copied().fold(0.0, f64::max);
            let says = format!("CPU in the last hour: at most {}", format::percent(peak));
            view! {
                <span class="host-curve" title=says>
                    <svg class="spark host-spark" viewBox="0 0 72 18" preserveAspectRatio="none" role="img" aria-label=says.clone()>
                        <path d=curve></path>
                    </svg>
                </span>
            }
            .into_any()
        });
        let memory = trend.memory.map(|share| figure("Machine memory ", format::percent(share), false));
        let p95 = trend.p95_seconds.map(|p95| figure("p95 ", display::hosts::latency(p95 * 1000.0), false));
        let errors = (trend.errors > 0).then(|| {
            let of = format!("{} of {}", format::count(trend.errors), format::count(trend.requests));
            figure("Errors ", of, true)
        });
        Some(view! { <p class="host-trend num">{drawn}{memory}{p95}{errors}</p> }.into_any())
    })
}

fn figure(label: &'static str, value: String, bad: bool) -> AnyView {
    view! { <span data-bad=bad.then_some("")><span class="muted">{label}</span>{value}</span> }.into_any()
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
    fn a_curve_breaks_where_the_load_is_unknown() {
        assert_eq!(curve(&[]), "");
        assert_eq!(curve(&[None, None]), "");
        let shares = [Some(0.0), Some(1.0), None, Some(0.5)];
        assert_eq!(curve(&shares), "M0.0 17.0L24.0 1.0M72.0 9.0");
    }
}
