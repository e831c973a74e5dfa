//! The sandbox: the grants of a plugin, and the code that enforces them.

pub(crate) mod capabilities;
pub(crate) mod confinement;
pub(crate) mod control_group;
pub(crate) mod disk;
pub(crate) mod granted;
pub(crate) mod guest_event;
pub(crate) mod guest_output;
pub(crate) mod http;
mod internal;
pub(crate) mod meter;
pub(crate) mod net_grant;
pub(crate) mod network;
pub(crate) mod output;
pub(crate) mod sockets;
