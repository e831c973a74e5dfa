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
use self::misdeeds::{call, not_refused};
use super::{
    JailConfig, JailError, JailLayer, JailLevel, LayerNeed, LayerStatus, Task, begin, enter, seal,
};

/// The module of these tests, which is part of the name by which a test is started again.
const TESTS: &str = "tests";

/// Returns the settings of a jail without grants.
fn bare(task: Task) -> JailConfig<'static> {
    let data = 1 << 30;
    JailConfig {
        has_namespaces: false,
        ..JailConfig::without_grants(task, JailLevel::Required, data)
    }
}
