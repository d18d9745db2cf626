//! Draws a storm from a seed. The same seed and number give the same storm, independent of other storms.

use super::{
    Act, BadLine, Count, Fault, HOSTS, MAX_CANCEL_ON_FULL_DISK_MS, Outcome, Planned, Storm, Weather, Whose,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Storm {
    /// Draws the storm with this number (from 1) of a seed.
    pub fn of(seed: u64, number: u32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(number));
        let weather = match rng.random_range(0..10) {
            // A run with a single storm has all faults.
            _ if number == 1 => Weather::Mixed,
            0..=5 => Weather::Mixed,
            6 | 7 => Weather::Processes,
            8 => Weather::Lines,
            _ => Weather::Fair,
        };
        let hurried = rng.random_bool(0.4);
        let burst_ms = rng.random_range(16_000..28_000);
        let (between_faults, between_acts) = if hurried { (80..900, 15..150) } else { (500..2_200, 60..400) };
        let mut faults = match weather {
            Weather::Fair => Vec::new(),
            _ => spread(&mut rng, burst_ms, between_faults, |rng| fault(rng, weather)),
        };
        let mut acts = spread(&mut rng, burst_ms, between_acts, |rng| act(rng, hurried));
        acts.extend(deletes(seed, number, burst_ms));
        acts.extend(cancels_at_start(seed, number, burst_ms));
        if weather != Weather::Fair {
            faults.extend(jumps(seed, number, burst_ms));
        }
        if matches!(weather, Weather::Mixed | Weather::Lines) {
            faults.extend(held_starts(seed, number, burst_ms));
        }
        let (sweeps, silences) = sweeps(seed, number, burst_ms);
        acts.extend(sweeps);
        if matches!(weather, Weather::Mixed | Weather::Lines) {
            faults.extend(silences);
        }
        acts.extend(cancels_on_full_disk(seed, number, burst_ms, &faults));
        acts.sort_by_key(|act| act.at_ms);
        faults.sort_by_key(|fault| fault.at_ms);
        Self { seed, number, weather, hurried, burst_ms, faults, acts }
    }
}

/// Clock jumps, in half of the storms. They use their own random stream, so that other parts of a seed's storms do not
/// depend on them.
fn jumps(seed: u64, number: u32, burst_ms: u64) -> Vec<Planned<Fault>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((1 << 32) | u64::from(number));
    // A run with a single storm has all faults.
    if number != 1 && rng.random_bool(0.5) {
        return Vec::new();
    }
    spread(&mut rng, burst_ms, 1_000..6_000, |rng| {
        let whose =
            if rng.random_bool(0.5) { Whose::Server } else { Whose::Host(rng.random_range(0..HOSTS)) };
        // All magnitudes are equally likely: a jump of a second can find as much as one of an hour.
        let size = 3_600f64.powf(rng.random_range(0.0..=1.0)).round().clamp(1.0, 3_600.0) as i64;
        let ahead = if rng.random_bool(0.5) { size } else { -size };
        Fault::ClockJump { whose, ahead, ms: rng.random_range(200..9_000) }
    })
}

/// Deletions, with their own random stream for the same reason.
fn deletes(seed: u64, number: u32, burst_ms: u64) -> Vec<Planned<Act>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((2 << 32) | u64::from(number));
    spread(&mut rng, burst_ms, 200..1_500, |rng| {
        let pick = rng.random();
        match rng.random_range(0..20) {
            0..=12 => Act::Delete { pick },
            13..=18 => Act::DeleteAndRetry { pick },
            _ => Act::DeleteCancelled,
        }
    })
}

/// Own random stream, so that other parts of a seed's storms do not depend on what is drawn from it.
fn row(seed: u64, number: u32, of: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((of << 32) | u64::from(number));
    rng
}

/// Starts with a cancel within milliseconds.
fn cancels_at_start(seed: u64, number: u32, burst_ms: u64) -> Vec<Planned<Act>> {
    spread(&mut row(seed, number, 3), burst_ms, 150..900, |rng| {
        let work = Count { outcome: Outcome::Succeed, ..count(rng, false) };
        let after_ms = [0, 0, 1, 3, 10, 30][rng.random_range(0..6)];
        Act::CancelAtStart { work, after_ms }
    })
}

/// Connections on which cancels overtake their starts.
fn held_starts(seed: u64, number: u32, burst_ms: u64) -> Vec<Planned<Fault>> {
    spread(&mut row(seed, number, 4), burst_ms, 1_000..4_000, |rng| {
        let how = BadLine::HeldStarts { ms: rng.random_range(5..400) };
        Fault::BadLine { host: rng.random_range(0..HOSTS), how, ms: rng.random_range(500..2_500) }
    })
}

