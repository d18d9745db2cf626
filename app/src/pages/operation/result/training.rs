//! What came out of a training: the model, how well it does on each part of the data, and where it errs.

use super::confusion::{ConfusionTable, most_frequent};
use super::{GoOn, fact, facts, start};
use crate::components::ident::CopyName;
use crate::format;
use crate::outcome::training::loss;
use crate::outcome::{BACKTEST, all, training};
use leptos::prelude::*;
use protocol::results::{ClassScore, SplitScore, TrainingResult};

/// All of it.
pub fn training_view(result: &TrainingResult) -> AnyView {
    let symbols = result.symbols.join(", ");
    let first = result.symbols.first().cloned().unwrap_or_default();
    let test_from = result.test.from.to_string();
    let backtest = start(
        BACKTEST,
        &[
            ("strategy", "model"),
            ("model", &result.model),
            ("symbol", &first),
            ("timeframe", &result.timeframe),
            // The part that the model has not seen: figures of the rest say nothing about new data.
            ("start", &test_from),
        ],
    );
    let synthetic = result.synthetic.then(|| {
        view! { <p class="note warn">"The bars are synthetic: a host made them, no market did."</p> }
    });
    let early =
        result.stopped_early.then(|| fact("Stopped", "early: validation no longer got better".to_owned()));
    // What a model has to beat that looks at nothing.
    let blind = most_frequent(&result.confusion).map(|(class, share)| {
        let name = result.classes.get(class).cloned().unwrap_or_default();
        let said = format!(
            "Always saying \u{201c}{name}\u{201d} would be right in {} of the test part.",
            format::share(share)
        );
        let class = if result.test.accuracy > share { "note" } else { "note warn" };
        view! { <p class=class>{said}</p> }
    });
    let features = result.features.iter().map(|f| view! { <li><code>{f.clone()}</code></li> }).collect_view();
    view! {
        <section class="card result" aria-label="Result">
            <header class="result-head">
                <h2>"Result"</h2>
                <GoOn to=vec![(BACKTEST, "Backtest this model", backtest)]/>
            </header>
            {synthetic}
            <p class="model">
                "Model " <CopyName name=result.model.clone()/>
                <span class="muted">" SHA-256 " <code class="wrap">{result.model_sha256.clone()}</code></span>
            </p>
            <dl class="facts">
                {facts(all(&training::FACTS, result))}
                {early}
                {fact("Data", format!("{symbols} {}", result.timeframe))}
            </dl>
            {blind}
            <div class="columns">
                {splits(result)}
                {scores(&result.scores)}
            </div>
            <ConfusionTable classes=result.classes.clone() counts=result.confusion.clone()/>
            <details>
                <summary>{format!("Features ({})", result.features.len())}</summary>
                <ul class="features">{features}</ul>
            </details>
        </section>
    }
    .into_any()
}

fn splits(result: &TrainingResult) -> impl IntoView + use<> {
    let row = |name: &'static str, split: &SplitScore| {
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="num">{format::count(split.samples)}</td>
                <td class="num">{loss(split.loss)}</td>
                <td class="num">{format::hundredths(split.accuracy)}</td>
                <td class="num">{format::bar_time(split.from)}</td>
                <td class="num">{format::bar_time(split.to)}</td>
            </tr>
        }
    };
    view! {
        <div>
            <h3>"Parts of the data, in the order of time"</h3>
            <div class="scroll-x">
                <table class="plain parts">
                    <thead>
                        <tr>
                            <td></td>
                            <th scope="col" class="num">"samples"</th>
                            <th scope="col" class="num">"loss"</th>
                            <th scope="col" class="num">"accuracy"</th>
                            <th scope="col" class="num">"from, UTC"</th>
                            <th scope="col" class="num">"to, UTC"</th>
                        </tr>
                    </thead>
                    <tbody>
                        {row("train", &result.train)}
                        {row("validation", &result.validation)}
                        {row("test", &result.test)}
                    </tbody>
                </table>
            </div>
        </div>
    }
}

fn scores(scores: &[ClassScore]) -> impl IntoView + use<> {
    let share = |of: Option<f64>| of.map_or_else(|| "–".to_owned(), format::hundredths);
    let rows = scores.iter().map(|score| {
        view! {
            <tr>
                <th scope="row">{score.class.clone()}</th>
                <td class="num">{format::count(score.support)}</td>
                <td class="num">{share(score.precision)}</td>
                <td class="num">{share(score.recall)}</td>
                <td class="num">{share(score.f1)}</td>
            </tr>
        }
    });
    view! {
        <div>
            <h3>"Classes, of the test part"</h3>
            <div class="scroll-x">
                <table class="plain">
                    <thead>
                        <tr>
                            <td></td>
                            <th scope="col" class="num">"samples"</th>
                            <th scope="col" class="num" title="Of what was called so, how much was">"precision"</th>
                            <th scope="col" class="num" title="Of what was so, how much was called so">"recall"</th>
                            <th scope="col" class="num" title="The harmonic mean of both">"F1"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </div>
    }
}
