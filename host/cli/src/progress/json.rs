//! Progress for programs: a JSON object every second.

use serde::Serialize;

use super::frame::Moment;

#[derive(Serialize)]
struct Line {
    done: u64,
    total: Option<u64>,
    bytes: u64,
    total_bytes: Option<u64>,
    failed: u64,
    elapsed: f64,
    rate: Option<f64>,
    eta: Option<f64>,
}

/// Returns the line of a moment. Times are in seconds, the rate in items per second.
pub(super) fn line(moment: &Moment) -> String {
    let snapshot = moment.snapshot;
    let line = Line {
        done: snapshot.done,
        total: snapshot.total,
        bytes: snapshot.bytes,
        total_bytes: snapshot.total_bytes,
        failed: snapshot.failed,
        elapsed: thousandths(moment.elapsed.as_secs_f64()),
        rate: moment.rate.map(thousandths),
        eta: moment.remaining().map(|left| thousandths(left.as_secs_f64())),
    };
    serde_json::to_string(&line).expect("numbers are JSON")
}

/// Rounds a number to thousandths.
fn thousandths(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mtl_host::stats::ProgressSnapshot;

    use super::*;

    #[test]
    fn unknown_progress_values_are_null() {
        let mut snapshot = ProgressSnapshot::default();
        (snapshot.done, snapshot.bytes, snapshot.failed) = (2, 20, 1);
        let elapsed = Duration::from_millis(1500);
        let started = Moment { snapshot, elapsed, rate: None };
        assert_eq!(
            line(&started),
            r#"{"done":2,"total":null,"bytes":20,"total_bytes":null,"failed":1,"elapsed":1.5,"rate":null,"eta":null}"#
        );
        (snapshot.total, snapshot.total_bytes) = (Some(6), Some(60));
        let known = Moment { snapshot, elapsed, rate: Some(4.0 / 3.0) };
        assert_eq!(
            line(&known),
            r#"{"done":2,"total":6,"bytes":20,"total_bytes":60,"failed":1,"elapsed":1.5,"rate":1.333,"eta":3.0}"#
        );
    }
}
