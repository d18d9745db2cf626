//! Names of columns in real files, as they are once brackets, blanks and case are taken away.

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Holds {
    /// A moment or a day, or with [`Holds::Clock`] beside it the day.
    Time,
    /// A time of day where a day is beside it, a moment otherwise.
    Clock,
    /// The time since 1970: what else says a time is not needed beside it.
    SinceEpoch,
    /// The number of a row, or the time where nothing else is it.
    Index,
    Price(usize),
    /// The price of a close where no other column is one.
    LastPrice,
    Volume,
    /// Trades or ticks in place of a volume.
    TickVolume,
    Ticker,
    Other,
}

pub(super) const OPEN: usize = 0;
pub(super) const HIGH: usize = 1;
pub(super) const LOW: usize = 2;
pub(super) const CLOSE: usize = 3;

/// `<TICKVOL>` → `tickvol`, ` Open Time ` → `open time`.
pub(super) fn plain(name: &str) -> String {
    let name = name.trim().trim_matches('"').trim();
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

/// What a column of that plain name holds.
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
        "last" | "price" | "last price" => Holds::LastPrice,
        "volume" | "vol" | "vol." | "v" | "total volume" | "real volume" => Holds::Volume,
        "tickvol" | "tick volume" | "tickvolume" => Holds::TickVolume,
        "ticker" | "symbol" => Holds::Ticker,
        _ if name.starts_with("time (") => Holds::Time,
        // `Volume BTC` beside `Volume USDT`: the first one counts.
        _ if name.starts_with("volume ") => Holds::Volume,
        _ => Holds::Other,
    }
}

/// The zone that the name of a time column says: `Gmt time`, `Time (EET)`.
pub(super) fn zone(name: &str) -> Option<&str> {
    match name {
        "gmt time" | "time utc" => Some("UTC"),
        _ => name.strip_prefix("time (")?.strip_suffix(')'),
    }
}
