//! Network as plain numbers: layers of weights, and their forward pass. Used for storage and prediction; training uses
//! [`crate::net`].

use crate::dice;
use serde::{Deserialize, Serialize};

/// Layer: `out = weights · in + bias`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Layer {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// Weight matrix: `inputs` rows of `outputs` each.
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

/// Multilayer perceptron with ReLU between layers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Mlp {
    pub(crate) layers: Vec<Layer>,
}

impl Mlp {
    /// Initializes a network. Weights are uniform within `sqrt(6 / inputs)` (He et al. 2015, for ReLU), those of the
    /// last layer within `sqrt(1 / inputs)`. Biases are 0.
    pub(crate) fn new(seed: u32, inputs: usize, hidden: &[usize], outputs: usize) -> Self {
        let ends: Vec<usize> = hidden.iter().copied().chain([outputs]).collect();
        let begins = [inputs].into_iter().chain(hidden.iter().copied());
        let layers = begins.zip(&ends).enumerate().map(|(i, (inputs, outputs))| {
            let spread = if i + 1 == ends.len() { 1.0 } else { 6.0 };
            let limit = (spread / inputs as f32).sqrt();
            let weights = dice::weights(seed, i, inputs * outputs, limit);
            Layer { inputs, outputs: *outputs, weights, bias: vec![0.0; *outputs] }
        });
        Self { layers: layers.collect() }
    }

    /// Number of parameters of a network with these layers.
    pub(crate) fn count(inputs: usize, hidden: &[usize], outputs: usize) -> usize {
        let ends = hidden.iter().chain([&outputs]);
        [inputs].iter().chain(hidden).zip(ends).map(|(inputs, outputs)| (inputs + 1) * outputs).sum()
    }

    /// Number of parameters.
    pub(crate) fn parameters(&self) -> usize {
        self.layers.iter().map(|l| l.weights.len() + l.bias.len()).sum()
    }

    /// All parameters, layer by layer, weights before biases.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut f32> {
        self.layers.iter_mut().flat_map(|l| l.weights.iter_mut().chain(&mut l.bias))
    }

    /// All parameters, read-only, in the same order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &f32> {
        self.layers.iter().flat_map(|l| l.weights.iter().chain(&l.bias))
    }

    /// Whether the layer sizes are consistent, which a file can get wrong.
    pub(crate) fn holds_together(&self, inputs: usize, outputs: usize) -> bool {
        let whole =
            |l: &Layer| l.weights.len() == l.inputs.saturating_mul(l.outputs) && l.bias.len() == l.outputs;
        self.layers.iter().all(whole)
            && self.layers.windows(2).all(|pair| pair[0].outputs == pair[1].inputs)
            && self.layers.first().is_some_and(|l| l.inputs == inputs)
            && self.layers.last().is_some_and(|l| l.outputs == outputs)
    }

    /// Output of the last layer for a row, before softmax.
    pub(crate) fn logits(&self, row: &[f32]) -> Vec<f32> {
        let mut values = row.to_vec();
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                values.iter_mut().for_each(|v| *v = v.max(0.0));
            }
            let mut out = layer.bias.clone();
            for (value, weights) in values.iter().zip(layer.weights.chunks_exact(layer.outputs)) {
                out.iter_mut().zip(weights).for_each(|(o, w)| *o += value * w);
            }
            values = out;
        }
        values
    }
}

/// Index of the greatest value; the first one in a tie.
pub(crate) fn greatest(values: &[f32]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

/// Cross-entropy of a row: `ln Σ exp(logit) − logit of the actual class`.
pub(crate) fn cross_entropy(logits: &[f32], class: usize) -> f64 {
    let most = f64::from(logits[greatest(logits)]);
    let sum: f64 = logits.iter().map(|l| (f64::from(*l) - most).exp()).sum();
    sum.ln() + most - f64::from(logits[class])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_equals_its_manual_computation() {
        let first = Layer { inputs: 2, outputs: 2, weights: vec![1.0, -1.0, 2.0, 0.5], bias: vec![0.5, 0.0] };
        let second = Layer { inputs: 2, outputs: 1, weights: vec![3.0, 10.0], bias: vec![1.0] };
        let mlp = Mlp { layers: vec![first, second] };
        // 1·1 + 2·1 + 0.5 = 3.5; 1·-1 + 0.5 = -0.5, cut to 0; 3.5·3 + 1 = 11.5.
        assert_eq!(mlp.logits(&[1.0, 1.0]), [11.5]);
        assert_eq!((mlp.parameters(), Mlp::count(2, &[2], 1)), (9, 9));
        assert!(mlp.holds_together(2, 1) && !mlp.holds_together(3, 1) && !mlp.holds_together(2, 2));
    }

    #[test]
    fn cross_entropy_is_the_negative_log_of_the_probability_of_the_class() {
        let evenly = cross_entropy(&[0.0, 0.0, 0.0], 1);
        assert!((evenly - 3f64.ln()).abs() < 1e-12);
        assert!(cross_entropy(&[1_000.0, 0.0, 0.0], 0) < 1e-9, "large logits overflow nothing");
        assert!((cross_entropy(&[1_000.0, 0.0, 0.0], 1) - 1_000.0).abs() < 1e-9);
    }

    #[test]
    fn the_first_of_equal_values_is_the_maximum() {
        assert_eq!(greatest(&[1.0, 2.0, 2.0]), 1);
        assert_eq!(greatest(&[0.0]), 0);
    }
}
