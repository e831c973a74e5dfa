//! Makes a core module whose initial memories and globals are those of a running instance.
//!
//! The host instruments the original module, so that the instance exports all memories and globals. After `init`, the
//! host writes the contents of these memories and globals into a copy of the original module.
//!
//! The host must link the original module first. Linking refuses some imports that the rewriter cannot handle, such as
//! tags.

use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::{Extern, Instance, Store, Val};
use wasmtime_wizer::{InstanceState, ModuleContext, SnapshotVal, ValType, Wizer};

use crate::event::snapshot_refusal::SnapshotRefusal;

/// The size limit of frozen memory, in bytes. It equals the limit on a plugin's compiled code,
/// which contains the image.
pub(crate) const MAX_IMAGE_BYTES: u64 = 512 * 1024 * 1024;

/// The largest number of pieces in frozen memory. A piece is a range of bytes between runs of zeros. The rewriter
/// stores two records of 24 bytes for each piece. Therefore this constant limits the memory that the rewriter needs in
/// addition to the image.
const MAX_PIECES: usize = 1 << 25;

/// The prefix of the names under which instrumented modules export their memories.
const MEMORY: &str = "__wizer_memory_";

/// An instrumented module, whose instances can be frozen.
pub(crate) struct Instrumented<'a> {
    wizer: Wizer,
    context: ModuleContext<'a>,
    module: Vec<u8>,
}

impl<'a> Instrumented<'a> {
    pub(crate) fn of(binary: &'a [u8]) -> Result<Self, SnapshotRefusal> {
        let mut wizer = Wizer::new();
        wizer.init_func("init").keep_init_func(true);
        let instrumented = wizer.instrument(binary);
        let (context, module) =
            instrumented.map_err(|error| SnapshotRefusal::Unsupported(error.to_string()))?;
        Ok(Self { wizer, context, module })
    }

    /// Returns the instrumented module, which is compiled and instantiated instead of the original.
    pub(crate) fn module(&self) -> &[u8] {
        &self.module
    }

    /// Returns the module whose instances begin with the current state of `instance`.
    pub(crate) fn freeze<T>(
        &self,
        store: &mut Store<T>,
        instance: &Instance,
    ) -> Result<Vec<u8>, SnapshotRefusal> {
        check_memories(store, instance)?;
        let mut exposed = ExposedInstance { store, instance };
        let frozen = poll_once(self.wizer.snapshot(&self.context, &mut exposed));
        frozen.map_err(|error| SnapshotRefusal::Unsupported(error.to_string()))
    }
}

/// Checks that all memories can be read, and are not too large.
fn check_memories<T>(store: &mut Store<T>, instance: &Instance) -> Result<(), SnapshotRefusal> {
    let exports: Vec<_> = instance
        .exports(&mut *store)
        .filter(|export| export.name().starts_with(MEMORY))
        .map(wasmtime::Export::into_extern)
        .collect();
    let (mut bytes, mut pieces) = (0_u64, 0);
    for export in exports {
        let Some(memory) = export.into_memory() else {
            return Err(SnapshotRefusal::Unsupported("it has a shared memory".into()));
        };
        bytes = bytes.saturating_add(memory.data_size(&*store) as u64);
        pieces += pieces_of(memory.data(&*store));
    }
    if bytes > MAX_IMAGE_BYTES {
        return Err(SnapshotRefusal::TooLarge { bytes, limit: MAX_IMAGE_BYTES });
    }
    if pieces > MAX_PIECES {
        return Err(SnapshotRefusal::TooScattered { pieces, limit: MAX_PIECES });
    }
    Ok(())
}

/// Returns the number of pieces that begin after a zero.
fn pieces_of(memory: &[u8]) -> usize {
    memory.windows(2).filter(|pair| pair[0] == 0 && pair[1] != 0).count()
}

/// An instance whose memories and globals are exported.
struct ExposedInstance<'a, T: 'static> {
    store: &'a mut Store<T>,
    instance: &'a Instance,
}

impl<T> InstanceState for ExposedInstance<'_, T> {
    fn global_get(&mut self, name: &str, _: ValType) -> impl Future<Output = SnapshotVal> + Send {
        let global = self.instance.get_global(&mut *self.store, name);
        let global = global.expect("the instrumented module exports it");
        ready(match global.get(&mut *self.store) {
            Val::I32(value) => SnapshotVal::I32(value),
            Val::I64(value) => SnapshotVal::I64(value),
            Val::F32(value) => SnapshotVal::F32(value),
            Val::F64(value) => SnapshotVal::F64(value),
            Val::V128(value) => SnapshotVal::V128(value.as_u128()),
            _ => unreachable!("modules with such globals are not instrumented"),
        })
    }

    fn memory_contents(
        &mut self,
        name: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) -> impl Future<Output = ()> + Send {
        let memory = self.instance.get_export(&mut *self.store, name).and_then(Extern::into_memory);
        contents(memory.expect("the memory was found before").data(&*self.store));
        let done: Ready<()> = ready(());
        done
    }
}

/// Returns the output of a future that never waits.
fn poll_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the future never waits"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_pieces_are_separated_by_zeros() {
        for (memory, pieces) in [(&[][..], 0), (&[0, 0], 0), (&[0, 1, 2, 0, 0, 3, 0, 4], 3)] {
            assert_eq!(pieces_of(memory), pieces, "{memory:?}");
        }
    }
}
