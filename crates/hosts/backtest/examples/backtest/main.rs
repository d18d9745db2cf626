//! Backtests the bars of a CSV file and prints trades and equity as JSON, to compare with other programs:
//!
//!     cargo run -p signalbox-backtest-host --example backtest -- bars.csv strategy=sma_cross fast=10 slow=30
//!
//! Parameters are those of `backtest.run`. `keep_open=true` does not close the last position.

mod bars;

use form::Form;
use serde_json::{Map, json};
use signalbox_backtest_host::{BacktestParams, trade};
use std::convert::Infallible;
use std::error::Error;
use tokio::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let file = args.next().ok_or("Usage: backtest BARS.csv [name=value]...")?;
    let bars = bars::bars(&std::fs::read_to_string(file)?)?;
    let (params, keep_open) = params(args)?;
    let mut request = params.request().map_err(|errors| format!("{errors:?}"))?;
    request.rules.close_at_end = !keep_open;

    let started = Instant::now();
    let stances = request
        .plan
        .stances(&bars, request.direction)
        .ok_or("The strategy 'model' is not supported here.")?;
    let watch = |_, _: &_| Ok::<(), Infallible>(());
    let Ok(book) = trade(&bars, &stances, &request.plan.words(), &request.rules, watch);
    let seconds = started.elapsed().as_secs_f64();
    let equity: Vec<f64> = book.accounts.iter().map(|a| a.equity).collect();
    let out = json!({
        "strategy": request.plan.title(),
        "final_equity": equity.last(),
        "commission": book.commission,
        "compute_seconds": seconds,
        "trades": book.trades,
        "equity": equity,
    });
    println!("{out}");
    Ok(())
}

/// Parameters from `name=value` arguments; the others have their defaults.
fn params(args: impl Iterator<Item = String>) -> Result<(BacktestParams, bool), Box<dyn Error>> {
    let form = Form::from_schema(&host_kit::params_schema::<BacktestParams>())?;
    let mut given = Map::from_iter([("symbol".to_owned(), json!("CSV"))]);
    let mut keep_open = false;
    for arg in args {
        let (name, value) = arg.split_once('=').ok_or_else(|| format!("'{arg}' is not name=value"))?;
        match form.fields.iter().find(|field| field.name == name) {
            _ if name == "keep_open" => keep_open = value.parse()?,
            Some(field) => given.extend(field.read(value)?.map(|value| (name.to_owned(), value))),
            None => return Err(format!("unknown parameter '{name}'").into()),
        }
    }
    let filled = form.check(&given.into()).map_err(|errors| format!("{errors:?}"))?;
    Ok((serde_json::from_value(filled)?, keep_open))
}
