//! Draws a fault schedule. The same seed and number give the same schedule, independent of other schedules.

use super::{
    Action, ClockOwner, ConnectionFault, Count, Fault, HOSTS, MAX_CANCEL_ON_FULL_DISK_MS, Outcome, Planned,
    Profile, Schedule,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Schedule {
    /// Draws the schedule with this number (from 1) of a seed.
    pub fn of(seed: u64, number: u32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(number));
        let profile = match rng.random_range(0..10) {
            // A run with a single schedule has all faults.
            _ if number == 1 => Profile::Mixed,
            0..=5 => Profile::Mixed,
            6 | 7 => Profile::Processes,
            8 => Profile::Connections,
            _ => Profile::NoFaults,
        };
        let rapid = rng.random_bool(0.4);
        let duration_ms = rng.random_range(16_000..28_000);
        let (between_faults, between_actions) =
            if rapid { (80..900, 15..150) } else { (500..2_200, 60..400) };
        let mut faults = match profile {
            Profile::NoFaults => Vec::new(),
            _ => spread(&mut rng, duration_ms, between_faults, |rng| fault(rng, profile)),
        };
        let mut actions = spread(&mut rng, duration_ms, between_actions, |rng| action(rng, rapid));
        actions.extend(deletes(seed, number, duration_ms));
        actions.extend(cancels_at_start(seed, number, duration_ms));
        if profile != Profile::NoFaults {
            faults.extend(jumps(seed, number, duration_ms));
        }
        if matches!(profile, Profile::Mixed | Profile::Connections) {
            faults.extend(delayed_starts(seed, number, duration_ms));
        }
        let (sweeps, silences) = sweeps(seed, number, duration_ms);
        actions.extend(sweeps);
        if matches!(profile, Profile::Mixed | Profile::Connections) {
            faults.extend(silences);
        }
        actions.extend(cancels_on_full_disk(seed, number, duration_ms, &faults));
        actions.sort_by_key(|action| action.at_ms);
        faults.sort_by_key(|fault| fault.at_ms);
        Self { seed, number, profile, rapid, duration_ms, faults, actions }
    }
}

/// Clock jumps, in half of the schedules. They use their own random stream, so that other parts of a schedule do not
/// depend on them.
fn jumps(seed: u64, number: u32, duration_ms: u64) -> Vec<Planned<Fault>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((1 << 32) | u64::from(number));
    // A run with a single schedule has all faults.
    if number != 1 && rng.random_bool(0.5) {
        return Vec::new();
    }
    spread(&mut rng, duration_ms, 1_000..6_000, |rng| {
        let owner = if rng.random_bool(0.5) {
            ClockOwner::Server
        } else {
            ClockOwner::Host(rng.random_range(0..HOSTS))
        };
        // All magnitudes are equally likely: a jump of a second can find as much as one of an hour.
        let size = 3_600f64.powf(rng.random_range(0.0..=1.0)).round().clamp(1.0, 3_600.0) as i64;
        let ahead = if rng.random_bool(0.5) { size } else { -size };
        Fault::ClockJump { owner, ahead, ms: rng.random_range(200..9_000) }
    })
}

/// Deletions, with their own random stream for the same reason.
fn deletes(seed: u64, number: u32, duration_ms: u64) -> Vec<Planned<Action>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((2 << 32) | u64::from(number));
    spread(&mut rng, duration_ms, 200..1_500, |rng| {
        let pick = rng.random();
        match rng.random_range(0..20) {
            0..=12 => Action::Delete { pick },
            13..=18 => Action::DeleteAndRetry { pick },
            _ => Action::DeleteCancelled,
        }
    })
}

/// Random stream of one part of a schedule, so that other parts do not depend on it.
fn stream(seed: u64, number: u32, of: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((of << 32) | u64::from(number));
    rng
}

/// Starts with a cancel within milliseconds.
fn cancels_at_start(seed: u64, number: u32, duration_ms: u64) -> Vec<Planned<Action>> {
    spread(&mut stream(seed, number, 3), duration_ms, 150..900, |rng| {
        let work = Count { outcome: Outcome::Succeed, ..count(rng, false) };
        let after_ms = [0, 0, 1, 3, 10, 30][rng.random_range(0..6)];
        Action::CancelAtStart { work, after_ms }
    })
}

/// Connections on which cancels overtake their starts.
fn delayed_starts(seed: u64, number: u32, duration_ms: u64) -> Vec<Planned<Fault>> {
    spread(&mut stream(seed, number, 4), duration_ms, 1_000..4_000, |rng| {
        let how = ConnectionFault::DelayedStarts { ms: rng.random_range(5..400) };
        Fault::Connection { host: rng.random_range(0..HOSTS), how, ms: rng.random_range(500..2_500) }
    })
}

