//! A custom section with the component type of the module. Runtimes ignore this section;
//! `wasm-tools component new` reads it.

mod component_type;

pub use component_type::COMPONENT_TYPE;
