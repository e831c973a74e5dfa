//! The part of `wasi:sockets` that wasmtime-wasi cannot limit to grants.
//!
//! The name lookup of wasmtime-wasi allows all names or none. This module replaces that lookup in
//! the linker: the new lookup answers from the addresses of the granted names, and sends no query.
//! If no address is granted, a plugin cannot open a socket. This module reports the attempt as a
//! denial, and the hint of the denial names the missing grant.

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

/// An instance's sockets, and the part of the network that it may use.
pub(crate) struct GrantedSockets<'a> {
    pub(crate) sockets: WasiSocketsCtxView<'a>,
    pub(crate) network: &'a Arc<Network>,
}

/// The data of a store with an instance's sockets.
pub(crate) trait HasSockets: Send {
    fn granted_sockets(&mut self) -> GrantedSockets<'_>;
}

struct Shadow;

impl HasData for Shadow {
    type Data<'a> = GrantedSockets<'a>;
}

/// Defines both interfaces in the linker, and replaces those of wasmtime-wasi.
pub(crate) fn add_to_linker<T: HasSockets + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    ip_name_lookup::add_to_linker::<T, Shadow>(linker, T::granted_sockets)?;
    tcp_create_socket::add_to_linker::<T, Shadow>(linker, T::granted_sockets)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The addresses of a name that the guest has not read yet. The guest's handle has the type
/// `ResolveAddressStream` of the interface. Only this module resolves the handle, so no other code
/// resolves it as a `ResolveAddressStream`.
struct PendingAddresses(vec::IntoIter<IpAddr>);

#[wasmtime_wasi::async_trait]
impl Pollable for PendingAddresses {
    async fn ready(&mut self) {}
}

/// The interface on which the name lookup depends. It passes all calls to wasmtime-wasi.
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
        let found = self.sockets.table.push(PendingAddresses(found.into_iter()))?;
        Ok(Resource::new_own(found.rep()))
    }
}

impl HostResolveAddressStream for GrantedSockets<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> SocketResult<Option<IpAddress>> {
        let found: Resource<PendingAddresses> = Resource::new_borrow(stream.rep());
        Ok(self.sockets.table.get_mut(&found)?.0.next().map(Into::into))
    }

    fn subscribe(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let found: Resource<PendingAddresses> = Resource::new_borrow(stream.rep());
        subscribe(self.sockets.table, found)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        let found: Resource<PendingAddresses> = Resource::new_own(stream.rep());
        self.sockets.table.delete(found)?;
        Ok(())
    }
}

impl tcp_create_socket::Host for GrantedSockets<'_> {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        if !self.network.has_grants() {
            self.network.report_denial(&Denial::Sockets);
            return Err(ErrorCode::AccessDenied.into());
        }
        self.sockets.create_tcp_socket(family)
    }
}