/// Sweeps, each with a silent host around its cancel.
fn sweeps(seed: u64, number: u32, duration_ms: u64) -> (Vec<Planned<Action>>, Vec<Planned<Fault>>) {
    let mut rng = stream(seed, number, 5);
    let (mut actions, mut faults) = (Vec::new(), Vec::new());
    for Planned { at_ms, what: cancel_after_ms } in
        spread(&mut rng, duration_ms, 3_000..9_000, |rng| rng.random_range(300..2_500u64))
    {
        let work = Count {
            steps: rng.random_range(10..40),
            step_ms: rng.random_range(20..160),
            outcome: Outcome::Succeed,
            checkpoint_every: 0,
            ..count(&mut rng, false)
        };
        actions.push(Planned {
            at_ms,
            what: Action::Sweep { work, runs: rng.random_range(2..7), cancel_after_ms },
        });
        // Up to longer than a sweep waits for its children.
        let (host, ms) = (rng.random_range(0..HOSTS), rng.random_range(1_000..6_000));
        let at_ms = at_ms + cancel_after_ms.saturating_sub(rng.random_range(0..400));
        if at_ms < duration_ms {
            let how = ConnectionFault::Silent { up: true, down: true };
            faults.push(Planned { at_ms, what: Fault::Connection { host, how, ms } });
        }
    }
    (actions, faults)
}

/// Cancels while the database's disk is full.
fn cancels_on_full_disk(
    seed: u64,
    number: u32,
    duration_ms: u64,
    faults: &[Planned<Fault>],
) -> Vec<Planned<Action>> {
    let mut rng = stream(seed, number, 6);
    let mut actions = Vec::new();
    for fault in faults {
        if let Fault::FullDisk { ms } = fault.what {
            for _ in 0..2 {
                let after = rng.random_range(50..ms.clamp(51, MAX_CANCEL_ON_FULL_DISK_MS));
                let at_ms = fault.at_ms + after;
                let what = Action::Cancel { pick: rng.random() };
                actions.extend((at_ms < duration_ms).then_some(Planned { at_ms, what }));
            }
        }
    }
    actions
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

fn fault(rng: &mut ChaCha8Rng, profile: Profile) -> Fault {
    let host = rng.random_range(0..HOSTS);
    // Mostly short; sometimes longer than the server waits before it gives up a host.
    let long = rng.random_bool(0.15);
    let ms = if long { rng.random_range(6_500..10_000) } else { rng.random_range(200..4_000) };
    let down_ms = rng.random_range(0..1_500);
    let kind = match profile {
        Profile::Processes => rng.random_range(0..12),
        Profile::Connections => rng.random_range(12..22),
        Profile::Mixed | Profile::NoFaults => rng.random_range(0..23),
    };
    match kind {
        0..=2 => Fault::KillServer { down_ms },
        3 => Fault::RestartServer { down_ms },
        4 | 5 => Fault::PauseServer { ms },
        6..=8 => Fault::KillHost { host, down_ms },
        9 => Fault::RestartHost { host, down_ms },
        10 | 11 => Fault::PauseHost { host, ms },
        12..=17 => Fault::Connection { host, how: connection_fault(rng), ms },
        18 | 19 => Fault::Cut { host },
        20 | 21 => Fault::Replay { host, requests: rng.random_range(1..8) },
        _ => Fault::FullDisk { ms: ms.min(4_000) },
    }
}

fn connection_fault(rng: &mut ChaCha8Rng) -> ConnectionFault {
    match rng.random_range(0..8) {
        0 | 1 => ConnectionFault::Slow { ms: rng.random_range(5..400) },
        2 => ConnectionFault::Silent { up: true, down: true },
        3 => ConnectionFault::Silent { up: true, down: false },
        4 => ConnectionFault::Silent { up: false, down: true },
        5 => ConnectionFault::Refused,
        _ => ConnectionFault::Truncated { bytes: rng.random_range(1..1_500) },
    }
}

fn action(rng: &mut ChaCha8Rng, rapid: bool) -> Action {
    let pick = rng.random();
    match rng.random_range(0..100) {
        0..=54 => Action::Start { work: count(rng, rapid) },
        55..=58 => Action::StartTwice { work: count(rng, rapid) },
        59..=63 => Action::StartAgain { pick },
        64..=74 => Action::Cancel { pick },
        75..=78 => Action::CancelTwice { pick },
        79..=84 => Action::CancelThenRetry { pick },
        85 => Action::CancelQueue,
        86..=89 => Action::Retry { pick },
        90..=94 => Action::Resume { pick },
        _ => Action::AbandonThenRetry { pick },
    }
}

fn count(rng: &mut ChaCha8Rng, rapid: bool) -> Count {
    let (steps, step_ms) = if rapid && rng.random_bool(0.7) { (1..8, 0..40) } else { (1..50, 5..160) };
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
