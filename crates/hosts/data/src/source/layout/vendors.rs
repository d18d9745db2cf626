//! Sample file of each vendor. Values are made up, layouts are real.

use super::tests::{about, read_as};
use super::*;
use crate::format::Format;

/// Reads a text and returns its format and bars.
fn read(
    text: &str,
    timeframe: Timeframe,
    format: Option<Format>,
    zone: Option<&str>,
) -> (Format, Vec<String>) {
    let read = read_as(text, about(timeframe, format, zone)).unwrap();
    (read.layout.format, read.bars())
}

fn detected(text: &str, timeframe: Timeframe) -> (Format, Vec<String>) {
    read(text, timeframe, None, None)
}

#[test]
fn yfinance_with_three_header_lines_or_one_is_read() {
    let three = "Price,Close,High,Low,Open,Volume\nTicker,MSFT,MSFT,MSFT,MSFT,MSFT\nDate,,,,,\n2024-03-04,101.5,103,99.5,100,2500\n2024-03-05,102,104,101,101.5,2600\n";
    let bars =
        ["2024-03-04T00:00:00Z 100 103 99.5 101.5 2500", "2024-03-05T00:00:00Z 101.5 104 101 102 2600"];
    assert_eq!(detected(three, Timeframe::D1), (Format::Yfinance, bars.map(str::to_owned).to_vec()));
    let intraday = "Price,Adj Close,Close,High,Low,Open,Volume\nTicker,MSFT,MSFT,MSFT,MSFT,MSFT,MSFT\nDatetime,,,,,,\n2024-03-04 14:30:00+00:00,90,101.5,103,99.5,100,2500\n";
    let (format, read) = detected(intraday, Timeframe::H1);
    assert_eq!(
        (format, read[0].as_str()),
        (Format::Yfinance, "2024-03-04T14:30:00Z 100 103 99.5 101.5 2500")
    );
    let one = "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n2024-03-04 00:00:00-05:00,100,103,99.5,101.5,2500,0,0\n";
    assert_eq!(detected(one, Timeframe::D1), (Format::Yfinance, vec![bars[0].to_owned()]));
}

#[test]
fn yfinance_of_several_tickers_gives_the_columns_of_the_loaded_one() {
    let text = "Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume\nTicker,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT\nDate,,,,,,,,,,\n2024-03-04,1,101.5,2,103,1,99.5,1,100,1,2500\n";
    let (_, bars) = detected(text, Timeframe::D1);
    assert_eq!(bars, ["2024-03-04T00:00:00Z 100 103 99.5 101.5 2500"]);
    let others = text.replace("MSFT", "NVDA");
    let refused = read_as(&others, about(Timeframe::D1, None, None)).err().unwrap();
    assert!(refused.message.contains("AAPL, NVDA, and none of MSFT"), "{}", refused.message);
    let other = "Price,Close,High,Low,Open,Volume\nTicker,NVDA,NVDA,NVDA,NVDA,NVDA\nDate,,,,,\n2024-03-04,101.5,103,99.5,100,2500\n";
    let warnings = read_as(other, about(Timeframe::D1, None, None)).unwrap().layout.warnings;
    assert!(warnings[0].contains("of NVDA, not of MSFT"), "{warnings:?}");
}

#[test]
fn binance_klines_in_milliseconds_or_microseconds_are_read() {
    let line = |time: &str, end: &str| {
        format!(
            "{time},4.15070000,4.15870000,4.15060000,4.15540000,539.23000000,{end},2240.39,13,401.82,1669.98,0\n"
        )
    };
    let text = line("1735686000000", "1735689599999") + &line("1735689600000000", "1735693199999999");
    let (format, bars) = detected(&text, Timeframe::H1);
    assert_eq!(format, Format::Binance);
    assert_eq!(
        bars,
        [
            "2024-12-31T23:00:00Z 4.1507 4.1587 4.1506 4.1554 539.23",
            "2025-01-01T00:00:00Z 4.1507 4.1587 4.1506 4.1554 539.23"
        ]
    );
    let header = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n";
    assert_eq!(detected(&format!("{header}{text}"), Timeframe::H1), (Format::Binance, bars));
}

