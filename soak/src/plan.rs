//! What a storm does and when, drawn from a seed: the same seed and number give the same storm, whatever other
//! storms there were.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Hosts of a storm.
pub const HOSTS: usize = 3;
/// Operations that each of them runs at once.
pub const CAPACITY: u32 = 4;

/// One storm: faults and a person's acts, each at a moment, in order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Storm {
    pub seed: u64,
    /// From 1.
    pub number: u32,
    pub weather: Weather,
    /// How long it blows.
    pub burst_ms: u64,
    pub faults: Vec<Planned<Fault>>,
    pub acts: Vec<Planned<Act>>,
}

/// Which faults there are in a storm.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weather {
    /// Everything.
    Mixed,
    /// Processes are killed and paused; lines hold.
    Processes,
    /// Lines are bad; processes live.
    Lines,
    /// Nothing goes wrong: what is measured here is without excuse.
    Fair,
}

/// Something at a moment of the burst.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Planned<T> {
    pub at_ms: u64,
    pub what: T,
}

/// Something that goes wrong. `host` counts from 0.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    KillServer { down_ms: u64 },
    /// A polite restart.
    RestartServer { down_ms: u64 },
    PauseServer { ms: u64 },
    KillHost { host: usize, down_ms: u64 },
    RestartHost { host: usize, down_ms: u64 },
    PauseHost { host: usize, ms: u64 },
    /// The line between server and host is bad for a while.
    BadLine { host: usize, how: BadLine, ms: u64 },
    /// Every connection to the host is cut, once.
    Cut { host: usize },
    /// The host gets starts and cancels a second time that it has answered before.
    Replay { host: usize, requests: usize },
    /// Nothing more can be written where the server's database is.
    FullDisk { ms: u64 },
}

/// In which way a line is bad.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadLine {
    /// Each piece takes so much longer.
    Slow { ms: u64 },
    /// Nothing passes to the host (`up`), from it (`down`), or both; connections stay open.
    Silent { up: bool, down: bool },
    /// New connections are closed at once.
    Refusing,
    /// Of an answer only so many bytes come, then its connection is cut.
    Short { bytes: usize },
}

/// What a person does. `pick` chooses among what is there at that moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Start { work: Count },
    /// Sends a start again that was answered before, under its key.
    StartAgain { pick: u64 },
    Cancel { pick: u64 },
    CancelTwice { pick: u64 },
    CancelQueue,
    Retry { pick: u64 },
    Resume { pick: u64 },
    Abandon { pick: u64 },
}

/// The params of `soak.count`, without its mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Count {
    pub steps: u64,
    pub step_ms: u64,
    pub outcome: Outcome,
    /// A checkpoint after so many steps; 0 for none.
    pub checkpoint_every: u64,
    /// After a cancel it takes so long to stop.
    pub linger_ms: u64,
    /// Works on a thread of its own, which nobody can abort.
    pub on_thread: bool,
    pub priority: i8,
}

/// How a count is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Succeed,
    Fail,
    Panic,
}

impl Storm {
    /// The storm of this number (from 1) of a seed.
    pub fn of(seed: u64, number: u32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(number));
        let weather = match rng.random_range(0..10) {
            // A run of one storm sees everything.
            _ if number == 1 => Weather::Mixed,
            0..=5 => Weather::Mixed,
            6 | 7 => Weather::Processes,
            8 => Weather::Lines,
            _ => Weather::Fair,
        };
        let burst_ms = rng.random_range(16_000..28_000);
        let faults = match weather {
            Weather::Fair => Vec::new(),
            _ => spread(&mut rng, burst_ms, 500..2_200, |rng| fault(rng, weather)),
        };
        let acts = spread(&mut rng, burst_ms, 60..500, act);
        Self { seed, number, weather, burst_ms, faults, acts }
    }
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
    // Mostly short; now and then longer than the server waits before it gives a host up.
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
        4 | 5 => Fault::PauseServer { ms: ms.min(4_000) },
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

fn act(rng: &mut ChaCha8Rng) -> Act {
    let pick = rng.random();
    match rng.random_range(0..100) {
        0..=59 => Act::Start { work: count(rng) },
        60..=64 => Act::StartAgain { pick },
        65..=79 => Act::Cancel { pick },
        80..=84 => Act::CancelTwice { pick },
        85 => Act::CancelQueue,
        86..=90 => Act::Retry { pick },
        91..=95 => Act::Resume { pick },
        _ => Act::Abandon { pick },
    }
}

fn count(rng: &mut ChaCha8Rng) -> Count {
    Count {
        steps: rng.random_range(1..50),
        step_ms: rng.random_range(5..160),
        outcome: match rng.random_range(0..10) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_seed_gives_the_same_storm_again(seed: u64, number in 1u32..1_000) {
            prop_assert_eq!(Storm::of(seed, number), Storm::of(seed, number));
        }

        #[test]
        fn another_seed_or_number_gives_another_storm(seed: u64, number in 1u32..1_000) {
            let storm = Storm::of(seed, number);
            prop_assert_ne!(&storm.acts, &Storm::of(seed, number + 1).acts);
            prop_assert_ne!(&storm.acts, &Storm::of(seed.wrapping_add(1), number).acts);
        }

        #[test]
        fn what_is_planned_is_in_order_and_within_the_burst(seed: u64, number in 1u32..100) {
            let storm = Storm::of(seed, number);
            let faults: Vec<u64> = storm.faults.iter().map(|f| f.at_ms).collect();
            let acts: Vec<u64> = storm.acts.iter().map(|a| a.at_ms).collect();
            for moments in [faults, acts] {
                prop_assert!(moments.is_sorted() && moments.iter().all(|at| *at < storm.burst_ms));
            }
            prop_assert_eq!(storm.weather == Weather::Fair, storm.faults.is_empty());
        }

        #[test]
        fn a_storm_reads_back_from_its_evidence(seed: u64) {
            let storm = Storm::of(seed, 1);
            let text = serde_json::to_string(&storm).unwrap();
            prop_assert_eq!(serde_json::from_str::<Storm>(&text).unwrap(), storm);
        }
    }
}
