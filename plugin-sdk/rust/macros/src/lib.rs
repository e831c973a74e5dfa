//! The attribute `worker` of `mtl-plugin`. That crate documents and re-exports it.
//!
//! ```text
//! impl Power { fn call(…) … }  ─▶ Definition ─▶ the same block, and `impl Worker for Power`
//!                                 (checked)
//! ```

mod definition;
mod expansion;
mod lifetimes;

use definition::Definition;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, ItemImpl};

/// Implements `Worker` for a type whose `call` takes any parameters; see `mtl_plugin::worker`.
#[proc_macro_attribute]
pub fn worker(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let worker = expand(arguments.into(), item.clone()).unwrap_or_else(Error::into_compile_error);
    quote!(#item #worker).into()
}

/// Generates the code that follows the block.
fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "`worker` takes no arguments"));
    }
    let block = syn::parse2::<ItemImpl>(item).map_err(|error| {
        Error::new(error.span(), format_args!("`worker` must precede an `impl` block: {error}"))
    })?;
    Definition::of(&block).map(|definition| expansion::expand_worker(&definition))
}

#[cfg(test)]
mod tests;
