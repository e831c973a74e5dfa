//! The languages of workers.

use std::fmt;

use clap::ValueEnum;

/// A language that workers are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Language {
    Rust,
    /// C and C++.
    #[value(aliases = ["cpp", "c++"])]
    C,
    Zig,
    Go,
    #[value(alias = "as")]
    Assemblyscript,
    #[value(alias = "js")]
    Javascript,
    #[value(alias = "py")]
    Python,
}

impl Language {
    /// Returns the name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::Zig => "zig",
            Self::Go => "go",
            Self::Assemblyscript => "assemblyscript",
            Self::Javascript => "javascript",
            Self::Python => "python",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_displays_as_its_flag_value() {
        for language in Language::value_variants() {
            let typed = language.to_possible_value().unwrap();
            assert_eq!(typed.get_name(), language.name());
        }
    }
}
