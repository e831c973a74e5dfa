//! Reads the table of SDK features in `plugin-sdk/README.md`.

use std::fs;

use super::project::checkout;

/// The cells of a Markdown table.
pub(super) struct Table(Vec<Vec<String>>);

/// Reads the table of SDK features.
pub(super) fn read() -> Table {
    let readme = fs::read_to_string(checkout().join("plugin-sdk/README.md")).unwrap();
    let lines = readme.lines().skip_while(|line| !line.starts_with("| what a worker can do |"));
    let mut rows: Vec<_> = lines.take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(rows.len() > 2, "plugin-sdk/README.md has no table of what each SDK has");
    rows.remove(1);
    Table(rows)
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

impl Table {
    pub(super) fn columns(&self) -> Vec<&str> {
        self.0[0].iter().skip(1).map(String::as_str).collect()
    }

    pub(super) fn rows(&self) -> Vec<&str> {
        self.0.iter().skip(1).map(|row| row[0].as_str()).collect()
    }

    /// Returns whether the language of this column has the feature of this row.
    pub(super) fn has(&self, column: &str, row: &str) -> bool {
        let column = self.columns().iter().position(|name| *name == column).unwrap() + 1;
        let row = self.0.iter().find(|cells| cells[0] == row).unwrap();
        match row[column].as_str() {
            "yes" => true,
            "–" => false,
            other => panic!("`{}`: `{other}` is neither `yes` nor `–`", row[0]),
        }
    }
}
