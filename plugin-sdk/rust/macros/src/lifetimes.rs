//! Names the lifetimes of a result type. A signature may elide lifetimes; the associated type
//! `Output` must name them.

use proc_macro2::Span;
use syn::{
    Error, Lifetime, ReturnType, Type, TypeFnPtr, TypeImplTrait, TypeReference, TypeTraitObject,
    parse_quote,
    visit_mut::{self, VisitMut},
};

/// Returns the lifetime of one call, for which the item and the worker are borrowed.
pub(crate) fn call_lifetime() -> Lifetime {
    Lifetime::new("'mtl", Span::mixed_site())
}

/// Returns the result type, in which each borrow has the lifetime of a call.
pub(crate) fn name_lifetimes(output: &ReturnType) -> syn::Result<Type> {
    let mut ty = match output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    let mut name = NameLifetimes { refused: None };
    name.visit_type_mut(&mut ty);
    match name.refused {
        None => Ok(ty),
        Some(error) => Err(error),
    }
}

struct NameLifetimes {
    refused: Option<Error>,
}

impl VisitMut for NameLifetimes {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime.get_or_insert_with(call_lifetime);
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            *lifetime = Lifetime { ident: call_lifetime().ident, ..lifetime.clone() };
        }
    }

    // Function pointers have their own lifetimes.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    fn visit_type_trait_object_mut(&mut self, _: &mut TypeTraitObject) {}

    fn visit_type_impl_trait_mut(&mut self, hidden: &mut TypeImplTrait) {
        self.refused.get_or_insert_with(|| {
            Error::new_spanned(hidden, "the result of `call` needs a named type")
        });
    }
}
