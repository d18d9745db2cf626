//! Known column names. Case, spaces, punctuation and units in parentheses make no difference: `PX_OPEN`, `Px Open` and
//! `px.open (USD)` are one name.

mod localized;

/// Meaning of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ColumnMeaning {
    /// Start of the bar, and says so. Needs no other time column.
    Start,
    /// End of the bar, which is read if no other column has a time.
    End,
    /// Time or date; the date if there is also a [`ColumnMeaning::Clock`].
    Time,
    /// Time of day if there is also a date, otherwise a full time.
    Clock,
    /// Unix time, which needs no other time column.
    SinceEpoch,
    /// Row number, or the time if no other column has it.
    Index,
    Price(usize),
    /// Price of one side of the market.
    SidePrice(Side, usize),
    /// Close price if no other column has it.
    LastPrice,
    /// Settlement price, which is the close if no other column has it.
    Settlement,
    Volume,
    /// Volume in a unit, if no column is named just `volume`.
    OtherVolume,
    /// Part of a volume: shares of upticks or downticks.
    PartVolume(Part),
    /// Number of trades or ticks instead of a volume.
    TickVolume,
    Ticker,
    /// Instrument if there is no ticker.
    Instrument,
    Other,
}

/// Side of the market.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Bid,
    Ask,
}

/// Part of a volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Up,
    Down,
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

/// Letters and digits of a normalized name, without a unit in parentheses: `open (usd)` → `open`.
fn compact(name: &str) -> String {
    let without_unit =
        name.strip_suffix([')', ']']).and_then(|start| start.rsplit_once(['(', '[']).map(|(start, _)| start));
    without_unit.unwrap_or(name).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Meaning of a normalized column name.
pub(super) fn holds(name: &str) -> ColumnMeaning {
    if name.contains('%') {
        return ColumnMeaning::Other;
    }
    let compact = compact(name);
    match compact.as_str() {
        "opentime" | "timeopen" | "starttime" | "timestart" | "startat" | "start" | "begin" | "beginsat"
        | "windowstart" | "timeperiodstart" | "periodstart" | "barstart" | "candlestart" => {
            ColumnMeaning::Start
        }
        "closetime" | "timeclose" | "endtime" | "timeend" | "endat" | "end" | "windowend"
        | "timeperiodend" | "periodend" | "barend" | "candleend" => ColumnMeaning::End,
        "timestamp" | "timestamputc" | "utctimestamp" | "date" | "dates" | "dateutc" | "datetime"
        | "datetimeutc" | "dategmt" | "gmttime" | "localtime" | "timeutc" | "utctime" | "utc" | "day"
        | "dt" | "dtyyyymmdd" | "ts" | "mts" | "tsevent" | "bartime" | "candletime" | "tradedate"
        | "tradingdate" | "tradingday" | "exchangedate" | "pricedate" | "quotedate" | "bucket" => {
            ColumnMeaning::Time
        }
        "time" | "t" | "timeofday" => ColumnMeaning::Clock,
        "unix" | "unixtime" | "unixtimestamp" | "epoch" | "epochtime" => ColumnMeaning::SinceEpoch,
        "index" => ColumnMeaning::Index,
        "last" | "price" | "lastprice" | "latest" | "pxlast" | "ltp" | "lasttrade" => {
            ColumnMeaning::LastPrice
        }
        "settle" | "settlement" | "settleprice" | "settlementprice" | "pxsettle" => ColumnMeaning::Settlement,
        "volume"
        | "vol"
        | "v"
        | "totalvolume"
        | "realvolume"
        | "pxvolume"
        | "volumefrom"
        | "volumetraded"
        | "tradedvolume"
        | "tradevolume"
        | "basevolume"
        | "volumebase"
        | "baseassetvolume"
        | "numberofshares"
        | "noofshares"
        | "sharestraded"
        | "totaltradedquantity"
        | "totaltradequantity"
        | "tradedquantity"
        | "tradedqty"
        | "ttltrdqnty"
        | "tottrdqty"
        | "shares" => ColumnMeaning::Volume,
        "up" | "upvol" | "upvolume" => ColumnMeaning::PartVolume(Part::Up),
        "down" | "downvol" | "downvolume" => ColumnMeaning::PartVolume(Part::Down),
        "tickvol" | "tickvolume" => ColumnMeaning::TickVolume,
        "ticker" | "symbol" => ColumnMeaning::Ticker,
        "instrument" | "contract" | "instrumentid" | "instrumentname" | "instid" | "sym" | "tic" | "ric"
        | "actsymbol" | "name" | "mnemonic" | "tscode" | "secid" => ColumnMeaning::Instrument,
        _ if name.starts_with("time (") => ColumnMeaning::Time,
        // `Volume BTC` and `Volume USDT`: the first one counts.
        _ if name.starts_with("volume ") || name.starts_with("vol ") => ColumnMeaning::OtherVolume,
        other => price(other).or_else(|| localized::holds(other)).unwrap_or(ColumnMeaning::Other),
    }
}

/// Meaning of the name of a price: `open`, `priceOpen`, `mid.o`, `bid.c`.
fn price(compact: &str) -> Option<ColumnMeaning> {
    let of_price = |name: &str| {
        let word = name.strip_prefix("price").or_else(|| name.strip_suffix("price"));
        of_four(name).or_else(|| of_four(word.or_else(|| name.strip_prefix("px"))?))
    };
    let paired =
        |word: &str| compact.strip_prefix(word).or_else(|| compact.strip_suffix(word)).and_then(of_price);
    of_price(compact)
        .map(ColumnMeaning::Price)
        .or_else(|| paired("mid").map(ColumnMeaning::Price))
        .or_else(|| paired("bid").map(|price| ColumnMeaning::SidePrice(Side::Bid, price)))
        .or_else(|| paired("ask").map(|price| ColumnMeaning::SidePrice(Side::Ask, price)))
}

fn of_four(word: &str) -> Option<usize> {
    match word {
        "open" | "o" | "first" | "start" | "opening" => Some(OPEN),
        "high" | "h" | "max" => Some(HIGH),
        "low" | "l" | "min" => Some(LOW),
        "close" | "c" | "end" | "closelast" | "closing" => Some(CLOSE),
        _ => None,
    }
}

/// Whether a column has closes adjusted for splits.
pub(super) fn is_adjusted_close(name: &str) -> bool {
    matches!(
        compact(name).as_str(),
        "adjclose" | "adjustedclose" | "closeadj" | "closeadjusted" | "adjcloseprice"
    )
}

/// Whether a column has the factors of splits.
pub(super) fn is_split_factor(name: &str) -> bool {
    matches!(
        compact(name).as_str(),
        "splitcoefficient" | "splitfactor" | "splitratio" | "split" | "splits" | "stocksplits" | "stocksplit"
    )
}

/// Factor of a volume in a unit: `volume (in thousands)`, `vol (000)`.
pub(super) fn unit(name: &str) -> f64 {
    let of = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if of(&["million"]) {
        1e6
    } else if of(&["thousand", "(000)", "(000s)", "'000"]) {
        1e3
    } else {
        1.0
    }
}

/// Time zone in the name of a time column: `Gmt time`, `Date (UTC)`, `Time (EET)`.
pub(super) fn zone(name: &str) -> Option<&str> {
    if let Some(zone) = name.strip_prefix("time (").and_then(|rest| rest.strip_suffix(')')) {
        return Some(zone);
    }
    let words = |c: char| !c.is_alphanumeric();
    name.split(words).any(|word| matches!(word, "utc" | "gmt")).then_some("UTC")
}
