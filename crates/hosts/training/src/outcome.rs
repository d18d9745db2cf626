//! Result of a training: evaluates the best weights, stores the model, and builds the result.

use crate::files::sha256;
use crate::labels::CLASSES;
use crate::model::{Card, Model};
use crate::params::{Plan, TrainingParams};
use crate::samples::{Going, Samples};
use crate::score::Score;
use crate::store::ModelStore;
use crate::trainer::{Best, State};
use crate::trouble::failure;
use host_kit::WorkError;
use protocol::OperationId;
use protocol::host::{Artifact, ResultDoc};
use protocol::results::TrainingResult;

/// Evaluates and stores the best weights.
///
/// # Errors
/// If the model can't be written; the error of `going`.
pub(crate) fn conclude(
    id: OperationId,
    (params, plan): (TrainingParams, &Plan),
    (samples, synthetic): (&Samples, bool),
    state: &State,
    store: &ModelStore,
    going: Going,
) -> Result<(TrainingResult, ResultDoc), WorkError> {
    let Best { epoch, mlp, .. } = state.best.clone().expect("an epoch that was done has a best one");
    let train = Score::of(&mlp, &samples.train, going)?;
    let validation = Score::of(&mlp, &samples.validation, going)?;
    let test = Score::of(&mlp, &samples.test, going)?;
    let parameters = mlp.parameters() as u64;
    let card = card(id, plan, samples, synthetic);
    let model = Model::new(card.clone(), params, epoch, samples.scaler.clone(), mlp);
    going()?;
    let bytes = store.write(&model)?;
    let result = TrainingResult {
        timeframe: card.timeframe.to_string(),
        synthetic,
        model_sha256: sha256(&bytes),
        parameters,
        epochs: state.epoch,
        best_epoch: epoch,
        stopped_early: state.epoch < plan.recipe.epochs,
        train: train.split(&samples.train),
        validation: validation.split(&samples.validation),
        test: test.split(&samples.test),
        scores: test.classes(),
        confusion: test.confusion,
        seconds: state.seconds,
        symbols: card.symbols,
        features: card.features,
        classes: card.classes,
        model: card.name.clone(),
    };
    let document = serde_json::to_value(&result).map_err(|e| {
        failure(
            format!("Cannot serialize the result as JSON: {e}."),
            "This is a bug in Signalbox. Please report it.",
        )
    })?;
    let artifact = Artifact {
        name: "model".to_owned(),
        media_type: "application/json".to_owned(),
        path: format!("/host/v1/artifacts/models/{}", card.name),
        description: "Model file: weights, scaler, features and provenance".to_owned(),
    };
    let tags = if synthetic { vec!["synthetic".to_owned()] } else { Vec::new() };
    Ok((result, ResultDoc { document, artifacts: vec![artifact], tags }))
}

fn card(id: OperationId, plan: &Plan, samples: &Samples, synthetic: bool) -> Card {
    Card {
        name: name(id, plan),
        symbols: plan.sets.iter().map(|s| s.symbol.clone()).collect(),
        timeframe: plan.sets[0].timeframe,
        synthetic,
        features: plan.making.features.iter().map(ToString::to_string).collect(),
        classes: CLASSES.map(str::to_owned).to_vec(),
        horizon: u32::try_from(plan.making.horizon).unwrap_or(u32::MAX),
        threshold: plan.making.threshold,
        trained_from: Some(samples.train.from),
        fitted_until: samples.train.until,
        trained_until: samples.validation.until,
    }
}

/// Model name: `msft-1h-2d5f8a4b`, or `msft-and-3-1h-2d5f8a4b` for four symbols. It ends with the last characters of
/// the operation ID, because the first ones are a timestamp that others share.
fn name(id: OperationId, plan: &Plan) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let symbol: String = plan.sets[0].symbol.chars().map(plain).collect();
    let more = match plan.sets.len() {
        1 => String::new(),
        n => format!("-and-{}", n - 1),
    };
    let id = id.to_string();
    format!("{symbol}{more}-{}-{}", plan.sets[0].timeframe, &id[id.len() - 8..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::tests::making;
    use crate::trainer::Recipe;
    use market_data::{Range, SetName, Timeframe};

    #[test]
    fn a_model_is_named_after_its_bars_and_its_operation() {
        let set = |symbol: &str| SetName {
            source: "files".into(),
            symbol: symbol.into(),
            timeframe: Timeframe::H1,
        };
        let recipe = Recipe {
            hidden: vec![4],
            dropout: 0.0,
            epochs: 1,
            batch_size: 8,
            learning_rate: 0.1,
            patience: 0,
            seed: 1,
        };
        let mut plan = Plan {
            sets: vec![set("BRK.B")],
            range: Range::default(),
            making: making(),
            recipe,
            checkpoint_every: 5,
        };
        let id: OperationId = "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap();
        assert_eq!(name(id, &plan), "brk-b-1h-8a4b6c7d");
        plan.sets.push(set("NVDA"));
        assert_eq!(name(id, &plan), "brk-b-and-1-1h-8a4b6c7d");
    }
}
