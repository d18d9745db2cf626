//! A complete training, from the bars to the result, on a blocking thread.

use crate::checkpoint::{self, CheckpointInfo, TrainingIdentity};
use crate::failures::failure;
use crate::features::require_volume;
use crate::files::sha256;
use crate::outcome::conclude;
use crate::params::{Plan, TrainingParams};
use crate::progress::{PHASES, TRAINING, fraction_done};
use crate::samples::{Samples, samples};
use crate::store::ModelStore;
use crate::stored;
use crate::trainer::{Figures, State};
use display::format::counted;
use host_kit::{Context, WorkError};
use market_data::Library;
use protocol::LogLevel;
use protocol::host::ResultDoc;
use std::path::Path;

/// Runs a training.
///
/// # Errors
/// [`WorkError::Cancelled`] after a cancel request; otherwise what happened, why, and what to do next.
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
        failure(format!("Invalid parameters: {}", all.join(" ")), "Correct the parameters, then start again.")
    })?;
    let (samples, synthetic) = prepare(ctx, library, &plan)?;
    let identity = TrainingIdentity { params: digest(&plan), samples: samples.digest.clone() };
    let (mut state, reported) = begin(ctx, &plan, &identity)?;
    log_start(ctx, &samples, &state);
    epochs(ctx, &plan, &samples, &identity, &mut state, reported)?;
    evaluate(ctx, (params, &plan), (&samples, synthetic), &state, &ModelStore::new(models))
}

/// Reads the bars and builds the samples. Also returns whether any bars are synthetic.
fn prepare(ctx: &Context, library: &Library, plan: &Plan) -> Result<(Samples, bool), WorkError> {
    let going = || ctx.check();
    let mut held = Vec::with_capacity(plan.sets.len());
    for (i, set) in plan.sets.iter().enumerate() {
        ctx.message(format!("Reading {set}"));
        let read = stored::read(library, set, plan.range, &going)?;
        ctx.log(LogLevel::Info, format!("{} of {set}", counted(read.bars.len() as u64, "bar", "bars")));
        require_volume(&plan.sample_config.features, &read.bars, &set.to_string())?;
        held.push(read);
        ctx.fraction(Some(TRAINING.0 * 0.8 * (i + 1) as f64 / plan.sets.len() as f64));
    }
    ctx.message("Computing features");
    let bars: Vec<_> = held.iter().map(|h| h.bars.as_slice()).collect();
    let samples = samples(&bars, &plan.sample_config, &going)?;
    Ok((samples, held.iter().any(|h| h.synthetic)))
}

/// Initial state, and the last epoch whose points were already reported.
fn begin(ctx: &Context, plan: &Plan, identity: &TrainingIdentity) -> Result<(State, u32), WorkError> {
    let from_start = || State::new(&plan.hyperparameters, plan.sample_config.features.len());
    let Some(from) = ctx.resume_from() else { return Ok((from_start(), 0)) };
    let info = CheckpointInfo::read(&from.state, identity)?;
    match checkpoint::load(ctx) {
        Some(state) => Ok((state, info.reported)),
        None => {
            ctx.log(
                LogLevel::Warn,
                "The checkpoint file is missing or corrupt: training from the start. The curve will be the same",
            );
            Ok((from_start(), info.reported))
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
    let after =
        if state.epoch > 0 { format!(", resuming after epoch {}", state.epoch) } else { String::new() };
    ctx.log(LogLevel::Info, format!("Network: {parameters}{after}"));
}

/// Runs the remaining epochs and saves checkpoints.
fn epochs(
    ctx: &Context,
    plan: &Plan,
    samples: &Samples,
    identity: &TrainingIdentity,
    state: &mut State,
    reported: u32,
) -> Result<(), WorkError> {
    let total = plan.hyperparameters.epochs;
    ctx.phase(2, PHASES[1]);
    ctx.set_total("epochs", Some(u64::from(total)));
    ctx.set_done(u64::from(state.epoch));
    let mut kept = state.epoch;
    while !state.done(&plan.hyperparameters) {
        let done = f64::from(state.epoch);
        let batch = |i: usize, of: usize| {
            ctx.fraction(Some(fraction_done(done + i as f64 / of as f64, total)));
            ctx.check()
        };
        match state.epoch(&plan.hyperparameters, samples, &batch) {
            Ok(figures) => {
                if figures.epoch > reported {
                    points(ctx, figures, plan.hyperparameters.learning_rate);
                }
            }
            Err(error) => {
                // The state is that of the last whole epoch, whatever the error.
                if state.epoch > kept {
                    checkpoint::keep(ctx, state, reported, total, identity)?;
                }
                return Err(error);
            }
        }
        ctx.message(message(state, total));
        ctx.set_done(u64::from(state.epoch));
        if state.epoch.is_multiple_of(plan.checkpoint_every) {
            checkpoint::keep(ctx, state, reported, total, identity)?;
            kept = state.epoch;
        }
    }
    if state.epoch < total {
        ctx.log(
            LogLevel::Info,
            format!(
                "Early stopping after epoch {}: no improvement in validation loss for {}",
                state.epoch,
                counted(u64::from(plan.hyperparameters.patience), "epoch", "epochs")
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

/// Evaluates the best weights and stores them.
fn evaluate(
    ctx: &Context,
    (params, plan): (TrainingParams, &Plan),
    (samples, synthetic): (&Samples, bool),
    state: &State,
    store: &ModelStore,
) -> Result<ResultDoc, WorkError> {
    ctx.phase(3, PHASES[2]);
    // The operation ends with the final epoch count.
    ctx.set_total("epochs", Some(u64::from(state.epoch)));
    ctx.message(message(state, plan.hyperparameters.epochs));
    ctx.set_done(u64::from(state.epoch));
    ctx.fraction(Some(TRAINING.1));
    let of = (samples, synthetic);
    let (result, doc) = conclude(ctx.id(), (params, plan), of, state, store, &|| ctx.check())?;
    let (accuracy, epoch, model) = (result.test.accuracy, result.best_epoch, result.model);
    ctx.log(
        LogLevel::Info,
        format!("Test accuracy {accuracy:.3} with the weights of epoch {epoch}. Saved as model {model}"),
    );
    Ok(doc)
}

/// Hash that distinguishes trainings with different parameters.
fn digest(plan: &Plan) -> String {
    let hyperparameters = serde_json::to_string(&plan.hyperparameters).expect("a recipe is plain numbers");
    sha256(format!("{hyperparameters}\n{:?}\n{:?}", plan.sample_config, plan.sets).as_bytes())
}
