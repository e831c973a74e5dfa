//! Checks the network access of plugins: exactly the addresses that `--net` grants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::thread::{Builder, JoinHandle};

use crate::support::{DEADLINE, Finished, Host, fixtures, host};

/// Opens a listener on a free port, and returns both.
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Serves one connection on a thread.
fn serve(listener: TcpListener, answer: fn(&TcpStream)) -> JoinHandle<()> {
    let serve = move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        answer(&stream);
    };
    Builder::new().spawn(serve).unwrap()
}

/// Describes a run of one worker with results as JSON lines.
fn worker(plugin: &str, net: &[String]) -> Host {
    let grants = net.iter().flat_map(|grant| ["--net".to_owned(), grant.clone()]);
    host().plugin(plugin).args(["--jobs", "1", "--output-format", "jsonl"]).args(grants)
}

/// Checks the lines of standard error that are not faults.
#[track_caller]
fn check_messages(finished: &Finished, expected: &str) {
    let stderr = finished.stderr_text();
    let lines = stderr.split_inclusive('\n').filter(|line| !line.starts_with("fault: "));
    assert_eq!(lines.collect::<String>(), expected);
}

fn refused(index: u32, message: &str) -> String {
    format!("{{\"index\":{index},\"error\":{{\"kind\":\"refused\",\"message\":\"{message}\"}}}}\n")
}

/// The error code of `wasi:sockets` for a denied address, as the fixture shows it.
const DENIED: &str = "b";
/// The error code of `wasi:http` for a denied request.
const REQUEST_DENIED: &str = "p";

fn echo(mut stream: &TcpStream) {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    stream.write_all(line.trim_end().to_uppercase().as_bytes()).unwrap();
}

#[test]
fn a_plugin_connects_to_granted_addresses_and_names() {
    for host in ["127.0.0.1", "localhost"] {
        let (listener, port) = listener();
        let server = serve(listener, echo);
        worker("connect.wat", &[format!("{host}:{port}")])
            .stdin(format!("4{port}\n"))
            .run()
            .code(0)
            .stdout("{\"index\":0,\"ok\":\"ASK\"}\n")
            .stderr("");
        server.join().unwrap();
    }
}

/// Returns a name of this machine other than `localhost`, with its address.
fn own_name() -> (String, IpAddr) {
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap();
    let names = hosts.lines().flat_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    });
    // Most systems resolve one of these names, from whatever source.
    let names = names.chain(["ip6-localhost", "ip6-loopback"].map(str::to_owned));
    let mut names = names.filter(|name| name != "localhost").filter_map(|name| {
        let mut found = (name.as_str(), 0).to_socket_addrs().ok()?.map(|found| found.ip());
        let first = found.next().filter(IpAddr::is_loopback)?;
        found.all(|other| other == first).then_some((name, first))
    });
    names
        .next()
        .expect("/etc/hosts has a name of the loopback other than `localhost`, such as `vm`")
}

#[test]
fn a_name_of_this_machine_needs_a_grant_by_address() {
    let (name, address) = own_name();
    let (listener, port) = listener();
    worker("connect.wat", &[format!("{name}:{port}")]).run().code(2).stdout("").stderr(&format!(
        "error: cannot grant `{name}:{port}`: its name leads to this machine or a private network: \
         {address}\n \
         hint: if you want to allow this, grant the address itself: `--net {}`\n",
        SocketAddr::new(address, port)
    ));
    drop(listener);
    // A grant to one worker is not a grant to another.
    let spec = |grants: &str| format!("{}{grants}", fixtures().join("connect.wat").display());
    let (named, by_address) = (format!(",net={name}:1"), format!(",net={address}:1"));
    let two = |one: &str, other: &str| {
        host().args(["--worker", &spec(one), "--worker", &spec(other)]).stdin("l\n").run()
    };
    two(&named, &by_address).code(2);
    two(&format!("{named}{by_address}"), &by_address).code(1);
}

#[test]
fn an_ungranted_port_is_denied_and_reported_once() {
    let (_granted, granted) = listener();
    let (other, port) = listener();
    let finished = worker("connect.wat", &[format!("127.0.0.1:{granted}")])
        .stdin(format!("4{port}\n4{port}\nl\nu\n"))
        .run()
        .code(1)
        .stdout((0..4).map(|index| refused(index, DENIED)).collect::<String>());
    check_messages(
        &finished,
        &format!(
            "warning: worker 0 was denied a connection to `127.0.0.1:{port}`\n \
             hint: `--net 127.0.0.1:{port}` grants it\n"
        ),
    );
    other.set_nonblocking(true).unwrap();
    let kind = other.accept().unwrap_err().kind();
    assert_eq!(kind, std::io::ErrorKind::WouldBlock, "no client has connected");
}

#[test]
fn without_a_grant_sockets_and_names_are_denied() {
    let finished = worker("connect.wat", &[])
        .stdin("41\nnlocalhost\nl\nu\n")
        .run()
        .code(1)
        .stdout((0..4).map(|index| refused(index, DENIED)).collect::<String>());
    check_messages(
        &finished,
        "warning: worker 0 was denied a socket\n \
             hint: `--net HOST:PORT` lets it connect there\n\
             warning: worker 0 was denied the addresses of `localhost`\n \
             hint: `--net localhost:PORT` grants it, for one port\n",
    );
}

