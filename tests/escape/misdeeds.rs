//! The attempts of native code in a jailed process. Each misdeed is a direct system call, so that
//! no library can refuse it first.

use std::ffi::CStr;
use std::io;
use std::ptr::null;
use std::thread;

/// An attempt, with the kernel's answer.
pub(crate) struct Attempt {
    what: &'static str,
    answer: Result<usize, i32>,
    /// The error that the kernel must return.
    refusal: i32,
}

/// Describes the attempts that were not refused with the expected error.
pub(crate) fn not_refused(tried: Vec<Attempt>) -> Vec<String> {
    let done = tried.into_iter().filter(|tried| tried.answer != Err(tried.refusal));
    let said = done.map(|Attempt { what, answer, refusal }| {
        format!("{what}: {answer:?}, and not Err({refusal})")
    });
    said.collect()
}

/// Calls the kernel; missing arguments are 0.
#[expect(unsafe_code, reason = "hostile code does this")]
pub(crate) fn call(number: i64, arguments: &[usize]) -> Result<usize, i32> {
    let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
    let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(argument);
    // SAFETY: pointers in the arguments refer to values that outlive the call and have the layout
    // that the kernel expects. The jail refuses every other call before the kernel reads the
    // memory.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    usize::try_from(answer).map_err(|_| io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

fn tries(refusal: i32, calls: &[(&'static str, i64, &[usize])]) -> Vec<Attempt> {
    let tried = calls.iter().map(|(what, number, arguments)| {
        let answer = call(*number, arguments);
        Attempt { what, answer, refusal }
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

/// Tries to start, end and inspect processes; these calls are never granted.
#[rustfmt::skip]
pub(crate) fn on_processes(parent: i32) -> Vec<Attempt> {
    let parent = flag(parent);
    let mut byte = 0_u8;
    let part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let part = (&raw const part).addr();
    let arguments = [PROGRAM.as_ptr(), null()];
    let arguments = arguments.as_ptr().addr();
    let thread = flag(libc::CLONE_VM | libc::CLONE_SIGHAND | libc::CLONE_THREAD);
    let mut tried = tries(libc::EPERM, &[
        ("to fork, by clone",             libc::SYS_clone, &[flag(libc::SIGCHLD)]),
        ("to spawn, by clone",            libc::SYS_clone, &[flag(libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD)]),
        ("a thread with its own mounts",  libc::SYS_clone, &[thread | flag(libc::CLONE_NEWNS)]),
        ("a thread that its parent traces", libc::SYS_clone, &[thread | flag(libc::CLONE_PTRACE)]),
        ("to run a program",              libc::SYS_execve, &[at(PROGRAM), arguments, 0]),
        ("to run a program, by descriptor", libc::SYS_execveat, &[HERE, at(PROGRAM), arguments, 0, 0]),
        ("to ask whether its parent is there", libc::SYS_kill, &[parent, 0]),
        ("to end its parent",             libc::SYS_tgkill, &[parent, parent, flag(libc::SIGKILL)]),
        ("to end its parent's thread",    libc::SYS_tkill, &[parent, flag(libc::SIGKILL)]),
        ("to queue a signal",             libc::SYS_rt_sigqueueinfo, &[parent, 0, 0]),
        ("to hold its parent",            libc::SYS_pidfd_open, &[parent, 0]),
        ("to signal by descriptor",       libc::SYS_pidfd_send_signal, &[0, 0]),
        ("to take a descriptor of its parent", libc::SYS_pidfd_getfd, &[0, 0]),
        ("to trace its parent",           libc::SYS_ptrace, &[libc::PTRACE_ATTACH as usize, parent]),
        ("to be traced",                  libc::SYS_ptrace, &[libc::PTRACE_TRACEME as usize]),
        ("to read its parent's memory",   libc::SYS_process_vm_readv, &[parent, part, 1, part, 1]),
        ("to write its parent's memory",  libc::SYS_process_vm_writev, &[parent, part, 1, part, 1]),
        ("to compare with its parent",    libc::SYS_kcmp, &[parent, parent]),
        ("to limit its parent",           libc::SYS_prlimit64, &[parent, 0, part, 0]),
        ("to ask for its parent's limits", libc::SYS_prlimit64, &[parent, 0, 0, part]),
        ("to be nicer",                   libc::SYS_setpriority, &[0, 0, 0]),
    ]);
    // The filter claims that this call does not exist. The C library then uses `clone`, whose flags
    // the filter can check.
    tried.extend(tries(libc::ENOSYS, &[("to clone by what memory says", libc::SYS_clone3, &[part, 64])]));
    #[cfg(target_arch = "x86_64")]
    tried.extend(tries(libc::EPERM, &[
        ("to fork",  libc::SYS_fork,  &[]),
        ("to vfork", libc::SYS_vfork, &[]),
    ]));
    tried
}

/// Tries to change the system, and the kernel's data about this process; these calls are never
/// granted.
#[rustfmt::skip]
pub(crate) fn on_the_system() -> Vec<Attempt> {
    let mut more = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    let more = (&raw mut more).addr();
    tries(libc::EPERM, &[
        ("to raise its limit of memory",  libc::SYS_prlimit64, &[0, libc::RLIMIT_DATA as usize, more, 0]),
        ("another root",                  libc::SYS_chroot, &[at(ROOT)]),
        ("to turn the root",              libc::SYS_pivot_root, &[at(ROOT), at(ROOT)]),
        ("to mount",                      libc::SYS_mount, &[at(ROOT), at(ROOT), at(c"tmpfs")]),
        ("to mount, the new way",         libc::SYS_fsopen, &[at(c"tmpfs")]),
        ("to unmount",                    libc::SYS_umount2, &[at(ROOT)]),
        ("a user space of its own",       libc::SYS_unshare, &[flag(libc::CLONE_NEWUSER)]),
        ("another's space",               libc::SYS_setns, &[0, 0]),
        ("to be root",                    libc::SYS_setuid, &[0]),
        ("capabilities",                  libc::SYS_capset, &[more, more]),
        ("keys",                          libc::SYS_keyctl, &[0]),
        ("to add a key",                  libc::SYS_add_key, &[0]),
        ("a program in the kernel",       libc::SYS_bpf, &[0]),
        ("counters",                      libc::SYS_perf_event_open, &[more]),
        ("a ring that calls for it",      libc::SYS_io_uring_setup, &[1, more]),
        ("to handle page faults",         libc::SYS_userfaultfd, &[0]),
        ("another personality",           libc::SYS_personality, &[0x40_0000]),
        ("a module in the kernel",        libc::SYS_init_module, &[]),
        ("another kernel",                libc::SYS_kexec_load, &[]),
        ("to restart the machine",        libc::SYS_reboot, &[]),
        ("to listen to files",            libc::SYS_fanotify_init, &[]),
        ("shared memory of the system",   libc::SYS_shmget, &[0, 4096, 0o1600]),
        ("a queue of the system",         libc::SYS_msgget, &[0, 0o1600]),
        ("a timer",                       libc::SYS_timer_create, &[0, 0, more]),
        ("to type on the terminal",       libc::SYS_ioctl, &[0, TIOCSTI, at(PASSWD)]),
        ("signals to another",            libc::SYS_fcntl, &[0, flag(libc::F_SETOWN), 1]),
        ("to be dumped",                  libc::SYS_prctl, &[flag(libc::PR_SET_DUMPABLE), 1]),
        ("to outlive its parent",         libc::SYS_prctl, &[flag(libc::PR_SET_PDEATHSIG), 0]),
        ("to be traced by any",           libc::SYS_prctl, &[flag(libc::PR_SET_PTRACER), usize::MAX]),
        ("to hear of refused calls",      libc::SYS_seccomp, &[1, NEW_LISTENER, more]),
        ("more rules",                    libc::SYS_landlock_restrict_self, &[0, 0]),
        ("rules of its own",              libc::SYS_landlock_create_ruleset, &[0, 0, 1]),
    ])
}

/// Tries to use files without a granted directory; the filter refuses these calls.
#[rustfmt::skip]
pub(crate) fn on_files() -> Vec<Attempt> {
    let mut buffer = [0_u8; 256];
    let room = buffer.as_mut_ptr().addr();
    tries(libc::EPERM, &[
        ("to read a file",                libc::SYS_openat, &[HERE, at(PASSWD), flag(libc::O_RDONLY)]),
        ("to open by a path alone",       libc::SYS_openat, &[HERE, at(PASSWD), flag(libc::O_PATH)]),
        ("to read a file, the new way",   libc::SYS_openat2, &[HERE, at(PASSWD), room, 24]),
        ("to open by a handle",           libc::SYS_open_by_handle_at, &[HERE, room, 0]),
        ("to write a file",               libc::SYS_openat, &[HERE, at(c"/tmp/escaped"), flag(libc::O_CREAT | libc::O_WRONLY), 0o600]),
        ("to ask for a file",             libc::SYS_newfstatat, &[HERE, at(PASSWD), room, 0]),
        ("to ask for a file, the new way", libc::SYS_statx, &[HERE, at(PASSWD), 0, 0xfff, room]),
        ("to ask whether it may",         libc::SYS_faccessat, &[HERE, at(PASSWD), 4]),
        ("to read a link",                libc::SYS_readlinkat, &[HERE, at(c"/proc/self/exe"), room, 256]),
        ("to list what is open",          libc::SYS_getdents64, &[0, room, 256]),
        ("to make a directory",           libc::SYS_mkdirat, &[HERE, at(c"/tmp/escaped"), 0o700]),
        ("to remove a file",              libc::SYS_unlinkat, &[HERE, at(c"/tmp/escaped"), 0]),
        ("to go elsewhere",               libc::SYS_chdir, &[at(ROOT)]),
        ("where it is",                   libc::SYS_getcwd, &[room, 256]),
    ])
}

/// Tries to change files by calls that Landlock does not control; they are never granted.
#[rustfmt::skip]
pub(crate) fn on_what_files_are(path: &CStr) -> Vec<Attempt> {
    let path = at(path);
    tries(libc::EPERM, &[
        ("to truncate by name",           libc::SYS_truncate, &[path, 0]),
        ("to change a mode",              libc::SYS_fchmodat, &[HERE, path, 0o777]),
        ("to change an owner",            libc::SYS_fchownat, &[HERE, path, 0, 0, 0]),
        ("to change times by name",       libc::SYS_utimensat, &[HERE, path, 0, 0]),
        ("to set an attribute",           libc::SYS_setxattr, &[path, at(c"user.a"), path, 1, 0]),
        ("to make a device",              libc::SYS_mknodat, &[HERE, at(c"/tmp/escaped"), 0o20_600, 0x103]),
        ("to lock a file",                libc::SYS_flock, &[0, 2]),
        ("to watch a file",               libc::SYS_inotify_init1, &[0]),
        ("to open by a handle",           libc::SYS_open_by_handle_at, &[HERE, path, 0]),
    ])
}

/// Tries to use the network without a granted port; the filter refuses these calls.
#[rustfmt::skip]
pub(crate) fn on_the_network() -> Vec<Attempt> {
    let stream = flag(libc::SOCK_STREAM);
    tries(libc::EPERM, &[
        ("a socket",                      libc::SYS_socket, &[flag(libc::AF_INET), stream, 0]),
        ("a socket of the other kind",    libc::SYS_socket, &[flag(libc::AF_INET6), stream, 0]),
        ("to connect",                    libc::SYS_connect, &[0, 0, 0]),
        ("to bind",                       libc::SYS_bind, &[0, 0, 0]),
    ])
}

/// Tries to use networks that no granted port covers.
#[rustfmt::skip]
pub(crate) fn on_other_networks() -> Vec<Attempt> {
    let mut pair = [0_i32; 2];
    let address = pair.as_mut_ptr().addr();
    let stream = flag(libc::SOCK_STREAM);
    let inet = flag(libc::AF_INET);
    tries(libc::EPERM, &[
        ("datagrams",                     libc::SYS_socket, &[inet, flag(libc::SOCK_DGRAM), 0]),
        ("packets",                       libc::SYS_socket, &[inet, flag(libc::SOCK_RAW), 1]),
        ("packets of any kind",           libc::SYS_socket, &[flag(libc::AF_PACKET), flag(libc::SOCK_RAW), 0]),
        ("TCP by many paths",             libc::SYS_socket, &[inet, stream, flag(libc::IPPROTO_MPTCP)]),
        ("SCTP",                          libc::SYS_socket, &[inet, stream, flag(libc::IPPROTO_SCTP)]),
        ("a socket of the machine",       libc::SYS_socket, &[flag(libc::AF_UNIX), stream, 0]),
        ("a pair of them",                libc::SYS_socketpair, &[flag(libc::AF_UNIX), stream, 0, address]),
        ("a socket to the kernel",        libc::SYS_socket, &[flag(libc::AF_NETLINK), flag(libc::SOCK_RAW), 0]),
        ("a socket to another machine's", libc::SYS_socket, &[flag(libc::AF_VSOCK), stream, 0]),
        ("a socket of the kernel's ciphers", libc::SYS_socket, &[flag(libc::AF_ALG), flag(libc::SOCK_SEQPACKET), 0]),
        ("to listen",                     libc::SYS_listen, &[0, 1]),
        ("to accept",                     libc::SYS_accept4, &[0, 0, 0, 0]),
        ("to send elsewhere",             libc::SYS_sendto, &[0, address, 1, 0, address, 8]),
        ("to connect by sending",         libc::SYS_sendto, &[0, address, 1, flag(libc::MSG_FASTOPEN), 0, 0]),
        ("to send a descriptor",          libc::SYS_sendmsg, &[0, address, 0]),
        ("to send many",                  libc::SYS_sendmmsg, &[0, address, 1, 0]),
        ("to filter a socket",            libc::SYS_setsockopt, &[0, flag(libc::SOL_SOCKET), flag(libc::SO_ATTACH_FILTER), address, 8]),
        ("a device of its own choice",    libc::SYS_setsockopt, &[0, flag(libc::SOL_SOCKET), flag(libc::SO_BINDTODEVICE), address, 8]),
    ])
}

/// Tries calls that the seal removes after the start.
#[rustfmt::skip]
pub(crate) fn on_code() -> Vec<Attempt> {
    let private = flag(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let (write, run) = (flag(libc::PROT_READ | libc::PROT_WRITE), flag(libc::PROT_READ | libc::PROT_EXEC));
    let page = call(libc::SYS_mmap, &[0, 4096, write, private, usize::MAX]).unwrap_or(0);
    let mut room = [0_u8; 256];
    let room = room.as_mut_ptr().addr();
    let empty = at(c"");
    tries(libc::EPERM, &[
        ("memory to write and run",       libc::SYS_mmap, &[0, 4096, write | run, private, usize::MAX]),
        ("memory to run",                 libc::SYS_mmap, &[0, 4096, run, private, usize::MAX]),
        ("to run what it wrote",          libc::SYS_mprotect, &[page, 4096, run]),
        ("to run what it wrote, by a key", libc::SYS_pkey_mprotect, &[page, 4096, run, usize::MAX]),
        ("a file in memory",              libc::SYS_memfd_create, &[at(c"code"), 0]),
        ("a file in memory that is secret", libc::SYS_memfd_secret, &[0]),
        ("another filter",                libc::SYS_seccomp, &[1, 0, room]),
        ("another filter, the old way",   libc::SYS_prctl, &[flag(libc::PR_SET_SECCOMP), 2, room]),
        ("no new privileges again",       libc::SYS_prctl, &[flag(libc::PR_SET_NO_NEW_PRIVS), 1]),
        ("to ask by an empty name",       libc::SYS_statx, &[0, empty, flag(libc::AT_EMPTY_PATH), 0xfff, room]),
        ("to ask by any name",            libc::SYS_statx, &[0, at(PASSWD), flag(libc::AT_EMPTY_PATH), 0xfff, room]),
    ])
}

/// Tries to take memory that no limit counts, or to change how the kernel treats memory; never
/// granted.
#[rustfmt::skip]
pub(crate) fn on_memory() -> Vec<Attempt> {
    let (none, all) = (usize::MAX, flag(libc::PROT_READ | libc::PROT_WRITE));
    let private = flag(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let shared = flag(libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    let page = call(libc::SYS_mmap, &[0, 4096, all, private, none]).unwrap_or(0);
    let with = |flags: i32| private | flag(flags);
    tries(libc::EPERM, &[
        ("shared memory",                 libc::SYS_mmap, &[0, 4096, all, shared, none]),
        ("shared memory, the checked way", libc::SYS_mmap, &[0, 4096, all, flag(libc::MAP_SHARED_VALIDATE | libc::MAP_ANONYMOUS), none]),
        ("shared memory of a file",       libc::SYS_mmap, &[0, 4096, all, flag(libc::MAP_SHARED), 3]),
        ("memory that the kernel may drop", libc::SYS_mmap, &[0, 4096, all, 8 | flag(libc::MAP_ANONYMOUS), none]),
        ("memory that counts as a stack", libc::SYS_mmap, &[0, 4096, all, with(libc::MAP_GROWSDOWN), none]),
        ("huge pages",                    libc::SYS_mmap, &[0, 2 << 20, all, with(libc::MAP_HUGETLB), none]),
        ("locked memory",                 libc::SYS_mmap, &[0, 4096, all, with(libc::MAP_LOCKED), none]),
        ("filled memory",                 libc::SYS_mmap, &[0, 4096, all, with(libc::MAP_POPULATE), none]),
        ("to have pages merged",          libc::SYS_madvise, &[page, 4096, flag(libc::MADV_MERGEABLE)]),
        ("to have huge pages",            libc::SYS_madvise, &[page, 4096, flag(libc::MADV_HUGEPAGE)]),
        ("to have pages collapsed",       libc::SYS_madvise, &[page, 4096, flag(libc::MADV_COLLAPSE)]),
        ("to have pages filled",          libc::SYS_madvise, &[page, 4096, flag(libc::MADV_POPULATE_WRITE)]),
        ("to have pages paged out",       libc::SYS_madvise, &[page, 4096, flag(libc::MADV_PAGEOUT)]),
        ("to punch holes",                libc::SYS_madvise, &[page, 4096, flag(libc::MADV_REMOVE)]),
        ("to have pages dumped",          libc::SYS_madvise, &[page, 4096, flag(libc::MADV_DODUMP)]),
        ("to advise by descriptor",       libc::SYS_process_madvise, &[none, page, 1, 4]),
        ("to lock memory",                libc::SYS_mlock, &[page, 4096]),
        ("to map a file elsewhere",       libc::SYS_remap_file_pages, &[page, 4096, 0, 0, 0]),
        ("to copy a descriptor",          libc::SYS_dup, &[0]),
        ("to receive a descriptor",       libc::SYS_recvmsg, &[0, page, 0]),
    ])
}

/// Tries to take more threads or memory than the runtime needs after its start. The seal refuses
/// each call.
pub(crate) fn on_resources() -> Vec<Attempt> {
    let all = flag(libc::PROT_READ | libc::PROT_WRITE);
    let private = flag(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let page = call(libc::SYS_mmap, &[0, 4096, all, private, usize::MAX]).unwrap_or(0);
    let mut tried = tries(
        libc::EPERM,
        &[
            ("to hide memory as read-only", libc::SYS_mprotect, &[page, 4096, 1]),
            ("to hide memory as unused", libc::SYS_mprotect, &[page, 4096, 0]),
            ("to move the stack", libc::SYS_mremap, &[top_of_stack(), 4096, 4096, 1]),
            ("to stop all processors", libc::SYS_membarrier, &[1, 0, 0]),
        ],
    );
    let thread = thread::Builder::new().spawn(|| ()).map(drop);
    let answer = thread.map(|()| 0).map_err(|error| error.raw_os_error().unwrap_or(0));
    tried.push(Attempt { what: "a thread", answer, refusal: libc::EPERM });
    tried
}

/// Returns the page with the program's name, at the top of the main thread's stack.
#[expect(unsafe_code, reason = "hostile code does this")]
fn top_of_stack() -> usize {
    // SAFETY: `getauxval` only reads the process's auxiliary vector.
    let name = unsafe { libc::getauxval(libc::AT_EXECFN) };
    usize::try_from(name).unwrap_or(0) & !4095
}

/// Tries each call by its x32 number.
pub(crate) fn by_other_numbers() -> Vec<Attempt> {
    let short = |number: i64| Attempt {
        what: "a call of x32",
        answer: call(0x4000_0000 | number, &[]),
        refusal: libc::EPERM,
    };
    (0..600).map(short).collect()
}
