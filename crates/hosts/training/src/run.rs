//! One training from its bars to its result, on a thread that may wait.

use crate::checkpoint::{Belongs, Keeper, Word};
use crate::files::sha256;
use crate::labels::CLASSES;
use crate::model::{Card, Model};
use crate::params::{Plan, TrainingParams};
use crate::samples::{Samples, samples};
use crate::score::Score;
use crate::store::ModelStore;
use crate::stored;
use crate::trainer::{Best, Figures, State};
use crate::trouble::failure;
use crate::wording::counted;
use crate::work::PHASES;
use data_host::Library;
use host_kit::{Context, WorkError};
use protocol::host::{Artifact, ResultDoc};
use protocol::results::TrainingResult;
use protocol::{LogLevel, OperationId};
use std::path::Path;

/// What of the whole is done when training begins, and when it ends: the bar shows the epochs in between.
const TRAINING: (f64, f64) = (0.02, 0.98);

/// Trains what the params ask for.
///
/// # Errors
/// [`WorkError::Cancelled`] when it was asked to stop; otherwise what happened, why, and what to do next.
pub(crate) fn train(
    ctx: &Context,
    library: &Library,
    models: &Path,
    params: TrainingParams,
) -> Result<ResultDoc, WorkError> {
    ctx.phase(1, PHASES[0]);
    ctx.fraction(Some(0.0));
    let plan = params.plan(library).map_err(|errors| {
        let all: Vec<_> = errors.into_iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
        failure(format!("The params don't fit: {}", all.join(" ")), "Correct them, then start again.")
    })?;
    let (samples, synthetic) = prepare(ctx, library, &plan)?;
    let belongs = Belongs { params: digest(&plan), samples: samples.digest.clone() };
    let keeper = Keeper::new(models, &ctx.id().to_string(), belongs.clone());
    let (mut state, told) = begin(ctx, &plan, &keeper, &belongs)?;
    log_start(ctx, &samples, &state);
    epochs(ctx, &plan, &samples, &keeper, &mut state, told)?;
    let result = evaluate(ctx, params, &plan, &samples, synthetic, &state, &ModelStore::new(models))?;
    keeper.forget_all_but(0);
    Ok(result)
}

/// Reads the bars and makes samples of them; and whether any of the bars are synthetic.
fn prepare(ctx: &Context, library: &Library, plan: &Plan) -> Result<(Samples, bool), WorkError> {
    let going = || ctx.check();
    let mut held = Vec::with_capacity(plan.sets.len());
    for (i, set) in plan.sets.iter().enumerate() {
        ctx.message(format!("Reading {set}"));
        let read = stored::read(library, set, plan.range, &going)?;
        ctx.log(LogLevel::Info, format!("{} of {set}", counted(read.bars.len() as u64, "bar", "bars")));
        held.push(read);
        ctx.fraction(Some(TRAINING.0 * 0.8 * (i + 1) as f64 / plan.sets.len() as f64));
    }
    ctx.message("Computing features");
    let bars: Vec<_> = held.iter().map(|h| h.bars.as_slice()).collect();
    let samples = samples(&bars, &plan.making, &going)?;
    Ok((samples, held.iter().any(|h| h.synthetic)))
}

/// Where to begin, and up to which epoch the curves were told already.
fn begin(ctx: &Context, plan: &Plan, keeper: &Keeper, belongs: &Belongs) -> Result<(State, u32), WorkError> {
    let anew = || State::new(&plan.recipe, plan.making.features.len());
    let Some(checkpoint) = ctx.resume_from() else { return Ok((anew(), 0)) };
    let word = Word::read(&checkpoint.state, belongs)?;
    match keeper.load(&word)? {
        Some(state) => Ok((state, word.epoch)),
        None => {
            ctx.log(
                LogLevel::Warn,
                "The file of the checkpoint is gone or damaged: training begins anew, and comes along the same curve",
            );
            Ok((anew(), word.epoch))
        }
    }
}

fn log_start(ctx: &Context, samples: &Samples, state: &State) {
    for (name, rows) in
        [("train", &samples.train), ("validation", &samples.validation), ("test", &samples.test)]
    {
        let count = counted(rows.len() as u64, "sample", "samples");
        let (from, to) = (rows.from.timestamp(), rows.to.timestamp());
        ctx.log(LogLevel::Info, format!("{name}: {count}, {from} to {to}"));
    }
    let parameters = counted(state.mlp.parameters() as u64, "weight", "weights");
    let after = if state.epoch > 0 { format!(", going on after epoch {}", state.epoch) } else { String::new() };
    ctx.log(LogLevel::Info, format!("A network of {parameters}{after}"));
}

