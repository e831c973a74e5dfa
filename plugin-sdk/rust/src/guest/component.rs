//! Says, in a section that runtimes ignore, what the module is as a component. `wasm-tools component
//! new` reads it.

mod component_type;

pub use component_type::COMPONENT_TYPE;
