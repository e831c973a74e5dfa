//! The models, by topic.

pub mod alarm;
pub mod breakage;
pub mod claim;
pub mod loan;
pub mod meeting;
pub mod overfull;
pub mod stop;
pub mod window;
