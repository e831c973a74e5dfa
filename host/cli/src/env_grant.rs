//! An environment variable for plugins: `--env KEY` or `--env KEY=VALUE`.

use std::ffi::OsString;
use std::str::FromStr;

/// The value of `--env`, as typed: no variable is looked up yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EnvGrant {
    /// A variable with its value in this process.
    FromHost { name: String },
    /// A variable with a given value.
    Value { name: String, value: String },
}

/// Error of a text that is not of the form `KEY` or `KEY=VALUE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form `KEY` or `KEY=VALUE`")]
pub(crate) struct ParseEnvGrantError;

/// Error of a variable whose value cannot be passed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnvError {
    /// `--env KEY` names a variable that this process does not have.
    #[error("cannot pass on the environment variable `{name}`: it is not set")]
    NotSet { name: String },
    /// `--env KEY` names a variable whose value is not UTF-8.
    #[error("cannot pass on the environment variable `{name}`: it is not text")]
    NotText { name: String },
}

impl EnvError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> String {
        let (Self::NotSet { name } | Self::NotText { name }) = self;
        format!("give the value itself: `--env {name}=VALUE`")
    }
}

impl FromStr for EnvGrant {
    type Err = ParseEnvGrantError;

    fn from_str(text: &str) -> Result<Self, ParseEnvGrantError> {
        match text.split_once('=') {
            Some(("", _)) => Err(ParseEnvGrantError),
            Some((name, value)) => Ok(Self::Value { name: name.into(), value: value.into() }),
            None if text.is_empty() => Err(ParseEnvGrantError),
            None => Ok(Self::FromHost { name: text.into() }),
        }
    }
}

impl EnvGrant {
    /// Returns the name and the value. If the value is not given, `host` looks it up in this process.
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
                    // The error does not contain the value, which may be a secret.
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