#[test]
fn interactive_brokers_with_or_without_a_zone_is_read() {
    let text = "date,open,high,low,close,volume,average,barCount\n20240304 09:30:00 US/Eastern,100,103,99.5,101.5,2500,101,42\n";
    let (format, bars) = detected(text, Timeframe::M30);
    assert_eq!(
        (format, bars[0].as_str()),
        (Format::InteractiveBrokers, "2024-03-04T14:30:00Z 100 103 99.5 101.5 2500")
    );
    let old = text.replace(" 09:30:00 US/Eastern", "  09:30:00").replace("2500", "-1");
    let (_, bars) = read(&old, Timeframe::M30, Some(Format::InteractiveBrokers), Some("America/New_York"));
    assert!(bars[0].starts_with("2024-03-04T14:30:00Z"), "{bars:?}");
    assert_eq!(detected(&old, Timeframe::M30).1, ["line 2: no_zone"]);
    let day = text.replace(" 09:30:00 US/Eastern", "");
    assert!(detected(&day, Timeframe::D1).1[0].starts_with("2024-03-04T00:00:00Z"));
}

#[test]
fn metatrader_with_bracketed_names_or_without_names_is_read() {
    let five = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2024.03.04\t09:00:00\t1.1\t1.3\t1\t1.2\t42\t0\t5\n2024.03.04\t10:00:00\tx\t1.3\t1\t1.2\t42\t0\t5\n";
    let (format, bars) = read(five, Timeframe::H1, None, Some("Europe/Athens"));
    assert_eq!(format, Format::Metatrader);
    assert_eq!(
        bars,
        ["2024-03-04T07:00:00Z 1.1 1.3 1 1.2 42", "line 3: not_a_number"],
        "ticks where there is no volume"
    );
    assert_eq!(detected(five, Timeframe::H1).1[0], "line 2: no_zone");
    let day = "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2024.03.04\t1.1\t1.3\t1\t1.2\t42\t99\t5\n";
    assert_eq!(
        detected(day, Timeframe::D1),
        (Format::Metatrader, vec!["2024-03-04T00:00:00Z 1.1 1.3 1 1.2 99".to_owned()])
    );
    let four = "2024.03.04,09:00,1.1,1.3,1,1.2,42\n2024.03.04,10:00,1.1,1.3,1,1.2,43\n";
    let (format, bars) = read(four, Timeframe::H1, None, Some("UTC+2"));
    assert_eq!((format, bars[1].as_str()), (Format::Metatrader, "2024-03-04T08:00:00Z 1.1 1.3 1 1.2 43"));
}

#[test]
fn stooq_web_and_bulk_files_are_read() {
    let web = "Date,Open,High,Low,Close,Volume\n2024-03-04,100,103,99.5,101.5,2500\n";
    assert_eq!(detected(web, Timeframe::D1).1, ["2024-03-04T00:00:00Z 100 103 99.5 101.5 2500"]);
    let bulk = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nMSFT.US,60,20240304,153000,100,103,99.5,101.5,2500,0\n";
    let (format, bars) = read(bulk, Timeframe::H1, Some(Format::Stooq), Some("Europe/Warsaw"));
    assert_eq!((format, bars[0].as_str()), (Format::Stooq, "2024-03-04T14:30:00Z 100 103 99.5 101.5 2500"));
    let (format, bars) = detected(&bulk.replace("60,20240304,153000", "D,20240304,000000"), Timeframe::D1);
    assert_eq!((format, bars[0].as_str()), (Format::Stooq, "2024-03-04T00:00:00Z 100 103 99.5 101.5 2500"));
    let two = "Date,Time,Open,High,Low,Close,Volume\n2024-03-04,15:30:00,100,103,99.5,101.5,2500\n";
    assert_eq!(
        read(two, Timeframe::H1, None, Some("Europe/Warsaw")).1,
        ["2024-03-04T14:30:00Z 100 103 99.5 101.5 2500"]
    );
}

#[test]
fn histdata_is_in_est_all_year_once_it_is_chosen() {
    let text = "20240301 170000;1.1;1.3;1;1.2;0\n20240701 170100;1.1;1.3;1;1.2;0\n";
    let (format, bars) = read(text, Timeframe::M1, Some(Format::Histdata), None);
    assert_eq!(format, Format::Histdata);
    assert_eq!(bars, ["2024-03-01T22:00:00Z 1.1 1.3 1 1.2 0", "2024-07-01T22:01:00Z 1.1 1.3 1 1.2 0"]);
    let undecided = read_as(text, about(Timeframe::M1, None, None)).unwrap();
    assert_eq!(undecided.layout.format, Format::Histdata);
    let reject = undecided.rows[0].bar.clone().unwrap_err();
    assert!(reject.text.contains("choose the format histdata"), "{}", reject.text);
    let for_metatrader = "2024.03.01,17:00,1.1,1.3,1,1.2,0\n";
    assert_eq!(
        read(for_metatrader, Timeframe::M1, Some(Format::Histdata), None).1,
        ["2024-03-01T22:00:00Z 1.1 1.3 1 1.2 0"]
    );
}