#[test]
fn only_granted_names_are_looked_up() {
    let finished = worker("connect.wat", &["localhost:1".into()])
        .stdin("nLocalhost\nn10.1.2.3\nnexample.com\nnlocalhost.example.com\n")
        .run()
        .code(1);
    check_messages(
        &finished,
        "warning: worker 0 was denied the addresses of `example.com`\n \
             hint: `--net example.com:PORT` grants it, for one port\n\
             warning: worker 0 was denied the addresses of `localhost.example.com`\n \
             hint: `--net localhost.example.com:PORT` grants it, for one port\n",
    );
    let text = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap();
    assert!(first.contains("127.0.0.1") || first.contains("six"), "{first}");
    let rest: String = lines.collect();
    let (two, three) = (refused(2, DENIED), refused(3, DENIED));
    assert_eq!(rest, format!("{{\"index\":1,\"ok\":\"10.1.2.3\"}}\n{two}{three}"));
}

/// Answers one request with `ok`, and checks that it requested `/`.
fn answer_request(mut stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "GET / HTTP/1.1");
    assert!(
        lines
            .by_ref()
            .take_while(|line| !line.is_empty())
            .any(|line| { line.to_ascii_lowercase().starts_with("host: ") })
    );
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
}

#[test]
fn a_plugin_sends_requests_to_granted_hosts() {
    for host in ["127.0.0.1", "localhost"] {
        let (listener, port) = listener();
        let server = serve(listener, answer_request);
        worker("request.wat", &[format!("{host}:{port}")])
            .stdin(format!("h{host}:{port}\n"))
            .run()
            .code(0)
            .stdout("{\"index\":0,\"ok\":\"ok\"}\n")
            .stderr("");
        server.join().unwrap();
    }
}

#[test]
fn ungranted_requests_are_denied() {
    let (_granted, port) = listener();
    let finished = worker("request.wat", &[format!("127.0.0.1:{port}")])
        .stdin(format!("h127.0.0.1\nhlocalhost:{port}\ns127.0.0.1:{port}\ns127.0.0.1\n"))
        .run()
        .code(1)
        .stdout(
            [REQUEST_DENIED, REQUEST_DENIED, "this host has no TLS: use `http`", REQUEST_DENIED]
                .iter()
                .zip(0..)
                .map(|(message, index)| refused(index, message))
                .collect::<String>(),
        );
    check_messages(
        &finished,
        &format!(
            "warning: worker 0 was denied a request to `127.0.0.1:80`\n \
             hint: `--net 127.0.0.1:80` grants it\n\
             warning: worker 0 was denied a request to `localhost:{port}`\n \
             hint: `--net localhost:{port}` grants it\n\
             warning: worker 0 was denied a request by `https` to `127.0.0.1:{port}`\n \
             hint: this host has no TLS: plugins can send requests by `http`\n\
             warning: worker 0 was denied a request to `127.0.0.1:443`\n \
             hint: `--net 127.0.0.1:443` grants it\n"
        ),
    );
}

/// Reads the request and never answers, until the client closes the connection.
fn stay_silent(mut stream: &TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn waiting_for_a_silent_server_times_out() {
    for (plugin, item) in [("connect.wat", "4"), ("request.wat", "h127.0.0.1:")] {
        let (listener, port) = listener();
        let server = serve(listener, stay_silent);
        let finished: Finished = worker(plugin, &[format!("127.0.0.1:{port}")])
            .args(["--timeout", "100ms"])
            .stdin(format!("{item}{port}\n"))
            .run()
            .code(1);
        finished.stdout(
            "{\"index\":0,\"error\":{\"kind\":\"timeout\",\"message\":\"took longer than 100ms\"}}\n",
        );
        server.join().unwrap();
    }
}

#[test]
fn an_unusable_or_unresolvable_grant_is_refused() {
    #[rustfmt::skip]
    let cases = [
        ("upper.wat", "127.0.0.1:80",
         "error: plugin `upper.wat` cannot connect to anything: it imports neither \
          `wasi:sockets/tcp` nor `wasi:http/outgoing-handler`\n \
          hint: leave out `--net`, or build the plugin as a component: WASI of core modules cannot \
          connect\n"),
        ("connect.wat", "no-such-name.invalid:80",
         "error: cannot grant `no-such-name.invalid:80`: its name cannot be looked up: "),
    ];
    for (plugin, net, begins) in cases {
        let finished = worker(plugin, &[net.into()]).stdin("a\n").run().code(2).stdout("");
        let stderr = finished.stderr_text();
        assert!(stderr.starts_with(begins), "{stderr}");
    }
}

#[test]
fn a_malformed_net_grant_is_explained() {
    let finished = worker("connect.wat", &["example.com".into()]).run().code(2).stdout("");
    let stderr = finished.stderr_text();
    assert!(stderr.contains("not of the form `HOST:PORT`, such as `example.com:443`"), "{stderr}");
}

#[test]
fn each_worker_has_its_own_grants() {
    let (listener, port) = listener();
    let server = serve(listener, echo);
    host()
        .file("connect.wat", std::fs::read(crate::support::fixtures().join("connect.wat")).unwrap())
        .args(["--worker".into(), format!("connect.wat,net=127.0.0.1:{port}")])
        .stdin(format!("4{port}\n"))
        .run()
        .code(0)
        .stdout("ASK\n");
    server.join().unwrap();
}
