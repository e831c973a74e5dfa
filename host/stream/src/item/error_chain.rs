//! An error and its causes as messages.

use std::error::Error;
use std::fmt;
use std::io;

use rustix::io::Errno;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bounded;

/// The message of an error and the messages of its causes. The error may come from another process.
///
/// ```
/// use std::error::Error;
/// use mtl_host::load::LoadErrorKind;
/// use mtl_host::{Engine, Plugin};
///
/// let error = Plugin::from_bytes(&Engine::new()?, "it", b"(module (fnuc))").unwrap_err();
/// let LoadErrorKind::Text { source } = error.kind() else { panic!("{error}") };
/// assert_eq!(error.source().unwrap().to_string(), source.to_string());
/// assert_eq!(source.io_kind(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorChain {
    message: String,
    /// The error number of the system, if this is a system error.
    errno: Option<i32>,
    cause: Option<Box<Self>>,
}

/// One error of a chain, in the form that is sent.
#[derive(Debug, Serialize, Deserialize)]
struct Link(String, Option<i32>);

impl ErrorChain {
    /// The maximum number of links that are sent. Only a compromised child sends more.
    const MAX_LINKS: usize = 32;
    /// The maximum number of bytes of text that are sent.
    const MAX_TEXT: usize = 8 * 1024;

    /// Takes the messages of an error and of its causes.
    #[doc(hidden)]
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::from_error(&*error.into())
    }

    /// Takes the messages of a borrowed error and of its causes.
    #[doc(hidden)]
    pub fn from_error(error: &(dyn Error + 'static)) -> Self {
        Self::up_to(Self::MAX_LINKS, error)
    }

    /// Takes the messages of an error and of its causes, up to a number of links.
    fn up_to(links: usize, error: &(dyn Error + 'static)) -> Self {
        let errno = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        let errno = errno.or(error.downcast_ref().map(|errno: &Errno| errno.raw_os_error()));
        let cause = error.source().filter(|_| links > 1);
        let cause = cause.map(|cause| Box::new(Self::up_to(links - 1, cause)));
        Self { message: error.to_string(), errno, cause }
    }

    /// Returns the kind of the first system error in the chain, if there is one.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        let errno = self.links().find_map(|link| link.errno)?;
        Some(io::Error::from_raw_os_error(errno).kind())
    }

    /// Returns whether the system was out of memory.
    #[doc(hidden)]
    pub fn is_out_of_memory(&self) -> bool {
        self.links().any(|link| link.errno == Some(Errno::NOMEM.raw_os_error()))
    }

    fn links(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |link| link.cause.as_deref())
    }
}

/// Cuts the links to the maximum number of links and of bytes.
fn bounded(links: impl Iterator<Item = Link>) -> Vec<Link> {
    let mut left = ErrorChain::MAX_TEXT;
    let cut = links.take(ErrorChain::MAX_LINKS).map(|Link(message, errno)| {
        let message = bounded::truncate_text(message, left.min(bounded::short::MAX));
        left -= message.len();
        Link(message, errno)
    });
    cut.collect()
}

impl Serialize for ErrorChain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        bounded(self.links().map(|link| Link(link.message.clone(), link.errno)))
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ErrorChain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let links = bounded::list::<{ Self::MAX_LINKS }, Link, _>(deserializer)?;
        let links = bounded(links.into_iter()).into_iter().rev();
        let chain = links.fold(None, |cause, Link(message, errno)| {
            Some(Self { message, errno, cause: cause.map(Box::new) })
        });
        let nothing = || "no message".into();
        Ok(chain.unwrap_or_else(|| Self { message: nothing(), errno: None, cause: None }))
    }
}

impl fmt::Display for ErrorChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ErrorChain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(links: usize, message: &str) -> ErrorChain {
        let last = ErrorChain { message: message.into(), errno: Some(12), cause: None };
        (1..links).fold(last, |cause, _| ErrorChain {
            message: message.into(),
            errno: None,
            cause: Some(Box::new(cause)),
        })
    }

    fn sent(chain: &ErrorChain) -> ErrorChain {
        postcard::from_bytes(&postcard::to_allocvec(chain).unwrap()).unwrap()
    }

    #[test]
    fn an_error_chain_keeps_its_causes_and_os_error() {
        let here = ErrorChain::new(io::Error::from_raw_os_error(27));
        let there = sent(&here);
        assert_eq!(there, here);
        assert_eq!(there.io_kind(), Some(io::ErrorKind::FileTooLarge));
        assert!(sent(&chain(3, "why")).is_out_of_memory());
    }

    #[test]
    fn an_error_chain_has_a_limited_number_of_causes() {
        assert_eq!(ErrorChain::from_error(&chain(100, "x")).links().count(), ErrorChain::MAX_LINKS);
    }

    #[test]
    fn a_long_chain_and_a_long_text_are_cut() {
        assert_eq!(sent(&chain(100, "x")).links().count(), ErrorChain::MAX_LINKS);
        let text: usize =
            sent(&chain(100, &"é".repeat(10_000))).links().map(|it| it.message.len()).sum();
        assert!(text <= ErrorChain::MAX_TEXT, "{text}");
    }

    #[test]
    fn a_hostile_error_chain_is_refused_or_cut() {
        assert_eq!(postcard::from_bytes::<ErrorChain>(&[0]).unwrap().to_string(), "no message");
        let links: Vec<_> = (0..1_000_000).map(|_| Link(String::new(), None)).collect();
        assert!(
            postcard::from_bytes::<ErrorChain>(&postcard::to_allocvec(&links).unwrap()).is_err()
        );
        let long = vec![Link("x".repeat(30_000), None), Link("x".repeat(30_000), None)];
        let read: ErrorChain =
            postcard::from_bytes(&postcard::to_allocvec(&long).unwrap()).unwrap();
        assert_eq!(read.links().map(|it| it.message.len()).sum::<usize>(), 2 * bounded::short::MAX);
    }
}
