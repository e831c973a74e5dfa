//! Limits on speculative execution. Speculation leaves traces in the processor, from which a
//! program can infer the contents of memory that it must not read.
//!
//! The process asks the kernel to turn off two kinds of speculation, if the processor has them and the kernel lets a
//! process turn them off. Without this speculation, the plugin runs a little slower. The process starts as fast as with
//! speculation.

use std::io;

use super::{JailLayer, JailLayers, LayerStatus};

const PR_GET_SPECULATION_CTRL: libc::c_int = 52;
const PR_SET_SPECULATION_CTRL: libc::c_int = 53;
const PR_SPEC_STORE_BYPASS: libc::c_ulong = 0;
const PR_SPEC_INDIRECT_BRANCH: libc::c_ulong = 1;
/// The flag for a kind that a process may turn off.
const PR_SPEC_PRCTL: libc::c_int = 1;
const PR_SPEC_ENABLE: libc::c_int = 2;
const PR_SPEC_FORCE_DISABLE: libc::c_ulong = 8;

/// Turns off each kind of speculation that the kernel lets a process turn off.
pub(crate) fn enter(layers: &mut JailLayers) {
    layers.add_answer(JailLayer::StoreBypass, switch_off(PR_SPEC_STORE_BYPASS));
    layers.add_answer(JailLayer::IndirectBranches, switch_off(PR_SPEC_INDIRECT_BRANCH));
}

fn switch_off(kind: libc::c_ulong) -> LayerStatus {
    match control(PR_GET_SPECULATION_CTRL, kind, 0) {
        Err(error) => LayerStatus::Missing(error.to_string()),
        Ok(state) if state & PR_SPEC_ENABLE == 0 => LayerStatus::Present,
        Ok(state) if state & PR_SPEC_PRCTL == 0 => {
            LayerStatus::Missing("the kernel lets no process turn it off on this processor".into())
        }
        Ok(_) => {
            let off = control(PR_SET_SPECULATION_CTRL, kind, PR_SPEC_FORCE_DISABLE);
            LayerStatus::from_result(off.map(drop))
        }
    }
}

#[expect(unsafe_code, reason = "no safe function makes this call")]
fn control(
    option: libc::c_int,
    kind: libc::c_ulong,
    value: libc::c_ulong,
) -> io::Result<libc::c_int> {
    const NONE: libc::c_ulong = 0;
    // SAFETY: these options take numbers and no pointers, so the kernel accesses no memory of this process.
    match unsafe { libc::prctl(option, kind, value, NONE, NONE) } {
        state if state < 0 => Err(io::Error::last_os_error()),
        state => Ok(state),
    }
}