#[test]
fn dukascopy_in_gmt_or_local_time_is_read() {
    let gmt = "Gmt time,Open,High,Low,Close,Volume\n04.03.2024 09:00:00.000,1.1,1.3,1,1.2,926.5\n";
    let bars = vec!["2024-03-04T09:00:00Z 1.1 1.3 1 1.2 926.5".to_owned()];
    assert_eq!(detected(gmt, Timeframe::H1), (Format::Dukascopy, bars.clone()));
    let local =
        "Local time,Open,High,Low,Close,Volume\n04.03.2024 10:00:00.000 GMT+0100,1.1,1.3,1,1.2,926.5\n";
    assert_eq!(detected(local, Timeframe::H1), (Format::Dukascopy, bars.clone()));
    let eet = "Time (EET),Open,High,Low,Close,Volume \n2024.03.04 11:00:00,1.1,1.3,1,1.2,926.5\n";
    assert_eq!(detected(eet, Timeframe::H1), (Format::Dukascopy, bars));
}

#[test]
fn tradingview_in_seconds_or_iso_is_read() {
    let text = "time,open,high,low,close,Volume\n1709562600,100,103,99.5,101.5,2500\n";
    let bars = vec!["2024-03-04T14:30:00Z 100 103 99.5 101.5 2500".to_owned()];
    assert_eq!(detected(text, Timeframe::M30), (Format::Tradingview, bars.clone()));
    let iso = text.replace("1709562600", "2024-03-04T09:30:00-05:00");
    assert_eq!(detected(&iso, Timeframe::M30), (Format::Tradingview, bars));
}

#[test]
fn alpha_vantage_is_newest_first_in_new_york_time_once_it_is_chosen() {
    let text = "timestamp,open,high,low,close,volume\n2024-03-11 09:30:00,100,103,99.5,101.5,2500\n2024-03-08 15:30:00,100,103,99.5,101.5,2600\n";
    let read = read_as(text, about(Timeframe::M30, Some(Format::AlphaVantage), None)).unwrap();
    assert!(read.layout.times.newest_first);
    assert_eq!(
        read.bars(),
        ["2024-03-11T13:30:00Z 100 103 99.5 101.5 2500", "2024-03-08T20:30:00Z 100 103 99.5 101.5 2600"]
    );
    let (format, bars) = detected(text, Timeframe::M30);
    assert_eq!((format, bars[0].as_str()), (Format::AlphaVantage, "line 2: no_zone"));
}

