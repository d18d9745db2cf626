//! Column names in other languages, as brokers, exchanges and spreadsheets write them.

use super::{CLOSE, ColumnMeaning, HIGH, LOW, OPEN};

/// Meaning of a name of letters and digits in lower case.
pub(super) fn holds(compact: &str) -> Option<ColumnMeaning> {
    Some(match compact {
        // German, French, Spanish, Italian, Portuguese, Polish; then Chinese, Japanese, Korean.
        "datum" | "fecha" | "data" | "日期" | "交易日期" | "日付" | "日時" | "날짜" | "일자" => {
            ColumnMeaning::Time
        }
        "zeit" | "uhrzeit" | "heure" | "hora" | "ora" | "czas" | "时间" | "時刻" | "시간" => {
            ColumnMeaning::Clock
        }
        "eröffnung" | "eröffnungskurs" | "eröffn" | "erster" | "ouverture" | "ouv" | "apertura"
        | "abertura" | "otwarcie" | "开盘" | "开盘价" | "開盤價" | "始値" | "시가" => {
            ColumnMeaning::Price(OPEN)
        }
        "hoch" | "höchst" | "höchstkurs" | "tageshoch" | "plushaut" | "haut" | "máximo" | "maximo"
        | "massimo" | "máxima" | "maxima" | "najwyższy" | "najwyzszy" | "最高" | "最高价" | "最高價"
        | "高値" | "고가" => ColumnMeaning::Price(HIGH),
        "tief" | "tiefst" | "tiefstkurs" | "tagestief" | "plusbas" | "bas" | "mínimo" | "minimo"
        | "mínima" | "minima" | "najniższy" | "najnizszy" | "最低" | "最低价" | "最低價" | "安値"
        | "저가" => ColumnMeaning::Price(LOW),
        "schluss" | "schlusskurs" | "schluß" | "schlußkurs" | "clôture" | "cloture" | "clot" | "cierre"
        | "chiusura" | "fechamento" | "zamknięcie" | "zamkniecie" | "收盘" | "收盘价" | "收盤價" | "終値"
        | "종가" => ColumnMeaning::Price(CLOSE),
        "zuletzt" | "dernier" | "último" | "ultimo" => ColumnMeaning::LastPrice,
        "volumen" | "stück" | "stücke" | "stuecke" | "volumi" | "wolumen" | "成交量" | "成交股數"
        | "出来高" | "거래량" => ColumnMeaning::Volume,
        _ => return None,
    })
}
