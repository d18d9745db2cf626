//! Parameters of `backtest.run`: the form schema, and their parsing into a valid request.

use crate::strategy::{Direction, Plan};
use crate::trading::{Fill, Rules};
use market_data::{Range, Timeframe};
use protocol::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `backtest.run`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BacktestParams {
    /// Ticker whose stored bars are traded, e.g. MSFT.
    #[schemars(length(min = 1, max = 20))]
    pub symbol: String,
    /// Bar size.
    #[serde(default)]
    pub timeframe: Timeframe,
    /// Source of the stored bars. Leave empty if there is only one source.
    #[serde(default)]
    #[schemars(extend("x-advanced" = true))]
    pub source: Option<String>,
    /// Start date or time, inclusive. Leave empty for the first stored bar.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub start: Option<String>,
    /// End date or time, inclusive. Leave empty for the last stored bar.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub end: Option<String>,
    /// Trading strategy.
    #[serde(default)]
    pub strategy: StrategyName,
    /// Name of the trained model.
    #[serde(default)]
    #[schemars(extend("x-when" = {"strategy": "model"}))]
    pub model: Option<String>,
    /// Period of the fast moving average in bars, shorter than the slow period.
    #[serde(default = "fast")]
    #[schemars(range(min = 1, max = 5000), extend("x-when" = {"strategy": "sma_cross"}))]
    #[schemars(title = "Fast period")]
    pub fast: u32,
    /// Period of the slow moving average in bars.
    #[serde(default = "slow")]
    #[schemars(range(min = 2, max = 5000), extend("x-when" = {"strategy": "sma_cross"}))]
    #[schemars(title = "Slow period")]
    pub slow: u32,
    /// RSI period in bars.
    #[serde(default = "rsi_period")]
    #[schemars(range(min = 1, max = 1000), extend("x-when" = {"strategy": "rsi_reversion"}))]
    #[schemars(title = "RSI period")]
    pub rsi_period: u32,
    /// Buys when the RSI is below this level.
    #[serde(default = "rsi_low")]
    #[schemars(range(min = 0.0, max = 100.0), extend("x-when" = {"strategy": "rsi_reversion"}))]
    #[schemars(title = "RSI buy level")]
    pub rsi_low: f64,
    /// Sells when the RSI is above this level.
    #[serde(default = "rsi_high")]
    #[schemars(range(min = 0.0, max = 100.0), extend("x-when" = {"strategy": "rsi_reversion"}))]
    #[schemars(title = "RSI sell level")]
    pub rsi_high: f64,
    /// Long only, or long and short.
    #[serde(default)]
    #[schemars(extend("x-advanced" = true))]
    pub direction: Direction,
    /// Initial capital, in the currency of the prices.
    #[serde(default = "capital")]
    #[schemars(range(min = 1.0, max = 1e15))]
    #[schemars(extend("x-advanced" = true))]
    pub capital: f64,
    /// Share of equity invested in a new position; 1 = 100 %.
    #[serde(default = "position_size")]
    #[schemars(range(min = 0.001, max = 1.0))]
    #[schemars(extend("x-advanced" = true))]
    pub position_size: f64,
    /// Commission per side, as a fraction of trade value; 0.001 = 0.1 %.
    #[serde(default = "commission")]
    #[schemars(range(min = 0.0, max = 0.1))]
    pub commission: f64,
    /// Slippage per side, as a fraction of price; 0.001 = 0.1 %.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.1))]
    pub slippage: f64,
    /// Price at which orders are filled.
    #[serde(default)]
    #[schemars(extend("x-advanced" = true))]
    pub fill: Fill,
    /// Trade whole units only, no fractional shares.
    #[serde(default)]
    #[schemars(extend("x-advanced" = true))]
    pub whole_units: bool,
}

fn fast() -> u32 {
    20
}

fn slow() -> u32 {
    50
}

fn rsi_period() -> u32 {
    14
}

fn rsi_low() -> f64 {
    30.0
}

fn rsi_high() -> f64 {
    70.0
}

fn capital() -> f64 {
    10_000.0
}

fn position_size() -> f64 {
    1.0
}

fn commission() -> f64 {
    0.001
}

/// Strategy names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrategyName {
    /// Long while the fast moving average is above the slow moving average
    #[default]
    #[schemars(title = "SMA cross")]
    SmaCross,
    /// Buys when the RSI is low, and sells when the RSI is high
    #[schemars(title = "RSI reversion")]
    RsiReversion,
    /// Buys at the start and sells at the end
    #[schemars(title = "Buy and hold")]
    BuyAndHold,
    /// Trades the predictions of a trained model
    #[schemars(title = "Model")]
    Model,
}

/// Validated request. Its bars and model are not checked yet.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    pub range: Range,
    pub plan: Plan,
    pub direction: Direction,
    pub rules: Rules,
}

