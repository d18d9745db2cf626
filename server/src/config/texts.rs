//! Text formats of the sources: a format and a time zone for each, unless detected.

use anyhow::{Context, bail};
use data_host::{Format, TextOptions, Zone};

/// Arguments shared by `signalbox serve` and `signalbox host`.
#[derive(clap::Args, Clone, Default, Debug)]
pub struct TextArgs {
    /// Format of the CSV files: generic, yfinance, binance, interactive_brokers, metatrader, stooq, histdata,
    /// dukascopy, tradingview, alpha_vantage [default: detected]
    #[arg(long, env = "SIGNALBOX_CSV_FORMAT")]
    pub csv_format: Option<String>,
    /// Time zone for times without a UTC offset in the CSV files, such as America/New_York or UTC-5
    #[arg(long, env = "SIGNALBOX_CSV_TIME_ZONE", allow_hyphen_values = true)]
    pub csv_time_zone: Option<String>,
    /// Format of the HTTP source's responses [default: detected]
    #[arg(long, env = "SIGNALBOX_HTTP_FORMAT")]
    pub http_format: Option<String>,
    /// Time zone for times without a UTC offset from the HTTP source
    #[arg(long, env = "SIGNALBOX_HTTP_TIME_ZONE", allow_hyphen_values = true)]
    pub http_time_zone: Option<String>,
}

impl TextArgs {
    /// Fills absent values from others.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            csv_format: self.csv_format.or(others.csv_format),
            csv_time_zone: self.csv_time_zone.or(others.csv_time_zone),
            http_format: self.http_format.or(others.http_format),
            http_time_zone: self.http_time_zone.or(others.http_time_zone),
        }
    }

    /// Options of the CSV source and of the HTTP source.
    ///
    /// # Errors
    /// A sentence that names the source, and the correct form.
    pub fn options(&self) -> anyhow::Result<(TextOptions, TextOptions)> {
        let csv =
            options(&self.csv_format, &self.csv_time_zone).context("invalid settings of the csv source")?;
        let http = options(&self.http_format, &self.http_time_zone)
            .context("invalid settings of the http source")?;
        Ok((csv, http))
    }

    /// Same settings as flags, for a process that is started with them.
    pub fn flags(&self) -> Vec<String> {
        let pairs = [
            ("--csv-format", &self.csv_format),
            ("--csv-time-zone", &self.csv_time_zone),
            ("--http-format", &self.http_format),
            ("--http-time-zone", &self.http_time_zone),
        ];
        pairs.iter().filter_map(|(flag, value)| value.as_ref().map(|v| format!("{flag}={v}"))).collect()
    }
}

fn options(format: &Option<String>, zone: &Option<String>) -> anyhow::Result<TextOptions> {
    let read_enum =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let format = match read_enum(format) {
        None => None,
        Some(word) => match Format::parse(&word) {
            Some(format) => Some(format),
            None => {
                let words: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
                bail!("'{word}' is not a known format. Use one of: {}", words.join(", "));
            }
        },
    };
    let time_zone = read_enum(zone).map(|zone| Zone::parse(&zone)).transpose().map_err(anyhow::Error::msg)?;
    Ok(TextOptions { format, time_zone, ..TextOptions::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_format_or_zone_is_named_with_its_source() {
        let args = |format: &str, zone: &str| TextArgs {
            csv_format: Some(format.to_owned()),
            csv_time_zone: Some(zone.to_owned()),
            ..TextArgs::default()
        };
        let (csv, http) = args("metatrader", "UTC+2").options().unwrap();
        assert_eq!(csv.format, Some(Format::Metatrader));
        assert_eq!(http, TextOptions::default());
        assert_eq!(args("a", "UTC-5").flags(), ["--csv-format=a", "--csv-time-zone=UTC-5"]);
        let error = format!("{:#}", args("mt9", "").options().unwrap_err());
        assert!(error.contains("csv source") && error.contains("metatrader"), "{error}");
        let error = format!("{:#}", args("", "Mars/Olympus").options().unwrap_err());
        assert!(error.contains("not a time zone"), "{error}");
    }
}
