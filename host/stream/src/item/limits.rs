//! The limits of a plugin. Each limit is a separate type, with its default and the reason for the
//! default.
//!
//! `host/docs/limits.md` documents all of them in one table.

mod fuel;
mod function_limit;
mod total_memory;

use std::num::NonZeroUsize;

pub use self::fuel::Fuel;
pub use self::function_limit::FunctionLimit;
pub use self::total_memory::TotalMemory;

use crate::item::byte_size::ByteSize;
use crate::item::fault::FaultKind;
use crate::item::instance_failure::InstanceFailure;
use crate::item::parse_error::ParseError;

/// The error for a text that is not a size.
pub(crate) const NOT_A_SIZE: ParseError =
    ParseError::new("not a size, such as `64MiB`, `2GiB` or `1000000`");

/// Defines a limit as a separate type, so that the compiler rejects a limit of the wrong kind. The limit is a nonzero
/// number. Its text form is the text form of `$text`.
macro_rules! limit {
    (
        $(#[$docs:meta])*
        $vis:vis struct $name:ident($number:ty) as $text:ident or $error:ident;
        $($(#[$reason:meta])* DEFAULT = $default:expr)?
    ) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        $vis struct $name($number);

        $(
            impl $name {
                $(#[$reason])*
                pub const DEFAULT: Self = Self(<$number>::new($default).expect("not zero"));
            }

            impl Default for $name {
                fn default() -> Self {
                    Self::DEFAULT
                }
            }
        )?

        impl std::str::FromStr for $name {
            type Err = $crate::item::parse_error::ParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(|$text(number)| Self(number)).map_err(|_| $error)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $text(self.0).fmt(f)
            }
        }
    };
}
pub(crate) use limit;

/// Defines a [limit](limit!) in bytes.
macro_rules! size_limit {
    ($(#[$docs:meta])* $vis:vis struct $name:ident; $($default:tt)*) => {
        limit! { $(#[$docs])* $vis struct $name(NonZeroUsize) as ByteSize or NOT_A_SIZE; $($default)* }

        impl $name {
            /// Creates a limit of this number of bytes.
            #[must_use]
            pub const fn new(bytes: NonZeroUsize) -> Self {
                Self(bytes)
            }

            /// Returns the number of bytes.
            #[must_use]
            pub const fn bytes(self) -> usize {
                self.0.get()
            }
        }
    };
}

size_limit! {
    /// The maximum memory of one instance: its linear memories and its tables together.
    ///
    /// This limit does not apply to memory that the host allocates on behalf of the plugin. The text form is a number
    /// of bytes, or a number with a unit: `64KiB`, `64MiB`, `2GiB` (or `64K`, `64M`, `2G`), `1GB`.
    ///
    /// ```
    /// use mtl_host::limits::MemoryLimit;
    ///
    /// let limit: MemoryLimit = "64MiB".parse()?;
    /// assert_eq!(limit.bytes(), 64 * 1024 * 1024);
    /// assert_eq!(MemoryLimit::DEFAULT.to_string(), "512MiB");
    /// assert!(MemoryLimit::new(1000.try_into().unwrap()) < limit);
    /// # Ok::<(), mtl_host::ParseError>(())
    /// ```
    pub struct MemoryLimit;
    /// Enough memory for a plugin that contains a machine-learning model of moderate size. One such plugin per core
    /// does not exhaust the memory of a laptop.
    DEFAULT = 512 * 1024 * 1024
}

size_limit! {
    /// The maximum length of a result or of a finish report.
    ///
    /// A longer result is the fault `bad-result`, and the host does not copy it.
    ///
    /// ```
    /// assert_eq!(mtl_host::limits::ResultLimit::DEFAULT.to_string(), "64MiB");
    /// ```
    pub struct ResultLimit;
    /// Equal to the default limit of an item. One instance could not hold many results of this size.
    DEFAULT = 64 * 1024 * 1024
}

size_limit! {
    /// The maximum number of bytes that a worker's plugin may write in a second: to its standard output, to its
    /// standard error and to the log. All workers of a pool together may write four times as much.
    ///
    /// The limit counts a line in its displayed form. The name of the worker counts as 32 bytes. A control character or
    /// a mark of text direction counts as the bytes of its escape sequence, such as the six bytes of `\u{1b}`. The host
    /// drops all output beyond the limit and counts the dropped bytes. It reports their number at most once a second
    /// for each worker, and when the worker ends. A plugin may write the bytes of a whole second in one burst.
    ///
    /// ```
    /// assert_eq!(mtl_host::limits::LogLimit::DEFAULT.to_string(), "1MiB");
    /// ```
    pub struct LogLimit;
    /// Thousands of lines a second: more than a person reads, and too little to fill a disk during a coffee break.
    DEFAULT = 1024 * 1024
}

size_limit! {
    /// The maximum size of a plugin's file. The host does not read a larger file.
    ///
    /// ```
    /// assert_eq!(mtl_host::limits::PluginSize::DEFAULT.to_string(), "32MiB");
    /// ```
    pub struct PluginSize;
    /// Enough for an interpreter and its library, which take a minute to compile.
    DEFAULT = 32 * 1024 * 1024
}

size_limit! {
    /// The maximum memory of a process that compiles or inspects a plugin.
    ///
    /// It applies to plugins that are compiled in a separate process, by `PluginLoader::isolation`.
    ///
    /// ```
    /// assert_eq!(mtl_host::limits::CompileMemory::DEFAULT.to_string(), "4GiB");
    /// ```
    pub struct CompileMemory;
    /// Several times the need of the largest plugin that may be loaded, on a machine with many cores.
    DEFAULT = 4 * 1024 * 1024 * 1024
}

size_limit! {
    /// The maximum number of bytes that a `Cache` of compiled code keeps.
    ///
    /// ```
    /// assert_eq!(mtl_host::limits::CacheSize::DEFAULT.to_string(), "1GiB");
    /// ```
    pub struct CacheSize;
    /// Enough for hundreds of plugins of usual size, and little compared to a disk.
    DEFAULT = 1024 * 1024 * 1024
}

size_limit! {
    /// The maximum number of bytes that all instances of one worker together may write to files.
    ///
    /// If an item would exceed the limit, the item fails with the fault `out-of-disk`. Bytes that overwrite earlier
    /// bytes count again. No file becomes longer than this limit. File names do not count, so an empty file counts as 0
    /// bytes.
    ///
    /// ```
    /// let limit: mtl_host::limits::DiskLimit = "1GiB".parse()?;
    /// assert_eq!(limit.bytes(), 1 << 30);
    /// # Ok::<(), mtl_host::ParseError>(())
    /// ```
    pub struct DiskLimit;
}

impl LogLimit {
    /// Returns a limit twice as high.
    #[doc(hidden)]
    #[must_use]
    pub fn doubled(self) -> Self {
        Self(self.0.saturating_mul(NonZeroUsize::MIN.saturating_add(1)))
    }
}

impl ResultLimit {
    pub(crate) fn allows(self, len: usize) -> bool {
        len <= self.bytes()
    }

    /// Returns a failure if a result of `len` bytes is too long. The failure's message calls the result `name`.
    #[doc(hidden)]
    pub fn too_long(self, name: &str, len: usize) -> Option<InstanceFailure> {
        (!self.allows(len)).then(|| {
            let message =
                format!("{name} of {len} bytes is larger than the {self:#} of `max_result`");
            InstanceFailure::new(FaultKind::BadResult, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_with_an_optional_unit() {
        #[rustfmt::skip]
        let cases = [
            // text       bytes                 shown
            ("1",         Some(1),              "1"),
            ("1000000",   Some(1_000_000),      "1000000"),
            ("64KiB",     Some(65_536),         "64KiB"),
            ("64 MiB",    Some(67_108_864),     "64MiB"),
            ("64m",       Some(67_108_864),     "64MiB"),
            ("1024KiB",   Some(1_048_576),      "1MiB"),
            ("2GiB",      Some(2_147_483_648),  "2GiB"),
            ("1MB",       Some(1_000_000),      "1000000"),
            ("5B",        Some(5),              "5"),
            ("0",         None,                 ""),
            ("0MiB",      None,                 ""),
            ("",          None,                 ""),
            ("MiB",       None,                 ""),
            ("-1",        None,                 ""),
            ("1.5GiB",    None,                 ""),
            ("64é",       None,                 ""),
            ("lots",      None,                 ""),
            ("99999999999GiB", None,            ""),
        ];
        for (text, bytes, shown) in cases {
            let limit = text.parse::<MemoryLimit>().ok();
            assert_eq!(limit.map(MemoryLimit::bytes), bytes, "{text}");
            assert_eq!(limit.map(|limit| limit.to_string()).unwrap_or_default(), shown, "{text}");
            let again = limit.map(|limit| limit.to_string().parse().unwrap());
            assert_eq!(again, limit, "{text}");
        }
    }

    #[test]
    fn a_result_may_be_as_long_as_the_limit() {
        let limit: ResultLimit = "1KiB".parse().unwrap();
        assert_eq!(limit.too_long("the result", 1024), None);
        let failure = limit.too_long("the result", 1025).unwrap();
        assert_eq!(
            failure.to_string(),
            "bad-result: the result of 1025 bytes is larger than the 1KiB of `max_result`"
        );
    }
}
