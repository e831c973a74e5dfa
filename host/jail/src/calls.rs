//! The numbers of the system calls that the filters name, on each architecture.
//!
//! The kernel defines these numbers and never changes them. A test compares this list with the
//! numbers in the C library.

#![expect(non_upper_case_globals, reason = "the C library has these names")]

/// Defines a constant for each call, from its numbers on x86_64 and on aarch64.
macro_rules! calls {
    ($($name:ident = $x86_64:literal, $aarch64:literal;)*) => {
        $(pub(crate) const $name: i64 =
            if cfg!(target_arch = "x86_64") { $x86_64 } else { $aarch64 };)*

        #[cfg(test)]
        const NUMBERED: &[(&str, i64, i64)] = &[$((stringify!($name), $name, libc::$name)),*];
    };
}

calls! {
    SYS_read = 0, 63;
    SYS_write = 1, 64;
    SYS_readv = 19, 65;
    SYS_writev = 20, 66;
    SYS_pread64 = 17, 67;
    SYS_pwrite64 = 18, 68;
    SYS_lseek = 8, 62;
    SYS_close = 3, 57;
    SYS_fcntl = 72, 25;
    SYS_ioctl = 16, 29;
    SYS_ftruncate = 77, 46;
    SYS_memfd_create = 319, 279;
    SYS_fstat = 5, 80;
    SYS_newfstatat = 262, 79;
    SYS_statx = 332, 291;
    SYS_ppoll = 271, 73;
    SYS_epoll_create1 = 291, 20;
    SYS_epoll_ctl = 233, 21;
    SYS_epoll_pwait = 281, 22;
    SYS_eventfd2 = 290, 19;
    SYS_mmap = 9, 222;
    SYS_munmap = 11, 215;
    SYS_mprotect = 10, 226;
    SYS_mremap = 25, 216;
    SYS_madvise = 28, 233;
    SYS_brk = 12, 214;
    SYS_membarrier = 324, 283;
    SYS_futex = 202, 98;
    SYS_set_robust_list = 273, 99;
    SYS_rseq = 334, 293;
    SYS_clone = 56, 220;
    SYS_clone3 = 435, 435;
    SYS_exit = 60, 93;
    SYS_exit_group = 231, 94;
    SYS_gettid = 186, 178;
    SYS_getpid = 39, 172;
    SYS_getppid = 110, 173;
    SYS_sched_yield = 24, 124;
    SYS_sched_getaffinity = 204, 123;
    SYS_getcpu = 309, 168;
    SYS_prlimit64 = 302, 261;
    SYS_nanosleep = 35, 101;
    SYS_clock_nanosleep = 230, 115;
    SYS_clock_gettime = 228, 113;
    SYS_clock_getres = 229, 114;
    SYS_gettimeofday = 96, 169;
    SYS_getrandom = 318, 278;
    SYS_rt_sigaction = 13, 134;
    SYS_rt_sigprocmask = 14, 135;
    SYS_rt_sigreturn = 15, 139;
    SYS_sigaltstack = 131, 132;
    SYS_restart_syscall = 219, 128;
    SYS_tgkill = 234, 131;
    SYS_prctl = 157, 167;
    SYS_seccomp = 317, 277;
    SYS_openat = 257, 56;
    SYS_openat2 = 437, 437;
    SYS_getdents64 = 217, 61;
    SYS_readlinkat = 267, 78;
    SYS_faccessat = 269, 48;
    SYS_faccessat2 = 439, 439;
    SYS_fadvise64 = 221, 223;
    SYS_fsync = 74, 82;
    SYS_fdatasync = 75, 83;
    SYS_mkdirat = 258, 34;
    SYS_unlinkat = 263, 35;
    SYS_renameat2 = 316, 276;
    SYS_linkat = 265, 37;
    SYS_symlinkat = 266, 36;
    SYS_utimensat = 280, 88;
    SYS_pwritev2 = 328, 287;
    SYS_socket = 41, 198;
    SYS_connect = 42, 203;
    SYS_bind = 49, 200;
    SYS_sendto = 44, 206;
    SYS_recvfrom = 45, 207;
    SYS_getsockopt = 55, 209;
    SYS_setsockopt = 54, 208;
    SYS_getsockname = 51, 204;
    SYS_getpeername = 52, 205;
    SYS_shutdown = 48, 210;
}

/// `renameat`. The C library defines no number for it on aarch64.
pub(crate) const SYS_renameat: i64 = if cfg!(target_arch = "x86_64") { 264 } else { 38 };

/// Calls that aarch64 never had. On aarch64, programs use newer calls instead.
#[cfg(target_arch = "x86_64")]
pub(crate) mod old {
    pub(crate) const SYS_poll: i64 = 7;
    pub(crate) const SYS_time: i64 = 201;
    pub(crate) const SYS_epoll_wait: i64 = 232;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syscall_numbers_match_libc() {
        for (name, ours, theirs) in NUMBERED {
            assert_eq!(ours, theirs, "{name}");
        }
    }
}
