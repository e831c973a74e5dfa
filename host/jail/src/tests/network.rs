//! Tests of granted ports, and of others.

use std::io::ErrorKind::PermissionDenied;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};

use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt};

use super::{JailConfig, Task, alone, bare, begin, call, enter, misdeeds, not_refused, seal};

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[test]
fn only_granted_ports_can_be_connected_to() {
    let ((_granted, granted), (_other, other)) = (listener(), listener());
    alone("network::only_granted_ports_can_be_connected_to", |parent| {
        begin(parent).unwrap();
        enter(&JailConfig { ports: &[granted.port()], ..bare(Task::Work) }).unwrap();
        seal().unwrap();
        let stream = TcpStream::connect(granted).unwrap();
        stream.set_nodelay(true).unwrap();
        assert_eq!(TcpStream::connect(other).unwrap_err().kind(), PermissionDenied);
        let other = SocketAddr::from((Ipv6Addr::LOCALHOST, other.port()));
        assert_eq!(TcpStream::connect(other).unwrap_err().kind(), PermissionDenied);
        let groups = [
            misdeeds::on_processes(parent.as_raw_nonzero().get()),
            misdeeds::on_the_system(),
            misdeeds::on_files(),
            misdeeds::on_other_sockets(),
            misdeeds::on_code(),
        ];
        for group in groups {
            let done = not_refused(group);
            assert!(done.is_empty(), "{done:#?}");
        }
    });
}

#[test]
fn listening_on_a_port_is_refused() {
    let (_granted, granted) = listener();
    alone("network::listening_on_a_port_is_refused", |parent| {
        begin(parent).unwrap();
        enter(&JailConfig { ports: &[granted.port()], ..bare(Task::Work) }).unwrap();
        seal().unwrap();
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        sockopt::set_socket_reuseaddr(&socket, true).unwrap();
        let at = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        assert_eq!(bind(&socket, &at(granted.port())), Err(rustix::io::Errno::ACCESS));
        bind(&socket, &at(0)).unwrap();
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&socket).cast_unsigned() as usize;
        assert_eq!(call(libc::SYS_listen, &[descriptor, 1]), Err(libc::EPERM));
    });
}
