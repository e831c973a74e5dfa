//! Checks the author's `impl` block. All errors of the macro arise here.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{
    Attribute, Error, FnArg, GenericParam, ImplItem, ImplItemFn, ItemImpl, Pat, PatType, Receiver,
    ReceiverKind, ReturnType, Signature, Type, ext::IdentExt, spanned::Spanned,
};

use crate::lifetimes;

/// A worker, as defined by its `impl` block.
pub(crate) struct Definition<'a> {
    pub(crate) worker: &'a Type,
    pub(crate) init: Option<Init<'a>>,
    pub(crate) after_restore: Option<AfterRestore<'a>>,
    pub(crate) call: Call<'a>,
    pub(crate) finish: Option<Finish<'a>>,
}

/// The function that starts the worker.
pub(crate) struct Init<'a> {
    pub(crate) name: &'a Ident,
    /// The type that is read from `--init`, if `init` has a parameter.
    pub(crate) arguments: Option<&'a Type>,
    /// The position at which the compiler reports a wrong result type.
    pub(crate) output: Span,
}

/// The function that prepares a worker from a snapshot.
pub(crate) struct AfterRestore<'a> {
    pub(crate) name: &'a Ident,
    /// The position at which the compiler reports an unused return value.
    pub(crate) output: Span,
}

/// The function that ends the worker.
pub(crate) struct Finish<'a> {
    pub(crate) name: &'a Ident,
    /// The position at which the compiler reports a wrong type of report.
    pub(crate) output: Span,
}

/// The function that works on an item.
pub(crate) struct Call<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) has_receiver: bool,
    pub(crate) parameters: Vec<Parameter<'a>>,
    /// The type of the result. In this type, the lifetime of a call replaces each lifetime except
    /// `'static`.
    pub(crate) output: Type,
}

/// A parameter of `call`.
pub(crate) struct Parameter<'a> {
    /// The name in JSON objects, without `r#`.
    pub(crate) name: String,
    pub(crate) ty: &'a Type,
}

impl<'a> Definition<'a> {
    /// Checks a whole block and reports all mistakes together.
    pub(crate) fn of(block: &'a ItemImpl) -> syn::Result<Self> {
        let restore = AfterRestore::of(block);
        let checked = (block_is_plain(block), Call::of(block), Init::of(block), Finish::of(block));
        match (checked, restore) {
            ((Ok(()), Ok(call), Ok(init), Ok(finish)), Ok(after_restore)) => {
                Ok(Self { worker: &block.self_ty, init, after_restore, call, finish })
            }
            ((block, call, init, finish), restore) => {
                let all = [block.err(), call.err(), init.err(), restore.err(), finish.err()];
                let all = all.into_iter().flatten().reduce(|mut errors, error| {
                    errors.combine(error);
                    errors
                });
                Err(all.expect("one of them is not ok"))
            }
        }
    }
}

fn block_is_plain(block: &ItemImpl) -> syn::Result<()> {
    if let Some((path, _)) = &block.trait_ {
        let message = "`worker` must precede the type's own `impl` block, not that of a trait";
        return Err(Error::new_spanned(path, message));
    }
    if block.generics.params.is_empty() {
        return Ok(());
    }
    Err(Error::new_spanned(&block.generics, "a plugin has one worker: its type cannot be generic"))
}

impl<'a> Call<'a> {
    fn of(block: &'a ItemImpl) -> syn::Result<Self> {
        let Some(function) = find_function(block, "call")? else {
            let message = "a worker needs a `fn call(&mut self, …)`, which takes the item";
            return Err(Error::new_spanned(&block.self_ty, message));
        };
        let signature = &function.sig;
        let has_receiver = match signature.receiver() {
            None => false,
            Some(Receiver { kind: ReceiverKind::Reference(..), .. }) => true,
            Some(receiver) => {
                let message = "a worker is called many times: write `&mut self`";
                return Err(Error::new_spanned(receiver, message));
            }
        };
        let parameters: Vec<_> =
            typed_parameters(signature).map(Parameter::of).collect::<syn::Result<_>>()?;
        if parameters.is_empty() {
            let message = "`call` needs a parameter for the item";
            return Err(Error::new_spanned(&signature.ident, message));
        }
        if let Some(name) = first_duplicate(&parameters) {
            let message = format_args!("two parameters have the name `{name}`").to_string();
            return Err(Error::new_spanned(&signature.inputs, message));
        }
        let output = lifetimes::name_lifetimes(&signature.output)?;
        Ok(Self { name: &signature.ident, has_receiver, parameters, output })
    }
}

impl<'a> Parameter<'a> {
    fn of(parameter: &'a PatType) -> syn::Result<Self> {
        refuse_cfg(&parameter.attrs)?;
        if let Type::ImplTrait(ty) = &*parameter.ty {
            return Err(Error::new_spanned(ty, "this parameter needs a named type"));
        }
        let Some(ident) = bound_name(&parameter.pat) else {
            let message = "a parameter needs a name for JSON objects: `name: …`, or \
                           `Json(name): Json<…>`";
            return Err(Error::new_spanned(&parameter.pat, message));
        };
        Ok(Self { name: ident.unraw().to_string(), ty: &parameter.ty })
    }
}

