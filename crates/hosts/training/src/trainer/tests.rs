//! The same seed gives the same curve, an interruption changes nothing, and the network learns.

use super::*;
use crate::samples::samples;
use crate::samples::tests::{go_on, making, walk, wave};

fn recipe() -> Recipe {
    Recipe {
        hidden: vec![12, 6],
        dropout: 0.1,
        epochs: 4,
        batch_size: 32,
        learning_rate: 0.01,
        patience: 0,
        seed: 7,
    }
}

fn data() -> Samples {
    samples(&[&walk(260, 1)], &making(), &go_on).unwrap()
}

fn on(_: usize, _: usize) -> Result<(), WorkError> {
    Ok(())
}

/// Bit pattern of all metrics except durations.
fn curve(state: &State) -> Vec<[u64; 5]> {
    let bits = |f: &Figures| {
        [f.train_loss, f.train_accuracy, f.validation_loss, f.validation_accuracy, f.gradient_norm]
            .map(f64::to_bits)
    };
    state.history.iter().map(bits).collect()
}

fn train(recipe: &Recipe, samples: &Samples) -> State {
    let mut state = State::new(recipe, samples.train.width);
    while !state.done(recipe) {
        state.epoch(recipe, samples, &on).unwrap();
    }
    state
}

#[test]
fn the_same_seed_gives_the_same_curve_bit_by_bit_and_another_does_not() {
    let data = data();
    let (first, second) = (train(&recipe(), &data), train(&recipe(), &data));
    assert_eq!(curve(&first), curve(&second));
    assert_eq!(first.mlp, second.mlp);
    assert_eq!(first.history.len(), 4);
    let other = train(&Recipe { seed: 8, ..recipe() }, &data);
    assert_ne!(curve(&first), curve(&other));
}

#[test]
fn concurrent_trainings_are_independent() {
    let data = data();
    let alone = train(&recipe(), &data);
    let together: Vec<State> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| train(&recipe(), &data))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    for state in together {
        assert_eq!(curve(&state), curve(&alone));
    }
}

#[test]
fn a_training_resumed_from_its_checkpoint_ends_as_an_uninterrupted_one() {
    let (data, recipe) = (data(), recipe());
    let whole = train(&recipe, &data);
    let mut state = State::new(&recipe, data.train.width);
    state.epoch(&recipe, &data, &on).unwrap();
    state.epoch(&recipe, &data, &on).unwrap();
    // Stopped in the third epoch, which leaves no trace.
    let before = state.clone();
    let stop = |done: usize, of: usize| if done * 2 >= of { Err(WorkError::Cancelled) } else { Ok(()) };
    assert_eq!(state.epoch(&recipe, &data, &stop).unwrap_err(), WorkError::Cancelled);
    assert_eq!(state, before);

    let mut state: State = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
    assert_eq!(state, before, "no bit is lost in writing");
    while !state.done(&recipe) {
        state.epoch(&recipe, &data, &on).unwrap();
    }
    assert_eq!(curve(&state), curve(&whole));
    assert_eq!((&state.mlp, &state.adam), (&whole.mlp, &whole.adam));
    assert_eq!(state.best, whole.best);
}

#[test]
fn a_learnable_pattern_is_learned() {
    let data = samples(&[&wave(900)], &making(), &go_on).unwrap();
    let recipe = Recipe { epochs: 12, dropout: 0.0, ..recipe() };
    let state = train(&recipe, &data);
    let test = Score::of(&state.best.unwrap().mlp, &data.test, &go_on).unwrap();
    let most = test.confusion.iter().map(|row| row.iter().sum::<u64>()).max().unwrap();
    let blind = most as f64 / data.test.len() as f64;
    assert!(test.accuracy() > blind + 0.2, "{} against {blind}", test.accuracy());
    let losses = (state.history[0].train_loss, state.history[11].train_loss);
    assert!(losses.1 < losses.0 * 0.8, "{losses:?}");
}

#[test]
fn a_training_stops_early_when_validation_no_longer_improves() {
    let data = data();
    // A random walk is not predictable: validation is best early.
    let recipe = Recipe { patience: 2, epochs: 60, learning_rate: 0.05, dropout: 0.0, ..recipe() };
    let state = train(&recipe, &data);
    let best = state.best.as_ref().unwrap();
    assert_eq!(state.epoch, best.epoch + 2);
    assert!(state.epoch < 60);
    let lowest = state.history.iter().map(|f| f.validation_loss).fold(f64::INFINITY, f64::min);
    assert_eq!(best.loss, lowest, "the best weights are those of the lowest loss");
}

#[test]
fn a_diverging_training_fails_with_a_reason() {
    let mut state = State::new(&recipe(), 4);
    state.mlp.layers[0].weights[0] = f32::INFINITY;
    let told = state.epoch(&recipe(), &data(), &on).unwrap_err().to_string();
    assert!(told.contains("diverged in epoch 1"), "{told}");
}
