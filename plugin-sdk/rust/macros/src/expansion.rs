//! Generates the `impl Worker`, which calls the functions of the author's block.
//!
//! A compiler error in the generated code means that a type of the author is wrong. The generated
//! code has the spans of these types, so the compiler reports the error there.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::{
    definition::{AfterRestore, Call, Definition, Finish, Init},
    lifetimes,
};

/// Generates the whole `impl`.
pub(crate) fn worker(definition: &Definition<'_>) -> TokenStream {
    let Definition { worker, init, after_restore, call, finish } = definition;
    let names = call.parameters.iter().map(|parameter| &parameter.name);
    let init = match init {
        Some(init) => init_by(init),
        None => init_by_default(worker.span()),
    };
    let call = call_of(call);
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

fn init_by(Init { name, arguments, output }: &Init<'_>) -> TokenStream {
    let (of_type, given) = match arguments {
        Some(of_type) => (quote!(#of_type), Some(quote!(arguments))),
        None => (quote!(()), None),
    };
    let started = quote_spanned!(*output=> ::mtl_plugin::guest::started(Self::#name(#given)));
    quote! {
        type Init = #of_type;

        fn init(arguments: Self::Init) -> ::core::result::Result<Self, ::mtl_plugin::Error> {
            #started
        }
    }
}

fn init_by_default(worker: Span) -> TokenStream {
    let default = quote_spanned!(worker=> <Self as ::core::default::Default>::default());
    quote! {
        type Init = ();

        fn init((): ()) -> ::core::result::Result<Self, ::mtl_plugin::Error> {
            ::core::result::Result::Ok(#default)
        }
    }
}

fn call_of(Call { name, has_receiver, parameters, output }: &Call<'_>) -> TokenStream {
    let lifetime = lifetimes::of_a_call();
    let names = parameters.iter().map(|parameter| &parameter.name);
    let given: Vec<_> = (0..parameters.len())
        .map(|index| format_ident!("given_{index}", span = Span::mixed_site()))
        .collect();
    let read = parameters.iter().zip(&given).map(|(parameter, given)| {
        quote_spanned!(parameter.of_type.span()=> ::mtl_plugin::guest::Given::read(#given)?)
    });
    let receiver = has_receiver.then(|| quote!(self,));
    quote! {
        type Item<#lifetime> = ::mtl_plugin::guest::Passed<#lifetime>;
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