impl BacktestParams {
    /// Parses the parameters.
    ///
    /// # Errors
    /// A message for each invalid parameter.
    pub fn request(&self) -> Result<Request, Vec<FieldError>> {
        let mut errors = Vec::new();
        let range = Range::parse(self.start.as_deref(), self.end.as_deref()).unwrap_or_else(|wrong| {
            errors.extend(wrong);
            Range::default()
        });
        let range = range.of(self.timeframe);
        let plan = self.plan().unwrap_or_else(|wrong| {
            errors.push(wrong);
            Plan::BuyAndHold
        });
        let mut within = |field, value: f64, least: f64, most: f64| {
            if !(least..=most).contains(&value) {
                errors.push(FieldError::new(field, format!("Enter a number from {least} to {most}.")));
            }
        };
        within("capital", self.capital, 1.0, 1e15);
        within("position_size", self.position_size, 0.001, 1.0);
        within("commission", self.commission, 0.0, 0.1);
        within("slippage", self.slippage, 0.0, 0.1);
        if !errors.is_empty() {
            return Err(errors);
        }
        let rules = Rules {
            capital: self.capital,
            commission: self.commission,
            slippage: self.slippage,
            fill: self.fill,
            position_size: self.position_size,
            whole_units: self.whole_units,
            close_at_end: true,
        };
        Ok(Request { range, plan, direction: self.direction, rules })
    }

    fn plan(&self) -> Result<Plan, FieldError> {
        match self.strategy {
            StrategyName::SmaCross if self.fast == 0 => {
                Err(FieldError::new("fast", "Must be at least 1 bar."))
            }
            StrategyName::SmaCross if self.fast >= self.slow => {
                Err(FieldError::new("fast", format!("Must be less than the slow period, {}.", self.slow)))
            }
            StrategyName::SmaCross => {
                Ok(Plan::SmaCross { fast: self.fast as usize, slow: self.slow as usize })
            }
            StrategyName::RsiReversion if self.rsi_period == 0 => {
                Err(FieldError::new("rsi_period", "Must be at least 1 bar."))
            }
            StrategyName::RsiReversion if self.rsi_low >= self.rsi_high => {
                Err(FieldError::new("rsi_low", format!("Must be below the sell level, {}.", self.rsi_high)))
            }
            StrategyName::RsiReversion => Ok(Plan::RsiReversion {
                period: self.rsi_period as usize,
                low: self.rsi_low,
                high: self.rsi_high,
            }),
            StrategyName::BuyAndHold => Ok(Plan::BuyAndHold),
            StrategyName::Model => match self.model.as_deref().map(str::trim) {
                Some(name) if !name.is_empty() => Ok(Plan::Model { name: name.to_owned() }),
                _ => Err(FieldError::new("model", "Select a model.")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn request(params: Value) -> Result<Request, Vec<FieldError>> {
        serde_json::from_value::<BacktestParams>(params).unwrap().request()
    }

    fn wrong(params: Value) -> Vec<String> {
        request(params).unwrap_err().into_iter().map(|e| e.field).collect()
    }

    #[test]
    fn only_the_symbol_is_required() {
        let request = request(json!({"symbol": "MSFT"})).unwrap();
        assert_eq!(request.plan, Plan::SmaCross { fast: 20, slow: 50 });
        assert_eq!((request.rules.capital, request.rules.position_size), (10_000.0, 1.0));
        assert_eq!((request.rules.fill, request.direction), (Fill::NextOpen, Direction::LongOnly));
        assert!(request.rules.close_at_end && !request.rules.whole_units);
    }

    #[test]
    fn rules_beyond_the_schema_are_validated_by_field() {
        assert_eq!(wrong(json!({"symbol": "A", "fast": 50, "slow": 50})), ["fast"]);
        let rsi = json!({"symbol": "A", "strategy": "rsi_reversion", "rsi_low": 70, "rsi_high": 30});
        assert_eq!(wrong(rsi), ["rsi_low"]);
        assert_eq!(wrong(json!({"symbol": "A", "strategy": "model", "model": " "})), ["model"]);
        assert_eq!(wrong(json!({"symbol": "A", "start": "soon"})), ["start"]);
        assert_eq!(wrong(json!({"symbol": "A", "start": "2024-02-01", "end": "2024-01-01"})), ["end"]);
        let many =
            json!({"symbol": "A", "fast": 9, "slow": 3, "capital": 0, "position_size": 2, "commission": -1});
        assert_eq!(wrong(many), ["fast", "capital", "position_size", "commission"]);
    }

    #[test]
    fn params_of_other_strategies_are_ignored() {
        let params = json!({"symbol": "A", "strategy": "buy_and_hold", "fast": 9, "slow": 3});
        assert_eq!(request(params).unwrap().plan, Plan::BuyAndHold);
    }
}