#[test]
fn unknown_vendors_are_read_as_generic() {
    for (text, timeframe, zone, bar) in [
        // Nasdaq.com: newest first, dollars.
        (
            "Date,Close/Last,Volume,Open,High,Low\n03/14/2024,$101.50,2500,$100.00,$103.00,$99.50\n",
            Timeframe::D1,
            None,
            "2024-03-14T00:00:00Z 100 103 99.5 101.5 2500",
        ),
        // Investing.com: quoted, thousands, millions.
        (
            "\"Date\",\"Price\",\"Open\",\"High\",\"Low\",\"Vol.\",\"Change %\"\n\"03/14/2024\",\"1,101.50\",\"1,100.00\",\"1,103.00\",\"1,099.50\",\"2.5M\",\"0.1%\"\n",
            Timeframe::D1,
            None,
            "2024-03-14T00:00:00Z 1100 1103 1099.5 1101.5 2500000",
        ),
        // Kibot: no names, month first, New York.
        (
            "03/14/2024,09:30,100,103,99.5,101.5,2500\n",
            Timeframe::M1,
            Some("America/New_York"),
            "2024-03-14T13:30:00Z 100 103 99.5 101.5 2500",
        ),
        // Kraken: no names, seconds.
        (
            "1709562600,100,103,99.5,101.5,2.5,7\n",
            Timeframe::M1,
            None,
            "2024-03-04T14:30:00Z 100 103 99.5 101.5 2.5",
        ),
        // CryptoDataDownload: a URL, then names.
        (
            "https://www.example.org\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount\n1709562600000,2024-03-04 14:30:00,BTCUSDT,100,103,99.5,101.5,2.5,250,7\n",
            Timeframe::M1,
            None,
            "2024-03-04T14:30:00Z 100 103 99.5 101.5 2.5",
        ),
        // Finam: the names of Stooq, without open interest.
        (
            "<TICKER>;<PER>;<DATE>;<TIME>;<OPEN>;<HIGH>;<LOW>;<CLOSE>;<VOL>\nMSFT;30;20240314;100000;100;103;99.5;101.5;2500\n",
            Timeframe::M30,
            Some("Europe/Moscow"),
            "2024-03-14T07:00:00Z 100 103 99.5 101.5 2500",
        ),
        // OKX: an open time, as Binance.
        (
            "instrument_name,open,high,low,close,vol,vol_ccy,vol_quote,open_time,confirm\nMSFT,100,103,99.5,101.5,2500,25,250000,1709562600000,1\n",
            Timeframe::M1,
            None,
            "2024-03-04T14:30:00Z 100 103 99.5 101.5 2500",
        ),
        // Baostock: date and time in one number of 17 digits, beside the date.
        (
            "date,time,code,open,high,low,close,volume,amount\n2024-03-04,20240304093500000,sh.600000,100,103,99.5,101.5,2500,1\n",
            Timeframe::M5,
            Some("Asia/Shanghai"),
            "2024-03-04T01:35:00Z 100 103 99.5 101.5 2500",
        ),
        // Polygon: nanoseconds.
        (
            "ticker,volume,open,close,high,low,window_start,transactions\nMSFT,2500,100,101.5,103,99.5,1709562600000000000,7\n",
            Timeframe::M1,
            None,
            "2024-03-04T14:30:00Z 100 103 99.5 101.5 2500",
        ),
    ] {
        assert_eq!(read(text, timeframe, None, zone), (Format::Generic, vec![bar.to_owned()]), "{text}");
    }
}

#[test]
fn a_chosen_format_that_does_not_match_the_file_is_rejected() {
    let dukascopy = "Gmt time,Open,High,Low,Close,Volume\n04.03.2024 09:00:00.000,1.1,1.3,1,1.2,926.5\n";
    for format in [Format::Histdata, Format::Binance, Format::Stooq, Format::Yfinance] {
        let refused = read_as(dukascopy, about(Timeframe::H1, Some(format), None)).err().unwrap();
        assert!(refused.message.contains("it looks like dukascopy"), "{format}: {}", refused.message);
    }
    assert!(read_as(dukascopy, about(Timeframe::H1, Some(Format::Generic), None)).is_ok());
}

/// Message of a refusal.
fn refused(text: &str, format: Format) -> String {
    match read_as(text, about(Timeframe::M30, Some(format), None)) {
        Ok(read) => panic!("{:?}", read.bars()),
        Err(failure) => failure.message,
    }
}

#[test]
fn a_chosen_format_is_rejected_if_the_columns_are_of_another_vendor() {
    let ib = "date,open,high,low,close,volume,average,barCount\n20240304  09:30:00,100,103,99.5,101.5,2500,101,42\n";
    let message = refused(ib, Format::Binance);
    assert!(message.contains("format binance; it looks like interactive_brokers"), "{message}");
    let barchart =
        "Time,Open,High,Low,Last,Change,%Chg,Volume\n03/14/2024 15:00,100,103,99.5,101.5,1,1%,2500\n";
    for format in Format::ALL.into_iter().filter(|format| !matches!(format, Format::Generic)) {
        let message = refused(barchart, format);
        assert!(message.contains(&format!("format {format}")), "{message}");
        assert!(message.contains("Time,Open,High,Low,Last"), "{message}");
    }
    let walls = "20240304 143000;100;103;99.5;101.5;2500\n";
    assert!(refused(walls, Format::Binance).contains("has no line of column names"));
    let read = read_as(walls, about(Timeframe::M30, Some(Format::Histdata), None)).unwrap();
    assert!(
        read.layout.warnings[0].contains("HistData contain only volumes of 0"),
        "{:?}",
        read.layout.warnings
    );
}

