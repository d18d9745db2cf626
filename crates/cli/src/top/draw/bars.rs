//! Bars of text.

/// Completed share of a work: `━━━━━━╸────`.
pub fn progress(fraction: f64, columns: usize) -> String {
    let halves = (fraction.clamp(0.0, 1.0) * (columns * 2) as f64).round() as usize;
    let whole = halves / 2;
    let half = halves % 2;
    format!("{}{}{}", "━".repeat(whole), "╸".repeat(half), "─".repeat(columns - whole - half))
}

/// Used slots of a host: `■■□□`. Many slots share the columns.
pub fn slots(used: u32, all: u32, columns: usize) -> String {
    let (used, all) = (used as usize, all as usize);
    if all <= columns {
        return format!("{}{}", "■".repeat(used.min(all)), "□".repeat(all.saturating_sub(used)));
    }
    let filled = (used.min(all) * columns).div_ceil(all);
    format!("{}{}", "■".repeat(filled), "□".repeat(columns - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_exactly_their_columns() {
        assert_eq!(progress(0.0, 4), "────");
        assert_eq!(progress(0.4, 4), "━╸──");
        assert_eq!(progress(1.5, 4), "━━━━");
        assert_eq!([slots(1, 3, 8), slots(5, 3, 8), slots(0, 0, 8)], ["■□□", "■■■", ""]);
        assert_eq!([slots(1, 64, 4), slots(64, 64, 4)], ["■□□□", "■■■■"]);
    }
}
