//! The attempts of native code in a jailed process. Each misdeed is a direct system call, so that
//! no library can refuse it first.

use std::ffi::CStr;
use std::io;
use std::ptr::null;
use std::thread;

/// An attempt at a misdeed, with the kernel's answer.
pub(crate) struct Attempt {
    misdeed: &'static str,
    answer: Result<usize, i32>,
    /// The error that the kernel must return.
    refusal: i32,
}

/// Describes the attempts that were not refused with the expected error.
pub(crate) fn not_refused(tried: Vec<Attempt>) -> Vec<String> {
    let wrong = tried.into_iter().filter(|tried| tried.answer != Err(tried.refusal));
    let messages = wrong.map(|Attempt { misdeed, answer, refusal }| {
        format!("{misdeed}: expected Err({refusal}), got {answer:?}")
    });
    messages.collect()
}

/// Calls the kernel; missing arguments are 0.
#[expect(unsafe_code, reason = "hostile code does this")]
pub(crate) fn call(number: i64, arguments: &[usize]) -> Result<usize, i32> {
    let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
    let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(argument);
    // SAFETY: pointers in the arguments refer to values that outlive the call and have the layout
    // that the kernel expects. If a call has other pointers, the jail refuses it before the kernel
    // reads memory.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    usize::try_from(answer).map_err(|_| io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

fn try_all(refusal: i32, calls: &[(&'static str, i64, &[usize])]) -> Vec<Attempt> {
    let tried = calls.iter().map(|(misdeed, number, arguments)| {
        let answer = call(*number, arguments);
        Attempt { misdeed, answer, refusal }
    });
    tried.collect()
}

/// Returns the address of a text as an argument.
pub(crate) fn at(text: &CStr) -> usize {
    text.as_ptr().addr()
}

/// Returns a flag as an argument.
fn flag(flag: i32) -> usize {
    flag.cast_unsigned() as usize
}

const HERE: usize = libc::AT_FDCWD as usize;
const TIOCSTI: usize = 0x5412;
const NEW_LISTENER: usize = 8;
const PASSWD: &CStr = c"/etc/passwd";
const ROOT: &CStr = c"/";
/// A program that fails, so that the test fails if it runs.
const PROGRAM: &CStr = c"/bin/false";

/// Tries to start, end and inspect processes. The jail never allows these calls.
#[rustfmt::skip]
pub(crate) fn on_processes(parent: i32) -> Vec<Attempt> {
    let parent = flag(parent);
    let mut byte = 0_u8;
    let part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let part = (&raw const part).addr();
    let arguments = [PROGRAM.as_ptr(), null()];
    let arguments = arguments.as_ptr().addr();
    let thread = flag(libc::CLONE_VM | libc::CLONE_SIGHAND | libc::CLONE_THREAD);
    let mut tried = try_all(libc::EPERM, &[
        ("fork with `clone`",             libc::SYS_clone, &[flag(libc::SIGCHLD)]),
        ("spawn with `clone`",            libc::SYS_clone, &[flag(libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD)]),
        ("start a thread with its own mounts", libc::SYS_clone, &[thread | flag(libc::CLONE_NEWNS)]),
        ("start a traced thread",         libc::SYS_clone, &[thread | flag(libc::CLONE_PTRACE)]),
        ("run a program",                 libc::SYS_execve, &[at(PROGRAM), arguments, 0]),
        ("run a program by descriptor",   libc::SYS_execveat, &[HERE, at(PROGRAM), arguments, 0, 0]),
        ("probe the parent with signal 0", libc::SYS_kill, &[parent, 0]),
        ("kill the parent",               libc::SYS_tgkill, &[parent, parent, flag(libc::SIGKILL)]),
        ("kill a thread of the parent",   libc::SYS_tkill, &[parent, flag(libc::SIGKILL)]),
        ("queue a signal",                libc::SYS_rt_sigqueueinfo, &[parent, 0, 0]),
        ("open the parent as a pidfd",    libc::SYS_pidfd_open, &[parent, 0]),
        ("send a signal by pidfd",        libc::SYS_pidfd_send_signal, &[0, 0]),
        ("copy a descriptor of the parent", libc::SYS_pidfd_getfd, &[0, 0]),
        ("trace the parent",              libc::SYS_ptrace, &[libc::PTRACE_ATTACH as usize, parent]),
        ("be traced by the parent",       libc::SYS_ptrace, &[libc::PTRACE_TRACEME as usize]),
        ("read the parent's memory",      libc::SYS_process_vm_readv, &[parent, part, 1, part, 1]),
        ("write the parent's memory",     libc::SYS_process_vm_writev, &[parent, part, 1, part, 1]),
        ("compare resources with the parent", libc::SYS_kcmp, &[parent, parent]),
        ("limit the parent",              libc::SYS_prlimit64, &[parent, 0, part, 0]),
        ("read the parent's limits",      libc::SYS_prlimit64, &[parent, 0, 0, part]),
        ("change its priority",           libc::SYS_setpriority, &[0, 0, 0]),
    ]);
    // The filter answers `clone3` with ENOSYS, as an old kernel does. The C library then uses
    // `clone`, and the filter can check the flags of `clone`.
    tried.extend(try_all(libc::ENOSYS, &[("clone with `clone3`", libc::SYS_clone3, &[part, 64])]));
    #[cfg(target_arch = "x86_64")]
    tried.extend(try_all(libc::EPERM, &[
        ("fork",                          libc::SYS_fork,  &[]),
        ("vfork",                         libc::SYS_vfork, &[]),
    ]));
    tried
}

/// Tries to change the system, and the kernel's data about this process. The jail never allows
/// these calls.
#[rustfmt::skip]
pub(crate) fn on_the_system() -> Vec<Attempt> {
    let mut more = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    let more = (&raw mut more).addr();
    try_all(libc::EPERM, &[
        ("raise its memory limit",        libc::SYS_prlimit64, &[0, libc::RLIMIT_DATA as usize, more, 0]),
        ("change the root",               libc::SYS_chroot, &[at(ROOT)]),
        ("swap the root",                 libc::SYS_pivot_root, &[at(ROOT), at(ROOT)]),
        ("mount",                         libc::SYS_mount, &[at(ROOT), at(ROOT), at(c"tmpfs")]),
        ("mount with `fsopen`",           libc::SYS_fsopen, &[at(c"tmpfs")]),
        ("unmount",                       libc::SYS_umount2, &[at(ROOT)]),
        ("enter a new user namespace",    libc::SYS_unshare, &[flag(libc::CLONE_NEWUSER)]),
        ("enter an existing namespace",   libc::SYS_setns, &[0, 0]),
        ("become root",                   libc::SYS_setuid, &[0]),
        ("gain capabilities",             libc::SYS_capset, &[more, more]),
        ("use the keyring",               libc::SYS_keyctl, &[0]),
        ("add a key",                     libc::SYS_add_key, &[0]),
        ("load a BPF program",            libc::SYS_bpf, &[0]),
        ("open performance counters",     libc::SYS_perf_event_open, &[more]),
        ("set up io_uring",               libc::SYS_io_uring_setup, &[1, more]),
        ("handle page faults",            libc::SYS_userfaultfd, &[0]),
        ("change the personality",        libc::SYS_personality, &[0x40_0000]),
        ("load a kernel module",          libc::SYS_init_module, &[]),
        ("load another kernel",           libc::SYS_kexec_load, &[]),
        ("reboot the machine",            libc::SYS_reboot, &[]),
        ("watch files with fanotify",     libc::SYS_fanotify_init, &[]),
        ("get System V shared memory",    libc::SYS_shmget, &[0, 4096, 0o1600]),
        ("get a System V message queue",  libc::SYS_msgget, &[0, 0o1600]),
        ("create a timer",                libc::SYS_timer_create, &[0, 0, more]),
        ("type on the terminal",          libc::SYS_ioctl, &[0, TIOCSTI, at(PASSWD)]),
        ("send I/O signals to another process", libc::SYS_fcntl, &[0, flag(libc::F_SETOWN), 1]),
        ("allow core dumps",              libc::SYS_prctl, &[flag(libc::PR_SET_DUMPABLE), 1]),
        ("outlive the parent",            libc::SYS_prctl, &[flag(libc::PR_SET_PDEATHSIG), 0]),
        ("allow any tracer",              libc::SYS_prctl, &[flag(libc::PR_SET_PTRACER), usize::MAX]),
        ("listen for refused calls",      libc::SYS_seccomp, &[1, NEW_LISTENER, more]),
        ("add Landlock rules",            libc::SYS_landlock_restrict_self, &[0, 0]),
        ("create Landlock rules",         libc::SYS_landlock_create_ruleset, &[0, 0, 1]),
    ])
}

/// Tries to use files without a granted directory. The filter refuses these calls.
#[rustfmt::skip]
pub(crate) fn on_files() -> Vec<Attempt> {
    let mut buffer = [0_u8; 256];
    let buffer = buffer.as_mut_ptr().addr();
    try_all(libc::EPERM, &[
        ("read a file",                   libc::SYS_openat, &[HERE, at(PASSWD), flag(libc::O_RDONLY)]),
        ("open a path with `O_PATH`",     libc::SYS_openat, &[HERE, at(PASSWD), flag(libc::O_PATH)]),
        ("read a file with `openat2`",    libc::SYS_openat2, &[HERE, at(PASSWD), buffer, 24]),
        ("open by a handle",              libc::SYS_open_by_handle_at, &[HERE, buffer, 0]),
        ("write a file",                  libc::SYS_openat, &[HERE, at(c"/tmp/escaped"), flag(libc::O_CREAT | libc::O_WRONLY), 0o600]),
        ("read a file's metadata",        libc::SYS_newfstatat, &[HERE, at(PASSWD), buffer, 0]),
        ("read a file's metadata with `statx`", libc::SYS_statx, &[HERE, at(PASSWD), 0, 0xfff, buffer]),
        ("test an access right",          libc::SYS_faccessat, &[HERE, at(PASSWD), 4]),
        ("read a symbolic link",          libc::SYS_readlinkat, &[HERE, at(c"/proc/self/exe"), buffer, 256]),
        ("list a directory",              libc::SYS_getdents64, &[0, buffer, 256]),
        ("create a directory",            libc::SYS_mkdirat, &[HERE, at(c"/tmp/escaped"), 0o700]),
        ("remove a file",                 libc::SYS_unlinkat, &[HERE, at(c"/tmp/escaped"), 0]),
        ("change the current directory",  libc::SYS_chdir, &[at(ROOT)]),
        ("read the current directory",    libc::SYS_getcwd, &[buffer, 256]),
    ])
}

/// Tries to change files with calls that Landlock does not control. The jail never allows these
/// calls.
#[rustfmt::skip]
pub(crate) fn on_file_metadata(path: &CStr) -> Vec<Attempt> {
    let path = at(path);
    try_all(libc::EPERM, &[
        ("truncate by name",              libc::SYS_truncate, &[path, 0]),
        ("change a mode",                 libc::SYS_fchmodat, &[HERE, path, 0o777]),
        ("change an owner",               libc::SYS_fchownat, &[HERE, path, 0, 0, 0]),
        ("change times by name",          libc::SYS_utimensat, &[HERE, path, 0, 0]),
        ("set an attribute",              libc::SYS_setxattr, &[path, at(c"user.a"), path, 1, 0]),
        ("create a device",               libc::SYS_mknodat, &[HERE, at(c"/tmp/escaped"), 0o20_600, 0x103]),
        ("lock a file",                   libc::SYS_flock, &[0, 2]),
        ("watch a file with inotify",     libc::SYS_inotify_init1, &[0]),
        ("open by a handle",              libc::SYS_open_by_handle_at, &[HERE, path, 0]),
    ])
}

/// Tries to use the network without a granted port. The filter refuses these calls.
#[rustfmt::skip]
pub(crate) fn on_the_network() -> Vec<Attempt> {
    let stream = flag(libc::SOCK_STREAM);
    try_all(libc::EPERM, &[
        ("open an IPv4 socket",           libc::SYS_socket, &[flag(libc::AF_INET), stream, 0]),
        ("open an IPv6 socket",           libc::SYS_socket, &[flag(libc::AF_INET6), stream, 0]),
        ("connect",                       libc::SYS_connect, &[0, 0, 0]),
        ("bind",                          libc::SYS_bind, &[0, 0, 0]),
    ])
}

/// Tries to use sockets, and options of sockets, that no granted port allows.
#[rustfmt::skip]
pub(crate) fn on_other_sockets() -> Vec<Attempt> {
    let mut pair = [0_i32; 2];
    let address = pair.as_mut_ptr().addr();
    let stream = flag(libc::SOCK_STREAM);
    let inet = flag(libc::AF_INET);
    try_all(libc::EPERM, &[
        ("open a UDP socket",             libc::SYS_socket, &[inet, flag(libc::SOCK_DGRAM), 0]),
        ("open a raw socket",             libc::SYS_socket, &[inet, flag(libc::SOCK_RAW), 1]),
        ("open a packet socket",          libc::SYS_socket, &[flag(libc::AF_PACKET), flag(libc::SOCK_RAW), 0]),
        ("open a multipath TCP socket",   libc::SYS_socket, &[inet, stream, flag(libc::IPPROTO_MPTCP)]),
        ("open an SCTP socket",           libc::SYS_socket, &[inet, stream, flag(libc::IPPROTO_SCTP)]),
        ("open a Unix socket",            libc::SYS_socket, &[flag(libc::AF_UNIX), stream, 0]),
        ("open a pair of Unix sockets",   libc::SYS_socketpair, &[flag(libc::AF_UNIX), stream, 0, address]),
        ("open a netlink socket",         libc::SYS_socket, &[flag(libc::AF_NETLINK), flag(libc::SOCK_RAW), 0]),
        ("open a socket to a hypervisor", libc::SYS_socket, &[flag(libc::AF_VSOCK), stream, 0]),
        ("open a socket to the kernel's ciphers", libc::SYS_socket, &[flag(libc::AF_ALG), flag(libc::SOCK_SEQPACKET), 0]),
        ("listen",                        libc::SYS_listen, &[0, 1]),
        ("accept",                        libc::SYS_accept4, &[0, 0, 0, 0]),
        ("send to an address",            libc::SYS_sendto, &[0, address, 1, 0, address, 8]),
        ("connect by sending",            libc::SYS_sendto, &[0, address, 1, flag(libc::MSG_FASTOPEN), 0, 0]),
        ("send a descriptor",             libc::SYS_sendmsg, &[0, address, 0]),
        ("send many messages",            libc::SYS_sendmmsg, &[0, address, 1, 0]),
        ("attach a socket filter",        libc::SYS_setsockopt, &[0, flag(libc::SOL_SOCKET), flag(libc::SO_ATTACH_FILTER), address, 8]),
        ("bind to a network device",      libc::SYS_setsockopt, &[0, flag(libc::SOL_SOCKET), flag(libc::SO_BINDTODEVICE), address, 8]),
    ])
}

/// Tries calls that the seal removes after the start.
#[rustfmt::skip]
pub(crate) fn on_code() -> Vec<Attempt> {
    let private = flag(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let (write, execute) = (flag(libc::PROT_READ | libc::PROT_WRITE), flag(libc::PROT_READ | libc::PROT_EXEC));
    let page = call(libc::SYS_mmap, &[0, 4096, write, private, usize::MAX]).unwrap_or(0);
    let mut buffer = [0_u8; 256];
    let buffer = buffer.as_mut_ptr().addr();
    let empty = at(c"");
    try_all(libc::EPERM, &[
        ("map memory to write and execute", libc::SYS_mmap, &[0, 4096, write | execute, private, usize::MAX]),
        ("map memory to execute",         libc::SYS_mmap, &[0, 4096, execute, private, usize::MAX]),
        ("make written memory executable", libc::SYS_mprotect, &[page, 4096, execute]),
        ("make written memory executable with a key", libc::SYS_pkey_mprotect, &[page, 4096, execute, usize::MAX]),
        ("create a file in memory",       libc::SYS_memfd_create, &[at(c"code"), 0]),
        ("create a secret file in memory", libc::SYS_memfd_secret, &[0]),
        ("install a filter",              libc::SYS_seccomp, &[1, 0, buffer]),
        ("install a filter with `prctl`", libc::SYS_prctl, &[flag(libc::PR_SET_SECCOMP), 2, buffer]),
        ("set no-new-privileges again",   libc::SYS_prctl, &[flag(libc::PR_SET_NO_NEW_PRIVS), 1]),
        ("read metadata by an empty name", libc::SYS_statx, &[0, empty, flag(libc::AT_EMPTY_PATH), 0xfff, buffer]),
        ("read metadata by name",         libc::SYS_statx, &[0, at(PASSWD), flag(libc::AT_EMPTY_PATH), 0xfff, buffer]),
    ])
}

/// Tries to allocate memory that no limit covers, or to change how the kernel treats memory. The
/// jail never allows these calls.
#[rustfmt::skip]
pub(crate) fn on_memory() -> Vec<Attempt> {
    let (none, all) = (usize::MAX, flag(libc::PROT_READ | libc::PROT_WRITE));
    let private = flag(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let shared = flag(libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    let page = call(libc::SYS_mmap, &[0, 4096, all, private, none]).unwrap_or(0);
    let with = |flags: i32| private | flag(flags);
    try_all(libc::EPERM, &[
        ("map shared memory",             libc::SYS_mmap, &[0, 4096, all, shared, none]),
        ("map validated shared memory",   libc::SYS_mmap, &[0, 4096, all, flag(libc::MAP_SHARED_VALIDATE | libc::MAP_ANONYMOUS), none]),
        ("map a shared file",             libc::SYS_mmap, &[0, 4096, all, flag(libc::MAP_SHARED), 3]),
        ("map droppable memory",          libc::SYS_mmap, &[0, 4096, all, 8 | flag(libc::MAP_ANONYMOUS), none]),
        ("map memory that grows down",    libc::SYS_mmap, &[0, 4096, all, with(libc::MAP_GROWSDOWN), none]),
        ("map huge pages",                libc::SYS_mmap, &[0, 2 << 20, all, with(libc::MAP_HUGETLB), none]),
        ("map locked memory",             libc::SYS_mmap, &[0, 4096, all, with(libc::MAP_LOCKED), none]),
        ("map populated memory",          libc::SYS_mmap, &[0, 4096, all, with(libc::MAP_POPULATE), none]),
        ("merge pages",                   libc::SYS_madvise, &[page, 4096, flag(libc::MADV_MERGEABLE)]),
        ("use huge pages",                libc::SYS_madvise, &[page, 4096, flag(libc::MADV_HUGEPAGE)]),
        ("collapse pages",                libc::SYS_madvise, &[page, 4096, flag(libc::MADV_COLLAPSE)]),
        ("populate pages",                libc::SYS_madvise, &[page, 4096, flag(libc::MADV_POPULATE_WRITE)]),
        ("page out",                      libc::SYS_madvise, &[page, 4096, flag(libc::MADV_PAGEOUT)]),
        ("punch holes",                   libc::SYS_madvise, &[page, 4096, flag(libc::MADV_REMOVE)]),
        ("dump pages",                    libc::SYS_madvise, &[page, 4096, flag(libc::MADV_DODUMP)]),
        ("advise by pidfd",               libc::SYS_process_madvise, &[none, page, 1, 4]),
        ("lock memory",                   libc::SYS_mlock, &[page, 4096]),
        ("remap a file's pages",          libc::SYS_remap_file_pages, &[page, 4096, 0, 0, 0]),
        ("copy a descriptor",             libc::SYS_dup, &[0]),
        ("receive a descriptor",          libc::SYS_recvmsg, &[0, page, 0]),
    ])
}

/// Tries to create a thread, and to make system calls that the runtime does not need after its
/// start. The seal refuses each call.
pub(crate) fn on_resources() -> Vec<Attempt> {
    let all = flag(libc::PROT_READ | libc::PROT_WRITE);
    let private = flag(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let page = call(libc::SYS_mmap, &[0, 4096, all, private, usize::MAX]).unwrap_or(0);
    let mut tried = try_all(
        libc::EPERM,
        &[
            ("hide memory as read-only", libc::SYS_mprotect, &[page, 4096, 1]),
            ("hide memory as inaccessible", libc::SYS_mprotect, &[page, 4096, 0]),
            ("move the stack", libc::SYS_mremap, &[top_of_stack(), 4096, 4096, 1]),
            ("interrupt all processors with `membarrier`", libc::SYS_membarrier, &[1, 0, 0]),
        ],
    );
    let thread = thread::Builder::new().spawn(|| ()).map(drop);
    let answer = thread.map(|()| 0).map_err(|error| error.raw_os_error().unwrap_or(0));
    tried.push(Attempt { misdeed: "start a thread", answer, refusal: libc::EPERM });
    tried
}

/// Returns the page with the program's name, at the top of the main thread's stack.
#[expect(unsafe_code, reason = "hostile code does this")]
fn top_of_stack() -> usize {
    // SAFETY: `getauxval` only reads the process's auxiliary vector.
    let name = unsafe { libc::getauxval(libc::AT_EXECFN) };
    usize::try_from(name).unwrap_or(0) & !4095
}

/// Tries each system call by its x32 number.
pub(crate) fn by_x32_numbers() -> Vec<Attempt> {
    let attempt = |number: i64| Attempt {
        misdeed: "make a system call by its x32 number",
        answer: call(0x4000_0000 | number, &[]),
        refusal: libc::EPERM,
    };
    (0..600).map(attempt).collect()
}
