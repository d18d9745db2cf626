//! Known column names, without brackets, spaces and case.

/// Meaning of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Holds {
    /// Time or date; the date if there is also a [`Holds::Clock`].
    Time,
    /// Time of day if there is also a date, otherwise a full time.
    Clock,
    /// Unix time, which needs no other time column.
    SinceEpoch,
    /// Row number, or the time if no other column has it.
    Index,
    Price(usize),
    /// Close price if no other column has it.
    LastPrice,
    Volume,
    /// Number of trades or ticks instead of a volume.
    TickVolume,
    Ticker,
    /// Instrument if there is no ticker.
    Instrument,
    Other,
}

pub(super) const OPEN: usize = 0;
pub(super) const HIGH: usize = 1;
pub(super) const LOW: usize = 2;
pub(super) const CLOSE: usize = 3;

/// Normalizes a name: `<TICKVOL>` → `tickvol`, ` Open Time ` → `open time`.
pub(super) fn plain(name: &str) -> String {
    let name = name.trim().trim_matches('"').trim_start_matches('#').trim();
    let inner = name
        .strip_prefix('<')
        .and_then(|name| name.strip_suffix('>'))
        .or_else(|| name.strip_prefix('[').and_then(|name| name.strip_suffix(']')))
        .unwrap_or(name);
    let name = inner.trim().to_lowercase().replace('_', " ");
    // Alpha Vantage numbers its names: `1. open`.
    let numbered =
        name.split_once(". ").filter(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    numbered.map_or(name.clone(), |(_, rest)| rest.to_owned())
}

/// Meaning of a normalized column name.
pub(super) fn holds(name: &str) -> Holds {
    match name {
        "timestamp" | "date" | "datetime" | "date time" | "open time" | "opentime" | "gmt time"
        | "local time" | "time utc" | "begins at" | "day" | "dt" | "window start" | "ts event"
        | "bar time" => Holds::Time,
        "time" | "t" => Holds::Clock,
        "unix" | "unix timestamp" | "epoch" => Holds::SinceEpoch,
        "index" => Holds::Index,
        "open" | "o" | "open price" | "first" => Holds::Price(OPEN),
        "high" | "h" | "high price" | "max" => Holds::Price(HIGH),
        "low" | "l" | "low price" | "min" => Holds::Price(LOW),
        "close" | "c" | "close price" | "close/last" => Holds::Price(CLOSE),
        "last" | "price" | "last price" | "latest" => Holds::LastPrice,
        "volume" | "vol" | "vol." | "v" | "total volume" | "real volume" => Holds::Volume,
        "tickvol" | "tick volume" | "tickvolume" => Holds::TickVolume,
        "ticker" | "symbol" => Holds::Ticker,
        "instrument" | "contract" | "instrument id" | "sym" | "tic" | "ric" | "act symbol" | "name" => {
            Holds::Instrument
        }
        _ if name.starts_with("time (") => Holds::Time,
        // `Volume BTC` and `Volume USDT`: the first one counts.
        _ if name.starts_with("volume ") => Holds::Volume,
        _ => Holds::Other,
    }
}

/// Time zone in the name of a time column: `Gmt time`, `Time (EET)`.
pub(super) fn zone(name: &str) -> Option<&str> {
    match name {
        "gmt time" | "time utc" => Some("UTC"),
        _ => name.strip_prefix("time (")?.strip_suffix(')'),
    }
}
