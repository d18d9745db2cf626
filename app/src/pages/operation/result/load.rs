//! What came out of a load: figures, gaps, refused rows, files; and what can be done with the data.

use super::{GoOn, fact, facts, start};
use crate::format;
use crate::outcome::{BACKTEST, TRAINING, all, load as figures};
use leptos::prelude::*;
use protocol::results::LoadResult;

/// Gaps and refusals listed at first.
const MOST_LINES: usize = 10;

/// A load's figures, gaps and refused rows.
pub fn load_view(load: &LoadResult) -> impl IntoView + use<> {
    let bytes: u64 = load.segments.iter().map(|s| s.bytes).sum();
    let range = match (load.first, load.last) {
        (Some(first), Some(last)) => format!("{} to {}", format::bar_time(first), format::bar_time(last)),
        _ => "–".to_owned(),
    };
    let data = [
        ("symbol", load.symbol.as_str()),
        ("symbols", &load.symbol),
        ("timeframe", &load.timeframe),
        ("source", &load.source),
    ];
    let links = view! { <GoOn to=vec![("backtest.run", "Backtest", start(BACKTEST, &data)), ("training.run", "Train on this", start(TRAINING, &data))]/> };
    let synthetic = load.synthetic.then(|| {
        view! { <p class="note warn">"This data is synthetic: the host made it, no market did."</p> }
    });
    let warnings: Vec<_> = load
        .warnings
        .iter()
        .map(|warning| view! { <p class="note warn" role="alert">{warning.clone()}</p> })
        .collect();
    let too_little = load.quality.completeness.is_none().then(|| {
        view! { <p class="note">"Too little data to tell what is missing: gaps need a second day to compare with."</p> }
    });
    view! {
        <section class="card result" aria-label="Result">
            <header class="result-head">
                <h2>"Result"</h2>
                {links}
            </header>
            {synthetic}
            {warnings}
            {too_little}
            <dl class="facts">
                {facts(all(&figures::FACTS, load))}
                {fact("Range, UTC", range)}
                {fact("Parquet files", format!("{}, {}", load.segments.len(), format::bytes(bytes)))}
            </dl>
            <p class="muted">
                "source " <code>{load.source.clone()}</code> " · kept in " <code>{load.folder.clone()}</code>
            </p>
            <div class="columns">
                {gaps(load)}
                {rejected(load)}
                {segments(load)}
            </div>
        </section>
    }
}

fn gaps(load: &LoadResult) -> Option<impl IntoView + use<>> {
    if load.gaps.is_empty() {
        return None;
    }
    // The widest are the ones worth a look.
    let mut widest = load.gaps.clone();
    widest.sort_by_key(|gap| std::cmp::Reverse(gap.bars));
    let shown = widest.len().min(MOST_LINES);
    let more = load.gap_count.saturating_sub(shown as u64);
    let lines = widest.into_iter().take(MOST_LINES).map(|gap| {
        view! {
            <tr>
                <td class="num">{format::bar_time(gap.from)}</td>
                <td class="num">{format::bar_time(gap.to)}</td>
                <td class="num">{format::count(gap.bars)}</td>
            </tr>
        }
    });
    Some(view! {
        <div>
            <h3>"Gaps, the widest first"</h3>
            <div class="scroll">
            <table class="plain">
                <thead>
                    <tr>
                        <th scope="col" class="num">"from, UTC"</th>
                        <th scope="col" class="num">"to, UTC"</th>
                        <th scope="col" class="num">"bars"</th>
                    </tr>
                </thead>
                <tbody>{lines.collect_view()}</tbody>
            </table>
            </div>
            {(more > 0).then(|| view! { <p class="muted">{format!("and {} more", format::count(more))}</p> })}
        </div>
    })
}

fn rejected(load: &LoadResult) -> Option<impl IntoView + use<>> {
    if load.rejected.is_empty() {
        return None;
    }
    let lines = load.rejected.iter().map(|refused| {
        view! {
            <tr>
                <td>{refused.reason.replace('_', " ")}</td>
                <td class="num">{format::count(refused.rows)}</td>
                <td><code class="wrap">{refused.example.clone()}</code></td>
            </tr>
        }
    });
    Some(view! {
        <div>
            <h3>"Rejected rows"</h3>
            <div class="scroll">
            <table class="plain">
                <thead>
                    <tr>
                        <th scope="col">"why"</th>
                        <th scope="col" class="num">"rows"</th>
                        <th scope="col">"the first"</th>
                    </tr>
                </thead>
                <tbody>{lines.collect_view()}</tbody>
            </table>
            </div>
        </div>
    })
}

fn segments(load: &LoadResult) -> Option<impl IntoView + use<>> {
    if load.segments.is_empty() {
        return None;
    }
    let lines = load.segments.iter().map(|segment| {
        view! {
            <tr>
                <td><code>{segment.file.clone()}</code></td>
                <td class="num">{format::count(segment.rows)}</td>
                <td class="num">{format::bytes(segment.bytes)}</td>
            </tr>
        }
    });
    Some(view! {
        <details>
            <summary>"Parquet files"</summary>
            <div class="scroll">
            <table class="plain">
                <thead>
                    <tr>
                        <th scope="col">"file"</th>
                        <th scope="col" class="num">"rows"</th>
                        <th scope="col" class="num">"size"</th>
                    </tr>
                </thead>
                <tbody>{lines.collect_view()}</tbody>
            </table>
            </div>
        </details>
    })
}
