//! Speed of a load: a rate limiter for the source, and the series of the measured rate.

use host_kit::{CancellationToken, WorkError};
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::time::Instant;

/// Rows per slice: enough for throughput, few enough to react to a cancel within milliseconds.
const SLICE: usize = 1_000;
/// Length of a rate-limited slice in seconds. Slower rates let through single rows.
const STEP: f64 = 0.02;
/// Maximum unused allowance in seconds, to prevent bursts after a pause.
const HELD: f64 = 0.04;

/// Rate limiter for rows.
pub(super) struct Pace {
    rate: Option<f64>,
    allowance: f64,
    /// Time of the last `allowance` update.
    at: Instant,
}

impl Pace {
    pub(super) fn new(rows_per_second: Option<NonZeroU32>) -> Self {
        Self { rate: rows_per_second.map(|r| f64::from(r.get())), allowance: 0.0, at: Instant::now() }
    }

    /// Waits until at least one of `wanted` rows is allowed, and returns how many are.
    ///
    /// # Errors
    /// [`WorkError::Cancelled`] once the token is cancelled.
    pub(super) async fn admit(
        &mut self,
        wanted: usize,
        token: &CancellationToken,
    ) -> Result<usize, WorkError> {
        let wanted = wanted.min(SLICE);
        let Some(rate) = self.rate else {
            // Lets other tasks on this thread run.
            tokio::task::yield_now().await;
            return if token.is_cancelled() { Err(WorkError::Cancelled) } else { Ok(wanted) };
        };
        let slice = (rate * STEP).max(1.0).min(wanted as f64);
        loop {
            if token.is_cancelled() {
                return Err(WorkError::Cancelled);
            }
            let now = Instant::now();
            self.allowance += now.duration_since(self.at).as_secs_f64() * rate;
            self.allowance = self.allowance.min((rate * HELD).max(1.0));
            self.at = now;
            // Tolerance: a rounding error must not cost another wait.
            if self.allowance >= slice.floor() - 1e-6 {
                let taken = (self.allowance + 1e-6).floor().clamp(1.0, wanted as f64);
                self.allowance -= taken;
                return Ok(taken as usize);
            }
            let wait = Duration::from_secs_f64((slice - self.allowance).max(0.0) / rate);
            tokio::select! {
                biased;
                () = token.cancelled() => return Err(WorkError::Cancelled),
                () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => {}
            }
        }
    }
}

/// Measured rate in rows per second, at most one point per 200 ms.
pub(super) struct Speed {
    start: Instant,
    last: Instant,
    rows: u64,
}

impl Speed {
    const EVERY: Duration = Duration::from_millis(200);

    /// Starts at this number of rows.
    pub(super) fn new(rows: u64) -> Self {
        let now = Instant::now();
        Self { start: now, last: now, rows }
    }

    /// Next point if it is due: seconds since start, and rows per second since the last point.
    pub(super) fn point(&mut self, rows: u64) -> Option<(f64, f64)> {
        if self.last.elapsed() < Self::EVERY { None } else { self.closing_point(rows) }
    }

    /// Last point, regardless of the interval.
    pub(super) fn closing_point(&mut self, rows: u64) -> Option<(f64, f64)> {
        let now = Instant::now();
        let seconds = now.duration_since(self.last).as_secs_f64();
        let new = rows.saturating_sub(self.rows);
        if new == 0 && seconds < Self::EVERY.as_secs_f64() || seconds <= 0.0 {
            return None;
        }
        self.last = now;
        self.rows = rows;
        Some((now.duration_since(self.start).as_secs_f64(), new as f64 / seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seconds_for(rows: usize, rate: u32) -> f64 {
        let mut pace = Pace::new(NonZeroU32::new(rate));
        let token = CancellationToken::new();
        let start = Instant::now();
        let mut left = rows;
        while left > 0 {
            left -= pace.admit(left, &token).await.unwrap();
        }
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn rows_arrive_at_the_requested_rate() {
        for (rows, rate) in [(5, 1), (100, 10), (1_000, 333), (20_000, 5_000), (100_000, 100_000)] {
            let seconds = seconds_for(rows, rate).await;
            let ideal = rows as f64 / f64::from(rate);
            assert!(seconds >= ideal * 0.99 - 0.001, "{rows} at {rate}: {seconds} s is too fast");
            assert!(seconds <= ideal * 1.1 + 0.05, "{rows} at {rate}: {seconds} s is too slow");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_not_followed_by_a_burst() {
        let mut pace = Pace::new(NonZeroU32::new(1_000));
        let token = CancellationToken::new();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(pace.admit(1_000, &token).await.unwrap() <= 41);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancel_ends_the_wait_at_once() {
        let mut pace = Pace::new(NonZeroU32::new(1));
        let token = CancellationToken::new();
        let start = Instant::now();
        let canceller = token.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            canceller.cancel();
        });
        assert_eq!(pace.admit(10, &token).await, Err(WorkError::Cancelled));
        assert_eq!(start.elapsed(), Duration::from_millis(300));
    }

    #[tokio::test(start_paused = true)]
    async fn the_curve_has_at_most_five_points_per_second() {
        let mut speed = Speed::new(100);
        assert_eq!(speed.point(150), None);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(speed.point(200), Some((0.2, 500.0)));
        assert_eq!(speed.point(250), None);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (x, y) = speed.closing_point(250).unwrap();
        assert!((x - 0.3).abs() < 1e-9 && (y - 500.0).abs() < 1e-6);
    }
}
