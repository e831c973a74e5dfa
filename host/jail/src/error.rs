//! Errors of entering and sealing the jail.

use std::io;

use super::JailLayer;

/// Error of entering or sealing the jail.
#[derive(Debug, thiserror::Error)]
pub enum JailError {
    /// The kernel lacks a required layer.
    #[error("this kernel lacks a layer that the jail needs: {0}")]
    MissingLayer(JailLayer),
    /// The system lacks a layer that the strict jail needs.
    #[error("the strict jail needs {layer}: {answer}")]
    MissingStrictLayer {
        /// The layer.
        layer: JailLayer,
        /// The system's answer to it.
        answer: String,
    },
    /// The parent has ended, so no process waits for this one.
    #[error("the process that started this one has ended")]
    Orphan,
    /// The process has several threads, and those that run already would stay outside the jail.
    #[error("the process has {0} threads already, and only one can enter the jail")]
    Threads(usize),
    /// The jail was entered twice, or sealed before it was entered.
    #[error("the jail must be entered once, and sealed after that")]
    WrongOrder,
    /// There are no filters for this processor architecture.
    #[error("the jail does not support the processor architecture `{}`", std::env::consts::ARCH)]
    UnsupportedArch,
    /// The system refused a step.
    #[error("cannot {step}")]
    System {
        /// The step, which completes the phrase "cannot ...".
        step: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

impl JailError {
    /// Returns a function that converts an error of the system to the error of this step.
    pub fn system(step: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |errno| Self::System { step, source: errno.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_layer_is_named() {
        let error = JailError::MissingLayer(JailLayer::Landlock);
        assert_eq!(
            error.to_string(),
            "this kernel lacks a layer that the jail needs: Landlock (Linux 5.13, and enabled at boot)",
        );
    }
}
