//! The reply that a plugin is refused, from the child that compiled it.
//!
//! A child sends only its findings. The parent fills in what it knows itself, such as its limits.

use super::{Frame, Payload, ProtocolError, Reply};
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{CompilerError, LoadErrorKind, is_type};
use crate::item::error_chain::ErrorChain;

/// The most bytes of a child's refusal of a plugin.
pub(crate) const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// Returns the reply that a plugin is refused, with the reason.
pub(crate) fn encode_refusal(why: LoadErrorKind) -> Vec<u8> {
    Frame::reply(Reply::NotCompiled).data(&sendable(why)).seal()
}

/// Decodes the reason why a plugin is refused. `settings` are those of the loader that asked.
pub(crate) fn decode_refusal(
    payload: Payload<'_>,
    settings: &CompileSettings,
) -> Result<LoadErrorKind, ProtocolError> {
    if payload.rest().len() > MAX_REFUSAL_BYTES {
        return Err(ProtocolError("a refusal that is too long"));
    }
    completed(payload.data(ProtocolError("an invalid error"))?, settings)
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
        | LoadErrorKind::PrecompiledMismatch(_)
        | LoadErrorKind::Compiler(_) => {
            LoadErrorKind::Code { source: ErrorChain::from_error(&why) }
        }
        why => why,
    }
}

/// Fills in what the loader knows itself, and checks the rest against it.
pub(super) fn completed(
    mut why: LoadErrorKind,
    settings: &CompileSettings,
) -> Result<LoadErrorKind, ProtocolError> {
    match &mut why {
        LoadErrorKind::TooManyFunctions { limit, .. } => *limit = settings.max_functions,
        LoadErrorKind::Features { missing, allowed } => {
            *allowed = settings.engine.features();
            if missing.without(*allowed) != *missing || missing.is_empty() {
                return Err(ProtocolError("a missing feature that is allowed"));
            }
        }
        LoadErrorKind::Import { offered, .. } => *offered = settings.host_functions.names(),
        LoadErrorKind::ImportType { expected, .. } if !is_type(expected) => {
            return Err(ProtocolError("an unknown type"));
        }
        LoadErrorKind::FixedCall { call } | LoadErrorKind::Ambiguous { call, .. } => {
            settings.call_export.clone_into(call);
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
