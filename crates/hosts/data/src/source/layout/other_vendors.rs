//! Sample file of each vendor without a format of its own. Values are made up, layouts are real.

use super::tests::{about, read_as};
use super::*;

/// Bars of a text, with a time zone for times without one.
fn bars(text: &str, timeframe: Timeframe, zone: Option<&str>) -> Vec<String> {
    read_as(text, about(timeframe, None, zone)).unwrap().bars()
}

fn refused(text: &str) -> Failure {
    read_as(text, about(Timeframe::H1, None, None)).err().unwrap()
}

const BAR: &str = "2024-03-04T14:00:00Z 100 103 99.5 101.5 2500";
const DAY: &str = "2024-03-14T00:00:00Z 100 103 99.5 101.5 2500";

#[test]
fn columns_of_crypto_exchanges_are_recognized() {
    for text in [
        // OKX: API and history files.
        "ts,o,h,l,c,vol,volCcy,volCcyQuote,confirm\n1709560800000,100,103,99.5,101.5,2500,1,2,1\n",
        "instrument_name,open,high,low,close,vol,vol_ccy,vol_quote,open_time,confirm\nMSFT,100,103,99.5,101.5,2500,1,2,1709560800000,1\n",
        // Bybit.
        "startTime,openPrice,highPrice,lowPrice,closePrice,volume,turnover\n1709560800000,100,103,99.5,101.5,2500,9\n",
        "start_at,symbol,period,open,high,low,close,volume,turnover\n1709560800,MSFT,60,100,103,99.5,101.5,2500,9\n",
        "open_time,open,high,low,close,volume,turnover\n1709560800000,100,103,99.5,101.5,2500,9\n",
        // Bitfinex.
        "MTS,OPEN,CLOSE,HIGH,LOW,VOLUME\n1709560800000,100,101.5,103,99.5,2500\n",
        // CryptoCompare.
        "time,high,low,open,volumefrom,volumeto,close,conversionType,conversionSymbol\n1709560800,103,99.5,100,2500,250000,101.5,direct,\n",
        // Kraken.
        "1709560800,100,103,99.5,101.5,2500,7\n",
        // CoinAPI, with the times of its trades.
        "time_period_start;time_period_end;time_open;time_close;price_open;price_high;price_low;price_close;volume_traded;trades_count\n2024-03-04T14:00:00.0000000Z;2024-03-04T15:00:00.0000000Z;2024-03-04T14:00:02.1000000Z;2024-03-04T14:59:58.9000000Z;100;103;99.5;101.5;2500;7\n",
        // Finnhub.
        "c,h,l,o,s,t,v\n101.5,103,99.5,100,ok,1709560800,2500\n",
        // Poloniex, Bitstamp.
        "date,high,low,open,close,volume,quoteVolume,weightedAverage\n1709560800,103,99.5,100,101.5,2500,9,101\n",
        "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price\n1709560800,100,103,99.5,101.5,2500,9,101\n",
    ] {
        assert_eq!(bars(text, Timeframe::H1, None), [BAR], "{text}");
    }
}

#[test]
fn daily_bars_of_coinmarketcap_have_the_day_of_their_start() {
    let text = "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp\n\"2024-03-14T00:00:00.000Z\";\"2024-03-14T23:59:59.999Z\";\"2024-03-14T05:00:00.000Z\";\"2024-03-14T20:00:00.000Z\";\"2781\";100;103;99.5;101.5;2500;9;\"2024-03-14T23:59:59.999Z\"\n";
    assert_eq!(bars(text, Timeframe::D1, None), [DAY]);
}