#[test]
fn around_the_clock_trading_changes_the_advice_about_zones() {
    let error_of = |text: &str| {
        let read = read_as(text, about(Timeframe::H1, None, None)).unwrap();
        read.rows[0].bar.clone().unwrap_err().text
    };
    let ninja = "20240304 143000;5100;5101.14;5080.3;5085.48;51586\n";
    assert!(error_of(ninja).contains("NinjaTrader, which exports in UTC"), "{}", error_of(ninja));
    let header = "timestamp,open,high,low,close,volume\n";
    let stocks = format!("{header}2024-03-11 15:00:00,1,2,1,1,5\n2024-03-11 14:00:00,1,2,1,1,5\n");
    assert!(error_of(&stocks).contains("alpha_vantage (New York time)"), "{}", error_of(&stocks));
    let crypto = format!("{header}2024-03-11 15:00:00,1,2,1,1,5.25\n2024-03-11 14:00:00,1,2,1,1,5\n");
    let currency =
        "timestamp,open,high,low,close\n2024-03-11 23:00:00,1,2,1,1\n2024-03-11 14:00:00,1,2,1,1\n";
    let night = format!("{header}2024-03-11 23:00:00,1,2,1,1,5\n2024-03-11 22:00:00,1,2,1,1,5\n");
    for text in [crypto.as_str(), currency, &night] {
        assert!(error_of(text).contains("crypto are in UTC"), "{}", error_of(text));
        let read = read_as(text, about(Timeframe::H1, Some(Format::AlphaVantage), None)).unwrap();
        let hour = read.rows[0].time.unwrap().timestamp().to_string();
        assert!(text.contains(&hour[11..16]), "{hour} is UTC");
    }
    // A stock without volumes is not advised as a currency.
    let bare = "timestamp,open,high,low,close\n2024-03-11 15:00:00,1,2,1,1\n2024-03-11 14:00:00,1,2,1,1\n";
    assert!(error_of(bare).contains("or the time zone of the exchange for a stock"), "{}", error_of(bare));
    let rising = "date,open,high,low,close\n2024-03-11 14:00:00,1,2,1,1\n2024-03-11 15:00:00,1,2,1,1\n";
    assert!(
        error_of(rising).contains("most sources of stocks use the zone of the exchange"),
        "{}",
        error_of(rising)
    );
    assert!(!error_of(rising).contains("currencies"), "{}", error_of(rising));
    let weekend = format!("{header}2024-03-09 14:00:00,1,2,1,1,5\n2024-03-09 15:00:00,1,2,1,1,5\n");
    assert!(
        error_of(&weekend).contains("most sources of currencies and crypto use UTC"),
        "{}",
        error_of(&weekend)
    );
}

#[test]
fn raw_prices_of_databento_are_scaled_and_others_are_not() {
    let header = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n";
    let row = |prices: &str| format!("{header}1709562600000000000,33,1,17077,{prices},42643,MSFT\n");
    let raw = row("5100000000000,5109140000000,5099330000000,5103040000000");
    let bars = ["2024-03-04T14:30:00Z 5100 5109.14 5099.33 5103.04 42643"];
    assert_eq!(detected(&raw, Timeframe::M1).1, bars);
    assert_eq!(
        detected(&row("5100.000000000,5109.140000000,5099.330000000,5103.040000000"), Timeframe::M1).1,
        bars
    );
    let none = raw.clone() + "1709562660000000000,33,1,17077,9223372036854775807,1,1,1,0,MSFT\n";
    assert_eq!(detected(&none, Timeframe::M1).1[1], "line 3: not_a_number");
    let elsewhere = "time,open,high,low,close\n2024-03-04T14:30:00Z,5100,5200,5000,5100\n";
    assert_eq!(detected(elsewhere, Timeframe::M1).1, ["2024-03-04T14:30:00Z 5100 5200 5000 5100 ?"]);
}

#[test]
fn the_symbol_named_by_a_file_is_compared_with_the_loaded_one() {
    let text = |ticker: &str| {
        format!("ticker,volume,open,close,high,low,window_start\n{ticker},5,1,1,2,1,1709562600000000000\n")
    };
    let warnings =
        |ticker: &str| read_as(&text(ticker), about(Timeframe::M1, None, None)).unwrap().layout.warnings;
    assert_eq!(warnings("AAPL"), ["The file says that its bars are of AAPL, not of MSFT."]);
    assert!(warnings("msft.us").is_empty() && warnings("17077").is_empty());
}

#[test]
fn the_latest_price_of_barchart_is_the_close() {
    let text = "Time,Open,High,Low,Latest,Change,%Change,Volume\n03/22/2024,100,103,99.5,101.5,-1,-1%,2500\n";
    assert_eq!(detected(text, Timeframe::D1).1, ["2024-03-22T00:00:00Z 100 103 99.5 101.5 2500"]);
}
