//! A variable that plugins are to see: `--env KEY` or `--env KEY=VALUE`.

use std::ffi::OsString;
use std::str::FromStr;

/// As typed; nothing has been looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EnvGrant {
    /// With the value that it has in this process.
    FromHost { name: String },
    /// With a value of its own.
    Value { name: String, value: String },
}

/// Not of the form `KEY` or `KEY=VALUE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form `KEY` or `KEY=VALUE`")]
pub(crate) struct NotAnEnvGrant;

/// The host has no value to pass on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnvError {
    /// `--env KEY` names a variable that this process does not have.
    #[error("cannot pass on the environment variable `{name}`: it is not set")]
    NotSet { name: String },
    /// `--env KEY` names a variable whose value a plugin could not read.
    #[error("cannot pass on the environment variable `{name}`: it is not text")]
    NotText { name: String },
}

impl EnvError {
    /// Returns what the user can do about it.
    pub(crate) fn hint(&self) -> String {
        let (Self::NotSet { name } | Self::NotText { name }) = self;
        format!("give the value itself: `--env {name}=VALUE`")
    }
}

impl FromStr for EnvGrant {
    type Err = NotAnEnvGrant;

    fn from_str(text: &str) -> Result<Self, NotAnEnvGrant> {
        match text.split_once('=') {
            Some(("", _)) => Err(NotAnEnvGrant),
            Some((name, value)) => Ok(Self::Value { name: name.into(), value: value.into() }),
            None if text.is_empty() => Err(NotAnEnvGrant),
            None => Ok(Self::FromHost { name: text.into() }),
        }
    }
}

impl EnvGrant {
    /// Name and value, the latter by `host` if it is not given: what this process has.
    pub(crate) fn resolve(
        &self,
        host: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(String, String), EnvError> {
        match self {
            Self::Value { name, value } => Ok((name.clone(), value.clone())),
            Self::FromHost { name } => {
                let name = name.clone();
                match host(&name).map(OsString::into_string) {
                    Some(Ok(value)) => Ok((name, value)),
                    // The value may be a secret: it is not shown.
                    Some(Err(_)) => Err(EnvError::NotText { name }),
                    None => Err(EnvError::NotSet { name }),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_alone_takes_the_hosts_value() {
        #[rustfmt::skip]
        let cases = [
            // text        name and value that the plugin sees
            ("KEY=value",  Some("KEY=value")),
            ("KEY=a=b",    Some("KEY=a=b")),
            ("KEY=",       Some("KEY=")),
            ("HOME",       Some("HOME=/home/me")),
            ("MISSING",    None),
            ("=value",     None),
            ("",           None),
        ];
        let host = |name: &str| (name == "HOME").then(|| "/home/me".into());
        for (text, expected) in cases {
            let grant = text.parse::<EnvGrant>();
            let seen = grant.ok().and_then(|grant| grant.resolve(host).ok());
            let seen = seen.map(|(name, value)| format!("{name}={value}"));
            assert_eq!(seen.as_deref(), expected, "{text}");
        }
    }
}
