//! The reply that a plugin is refused, from the child that compiled it.
//!
//! A child sends only its findings. The parent fills in what it knows itself, such as its limits.

use super::{BadFrame, Frame, Payload, Reply};
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{CompilerError, LoadErrorKind, is_type};
use crate::item::error_chain::ErrorChain;

/// The most bytes of a child's refusal of a plugin.
pub(crate) const MOST_REFUSED: usize = 64 * 1024;

/// Returns the reply that a plugin is refused, with the reason.
pub(crate) fn not_compiled(why: LoadErrorKind) -> Vec<u8> {
    Frame::reply(Reply::NotCompiled).data(&sendable(why)).seal()
}

/// Decodes the reason why a plugin is refused. `settings` are those of the loader that asked.
pub(crate) fn refusal(
    payload: Payload<'_>,
    settings: &CompileSettings,
) -> Result<LoadErrorKind, BadFrame> {
    if payload.rest().len() > MOST_REFUSED {
        return Err(BadFrame("a refusal that is too long"));
    }
    completed(payload.data(BadFrame("an invalid error"))?, settings)
}

/// Converts the reason to an error that a child may send.
pub(super) fn sendable(why: LoadErrorKind) -> LoadErrorKind {
    match why {
        // None of these occurs in a child.
        LoadErrorKind::Read { .. }
        | LoadErrorKind::TooLarge { .. }
        | LoadErrorKind::Digest { .. }
        | LoadErrorKind::HostFunction(_)
        | LoadErrorKind::Engine(_)
        | LoadErrorKind::Precompiled
        | LoadErrorKind::CompiledOtherwise(_)
        | LoadErrorKind::Compiler(_) => LoadErrorKind::Code { source: ErrorChain::of(&why) },
        why => why,
    }
}

/// Fills in what the loader knows itself, and checks the rest against it.
pub(super) fn completed(
    mut why: LoadErrorKind,
    settings: &CompileSettings,
) -> Result<LoadErrorKind, BadFrame> {
    match &mut why {
        LoadErrorKind::TooManyFunctions { limit, .. } => *limit = settings.max_functions,
        LoadErrorKind::Features { missing, allowed } => {
            *allowed = settings.engine.features();
            if missing.without(*allowed) != *missing || missing.is_empty() {
                return Err(BadFrame("a missing feature that is allowed"));
            }
        }
        LoadErrorKind::Import { offered, .. } => *offered = settings.functions.names(),
        LoadErrorKind::ImportType { expected, .. } if !is_type(expected) => {
            return Err(BadFrame("an unknown type"));
        }
        LoadErrorKind::CallOfWorld { call } | LoadErrorKind::Ambiguous { call, .. } => {
            settings.call.clone_into(call);
        }
        // The compiler ran out of memory; the plugin itself may be valid.
        LoadErrorKind::Invalid { source } if source.is_out_of_memory() => {
            return Ok(CompilerError::Memory { limit: settings.limits.memory }.into());
        }
        _ => {}
    }
    Ok(why)
}

#[cfg(test)]
mod tests;
