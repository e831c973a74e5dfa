//! Speculation of the processor: what it computes ahead leaves traces that tell of other memory.
//!
//! The kernel switches two kinds of it off for this process, where the processor has them and lets processes
//! choose. That costs the plugin some speed and the start nothing.

use std::io;

use super::{JailLayer, JailLayers, LayerAnswer};

const PR_GET_SPECULATION_CTRL: libc::c_int = 52;
const PR_SET_SPECULATION_CTRL: libc::c_int = 53;
const PR_SPEC_STORE_BYPASS: libc::c_ulong = 0;
const PR_SPEC_INDIRECT_BRANCH: libc::c_ulong = 1;
/// The process may choose.
const PR_SPEC_PRCTL: libc::c_int = 1;
const PR_SPEC_ENABLE: libc::c_int = 2;
const PR_SPEC_FORCE_DISABLE: libc::c_ulong = 8;

/// Switches off what can be switched off.
pub(crate) fn enter(layers: &mut JailLayers) {
    layers.note(JailLayer::StoreBypass, switch_off(PR_SPEC_STORE_BYPASS));
    layers.note(JailLayer::IndirectBranches, switch_off(PR_SPEC_INDIRECT_BRANCH));
}

fn switch_off(kind: libc::c_ulong) -> LayerAnswer {
    match control(PR_GET_SPECULATION_CTRL, kind, 0) {
        Err(error) => LayerAnswer::Missing(error.to_string()),
        Ok(state) if state & PR_SPEC_ENABLE == 0 => LayerAnswer::Present,
        Ok(state) if state & PR_SPEC_PRCTL == 0 => {
            LayerAnswer::Missing("the kernel lets no process choose on this processor".into())
        }
        Ok(_) => {
            let off = control(PR_SET_SPECULATION_CTRL, kind, PR_SPEC_FORCE_DISABLE);
            LayerAnswer::of(off.map(drop))
        }
    }
}

#[expect(unsafe_code, reason = "nothing safe makes this call")]
fn control(
    option: libc::c_int,
    kind: libc::c_ulong,
    value: libc::c_ulong,
) -> io::Result<libc::c_int> {
    const NONE: libc::c_ulong = 0;
    // SAFETY: the options take numbers and no pointers.
    match unsafe { libc::prctl(option, kind, value, NONE, NONE) } {
        state if state < 0 => Err(io::Error::last_os_error()),
        state => Ok(state),
    }
}
