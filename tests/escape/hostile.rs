//! The native worker that plays a plugin which has taken over its process.

use std::ffi::CString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process;
use std::sync::mpsc;

use mtl_host::native::Failure;
use rustix::process::getppid;

use crate::misdeeds::{self, call, not_refused};

/// Performs the misdeed that the item names, and returns the result. If the item names a set of misdeeds, returns a
/// message for each misdeed that the kernel did not refuse. For any other item, returns the result of the replaced
/// plugin.
pub(crate) fn answer(item: &[u8]) -> Result<String, Failure> {
    let item = str::from_utf8(item).map_err(Failure::bad_item)?;
    let (misdeed, target) = item.split_once(' ').unwrap_or((item, ""));
    let tried = match misdeed {
        "processes" => misdeeds::on_processes(parent()),
        "system" => misdeeds::on_the_system(),
        "files" => misdeeds::on_files(),
        "file-metadata" => misdeeds::on_file_metadata(&path(target)),
        "network" => misdeeds::on_the_network(),
        "other-sockets" => misdeeds::on_other_sockets(),
        "x32" => misdeeds::by_x32_numbers(),
        "code" => misdeeds::on_code(),
        "memory" => misdeeds::on_memory(),
        "resources" => misdeeds::on_resources(),
        "read" => return Ok(open(target, libc::O_RDONLY)),
        "write" => return Ok(open(target, libc::O_WRONLY)),
        "create" => return Ok(open(target, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL)),
        "lengthen" => return Ok(lengthen(target)),
        "connect" => return Ok(connect(target)),
        "exists" => return Ok(exists(target)),
        "descriptors" => return Ok(descriptors()),
        "blocking-work" => return Ok(run_blocking_work()),
        "die" => return Ok(die(target)),
        _ => return Ok(item.to_uppercase()),
    };
    Ok(not_refused(tried).join("; "))
}

fn parent() -> i32 {
    getppid().map_or(0, |parent| parent.as_raw_nonzero().get())
}

fn path(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}

/// Opens a file by an absolute path, or below any directory that the process holds open.
fn open(name: &str, flags: i32) -> String {
    let (name, flags) = (path(name), flags.cast_unsigned() as usize);
    let below = |directory| {
        call(libc::SYS_openat, &[directory, misdeeds::at(&name), flags, 0o600]).map(drop)
    };
    if name.as_bytes().starts_with(b"/") {
        return describe(below(libc::AT_FDCWD as usize));
    }
    let no_directory = [libc::EBADF, libc::ENOTDIR, libc::ENOENT];
    let answers: Vec<_> = (3..64).map(below).collect();
    let opened = answers.iter().find(|answer| answer.is_ok());
    let refused =
        || answers.iter().find(|answer| answer.is_err_and(|errno| !no_directory.contains(&errno)));
    describe(opened.or_else(refused).copied().unwrap_or(Err(libc::ENOENT)))
}

/// Extends a file to a sparse TiB, below any directory that the process holds open.
fn lengthen(name: &str) -> String {
    let name = path(name);
    let flags = (libc::O_WRONLY | libc::O_CREAT).cast_unsigned() as usize;
    let open = |directory| call(libc::SYS_openat, &[directory, misdeeds::at(&name), flags, 0o600]);
    let file = (3..64).find_map(|directory| open(directory).ok());
    describe(
        file.ok_or(libc::ENOENT)
            .and_then(|file| call(libc::SYS_ftruncate, &[file, 1 << 40]).map(drop)),
    )
}

/// Returns whether a file exists. Landlock does not restrict this query. An absolute `name` is tested directly. A
/// relative `name` is tested below each directory that the process has open.
fn exists(name: &str) -> String {
    let name = path(name);
    if name.as_bytes().starts_with(b"/") {
        return describe(
            rustix::fs::stat(&name).map(drop).map_err(rustix::io::Errno::raw_os_error),
        );
    }
    let mut status = [0_u64; 64];
    let status = status.as_mut_ptr().addr();
    let mut below = |directory| {
        let arguments = [directory, misdeeds::at(&name), 0, libc::STATX_SIZE as usize, status];
        call(libc::SYS_statx, &arguments).is_ok()
    };
    describe(if (3..64).any(&mut below) { Ok(()) } else { Err(libc::ENOENT) })
}

/// Returns the number of open descriptors.
fn descriptors() -> String {
    let is_open = |descriptor: &usize| call(libc::SYS_fcntl, &[*descriptor, 1]).is_ok();
    (0..1024).filter(is_open).count().to_string()
}

/// Runs blocking work as WASI does: on a separate thread of the asynchronous runtime.
fn run_blocking_work() -> String {
    let (done, is_done) = mpsc::channel();
    drop(tokio::task::spawn_blocking(move || done.send(())));
    is_done.recv().map_or_else(|error| error.to_string(), |()| "done".to_owned())
}

fn connect(port: &str) -> String {
    let address = port.parse().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let stream = TcpStream::connect(address.unwrap_or(([0, 0, 0, 0], 0).into()));
    describe(stream.map(drop).map_err(|error| error.raw_os_error().unwrap_or(0)))
}

fn describe(answer: Result<(), i32>) -> String {
    match answer {
        Ok(()) => "done".to_owned(),
        Err(errno) => io::Error::from_raw_os_error(errno).kind().to_string(),
    }
}

/// Ends the process, or breaks its connection to the parent.
fn die(way: &str) -> String {
    let garbage = [0xa5_u8; 4096];
    let _: Vec<_> = match way {
        "by abort" => process::abort(),
        "by a wrong address" => vec![read_from_nowhere()],
        "by an exit" => vec![call(libc::SYS_exit_group, &[0])],
        "by garbage" => vec![call(libc::SYS_write, &[0, garbage.as_ptr().addr(), garbage.len()])],
        "by closed descriptors" => {
            (0..64).map(|descriptor| call(libc::SYS_close, &[descriptor])).collect()
        }
        _ => Vec::new(),
    };
    String::new()
}

#[expect(unsafe_code, reason = "hostile code does this")]
fn read_from_nowhere() -> Result<usize, i32> {
    // SAFETY: the address is never mapped, so the read raises SIGSEGV, which ends the process. The misdeed intends this
    // crash, and the read never returns.
    Ok(usize::from(unsafe { std::ptr::without_provenance::<u8>(8).read_volatile() }))
}
