//! Adam optimizer (Kingma and Ba, 2015), as plain numbers that a checkpoint can hold.

use crate::mlp::Mlp;
use serde::{Deserialize, Serialize};

/// Decay rates of the first and second moments.
const BETA: (f32, f32) = (0.9, 0.999);
/// Prevents a division by zero.
const EPSILON: f32 = 1e-8;

/// State of the optimizer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Adam {
    /// Number of steps taken.
    pub(crate) steps: u64,
    /// First moment: smoothed gradient of each weight.
    pub(crate) first: Vec<f32>,
    /// Second moment: smoothed squared gradient.
    pub(crate) second: Vec<f32>,
}

impl Adam {
    pub(crate) fn new(parameters: usize) -> Self {
        Self { steps: 0, first: vec![0.0; parameters], second: vec![0.0; parameters] }
    }

    /// Updates the weights by one step.
    pub(crate) fn step(&mut self, mlp: &mut Mlp, gradients: &[f32], learning_rate: f64) {
        self.steps += 1;
        // In double precision: 1 - 0.999^1 has few digits in single precision.
        let unbias = |beta: f32| 1.0 - f64::from(beta).powi(i32::try_from(self.steps).unwrap_or(i32::MAX));
        let rate = (learning_rate * unbias(BETA.1).sqrt() / unbias(BETA.0)) as f32;
        let epsilon = EPSILON * unbias(BETA.1).sqrt() as f32;
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((value, gradient), (first, second)) in mlp.values_mut().zip(gradients).zip(moments) {
            *first = BETA.0 * *first + (1.0 - BETA.0) * gradient;
            *second = BETA.1 * *second + (1.0 - BETA.1) * gradient * gradient;
            *value -= rate * *first / (second.sqrt() + epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mlp::Layer;

    fn one(weight: f32) -> Mlp {
        Mlp { layers: vec![Layer { inputs: 1, outputs: 1, weights: vec![weight], bias: vec![0.0] }] }
    }

    #[test]
    fn the_first_step_has_the_length_of_the_learning_rate() {
        for gradient in [1e-3, 1.0, 1e3] {
            let (mut mlp, mut adam) = (one(5.0), Adam::new(2));
            adam.step(&mut mlp, &[gradient, -gradient], 0.1);
            assert!((mlp.layers[0].weights[0] - 4.9).abs() < 1e-4, "{gradient}");
            assert!((mlp.layers[0].bias[0] - 0.1).abs() < 1e-4, "{gradient}");
        }
    }

    #[test]
    fn adam_finds_the_minimum_of_a_parabola() {
        let (mut mlp, mut adam) = (one(5.0), Adam::new(2));
        for _ in 0..2_000 {
            let slope = 2.0 * (mlp.layers[0].weights[0] - 2.0);
            adam.step(&mut mlp, &[slope, 0.0], 0.02);
        }
        assert!((mlp.layers[0].weights[0] - 2.0).abs() < 1e-2, "{}", mlp.layers[0].weights[0]);
        assert_eq!(mlp.layers[0].bias[0], 0.0, "what has no gradient stays");
    }
}
