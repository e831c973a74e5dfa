//! Generates the `impl Worker`, which calls the functions of the author's block.
//!
//! If the generated code does not compile, a type in the author's block is wrong. The generated
//! code has the spans of the author's types, so the compiler reports the error at the wrong type.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::{
    definition::{AfterRestore, Call, Definition, Finish, Init},
    lifetimes,
};

/// Generates the whole `impl`.
pub(crate) fn expand_worker(definition: &Definition<'_>) -> TokenStream {
    let Definition { worker, init, after_restore, call, finish } = definition;
    let names = call.parameters.iter().map(|parameter| &parameter.name);
    let init = match init {
        Some(init) => expand_init(init),
        None => expand_default_init(worker.span()),
    };
    let call = expand_call(call);
    let finish = finish.as_ref().map(|Finish { name, output }| {
        quote_spanned! {*output=>
            fn finish(self)
                -> ::core::result::Result<impl ::mtl_plugin::IntoOutput, ::mtl_plugin::Error>
            {
                ::core::result::Result::Ok(Self::#name(self))
            }
        }
    });
    let after_restore = after_restore.as_ref().map(|AfterRestore { name, output }| {
        quote_spanned! {*output=>
            fn after_restore(&mut self) {
                Self::#name(self)
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::mtl_plugin::Worker for #worker {
            #init
            #after_restore
            #call
            #finish

            fn passing() -> ::core::result::Result<
                ::mtl_plugin::context::Passing,
                ::mtl_plugin::Error,
            > {
                ::mtl_plugin::guest::passing(&[#(#names),*])
            }
        }
    }
}

fn expand_init(Init { name, arguments, output }: &Init<'_>) -> TokenStream {
    let (ty, arguments) = match arguments {
        Some(ty) => (quote!(#ty), Some(quote!(arguments))),
        None => (quote!(()), None),
    };
    let worker =
        quote_spanned!(*output=> ::mtl_plugin::guest::into_worker(Self::#name(#arguments)));
    quote! {
        type Init = #ty;

        fn init(arguments: Self::Init) -> ::core::result::Result<Self, ::mtl_plugin::Error> {
            #worker
        }
    }
}

fn expand_default_init(worker: Span) -> TokenStream {
    let default = quote_spanned!(worker=> <Self as ::core::default::Default>::default());
    quote! {
        type Init = ();

        fn init((): ()) -> ::core::result::Result<Self, ::mtl_plugin::Error> {
            ::core::result::Result::Ok(#default)
        }
    }
}

fn expand_call(Call { name, has_receiver, parameters, output }: &Call<'_>) -> TokenStream {
    let lifetime = lifetimes::call_lifetime();
    let names = parameters.iter().map(|parameter| &parameter.name);
    let given: Vec<_> = (0..parameters.len())
        .map(|index| format_ident!("given_{index}", span = Span::mixed_site()))
        .collect();
    let read = parameters.iter().zip(&given).map(|(parameter, given)| {
        quote_spanned!(parameter.ty.span()=> ::mtl_plugin::guest::GivenArgument::read(#given)?)
    });
    let receiver = has_receiver.then(|| quote!(self,));
    quote! {
        type Item<#lifetime> = ::mtl_plugin::guest::PassedItem<#lifetime>;
        type Output<#lifetime> = #output;

        fn call<#lifetime>(
            &#lifetime mut self,
            item: Self::Item<#lifetime>,
        ) -> ::core::result::Result<Self::Output<#lifetime>, ::mtl_plugin::Failure> {
            let [#(#given),*] = item.spread([#(#names),*])?;
            ::core::result::Result::Ok(Self::#name(#receiver #(#read),*))
        }
    }
}
