//! One frame of the bar, in the format of the Python library tqdm. The functions of this module have no side effects.
//!
//! ```text
//! desc:  42%|████▏     | 42/100 [00:12<00:17,  3.45item/s, 2 faults]
//! 42item [00:12,  3.45item/s]
//! ```

use std::fmt::Write;
use std::time::Duration;

use mtl_host::stats::ProgressSnapshot;

use super::rate::float;
use crate::count_noun::count_noun;

/// The look of the bar.
#[derive(Clone, Debug)]
pub(super) struct BarStyle {
    /// The text before the bar.
    pub(super) desc: Option<String>,
    /// The word for an item.
    pub(super) unit: String,
    /// The width of the terminal, if standard error is one.
    pub(super) columns: Option<usize>,
}

/// The state of a run at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) snapshot: ProgressSnapshot,
    pub(super) elapsed: Duration,
    /// The rate in items per second.
    pub(super) rate: Option<f64>,
}

/// The completed share of the work, measured in items or bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Items { done: u64, all: u64 },
    Bytes { done: u64, all: u64 },
    Unknown,
}

impl Moment {
    fn extent(&self) -> Extent {
        let ProgressSnapshot { done, bytes, total, total_bytes, .. } = self.snapshot;
        // If more is done than the total, the total is wrong.
        match (total, total_bytes) {
            (Some(all), _) if all > 0 && done <= all => Extent::Items { done, all },
            (None, Some(all)) if all > 0 && bytes <= all => Extent::Bytes { done: bytes, all },
            _ => Extent::Unknown,
        }
    }

    /// Returns the estimated time to the end, if it is known.
    pub(super) fn remaining(&self) -> Option<Duration> {
        let items = match self.extent() {
            Extent::Items { done, all } => float(all - done),
            // The remaining bytes are assumed to have as many items per byte as the bytes that are done.
            Extent::Bytes { done, all } if done > 0 => {
                float(self.snapshot.done) * float(all - done) / float(done)
            }
            Extent::Bytes { .. } | Extent::Unknown => return None,
        };
        let rate = self.rate.filter(|rate| *rate > 0.0)?;
        Duration::try_from_secs_f64(items / rate).ok()
    }
}

/// Returns the frame of a moment.
pub(super) fn frame(moment: &Moment, style: &BarStyle) -> String {
    let Moment { snapshot, elapsed, rate } = *moment;
    let desc = style.desc.as_ref().map(|desc| format!("{desc}: ")).unwrap_or_default();
    let elapsed = clock(elapsed);
    let mut tail = format!(", {}", rate_text(rate, &style.unit));
    if snapshot.failed > 0 {
        write!(tail, ", {}", count_noun(snapshot.failed, "fault"))
            .expect("writing to a string cannot fail");
    }
    let (done, all, count) = match moment.extent() {
        Extent::Items { done, all } => (done, all, format!("{done}/{all}")),
        Extent::Bytes { done, all } => (done, all, format!("{}{}", snapshot.done, style.unit)),
        Extent::Unknown => {
            return cut(
                &format!("{desc}{}{} [{elapsed}{tail}]", snapshot.done, style.unit),
                style.columns,
            );
        }
    };
    let left = moment.remaining().map_or("?".into(), clock);
    let before = format!("{desc}{:3}%|", percent(done, all));
    let after = format!("| {count} [{elapsed}<{left}{tail}]");
    let text = before.chars().count() + after.chars().count();
    // Without a terminal, the bar is as wide as tqdm's.
    let cells = style.columns.map_or(10, |columns| columns.saturating_sub(text).max(1));
    cut(&format!("{before}{}{after}", bar(done, all, cells)), style.columns)
}

/// Returns the percentage, rounded to the nearest number and ties to even, as Python prints it.
fn percent(done: u64, all: u64) -> u128 {
    let (hundredfold, all) = (u128::from(done) * 100, u128::from(all));
    let (whole, rest) = (hundredfold / all, hundredfold % all * 2);
    if rest > all || (rest == all && whole % 2 == 1) { whole + 1 } else { whole }
}

/// Returns a bar of `cells` cells, filled in steps of an eighth.
fn bar(done: u64, all: u64, cells: usize) -> String {
    const PARTS: [&str; 8] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = u128::from(done) * cells as u128 * 8 / u128::from(all);
    let eighths = usize::try_from(eighths).expect("the bar has at most all cells");
    let (full, part) = (eighths / 8, eighths % 8);
    let mut bar = "█".repeat(full);
    if full < cells {
        bar.push_str(PARTS[part]);
        bar.push_str(&" ".repeat(cells - full - 1));
    }
    bar
}

/// Returns a time in minutes and seconds, and with hours if it has hours.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes:02}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Returns the rate in items per second, or in seconds per item if it is below 1.
fn rate_text(rate: Option<f64>, unit: &str) -> String {
    match rate {
        Some(rate) if rate >= 1.0 => format!("{rate:5.2}{unit}/s"),
        Some(rate) if rate > 0.0 => format!("{:5.2}s/{unit}", 1.0 / rate),
        Some(_) | None => format!("?{unit}/s"),
    }
}

fn cut(frame: &str, columns: Option<usize>) -> String {
    match columns {
        Some(columns) => frame.chars().take(columns).collect(),
        None => frame.to_owned(),
    }
}

#[cfg(test)]
mod tests;