#[test]
fn columns_of_data_services_are_recognized() {
    for text in [
        // Polygon, Databento, Alpaca, EODHD, Tiingo.
        "ticker,volume,open,close,high,low,window_start,transactions\nMSFT,2500,100,101.5,103,99.5,1709560800000000000,7\n",
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n1709560800000000000,34,1,7,100000000000,103000000000,99500000000,101500000000,2500,MSFT\n",
        "symbol,timestamp,open,high,low,close,volume,trade_count,vwap\nMSFT,2024-03-04 14:00:00+00:00,100,103,99.5,101.5,2500,7,101\n",
        "Timestamp,Gmtoffset,Datetime,Open,High,Low,Close,Volume\n1709560800,0,2024-03-04 14:00:00,100,103,99.5,101.5,2500\n",
        "date,close,high,low,open,volume\n2024-03-04T14:00:00.000Z,101.5,103,99.5,100,2500\n",
        // Refinitiv.
        "#RIC,Domain,Date-Time,GMT Offset,Type,Open,High,Low,Last,Volume,No. Trades\nMSFT.O,Market Price,2024-03-04T14:00:00.000000000Z,-5,Intraday 1Hour,100,103,99.5,101.5,2500,7\n",
        // Names that say the zone.
        "Date (UTC),Open (USD),High (USD),Low (USD),Close (USD),Volume\n2024-03-04 14:00,100,103,99.5,101.5,2500\n",
        "timestamp_utc,open,high,low,close,volume\n2024-03-04 14:00:00,100,103,99.5,101.5,2500\n",
        // MOEX, in New York for this test: start and end of each bar.
        "begin;end;open;close;high;low;value;volume\n2024-03-04T14:00:00Z;2024-03-04T14:59:59Z;100;101.5;103;99.5;9;2500\n",
    ] {
        assert_eq!(bars(text, Timeframe::H1, None), [BAR], "{text}");
    }
    // FirstRate; Deutsche Börse; AmiBroker; Sierra Chart.
    for text in [
        "timestamp,open,high,low,close,volume\n2024-03-04 09:00:00,100,103,99.5,101.5,2500\n",
        "ISIN,Mnemonic,SecurityDesc,SecurityType,Currency,SecurityID,Date,Time,StartPrice,MaxPrice,MinPrice,EndPrice,TradedVolume,NumberOfTrades\nUS5949181045,MSFT,\"MICROSOFT, INC\",Common stock,EUR,7,2024-03-04,09:00,100,103,99.5,101.5,2500,7\n",
        "Ticker,Date/Time,Open,High,Low,Close,Volume\nMSFT,2024-03-04 09:00,100,103,99.5,101.5,2500\n",
        "Date, Time, Open, High, Low, Last, Volume, NumberOfTrades, BidVolume, AskVolume\n2024/3/4, 09:00:00.000000, 100, 103, 99.5, 101.5, 2500, 7, 3, 4\n",
        "Date,Time,Open,High,Low,Close,Volume\n2024-03-04,90000,100,103,99.5,101.5,2500\n",
    ] {
        assert_eq!(bars(text, Timeframe::H1, Some("America/New_York")), [BAR], "{text}");
    }
}

#[test]
fn mid_prices_of_oanda_are_read_but_bid_and_ask_together_are_rejected() {
    let row = |side: &str| format!("{side}.o,{side}.h,{side}.l,{side}.c");
    let text = |sides: &[&str]| {
        let names: Vec<String> = sides.iter().map(|side| row(side)).collect();
        let prices = vec!["100,103,99.5,101.5"; sides.len()];
        format!(
            "complete,volume,time,{}\nTrue,2500,2024-03-04T14:00:00.000000000Z,{}\n",
            names.join(","),
            prices.join(",")
        )
    };
    for sides in [&["mid"][..], &["bid"], &["ask"], &["bid", "mid", "ask"]] {
        assert_eq!(bars(&text(sides), Timeframe::H1, None), [BAR], "{sides:?}");
    }
    let ig = "time,openPrice.bid,highPrice.bid,lowPrice.bid,closePrice.bid,volume\n2024-03-04T14:00:00Z,100,103,99.5,101.5,2500\n";
    assert_eq!(bars(ig, Timeframe::H1, None), [BAR]);
    let told = refused(&text(&["bid", "ask"]));
    assert!(told.message.contains("bid and ask prices and no others"), "{}", told.message);
    let read = read_as(&text(&["bid"]), about(Timeframe::H1, None, None)).unwrap();
    assert!(read.layout.notes.contains(&"The prices are bid prices".to_owned()), "{:?}", read.layout.notes);
}

