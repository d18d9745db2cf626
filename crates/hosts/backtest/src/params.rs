//! The params of `backtest.run`: as a form asks for them, and parsed into a request that cannot be wrong.

use crate::strategy::Plan;
use crate::trading::Rules;
use data_host::{Range, Timeframe};
use protocol::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `backtest.run` takes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BacktestParams {
    /// The instrument whose stored bars are traded: MSFT.
    #[schemars(length(min = 1, max = 20))]
    pub symbol: String,
    /// How long one bar lasts.
    #[serde(default)]
    pub timeframe: Timeframe,
    /// Where the bars were loaded from. Empty: the only source there is for them.
    #[serde(default)]
    pub source: Option<String>,
    /// First day or moment to trade. Empty: from the first bar stored.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub start: Option<String>,
    /// Last day or moment to trade, itself within. Empty: to the last bar stored.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub end: Option<String>,
    /// What decides where to stand.
    #[serde(default)]
    pub strategy: StrategyName,
    /// Which one, as its training named it.
    #[serde(default)]
    #[schemars(extend("x-when" = {"strategy": "model"}))]
    pub model: Option<String>,
    /// Bars of the fast average, fewer than of the slow one.
    #[serde(default = "fast")]
    #[schemars(range(min = 1, max = 5000), extend("x-when" = {"strategy": "sma_cross"}))]
    pub fast: u32,
    /// Bars of the slow average.
    #[serde(default = "slow")]
    #[schemars(range(min = 2, max = 5000), extend("x-when" = {"strategy": "sma_cross"}))]
    pub slow: u32,
    /// Bars of the relative strength index.
    #[serde(default = "rsi_period")]
    #[schemars(range(min = 1, max = 1000), extend("x-when" = {"strategy": "rsi_reversion"}))]
    pub rsi_period: u32,
    /// Below this it buys.
    #[serde(default = "rsi_low")]
    #[schemars(range(min = 0.0, max = 100.0), extend("x-when" = {"strategy": "rsi_reversion"}))]
    pub rsi_low: f64,
    /// Above this it sells.
    #[serde(default = "rsi_high")]
    #[schemars(range(min = 0.0, max = 100.0), extend("x-when" = {"strategy": "rsi_reversion"}))]
    pub rsi_high: f64,
    /// Whether falling prices are traded too.
    #[serde(default)]
    pub direction: Direction,
    /// Money at the start, in the currency of the prices.
    #[serde(default = "capital")]
    #[schemars(range(min = 1.0, max = 1e15))]
    pub capital: f64,
    /// Share of the equity that goes into a new position, from above 0 to 1.
    #[serde(default = "position_size")]
    #[schemars(range(min = 0.001, max = 1.0))]
    pub position_size: f64,
    /// Paid on each side of a trade, as a share of what is traded: 0.001 is a tenth of a percent.
    #[serde(default = "commission")]
    #[schemars(range(min = 0.0, max = 0.1))]
    pub commission: f64,
    /// By how much worse than the price of the bar each side is filled, as a share of the price.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.1))]
    pub slippage: f64,
    /// At which price an order is filled.
    #[serde(default)]
    pub fill: Fill,
    /// Trade whole units only, as with shares, instead of any fraction.
    #[serde(default)]
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

/// The strategies by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrategyName {
    /// In the market while a fast moving average is above a slow one
    #[default]
    SmaCross,
    /// Buys when the relative strength index is low, sells when it is high
    RsiReversion,
    /// Buys at the beginning and sells at the end
    BuyAndHold,
    /// Does what a trained model says
    Model,
}

/// Which positions may be held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Holds units or nothing
    #[default]
    LongOnly,
    /// Sells short where it would otherwise hold nothing
    LongShort,
}

/// When an order that was decided at the close of a bar is filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// At the open of the next bar, as a person could
    #[default]
    NextOpen,
    /// At the close that the decision came from, as if there were no delay
    ThisClose,
}

/// A backtest that makes sense; that its bars and its model are there is not known yet.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    pub range: Range,
    pub plan: Plan,
    pub direction: Direction,
    pub rules: Rules,
}

impl BacktestParams {
    /// The params parsed.
    ///
    /// # Errors
    /// A message for each param that is wrong.
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
                errors.push(FieldError::new(field, format!("This is a number from {least} to {most}.")));
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
                Err(FieldError::new("fast", "An average is over at least 1 bar."))
            }
            StrategyName::SmaCross if self.fast >= self.slow => Err(FieldError::new(
                "fast",
                format!("The fast average must have fewer bars than the slow one, {}.", self.slow),
            )),
            StrategyName::SmaCross => {
                Ok(Plan::SmaCross { fast: self.fast as usize, slow: self.slow as usize })
            }
            StrategyName::RsiReversion if self.rsi_period == 0 => {
                Err(FieldError::new("rsi_period", "The index is over at least 1 bar."))
            }
            StrategyName::RsiReversion if self.rsi_low >= self.rsi_high => Err(FieldError::new(
                "rsi_low",
                format!("It must buy below where it sells: less than {}.", self.rsi_high),
            )),
            StrategyName::RsiReversion => Ok(Plan::RsiReversion {
                period: self.rsi_period as usize,
                low: self.rsi_low,
                high: self.rsi_high,
            }),
            StrategyName::BuyAndHold => Ok(Plan::BuyAndHold),
            StrategyName::Model => match self.model.as_deref().map(str::trim) {
                Some(name) if !name.is_empty() => Ok(Plan::Model { name: name.to_owned() }),
                _ => Err(FieldError::new("model", "Say which model to ask.")),
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
    fn only_the_symbol_is_needed() {
        let request = request(json!({"symbol": "MSFT"})).unwrap();
        assert_eq!(request.plan, Plan::SmaCross { fast: 20, slow: 50 });
        assert_eq!((request.rules.capital, request.rules.position_size), (10_000.0, 1.0));
        assert_eq!((request.rules.fill, request.direction), (Fill::NextOpen, Direction::LongOnly));
        assert!(request.rules.close_at_end && !request.rules.whole_units);
    }

    #[test]
    fn what_the_schema_can_not_say_is_checked_by_field() {
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
    fn numbers_of_other_strategies_do_not_matter() {
        let params = json!({"symbol": "A", "strategy": "buy_and_hold", "fast": 9, "slow": 3});
        assert_eq!(request(params).unwrap().plan, Plan::BuyAndHold);
    }
}
