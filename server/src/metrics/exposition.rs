//! Formats of the metrics, and which of them a scraper prefers.

use super::Figures;
use prometheus_client::encoding::{prometheus_protobuf, prometheus_text, text};
use prometheus_client::registry::Registry;

/// Format of the metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// OpenMetrics text, the default.
    OpenMetrics,
    /// Text format of Prometheus, for older scrapers and `promtool check metrics`.
    Text,
    /// Protobuf format of Prometheus, the only one with native histograms.
    Protobuf,
}

/// Metrics in a format.
#[derive(Debug)]
pub struct Exposition {
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Format {
    /// Format that an `Accept` header prefers; OpenMetrics if it names none of the formats.
    pub fn preferred(accept: &str) -> Self {
        let mut best = (0.0, Format::OpenMetrics);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
            let Some(format) = parts.next().and_then(|media| Self::of_media(&media)) else { continue };
            let parts: Vec<String> = parts.collect();
            let value = |name: &str| parts.iter().find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            let of_metrics = value("proto") == Some("io.prometheus.client.metricfamily")
                && value("encoding") == Some("delimited");
            if format == Format::Protobuf && !of_metrics {
                continue;
            }
            let quality = value("q").map_or(Some(1.0), |q| q.parse::<f64>().ok()).unwrap_or(0.0);
            if quality > best.0 {
                best = (quality, format);
            }
        }
        best.1
    }

    fn of_media(media: &str) -> Option<Self> {
        match media {
            "application/openmetrics-text" | "application/*" | "*/*" => Some(Format::OpenMetrics),
            "text/plain" | "text/*" => Some(Format::Text),
            "application/vnd.google.protobuf" => Some(Format::Protobuf),
            _ => None,
        }
    }
}

impl Figures {
    /// Figures in a format.
    pub fn expose(self, format: Format) -> Exposition {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut written = String::new();
        let (content_type, body) = match format {
            Format::OpenMetrics => (
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
                text::encode(&mut written, &registry).map(|()| written.into_bytes()),
            ),
            Format::Text => (
                "text/plain; version=0.0.4; charset=utf-8",
                prometheus_text::encode(&mut written, &registry).map(|()| written.into_bytes()),
            ),
            Format::Protobuf => (
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
                prometheus_protobuf::encode_to_vec(&registry).map_err(|_| std::fmt::Error),
            ),
        };
        Exposition { content_type, body: body.expect("writing to memory can't fail") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scraper_gets_the_format_that_it_prefers() {
        let of = Format::preferred;
        let protobuf =
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
        let others =
            "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(of(&format!("{protobuf},{others}")), Format::Protobuf);
        assert_eq!(of(&format!("{protobuf};q=0.3,{others}")), Format::OpenMetrics);
        assert_eq!(of(others), Format::OpenMetrics);
        assert_eq!(of("text/plain; version=0.0.4"), Format::Text);
        for others in ["", "*/*", "text/html", "application/vnd.google.protobuf;proto=another"] {
            assert_eq!(of(others), Format::OpenMetrics, "{others}");
        }
    }
}
