//! Checks the network: a plugin reaches no ungranted address, by sockets or by requests.

use std::io::ErrorKind;
use std::net::TcpListener;

use super::good_run::good_run;

/// Returns a listener that no plugin may reach, with its port.
fn port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn an_ungranted_host_or_port_is_never_reached() {
    let (listener, port) = port();
    let other = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    #[rustfmt::skip]
    let cases = [
        // plugin         granted                        item                           denied as
        ("connect.wat",   format!("127.0.0.1:{other}"),  format!("4{port}"),            "b"),
        ("connect.wat",   format!("127.0.0.2:{port}"),   format!("4{port}"),            "b"),
        ("request.wat",   format!("127.0.0.1:{other}"),  format!("h127.0.0.1:{port}"),  "p"),
        ("request.wat",   format!("127.0.0.2:{port}"),   format!("h127.0.0.1:{port}"),  "p"),
        ("request.wat",   format!("127.0.0.1:{port}"),   format!("hlocalhost:{port}"),  "p"),
        ("request.wat",   format!("127.0.0.2:{port}"),   format!("s127.0.0.1:{port}"),  "p"),
    ];
    for (plugin, granted, item, denied) in cases {
        good_run(plugin).args(["--net", &granted]).fault(item, "refused", denied).run();
    }
    for (plugin, item) in [("connect.wat", "4"), ("request.wat", "h127.0.0.1:")] {
        let denied = if plugin == "connect.wat" { "b" } else { "p" };
        good_run(plugin).fault(format!("{item}{port}"), "refused", denied).run();
    }
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody connected");
}
