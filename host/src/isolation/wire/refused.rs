//! The reply that reports the refusal of a plugin. The child that compiles the plugin sends this
//! reply.
//!
//! A child sends only its findings. The parent adds the values that it knows itself, such as its
//! limits.

use super::{Frame, Payload, ProtocolError, Reply};
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{CompilerError, LoadErrorKind, is_type};
use crate::item::error_chain::ErrorChain;

/// The most bytes of a child's refusal of a plugin.
pub(crate) const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// Returns the reply that a plugin is refused, with the reason.
pub(crate) fn encode_refusal(reason: LoadErrorKind) -> Vec<u8> {
    Frame::reply(Reply::NotCompiled).data(&to_sendable(reason)).seal()
}

/// Decodes the reason why a plugin is refused. `settings` are the settings of the loader that
/// sent the plugin.
pub(crate) fn decode_refusal(
    payload: Payload<'_>,
    settings: &CompileSettings,
) -> Result<LoadErrorKind, ProtocolError> {
    if payload.rest().len() > MAX_REFUSAL_BYTES {
        return Err(ProtocolError("a refusal that is too long"));
    }
    complete_refusal(payload.data(ProtocolError("an invalid error"))?, settings)
}

/// Converts the reason to an error that a child may send.
pub(super) fn to_sendable(reason: LoadErrorKind) -> LoadErrorKind {
    match reason {
        // None of these occurs in a child.
        LoadErrorKind::Read { .. }
        | LoadErrorKind::TooLarge { .. }
        | LoadErrorKind::Digest { .. }
        | LoadErrorKind::HostFunction(_)
        | LoadErrorKind::Engine(_)
        | LoadErrorKind::Precompiled
        | LoadErrorKind::PrecompiledMismatch(_)
        | LoadErrorKind::Compiler(_) => {
            LoadErrorKind::Code { source: ErrorChain::from_error(&reason) }
        }
        reason => reason,
    }
}

/// Fills in the values that the loader knows, and checks the other values against them.
pub(super) fn complete_refusal(
    mut reason: LoadErrorKind,
    settings: &CompileSettings,
) -> Result<LoadErrorKind, ProtocolError> {
    match &mut reason {
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
    Ok(reason)
}

#[cfg(test)]
mod tests;
