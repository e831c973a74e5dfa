//! The reasons why a process is not in the jail.

use std::io;

use super::JailLayer;

/// Why a process is not in the jail.
#[derive(Debug, thiserror::Error)]
pub enum JailError {
    /// The kernel lacks a part, and all are required.
    #[error("the jail needs what this kernel lacks: {0}")]
    Lacks(JailLayer),
    /// The system lacks an extra layer, and all are required.
    #[error("the strict jail needs {layer}: {answer}")]
    LacksExtra {
        /// The layer.
        layer: JailLayer,
        /// The answer of the system to it.
        answer: String,
    },
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
    System {
        /// The step, as in "cannot ...".
        step: &'static str,
        /// The answer of the system.
        source: io::Error,
    },
}

impl JailError {
    /// The system refused to do this.
    pub fn system(step: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |errno| Self::System { step, source: errno.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_is_named() {
        let error = JailError::Lacks(JailLayer::Landlock);
        assert_eq!(
            error.to_string(),
            "the jail needs what this kernel lacks: Landlock (Linux 5.13, and enabled at boot)",
        );
    }
}