/// Goes through the epochs that are left, keeping checkpoints on the way.
fn epochs(
    ctx: &Context,
    plan: &Plan,
    samples: &Samples,
    keeper: &Keeper,
    state: &mut State,
    told: u32,
) -> Result<(), WorkError> {
    let total = plan.recipe.epochs;
    ctx.phase(2, PHASES[1]);
    ctx.items("epochs", Some(u64::from(total)));
    ctx.done(u64::from(state.epoch));
    let mut kept = state.epoch;
    while !state.done(&plan.recipe) {
        let done = f64::from(state.epoch);
        let batch = |i: usize, of: usize| {
            let share = (done + i as f64 / of as f64) / f64::from(total);
            ctx.fraction(Some(TRAINING.0 + (TRAINING.1 - TRAINING.0) * share));
            ctx.check()
        };
        match state.epoch(&plan.recipe, samples, &batch) {
            Ok(figures) => {
                if figures.epoch > told {
                    points(ctx, figures, plan.recipe.learning_rate);
                }
            }
            Err(error) => {
                // The state is that of the last whole epoch, whatever stopped this one.
                if state.epoch > kept {
                    keeper.keep(ctx, state, total)?;
                }
                return Err(error);
            }
        }
        ctx.message(message(state, total));
        ctx.done(u64::from(state.epoch));
        if state.epoch.is_multiple_of(plan.checkpoint_every) {
            keeper.keep(ctx, state, total)?;
            kept = state.epoch;
        }
    }
    if state.epoch < total {
        ctx.log(
            LogLevel::Info,
            format!(
                "Stopped early after epoch {}: validation has not got better for {}",
                state.epoch,
                counted(u64::from(plan.recipe.patience), "epoch", "epochs")
            ),
        );
    }
    Ok(())
}

fn points(ctx: &Context, figures: &Figures, learning_rate: f64) {
    let x = f64::from(figures.epoch);
    for (series, y) in [
        ("train_loss", figures.train_loss),
        ("validation_loss", figures.validation_loss),
        ("train_accuracy", figures.train_accuracy),
        ("validation_accuracy", figures.validation_accuracy),
        ("learning_rate", learning_rate),
        ("gradient_norm", figures.gradient_norm),
        ("samples_per_second", figures.samples_per_second),
    ] {
        ctx.point(series, x, y);
    }
}

fn message(state: &State, total: u32) -> String {
    let losses = state.history.last().map_or_else(String::new, |f| {
        format!(" · loss {:.4} train, {:.4} validation", f.train_loss, f.validation_loss)
    });
    let best = state
        .best
        .as_ref()
        .map_or_else(String::new, |best| format!(" · best {:.4} in epoch {}", best.loss, best.epoch));
    format!("Epoch {} of {total}{losses}{best}", state.epoch)
}

/// Judges the best weights, stores them, and says so.
fn evaluate(
    ctx: &Context,
    params: TrainingParams,
    plan: &Plan,
    samples: &Samples,
    synthetic: bool,
    state: &State,
    store: &ModelStore,
) -> Result<ResultDoc, WorkError> {
    ctx.phase(3, PHASES[2]);
    // What was counted is still what was done: the operation ends with it.
    ctx.items("epochs", Some(u64::from(state.epoch)));
    ctx.message(message(state, plan.recipe.epochs));
    ctx.done(u64::from(state.epoch));
    ctx.fraction(Some(TRAINING.1));
    let going = || ctx.check();
    let Best { epoch, mlp, .. } = state.best.clone().expect("an epoch that was done has a best one");
    let train = Score::of(&mlp, &samples.train, &going)?;
    let validation = Score::of(&mlp, &samples.validation, &going)?;
    let test = Score::of(&mlp, &samples.test, &going)?;
    let parameters = mlp.parameters() as u64;
    let card = card(ctx.id(), plan, samples, synthetic);
    let model = Model::new(card.clone(), params, epoch, samples.scaler.clone(), mlp);
    ctx.check()?;
    let bytes = store.write(&model)?;
    ctx.log(
        LogLevel::Info,
        format!("Test accuracy {:.3} with the weights of epoch {epoch}; stored as {}", test.accuracy(), card.name),
    );
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
        failure(format!("The result can't be written as JSON: {e}."), "This is a fault of Signalbox.")
    })?;
    let artifact = Artifact {
        name: "model".to_owned(),
        media_type: "application/json".to_owned(),
        path: format!("/host/v1/artifacts/models/{}", card.name),
        description: "The model: weights, scaler, features and where they come from".to_owned(),
    };
    let tags = if synthetic { vec!["synthetic".to_owned()] } else { Vec::new() };
    Ok(ResultDoc { document, artifacts: vec![artifact], tags })
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
        fitted_until: samples.train.until,
        trained_until: samples.validation.until,
    }
}

/// `msft-1h-2d5f8a4b`, or `msft-and-3-1h-2d5f8a4b` for four symbols. The characters are the last of the operation's
/// id: the first are those of its time, which others share.
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

/// Tells trainings apart that were started with different params.
fn digest(plan: &Plan) -> String {
    let recipe = serde_json::to_string(&plan.recipe).expect("a recipe is plain numbers");
    sha256(format!("{recipe}\n{:?}\n{:?}", plan.making, plan.sets).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::tests::making;
    use crate::trainer::Recipe;
    use data_host::{Range, SetName, Timeframe};

    #[test]
    fn a_model_is_named_for_its_bars_and_its_operation() {
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
        let alone = digest(&plan);
        plan.sets.push(set("NVDA"));
        assert_eq!(name(id, &plan), "brk-b-and-1-1h-8a4b6c7d");
        assert_ne!(digest(&plan), alone);
    }
}
