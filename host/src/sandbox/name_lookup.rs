//! `wasi:sockets/ip-name-lookup` for what is granted.
//!
//! wasmtime-wasi's own lets a plugin look up every name or none. This one takes its place in the
//! linker: it answers from what was found of the granted names, and asks nobody.

use std::net::IpAddr;
use std::sync::Arc;
use std::vec;

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    self, Host, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, HostNetwork, IpAddress};
use wasmtime_wasi::p2::{
    DynPollable, Network as Capability, Pollable, SocketError, SocketResult, subscribe,
};
use wasmtime_wasi::sockets::WasiSocketsCtxView;

use super::network::Network;

/// Where an instance keeps what it looked up, and what it may.
pub(crate) struct NameLookup<'a> {
    pub(crate) sockets: WasiSocketsCtxView<'a>,
    pub(crate) network: &'a Arc<Network>,
}

/// Stores whose instances may look names up.
pub(crate) trait LooksUpNames: Send {
    fn name_lookup(&mut self) -> NameLookup<'_>;
}

struct HasNameLookup;

impl HasData for HasNameLookup {
    type Data<'a> = NameLookup<'a>;
}

/// Defines the interface, in place of the one that the linker has.
pub(crate) fn add_to_linker<T: LooksUpNames + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    ip_name_lookup::add_to_linker::<T, HasNameLookup>(linker, T::name_lookup)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The addresses of a name that are still to be told. The guest has it as a
/// `ResolveAddressStream`: that is what the interface calls its type, and nobody else's code sees
/// what the handle stands for.
struct Found(vec::IntoIter<IpAddr>);

#[wasmtime_wasi::async_trait]
impl Pollable for Found {
    async fn ready(&mut self) {}
}

/// What the interface wants of its neighbour: as wasmtime-wasi has it.
impl network::Host for NameLookup<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        self.sockets.convert_error_code(error)
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.sockets.network_error_code(error)
    }
}

impl HostNetwork for NameLookup<'_> {
    fn drop(&mut self, capability: Resource<Capability>) -> wasmtime::Result<()> {
        HostNetwork::drop(&mut self.sockets, capability)
    }
}

impl Host for NameLookup<'_> {
    fn resolve_addresses(
        &mut self,
        capability: Resource<Capability>,
        name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        self.sockets.table.get(&capability)?;
        let found = self.network.resolve(&name).map_err(|_| ErrorCode::AccessDenied)?;
        let found = self.sockets.table.push(Found(found.into_iter()))?;
        Ok(Resource::new_own(found.rep()))
    }
}

impl HostResolveAddressStream for NameLookup<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> SocketResult<Option<IpAddress>> {
        let found: Resource<Found> = Resource::new_borrow(stream.rep());
        Ok(self.sockets.table.get_mut(&found)?.0.next().map(Into::into))
    }

    fn subscribe(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let found: Resource<Found> = Resource::new_borrow(stream.rep());
        subscribe(self.sockets.table, found)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        let found: Resource<Found> = Resource::new_own(stream.rep());
        self.sockets.table.delete(found)?;
        Ok(())
    }
}