#[test]
fn daily_files_of_terminals_exchanges_and_portals_are_recognized() {
    for text in [
        // Bloomberg, below the cells of its request.
        "MSFT US Equity,,,,,\nDates,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME\n3/14/2024,100,103,99.5,101.5,2500\n",
        "Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,VOLUME\n2024-03-14,100,103,99.5,101.5,2500\n",
        // NSE and BSE of India.
        "Date ,series ,OPEN ,HIGH ,LOW ,PREV. CLOSE ,ltp ,close ,vwap ,52W H,52W L ,VOLUME ,VALUE ,No of trades \n14-Mar-2024,EQ,100.00,103.00,99.50,99.00,101.60,101.50,101,120,80,\"2,500\",\"2,53,000.00\",7\n",
        "Symbol,Series,Date,Prev Close,Open Price,High Price,Low Price,Last Price,Close Price,Average Price,Total Traded Quantity,Turnover,No. of Trades\nMSFT,EQ,14-Mar-2024,99,100,103,99.5,101.6,101.5,101,2500,9,7\n",
        "Date,Open Price,High Price,Low Price,Close Price,WAP,No.of Shares,No. of Trades,Total Turnover (Rs.),Deliverable Quantity\n14-March-2024,100,103,99.5,101.5,101,2500,7,9,3,\n",
        "Date,Open,High,Low,Close,Number of Shares,Turnover (Rs. Cr)\n14-MAR-24,100,103,99.5,101.5,2500,9\n",
        // Nasdaq, investing.com, WSJ, Barchart with its last line.
        "Date,Close/Last,Volume,Open,High,Low\n03/14/2024,$101.50,2500,$100.00,$103.00,$99.50\n",
        "\"Date\",\"Price\",\"Open\",\"High\",\"Low\",\"Vol.\",\"Change %\"\n\"03/14/2024\",\"101.50\",\"100.00\",\"103.00\",\"99.50\",\"2.5K\",\"0.10%\"\n",
        "Date, Open, High, Low, Close, Volume\n03/14/24, 100.00, 103.00, 99.50, 101.50, 2500\n",
        "Time,Open,High,Low,Last,Change,%Chg,Volume\n03/14/2024,100,103,99.5,101.5,1,+1.00%,2500\n\"Downloaded from Barchart.com as of 03-15-2024 06:00am CDT\"\n",
        // EODHD, Tiingo, Yahoo, Refinitiv, Tushare.
        "Date,Open,High,Low,Close,Adjusted_close,Volume\n2024-03-14,100,103,99.5,101.5,90,2500\n",
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor\n2024-03-14T00:00:00.000Z,101.5,103,99.5,100,2500,1,1,1,1,1,0,1\n",
        "Date,Open,High,Low,Close*,Adj Close**,Volume\n\"Mar 14, 2024\",100,103,99.5,101.5,90,2500\n",
        "Exchange Date,Close,Net,%Chg,Open,Low,High,Volume\n14-Mar-2024,101.5,1,1%,100,99.5,103,2500\n",
        "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount\nMSFT,20240314,100,103,99.5,101.5,99,1,1,2500,9\n",
        // MetaStock, futures with a settlement price, Stooq in Polish, Ariva, Boursorama, and in Chinese.
        "<TICKER>,<DTYYYYMMDD>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\nMSFT,20240314,100,103,99.5,101.5,2500\n",
        "Date,Open,High,Low,Settle,Change,Volume,Previous Day Open Interest\n2024-03-14,100,103,99.5,101.5,1,2500,9\n",
        "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen\n2024-03-14,100,103,99.5,101.5,2500\n",
        "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen\n14.03.2024;100,00;103,00;99,50;101,50;2.500;250.000\n",
        "date\touv\thaut\tbas\tclot\tvol\tdevise\n14/03/2024\t100\t103\t99,5\t101,5\t2 500\tEUR\n",
        "日期,开盘,收盘,最高,最低,成交量\n2024-03-14,100,101.5,103,99.5,2500\n",
    ] {
        assert_eq!(bars(text, Timeframe::D1, None), [DAY], "{text}");
    }
}