/// Sweeps, each with a silent host around its cancel.
fn sweeps(seed: u64, number: u32, burst_ms: u64) -> (Vec<Planned<Act>>, Vec<Planned<Fault>>) {
    let mut rng = row(seed, number, 5);
    let (mut acts, mut faults) = (Vec::new(), Vec::new());
    for Planned { at_ms, what: cancel_after_ms } in
        spread(&mut rng, burst_ms, 3_000..9_000, |rng| rng.random_range(300..2_500u64))
    {
        let work = Count {
            steps: rng.random_range(10..40),
            step_ms: rng.random_range(20..160),
            outcome: Outcome::Succeed,
            checkpoint_every: 0,
            ..count(&mut rng, false)
        };
        acts.push(Planned {
            at_ms,
            what: Act::Sweep { work, runs: rng.random_range(2..7), cancel_after_ms },
        });
        // Up to longer than a sweep waits for its children.
        let (host, ms) = (rng.random_range(0..HOSTS), rng.random_range(1_000..6_000));
        let at_ms = at_ms + cancel_after_ms.saturating_sub(rng.random_range(0..400));
        if at_ms < burst_ms {
            let how = BadLine::Silent { up: true, down: true };
            faults.push(Planned { at_ms, what: Fault::BadLine { host, how, ms } });
        }
    }
    (acts, faults)
}

/// Cancels while the database's disk is full.
fn cancels_on_full_disk(
    seed: u64,
    number: u32,
    burst_ms: u64,
    faults: &[Planned<Fault>],
) -> Vec<Planned<Act>> {
    let mut rng = row(seed, number, 6);
    let mut acts = Vec::new();
    for fault in faults {
        if let Fault::FullDisk { ms } = fault.what {
            for _ in 0..2 {
                let after = rng.random_range(50..ms.clamp(51, MAX_CANCEL_ON_FULL_DISK_MS));
                let at_ms = fault.at_ms + after;
                let what = Act::Cancel { pick: rng.random() };
                acts.extend((at_ms < burst_ms).then_some(Planned { at_ms, what }));
            }
        }
    }
    acts
}

fn spread<T>(
    rng: &mut ChaCha8Rng,
    until: u64,
    gap: std::ops::Range<u64>,
    mut draw: impl FnMut(&mut ChaCha8Rng) -> T,
) -> Vec<Planned<T>> {
    let mut all = Vec::new();
    let mut at_ms = rng.random_range(gap.clone());
    while at_ms < until {
        all.push(Planned { at_ms, what: draw(rng) });
        at_ms += rng.random_range(gap.clone());
    }
    all
}

fn fault(rng: &mut ChaCha8Rng, weather: Weather) -> Fault {
    let host = rng.random_range(0..HOSTS);
    // Mostly short; sometimes longer than the server waits before it gives up a host.
    let long = rng.random_bool(0.15);
    let ms = if long { rng.random_range(6_500..10_000) } else { rng.random_range(200..4_000) };
    let down_ms = rng.random_range(0..1_500);
    let sort = match weather {
        Weather::Processes => rng.random_range(0..12),
        Weather::Lines => rng.random_range(12..22),
        Weather::Mixed | Weather::Fair => rng.random_range(0..23),
    };
    match sort {
        0..=2 => Fault::KillServer { down_ms },
        3 => Fault::RestartServer { down_ms },
        4 | 5 => Fault::PauseServer { ms },
        6..=8 => Fault::KillHost { host, down_ms },
        9 => Fault::RestartHost { host, down_ms },
        10 | 11 => Fault::PauseHost { host, ms },
        12..=17 => Fault::BadLine { host, how: bad_line(rng), ms },
        18 | 19 => Fault::Cut { host },
        20 | 21 => Fault::Replay { host, requests: rng.random_range(1..8) },
        _ => Fault::FullDisk { ms: ms.min(4_000) },
    }
}

fn bad_line(rng: &mut ChaCha8Rng) -> BadLine {
    match rng.random_range(0..8) {
        0 | 1 => BadLine::Slow { ms: rng.random_range(5..400) },
        2 => BadLine::Silent { up: true, down: true },
        3 => BadLine::Silent { up: true, down: false },
        4 => BadLine::Silent { up: false, down: true },
        5 => BadLine::Refusing,
        _ => BadLine::Short { bytes: rng.random_range(1..1_500) },
    }
}

fn act(rng: &mut ChaCha8Rng, hurried: bool) -> Act {
    let pick = rng.random();
    match rng.random_range(0..100) {
        0..=54 => Act::Start { work: count(rng, hurried) },
        55..=58 => Act::StartTwice { work: count(rng, hurried) },
        59..=63 => Act::StartAgain { pick },
        64..=74 => Act::Cancel { pick },
        75..=78 => Act::CancelTwice { pick },
        79..=84 => Act::CancelThenRetry { pick },
        85 => Act::CancelQueue,
        86..=89 => Act::Retry { pick },
        90..=94 => Act::Resume { pick },
        _ => Act::AbandonThenRetry { pick },
    }
}

fn count(rng: &mut ChaCha8Rng, hurried: bool) -> Count {
    let (steps, step_ms) = if hurried && rng.random_bool(0.7) { (1..8, 0..40) } else { (1..50, 5..160) };
    Count {
        steps: rng.random_range(steps),
        step_ms: rng.random_range(step_ms),
        outcome: match rng.random_range(0..12) {
            0 => Outcome::Fail,
            1 => Outcome::Panic,
            _ => Outcome::Succeed,
        },
        checkpoint_every: if rng.random_bool(0.6) { rng.random_range(1..12) } else { 0 },
        linger_ms: if rng.random_bool(0.2) { rng.random_range(1..3_500) } else { 0 },
        on_thread: rng.random_bool(0.25),
        priority: rng.random_range(-2..3),
    }
}
