//! Recipes: for each language, a module that plans the commands that build a plugin.

mod assemblyscript;
mod c;
mod go;
mod javascript;
mod npm;
mod plan;
mod python;
mod rust;
mod zig;

use super::error::ProjectError;
use super::language::Language;

pub(super) use self::npm::{begin as begin_packages, packages, record as record_packages};
pub(super) use self::plan::{Order, Plan, Product, Profile};
pub(super) use self::rust::{plugin_in_messages as made_by_cargo, sources as sources_of_cargo};

/// Plans the build of a project, by the recipe of its language.
pub(super) fn plan(order: &Order<'_>) -> Result<Plan, ProjectError> {
    match order.project.language() {
        Language::Rust => rust::plan(order),
        Language::C => c::plan(order),
        Language::Zig => zig::plan(order),
        Language::Go => go::plan(order),
        Language::Assemblyscript => assemblyscript::plan(order),
        Language::Javascript => javascript::plan(order),
        Language::Python => python::plan(order),
    }
}
