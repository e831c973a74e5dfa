//! Why a process is not in the jail, and what the kernel lacks for it.

use std::fmt;
use std::io;

/// A part of the jail that the kernel lacks.
///
/// Only what nothing else stands in for: that a signal does not leave the jail, for one, Landlock
/// sees to from Linux 6.12 on, and the filter always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// It has no Landlock, or it is not enabled.
    Landlock,
    /// Its Landlock does not know that a file is truncated.
    Truncation,
    /// Its Landlock does not know ports, and some are granted: all could be connected to.
    Ports,
    /// It has no filters of system calls.
    Seccomp,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Landlock => "Landlock (Linux 5.13, and enabled at boot)",
            Self::Truncation => "Landlock's rule on truncating files (Linux 6.2)",
            Self::Ports => "Landlock's rules on TCP ports (Linux 6.7)",
            Self::Seccomp => "seccomp filters",
        })
    }
}

/// Why a process is not in the jail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JailError {
    /// The kernel lacks a part, and all are required.
    #[error("the jail needs what this kernel lacks: {0}")]
    Lacks(Lack),
    /// The parent has ended, so nobody waits for this process.
    #[error("the process that started this one has ended")]
    Orphan,
    /// Threads that run already would stay outside.
    #[error("the process has {0} threads already, and only one can enter the jail")]
    Threads(usize),
    /// It is entered twice, or sealed before it is entered.
    #[error("the jail is entered once, and sealed after that")]
    Order,
    /// Filters are written for machines of other kinds.
    #[error("there is no jail for machines of this kind: `{}`", std::env::consts::ARCH)]
    Machine,
    /// The system refused a step.
    #[error("cannot {step}")]
    System { step: &'static str, source: io::Error },
}

impl JailError {
    /// The system refused to do this.
    pub(super) fn system(step: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |errno| Self::System { step, source: errno.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_is_named() {
        let error = JailError::Lacks(Lack::Landlock);
        assert_eq!(
            error.to_string(),
            "the jail needs what this kernel lacks: Landlock (Linux 5.13, and enabled at boot)",
        );
    }
}
