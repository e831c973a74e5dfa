//! Times on the command line: `100ms`, `1.5s`, `2m`, `1h`. A number without a unit is in seconds, as
//! for timeout(1).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use mtl_host::PluginLoader;

/// A time longer than zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeSpan(Duration);

impl TimeSpan {
    /// The default time limit for compiling a plugin.
    pub(crate) const COMPILE: Self = Self(PluginLoader::COMPILE_TIMEOUT);

    /// The units in seconds. `ms` comes before `s`, because it ends in `s`.
    const UNITS: [(&str, f64); 4] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

    pub(crate) fn get(self) -> Duration {
        self.0
    }
}

impl From<TimeSpan> for Duration {
    fn from(time: TimeSpan) -> Self {
        time.0
    }
}

/// Error of a text that is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time such as `100ms`, `1.5s`, `2m` or `1h`, longer than 0")]
pub(crate) struct ParseTimeSpanError;

impl FromStr for TimeSpan {
    type Err = ParseTimeSpanError;

    fn from_str(text: &str) -> Result<Self, ParseTimeSpanError> {
        let with_unit = Self::UNITS
            .into_iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
        let (number, unit) = with_unit.unwrap_or((text, 1.0));
        // `parse` would accept signs, `inf` and exponents, which are refused here.
        if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(ParseTimeSpanError);
        }
        let number: f64 = number.parse().map_err(|_| ParseTimeSpanError)?;
        let time = Duration::try_from_secs_f64(number * unit).map_err(|_| ParseTimeSpanError)?;
        if time.is_zero() { Err(ParseTimeSpanError) } else { Ok(Self(time)) }
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_unit_is_in_seconds() {
        #[rustfmt::skip]
        let cases = [
            // text      milliseconds
            ("100ms",    Some(100)),
            ("1.5s",     Some(1500)),
            ("2m",       Some(120_000)),
            ("1h",       Some(3_600_000)),
            ("10",       Some(10_000)),
            (".5",       Some(500)),
            ("0",        None),
            ("0s",       None),
            ("",         None),
            ("s",        None),
            ("-1s",      None),
            ("1e3",      None),
            ("inf",      None),
            ("5 days",   None),
            ("99999999999999999999h", None),
        ];
        for (text, milliseconds) in cases {
            let time = text.parse::<TimeSpan>().ok().map(|time| time.get().as_millis());
            assert_eq!(time, milliseconds, "{text}");
            let time = text.parse::<TimeSpan>();
            let again = time.map(|time| time.to_string().parse().unwrap());
            assert_eq!(again, time, "{text}");
        }
    }
}
