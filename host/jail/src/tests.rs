//! Tests of the real jail: each test starts itself again in a new process, which enters the jail.

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

/// The module of these tests, which is part of the name by which a test is started again.
const TESTS: &str = "tests";

/// Returns the settings of a jail without grants.
fn bare(task: Task) -> Confines<'static> {
    let data = 1 << 30;
    Confines { has_namespaces: false, ..Confines::without_grants(task, Jail::Required, data) }
}
