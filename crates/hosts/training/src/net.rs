//! Loss and gradients of a batch, computed with burn tensors.
//!
//! Nothing is kept between batches, so that many trainings can run in one process. The backend computes on the calling
//! thread in a fixed order, so the same batch gives bit-identical results.

use crate::mlp::{Mlp, greatest};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Tensor, TensorData};

/// Training batch.
pub(crate) struct Batch {
    /// Rows, one after the other.
    pub(crate) inputs: Vec<f32>,
    /// One class per row.
    pub(crate) classes: Vec<u8>,
    /// Dropout mask per hidden layer, one row per sample; empty without dropout.
    pub(crate) masks: Vec<Vec<f32>>,
}

/// Result of a batch.
pub(crate) struct Outcome {
    /// Mean cross-entropy.
    pub(crate) loss: f64,
    /// Number of correctly classified rows.
    pub(crate) correct: u64,
    /// Derivative of the loss by each of [`Mlp::values`].
    pub(crate) gradients: Vec<f32>,
}

/// Loss and gradients of a batch.
pub(crate) fn learn(mlp: &Mlp, batch: &Batch) -> Outcome {
    let device = Device::flex().autodiff();
    let rows = batch.classes.len();
    let tensors: Vec<(Tensor<2>, Tensor<2>)> = mlp
        .layers
        .iter()
        .map(|l| {
            let weights = tensor(l.weights.clone(), [l.inputs, l.outputs], &device).require_grad();
            (weights, tensor(l.bias.clone(), [1, l.outputs], &device).require_grad())
        })
        .collect();
    let logits = forward(mlp, &tensors, batch, &device);
    let correct = numbers(logits.clone())
        .chunks_exact(outputs(mlp))
        .zip(&batch.classes)
        .filter(|(row, class)| greatest(row) == usize::from(**class))
        .count() as u64;

    let mut was = vec![0.0; rows * outputs(mlp)];
    for (row, class) in was.chunks_exact_mut(outputs(mlp)).zip(&batch.classes) {
        row[usize::from(*class)] = 1.0;
    }
    let was = tensor(was, [rows, outputs(mlp)], &device);
    let loss = (log_softmax(logits, 1) * was).sum().mul_scalar(-1.0 / rows as f32);
    let mut found = loss.backward();
    let loss = f64::from(loss.into_scalar::<f32>());
    let mut gradients = Vec::with_capacity(mlp.parameters());
    for (weights, bias) in &tensors {
        for of in [weights, bias] {
            let gradient = of.grad_remove(&mut found).expect("every weight takes part in the loss");
            gradients.extend(numbers(gradient));
        }
    }
    Outcome { loss, correct, gradients }
}

fn forward(mlp: &Mlp, tensors: &[(Tensor<2>, Tensor<2>)], batch: &Batch, device: &Device) -> Tensor<2> {
    let rows = batch.classes.len();
    let mut values = tensor(batch.inputs.clone(), [rows, mlp.layers[0].inputs], device);
    for (i, (weights, bias)) in tensors.iter().enumerate() {
        if i > 0 {
            values = relu(values);
            if let Some(mask) = batch.masks.get(i - 1) {
                values = values * tensor(mask.clone(), [rows, mlp.layers[i].inputs], device);
            }
        }
        values = values.matmul(weights.clone()) + bias.clone();
    }
    values
}

fn outputs(mlp: &Mlp) -> usize {
    mlp.layers.last().map_or(0, |l| l.outputs)
}

fn tensor(numbers: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

fn numbers(tensor: Tensor<2>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().expect("floats were put in, and the CPU always has its answer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice;
    use crate::mlp::cross_entropy;

    fn batch(mlp: &Mlp, rows: usize, masks: Vec<Vec<f32>>) -> Batch {
        let inputs = dice::weights(9, 0, rows * mlp.layers[0].inputs, 2.0);
        Batch { inputs, classes: (0..rows).map(|i| (i % 3) as u8).collect(), masks }
    }

    /// Loss, computed without tensors.
    fn plain_loss(mlp: &Mlp, batch: &Batch) -> f64 {
        let rows = batch.inputs.chunks_exact(mlp.layers[0].inputs).zip(&batch.classes);
        rows.map(|(row, class)| cross_entropy(&mlp.logits(row), usize::from(*class))).sum::<f64>()
            / batch.classes.len() as f64
    }

    #[test]
    fn tensors_and_scalar_code_give_the_same_logits() {
        let mlp = Mlp::new(3, 5, &[16, 8], 3);
        let batch = batch(&mlp, 30, vec![]);
        let device = Device::flex();
        let tensors: Vec<_> = mlp
            .layers
            .iter()
            .map(|l| {
                let weights = tensor(l.weights.clone(), [l.inputs, l.outputs], &device);
                (weights, tensor(l.bias.clone(), [1, l.outputs], &device))
            })
            .collect();
        let by_tensors = numbers(forward(&mlp, &tensors, &batch, &device));
        let plain = batch.inputs.chunks_exact(5).flat_map(|row| mlp.logits(row));
        for (a, b) in by_tensors.iter().zip(plain) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
        assert_eq!(by_tensors.len(), 90);
    }

    #[test]
    fn gradients_equal_finite_differences() {
        let mut mlp = Mlp::new(3, 4, &[6], 3);
        let batch = batch(&mlp, 12, vec![]);
        let out = learn(&mlp, &batch);
        assert!((out.loss - plain_loss(&mlp, &batch)).abs() < 1e-5);
        assert_eq!(out.gradients.len(), mlp.parameters());
        // Small enough that few values cross the kink of a ReLU.
        let step = 1e-3;
        for i in 0..mlp.parameters() {
            let mut moved = |by: f32| {
                *mlp.values_mut().nth(i).unwrap() += by;
                plain_loss(&mlp, &batch)
            };
            let (above, below) = (moved(step), moved(-2.0 * step));
            moved(step);
            let slope = (above - below) / f64::from(2.0 * step);
            assert!((slope - f64::from(out.gradients[i])).abs() < 5e-3, "{i}: {slope} {}", out.gradients[i]);
        }
    }

    #[test]
    fn masked_units_have_no_gradient() {
        let mlp = Mlp::new(3, 4, &[2], 3);
        let out = learn(&mlp, &batch(&mlp, 12, vec![[0.0, 2.0].repeat(12)]));
        // Weights from each of four inputs to the first of two hidden values, which is always dropped.
        assert!(out.gradients[..8].iter().step_by(2).all(|g| *g == 0.0));
        assert!(out.gradients[1..8].iter().step_by(2).any(|g| *g != 0.0));
    }
}
