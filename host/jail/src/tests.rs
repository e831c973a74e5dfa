//! The jail, entered for real: each test is run again in a process of its own, and enters it there.

mod alone;
mod bounds;
mod files;
mod lacking;
#[path = "../../../tests/escape/misdeeds.rs"]
mod misdeeds;
mod namespaces;
mod network;
mod refused;

use self::alone::{alone, ends_by};
use self::misdeeds::{call, done};
use super::{
    Confines, Jail, JailError, JailLayer, LayerAnswer, LayerNeed, Task, begin, enter, seal,
};

/// The module of these tests, by which one of them is run again.
const TESTS: &str = "tests";

/// A jail in which nothing is granted.
fn bare(task: Task) -> Confines<'static> {
    let data = 1 << 30;
    Confines { has_namespaces: false, ..Confines::without_grants(task, Jail::Required, data) }
}