/// Returns the name that a simple pattern binds: `name`, or `Json(name)`.
fn bound_name(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(name) if name.subpat.is_none() => Some(&name.ident),
        Pat::Paren(inner) => bound_name(&inner.pat),
        Pat::TupleStruct(wrapped) if wrapped.elems.len() == 1 => bound_name(&wrapped.elems[0]),
        _ => None,
    }
}

/// Returns the first duplicate name. A JSON key may have `-` in place of `_`, but a Rust name has
/// no `-`. Two parameters therefore collide only if their names are equal.
fn first_duplicate<'a>(parameters: &'a [Parameter<'_>]) -> Option<&'a str> {
    let names = || parameters.iter().map(|parameter| parameter.name.as_str());
    names().enumerate().find(|(index, name)| names().take(*index).any(|n| n == *name)).map(|n| n.1)
}

impl<'a> Init<'a> {
    fn of(block: &'a ItemImpl) -> syn::Result<Option<Self>> {
        let Some(function) = find_function(block, "init")? else {
            return Ok(None);
        };
        let signature = &function.sig;
        if let Some(receiver) = signature.receiver() {
            let message = "`init` creates the worker: it has no `self`";
            return Err(Error::new_spanned(receiver, message));
        }
        let mut parameters = typed_parameters(signature);
        let arguments = parameters.next();
        if let Some(second) = parameters.next() {
            let message = "`init` has at most one parameter; `Json<…>` takes a struct";
            return Err(Error::new_spanned(second, message));
        }
        if let Some(parameter) = arguments {
            refuse_cfg(&parameter.attrs)?;
            if let Type::Reference(_) | Type::ImplTrait(_) = *parameter.ty {
                let message = "`init` owns its arguments: write `String`, `Vec<u8>`, `Json<…>`, or \
                               an `Option` of these";
                return Err(Error::new_spanned(&parameter.ty, message));
            }
        }
        let ReturnType::Type(_, output) = &signature.output else {
            let message = "`init` creates the worker: return `Result<Self, Error>`";
            return Err(Error::new_spanned(&signature.ident, message));
        };
        Ok(Some(Self {
            name: &signature.ident,
            arguments: arguments.map(|parameter| &*parameter.ty),
            output: output.span(),
        }))
    }
}

impl<'a> AfterRestore<'a> {
    fn of(block: &'a ItemImpl) -> syn::Result<Option<Self>> {
        let Some(function) = find_function(block, "after_restore")? else {
            return Ok(None);
        };
        let signature = &function.sig;
        let by_reference = signature
            .receiver()
            .is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Reference(..)));
        if !by_reference || signature.inputs.len() != 1 {
            let message = "`after_restore` changes the worker: write `fn after_restore(&mut self)`";
            return Err(Error::new_spanned(&signature.ident, message));
        }
        Ok(Some(Self { name: &signature.ident, output: signature.output.span() }))
    }
}

impl<'a> Finish<'a> {
    fn of(block: &'a ItemImpl) -> syn::Result<Option<Self>> {
        let Some(function) = find_function(block, "finish")? else {
            return Ok(None);
        };
        let signature = &function.sig;
        let by_value = signature
            .receiver()
            .is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Value));
        if !by_value || signature.inputs.len() != 1 {
            let message = "`finish` ends the worker: write `fn finish(self)`";
            return Err(Error::new_spanned(&signature.ident, message));
        }
        Ok(Some(Self { name: &signature.ident, output: signature.output.span() }))
    }
}

/// Returns the function of this name, if the block has it. Fails if the host cannot call it.
fn find_function<'a>(block: &'a ItemImpl, name: &str) -> syn::Result<Option<&'a ImplItemFn>> {
    let mut functions = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == name => Some(function),
        _ => None,
    });
    let Some(function) = functions.next() else {
        return Ok(None);
    };
    let signature = &function.sig;
    refuse_cfg(&function.attrs)?;
    if let Some(keyword) = &signature.asyncness {
        let message = format!("`{name}` is called synchronously: it cannot be `async`");
        return Err(Error::new_spanned(keyword, message));
    }
    if let syn::Safety::Unsafe(keyword) = &signature.safety {
        return Err(Error::new_spanned(keyword, format!("`{name}` cannot be `unsafe`")));
    }
    for parameter in &signature.generics.params {
        if !matches!(parameter, GenericParam::Lifetime(_)) {
            let message = format!("`{name}` is called by the host: it cannot be generic");
            return Err(Error::new_spanned(parameter, message));
        }
    }
    Ok(Some(function))
}

/// Returns the parameters after `self`.
fn typed_parameters(signature: &Signature) -> impl Iterator<Item = &PatType> {
    signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(parameter) => Some(parameter),
        FnArg::Receiver(_) => None,
    })
}

/// Refuses `cfg` attributes, because a macro cannot evaluate them.
fn refuse_cfg(attributes: &[Attribute]) -> syn::Result<()> {
    let is_condition = |a: &&Attribute| a.path().is_ident("cfg") || a.path().is_ident("cfg_attr");
    match attributes.iter().find(is_condition) {
        None => Ok(()),
        Some(attribute) => Err(Error::new_spanned(
            attribute.to_token_stream(),
            "with `worker`, put the condition on the whole `impl` block",
        )),
    }
}
