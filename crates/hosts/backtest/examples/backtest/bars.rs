//! Bars from a CSV file like `timestamp,open,high,low,close,volume`, for comparison with other programs.

use market_data::Bar;
use protocol::Time;

/// Parses the bars after the header line. Times are RFC 3339, with a space or a T.
///
/// # Errors
/// The first line that is not a bar.
pub fn bars(text: &str) -> Result<Vec<Bar>, String> {
    text.lines().skip(1).filter(|line| !line.trim().is_empty()).map(bar).collect()
}

fn bar(line: &str) -> Result<Bar, String> {
    let wrong = |what: String| format!("'{line}' is not a bar: {what}");
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [time, rest @ ..] = fields.as_slice() else { return Err(wrong("it is empty".to_owned())) };
    let time = Time::parse(&time.replacen(' ', "T", 1)).map_err(|e| wrong(e.to_string()))?;
    let numbers: Result<Vec<f64>, _> = rest.iter().map(|field| field.parse::<f64>()).collect();
    let numbers = numbers.map_err(|e| wrong(e.to_string()))?;
    let &[open, high, low, close, volume] = numbers.as_slice() else {
        return Err(wrong(format!("it has {} numbers, not 5", numbers.len())));
    };
    Ok(Bar { time, open, high, low, close, volume: Some(volume) })
}