#[test]
fn digit_grouping_of_india_france_and_switzerland_is_read() {
    for (numbers, bar) in [
        (
            "\"1,23,456.50\",\"1,23,460\",\"1,23,450\",\"1,23,455\",\"12,34,567\"",
            "123456.5 123460 123450 123455 1234567",
        ),
        (
            "\"1\u{a0}100,50\",\"1\u{202f}103,00\",\"1 099,50\",\"1 101,5 €\",\"12 345 678\"",
            "1100.5 1103 1099.5 1101.5 12345678",
        ),
        ("1'100.50,1'103.00,1'099.50,1'101.50,12'345", "1100.5 1103 1099.5 1101.5 12345"),
    ] {
        let text = format!("date,open,high,low,close,volume\n2024-03-14,{numbers}\n");
        assert_eq!(bars(&text, Timeframe::D1, None), [format!("2024-03-14T00:00:00Z {bar}")], "{numbers}");
    }
    let wrong = "date,open,high,low,close\n2024-03-14,\"1,2,3.5\",5,1,2\n";
    assert_eq!(bars(wrong, Timeframe::D1, None), ["line 2: not_a_number"]);
}

#[test]
fn an_unknown_header_is_quoted_with_its_recognized_columns() {
    let coingecko = "snapped_at,price,market_cap,total_volume\n2024-03-14 00:00:00 UTC,100,9,2500\n";
    let told = refused(coingecko);
    assert!(
        told.message.contains("no column for a time (timestamp, time, date or datetime), open, high, low."),
        "{}",
        told.message
    );
    assert!(told.message.contains("line 1: 'snapped_at,price,market_cap,total_volume'"), "{}", told.message);
    assert!(
        told.message
            .contains("Recognized: 'price', 'total_volume'; not recognized: 'snapped_at', 'market_cap'."),
        "{}",
        told.message
    );
    assert!(told.hint.starts_with("Name the columns timestamp, open"), "{}", told.hint);
    // The title above the names is not quoted in their place, nor a row.
    let titled = "Prices of MSFT\nexported 2024-03-14\n\nWhen,Begin price,Top,Bottom,Final\n2024-03-14,100,103,99.5,101.5\n";
    let told = refused(titled);
    assert!(told.message.contains("line 4: 'When,Begin price,Top,Bottom,Final'"), "{}", told.message);
    assert!(told.message.contains("Recognized: none"), "{}", told.message);
}

#[test]
fn unnamed_columns_in_another_order_are_distinguished_from_a_header() {
    // Bitfinex: time, open, close, high, low.
    let told = refused("1709560800000,100,101.5,103,99.5,2500\n1709564400000,100,101.5,103,99.5,2500\n");
    assert!(told.message.contains("has no column names"), "{}", told.message);
    assert!(told.message.contains("in line 1, the second price is not the highest"), "{}", told.message);
    assert!(told.hint.contains("Add a line of column names"), "{}", told.hint);
    let told = refused("MSFT,100,103,99.5,101.5,2500\nMSFT,100,103,99.5,101.5,2500\n");
    assert!(told.message.contains("line 1 does not begin with a time"), "{}", told.message);
}

#[test]
fn volume_in_shares_takes_precedence_over_volume_in_money() {
    let header = "time,open,high,low,close,";
    let volume = |names: &str, values: &str| {
        let text = format!("{header}{names}\n1709560800,100,103,99.5,101.5,{values}\n");
        bars(&text, Timeframe::H1, None).remove(0).rsplit_once(' ').unwrap().1.to_owned()
    };
    assert_eq!(volume("Volume MA,Volume", "9,2500"), "2500");
    assert_eq!(volume("Volume USDT,volume", "9,2500"), "2500");
    assert_eq!(volume("Volume BTC,Volume USDT", "2500,9"), "2500");
    assert_eq!(volume("Up,Down", "2000,500"), "2500");
    assert_eq!(volume("Up,Down", "2000,"), "?", "half of it is unknown");
    assert_eq!(volume("Up,Down,Vol", "1,2,2500"), "2500");
}
