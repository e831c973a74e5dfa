//! The settings of one worker's instances, as plain data.
//!
//! This module lists every setting that affects the results of an instance. Open resources, such as directories, are
//! not settings. The engine's `InstanceParts` contains them.
//!
//! ```text
//! PoolBuilder ─ ConfigOverlay ─┐
//!  (default)                   ├─▶ InstanceConfig ─┬─▶ an instance in this process
//! WorkerSpec ── ConfigOverlay ─┘                   └─▶ WorkOrder ─▶ a child process: the same struct
//!  (one worker)
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::item::argument_passing::ArgumentPassing;
use crate::item::format::Format;
use crate::item::limits::{DiskLimit, Fuel, MemoryLimit, ResultLimit};
use crate::item::retry_on::RetryOn;

/// Defines `InstanceConfig` and its overlay from one list.
macro_rules! instance_config {
    (
        // Each worker has a value.
        default { $($(#[$valued_docs:meta])* $valued:ident: $valued_type:ty,)* }
        // A worker may lack a value.
        optional { $($(#[$optional_docs:meta])* $optional:ident: $optional_type:ty,)* }
        // All workers of a pool have the same value.
        shared { $($(#[$shared_docs:meta])* $shared:ident: $shared_type:ty,)* }
    ) => {
        /// The settings of one worker's instances.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct InstanceConfig {
            $($(#[$valued_docs])* pub $valued: $valued_type,)*
            $($(#[$optional_docs])* pub $optional: Option<$optional_type>,)*
            $($(#[$shared_docs])* pub $shared: $shared_type,)*
        }

        /// Settings that override those of an [`InstanceConfig`].
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct ConfigOverlay {
            $($(#[$valued_docs])* pub $valued: Option<$valued_type>,)*
            $($(#[$optional_docs])* pub $optional: Option<$optional_type>,)*
        }

        impl ConfigOverlay {
            /// Returns `base` with the settings of this overlay.
            pub fn apply_to(self, base: InstanceConfig) -> InstanceConfig {
                InstanceConfig {
                    $($valued: self.$valued.unwrap_or(base.$valued),)*
                    $($optional: self.$optional.or(base.$optional),)*
                    $($shared: base.$shared,)*
                }
            }

            /// Returns the name of the first setting in this overlay.
            pub fn first_set(self) -> Option<&'static str> {
                let names = [
                    $((stringify!($valued), self.$valued.is_some()),)*
                    $((stringify!($optional), self.$optional.is_some()),)*
                ];
                names.into_iter().find_map(|(name, is_set)| is_set.then_some(name))
            }
        }
    };
}

instance_config! {
    default {
        /// The maximum memory of one instance.
        memory: MemoryLimit,
        /// The maximum length of one result, and of the finish report.
        max_result: ResultLimit,
    }
    optional {
        /// The maximum computation for one item, and for the start.
        fuel: Fuel,
        /// The maximum number of bytes that all instances of the worker together may write to files.
        disk: DiskLimit,
        /// The time limit of one item.
        timeout: Duration,
        /// The time limit for the start: to instantiate and initialise. The same limit applies to `finish`.
        init_timeout: Duration,
    }
    shared {
        /// The format of items.
        item_format: Format,
        /// The way in which an item becomes the parameters of `call`.
        passing: ArgumentPassing,
        /// The kinds of faults after which an item is tried again. An outcome with such a fault is not final.
        retry_on: RetryOn,
    }
}

impl InstanceConfig {
    /// Returns whether there is a time limit for an item or for the start.
    pub fn has_deadlines(&self) -> bool {
        self.timeout.is_some() || self.init_timeout.is_some()
    }

    /// Returns whether an instance with these settings initialises in the same way as an instance with `other`. The
    /// comparison ignores time limits.
    pub fn initialises_as(&self, other: &Self) -> bool {
        let Self { timeout, init_timeout, .. } = *other;
        Self { timeout, init_timeout, ..*self } == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::fault::FaultKind;

    fn full() -> InstanceConfig {
        InstanceConfig {
            memory: "1MiB".parse().unwrap(),
            max_result: "7".parse().unwrap(),
            fuel: Some("7".parse().unwrap()),
            disk: Some("9".parse().unwrap()),
            timeout: Some(Duration::from_millis(5)),
            init_timeout: Some(Duration::MAX),
            item_format: Format::Json,
            passing: ArgumentPassing::Kwargs,
            retry_on: RetryOn::default().with(FaultKind::Refused),
        }
    }

    #[test]
    fn worker_settings_override_pool_settings() {
        let own = ConfigOverlay {
            memory: Some("2MiB".parse().unwrap()),
            disk: Some("3".parse().unwrap()),
            ..ConfigOverlay::default()
        };
        let expected = InstanceConfig {
            memory: "2MiB".parse().unwrap(),
            disk: Some("3".parse().unwrap()),
            ..full()
        };
        assert_eq!(own.apply_to(full()), expected);
        assert_eq!(ConfigOverlay::default().apply_to(full()), full());
        assert_eq!(own.first_set(), Some("memory"));
        assert_eq!(ConfigOverlay::default().first_set(), None);
    }

    #[test]
    fn settings_round_trip_to_a_child() {
        let sent = postcard::to_allocvec(&full()).unwrap();
        assert_eq!(postcard::from_bytes::<InstanceConfig>(&sent), Ok(full()));
    }

    #[test]
    fn a_limit_of_zero_is_rejected() {
        assert!(postcard::from_bytes::<MemoryLimit>(&[1]).is_ok());
        assert!(postcard::from_bytes::<MemoryLimit>(&[0]).is_err());
        assert!(postcard::from_bytes::<Fuel>(&[0]).is_err());
        assert!(postcard::from_bytes::<Option<DiskLimit>>(&[1, 0]).is_err());
    }

    #[test]
    fn time_limits_alone_do_not_change_how_an_instance_initialises() {
        let later = InstanceConfig { timeout: None, init_timeout: None, ..full() };
        assert!(later.initialises_as(&full()));
        assert!(!InstanceConfig { fuel: None, ..full() }.initialises_as(&full()));
    }
}
