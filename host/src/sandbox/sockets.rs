//! The part of `wasi:sockets` that wasmtime-wasi cannot limit to what is granted.
//!
//! Its own look-up of names is for all names or for none: the one here takes its place in the
//! linker, answers from what was found of the granted names, and asks nobody. And where nothing is
//! granted there are no sockets: here that is told, so that people learn what would grant it.

use std::net::IpAddr;
use std::sync::Arc;
use std::vec;

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    self, Host, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{
    self, ErrorCode, HostNetwork, IpAddress, IpAddressFamily,
};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket;
use wasmtime_wasi::p2::{
    DynPollable, Network as Capability, Pollable, SocketError, SocketResult, TcpSocket, subscribe,
};
use wasmtime_wasi::sockets::WasiSocketsCtxView;

use super::network::Network;
use crate::sandbox::guest_event::Denial;

/// An instance's sockets, and what of the network it may use.
pub(crate) struct GrantedSockets<'a> {
    pub(crate) sockets: WasiSocketsCtxView<'a>,
    pub(crate) network: &'a Arc<Network>,
}

/// What a store holds of them.
pub(crate) trait HasSockets: Send {
    fn granted_sockets(&mut self) -> GrantedSockets<'_>;
}

struct Shadow;

impl HasData for Shadow {
    type Data<'a> = GrantedSockets<'a>;
}

/// Defines both interfaces, in place of those that the linker has.
pub(crate) fn add_to_linker<T: HasSockets + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    ip_name_lookup::add_to_linker::<T, Shadow>(linker, T::granted_sockets)?;
    tcp_create_socket::add_to_linker::<T, Shadow>(linker, T::granted_sockets)?;
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
impl network::Host for GrantedSockets<'_> {
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

impl HostNetwork for GrantedSockets<'_> {
    fn drop(&mut self, capability: Resource<Capability>) -> wasmtime::Result<()> {
        HostNetwork::drop(&mut self.sockets, capability)
    }
}

impl Host for GrantedSockets<'_> {
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

impl HostResolveAddressStream for GrantedSockets<'_> {
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

impl tcp_create_socket::Host for GrantedSockets<'_> {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        if !self.network.is_any_granted() {
            self.network.tell(&Denial::Sockets);
            return Err(ErrorCode::AccessDenied.into());
        }
        self.sockets.create_tcp_socket(family)
    }
}
