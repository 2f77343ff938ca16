//! Which system calls a process may make (seccomp(2)).

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

/// What a process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Talks to the server.
    Network,
    /// Reads the screen and injects input.
    Machine,
    /// Reads and writes files.
    Files,
}

/// A limit could not be made or was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum SyscallError {
    /// The filter is wrong, or there is none for this processor.
    #[error("the filter cannot be made")]
    Filter(#[from] BackendError),
    /// The kernel does not take it.
    #[error("the kernel takes no filter")]
    Apply(#[from] seccompiler::Error),
}

/// Rules by number of the call; none are needed for a call that is always right.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Calls that every program of Rust and the C library makes: memory, threads, time, descriptors it has, files to read.
const COMMON: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_futex,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpeername,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_sigaltstack,
    libc::SYS_signalfd4,
    libc::SYS_socketpair,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Older forms of the same, which only some processors still have.
#[cfg(target_arch = "x86_64")]
const COMMON_OLDER: &[i64] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_dup2,
    libc::SYS_epoll_wait,
    libc::SYS_lstat,
    libc::SYS_open,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_stat,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const COMMON_OLDER: &[i64] = &[];

/// What connections need besides.
const NETWORK: &[i64] = &[libc::SYS_bind, libc::SYS_connect, libc::SYS_sendmmsg];

/// What a machine needs besides: to notice new devices, to let the network process in, to reach an X server or a Wayland
/// compositor and to share pictures with that, to write down what must be known after a crash.
const MACHINE: &[i64] = &[
    libc::SYS_accept4,
    libc::SYS_connect,
    libc::SYS_fdatasync,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_rm_watch,
    libc::SYS_memfd_create,
    libc::SYS_mkdirat,
    libc::SYS_renameat,
    libc::SYS_unlinkat,
];

#[cfg(target_arch = "x86_64")]
const MACHINE_OLDER: &[i64] = &[libc::SYS_mkdir, libc::SYS_rename, libc::SYS_unlink];
#[cfg(not(target_arch = "x86_64"))]
const MACHINE_OLDER: &[i64] = &[];

/// What files need besides, to be written: to reach the disk, and to get their names.
const FILES: &[i64] = &[
    libc::SYS_fdatasync,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_linkat,
    libc::SYS_renameat,
    libc::SYS_unlinkat,
];

/// Kinds of sockets that the network process may open: the internet's, those of services that resolve names, and the one
/// that tells which addresses this computer has.
const NETWORK_FAMILIES: [libc::c_int; 4] =
    [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX, libc::AF_NETLINK];

/// Kinds of sockets that the machine process may open: those of this computer, for its display server.
const MACHINE_FAMILIES: [libc::c_int; 1] = [libc::AF_UNIX];

/// The kinds of devices that the machine process may control, by the second byte of a request (`_IOC_TYPE` of
/// `asm-generic/ioctl.h`): DRM, frame buffers, input devices, uinput, terminals, virtual terminals and their keyboards,
/// DMA buffers.
const MACHINE_REQUESTS: [u8; 8] = *b"dFEUTVKb";

/// Terminal requests that put something into what others read, which is for input devices to do.
const NO_REQUESTS: [u64; 2] = [libc::TIOCSTI, libc::TIOCLINUX];

/// Requests of anybody: how much there is to read, not to wait, whether it is a terminal and how wide.
const COMMON_REQUESTS: [u64; 4] = [libc::FIONREAD, libc::FIONBIO, libc::TCGETS, libc::TIOCGWINSZ];

/// Limits this process, all its threads included, to the calls of `purpose`.
///
/// # Errors
/// When the kernel has no seccomp filters.
pub(super) fn apply(purpose: Purpose) -> Result<(), SyscallError> {
    let program = program(purpose)?;
    seccompiler::apply_filter_all_threads(&program)?;
    Ok(())
}

/// The filter. A call that is not in it is answered as by a kernel that does not have it: the C library then takes an
/// older one, and nothing dies of a question.
fn program(purpose: Purpose) -> Result<BpfProgram, BackendError> {
    let mut rules: Rules = [COMMON, COMMON_OLDER]
        .into_iter()
        .chain(match purpose {
            Purpose::Network => [NETWORK, &[]],
            Purpose::Machine => [MACHINE, MACHINE_OLDER],
            Purpose::Files => [FILES, &[]],
        })
        .flatten()
        .map(|call| (*call, Vec::new()))
        .collect();
    rules.insert(libc::SYS_clone, vec![threads()?]);
    rules.insert(libc::SYS_tgkill, vec![itself()?]);
    rules.insert(libc::SYS_prctl, names()?);
    rules.insert(libc::SYS_prlimit64, vec![only_asking()?]);
    let (sockets, requests) = match purpose {
        Purpose::Network => (families(&NETWORK_FAMILIES)?, Vec::new()),
        Purpose::Machine => (families(&MACHINE_FAMILIES)?, devices()?),
        Purpose::Files => (Vec::new(), Vec::new()),
    };
    if !sockets.is_empty() {
        rules.insert(libc::SYS_socket, sockets);
    }
    rules.insert(libc::SYS_ioctl, [common_requests()?, requests].concat());
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let missing = u32::try_from(libc::ENOSYS).unwrap_or_default();
    SeccompFilter::new(rules, SeccompAction::Errno(missing), SeccompAction::Allow, arch)?.try_into()
}

/// Threads of this process, no new ones. `clone3` can't be looked into and is missing, so that the C library takes this.
fn threads() -> Result<SeccompRule, BackendError> {
    let thread = u64::from(libc::CLONE_THREAD.cast_unsigned());
    rule(&[(0, SeccompCmpOp::MaskedEq(thread), thread)])
}

/// Signals to this process, as `abort` sends one.
fn itself() -> Result<SeccompRule, BackendError> {
    rule(&[(0, SeccompCmpOp::Eq, u64::from(std::process::id()))])
}

/// Names of threads and of memory; to end with the parent.
fn names() -> Result<Vec<SeccompRule>, BackendError> {
    [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA, libc::PR_SET_PDEATHSIG]
        .into_iter()
        .map(|what| rule(&[(0, SeccompCmpOp::Eq, u64::from(what.cast_unsigned()))]))
        .collect()
}

/// To ask for a limit, not to set one.
fn only_asking() -> Result<SeccompRule, BackendError> {
    let condition = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
    SeccompRule::new(vec![condition])
}

fn families(families: &[libc::c_int]) -> Result<Vec<SeccompRule>, BackendError> {
    families
        .iter()
        .map(|family| rule(&[(0, SeccompCmpOp::Eq, u64::from(family.cast_unsigned()))]))
        .collect()
}

fn common_requests() -> Result<Vec<SeccompRule>, BackendError> {
    COMMON_REQUESTS.into_iter().map(|request| rule(&[(1, SeccompCmpOp::Eq, request)])).collect()
}

fn devices() -> Result<Vec<SeccompRule>, BackendError> {
    let mut rules = Vec::new();
    for kind in MACHINE_REQUESTS {
        let mut conditions = vec![(1, SeccompCmpOp::MaskedEq(0xff00), u64::from(kind) << 8)];
        conditions.extend(NO_REQUESTS.map(|request| (1, SeccompCmpOp::Ne, request)));
        rules.push(rule(&conditions)?);
    }
    Ok(rules)
}

/// A rule that holds when all conditions do; each of an argument, a comparison and a value of 32 bits.
fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, BackendError> {
    let conditions: Result<Vec<_>, _> = conditions
        .iter()
        .map(|(argument, operator, value)| {
            SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, operator.clone(), *value)
        })
        .collect();
    SeccompRule::new(conditions?)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
    use std::process::Command;

    use super::*;

    /// Does something on a thread of its own that is limited; others are not.
    fn limited<T: Send + 'static>(
        purpose: Purpose,
        what: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let program = program(purpose).unwrap();
        let thread = std::thread::spawn(move || {
            seccompiler::apply_filter(&program).unwrap();
            what()
        });
        thread.join().unwrap()
    }

    const PURPOSES: [Purpose; 3] = [Purpose::Network, Purpose::Machine, Purpose::Files];

    #[test]
    fn neither_process_can_start_another() {
        for purpose in PURPOSES {
            let started = limited(purpose, || Command::new("/bin/true").status());
            assert!(started.is_err(), "{purpose:?}");
        }
    }

    #[test]
    fn the_machine_process_has_no_network() {
        let connected = limited(Purpose::Machine, || {
            let server = (Ipv4Addr::LOCALHOST, 9);
            (TcpStream::connect(server).map(drop), UdpSocket::bind("127.0.0.1:0").map(drop))
        });
        let missing = Some(libc::ENOSYS);
        assert_eq!(connected.0.unwrap_err().raw_os_error(), missing);
        assert_eq!(connected.1.unwrap_err().raw_os_error(), missing);
    }

    #[test]
    fn who_moves_files_has_no_sockets() {
        let made = limited(Purpose::Files, || {
            let server = (Ipv4Addr::LOCALHOST, 9);
            let local = UnixListener::bind("/nonexistent/socket").map(drop);
            (TcpStream::connect(server).map(drop), local)
        });
        let missing = Some(libc::ENOSYS);
        assert_eq!(made.0.unwrap_err().raw_os_error(), missing);
        assert_eq!(made.1.unwrap_err().raw_os_error(), missing);
    }

    #[test]
    fn the_machine_process_reaches_an_x_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("X0");
        let _server = UnixListener::bind(&path).unwrap();
        limited(Purpose::Machine, move || UnixStream::connect(&path).map(drop)).unwrap();
    }

    #[test]
    fn the_network_process_connects_and_serves_nobody() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let (connected, served) = limited(Purpose::Network, move || {
            let nobody = SocketAddr::from_abstract_name("lotse-sandbox-test").unwrap();
            (TcpStream::connect(address).map(drop), UnixListener::bind_addr(&nobody).map(drop))
        });
        connected.unwrap();
        assert_eq!(served.unwrap_err().raw_os_error(), Some(libc::ENOSYS));
    }

    #[test]
    fn the_network_process_controls_no_devices() {
        let outcome = limited(Purpose::Network, || {
            let terminal = std::fs::File::open("/dev/null").unwrap();
            nix::sys::termios::tcflush(&terminal, nix::sys::termios::FlushArg::TCIFLUSH)
        });
        assert_eq!(outcome, Err(nix::errno::Errno::ENOSYS));
        let outcome = limited(Purpose::Machine, || {
            let terminal = std::fs::File::open("/dev/null").unwrap();
            nix::sys::termios::tcflush(&terminal, nix::sys::termios::FlushArg::TCIFLUSH)
        });
        assert_eq!(outcome, Err(nix::errno::Errno::ENOTTY));
    }

    #[test]
    fn both_go_on_working() {
        for purpose in PURPOSES {
            let text = limited(purpose, || {
                // Threads, memory, files, time.
                std::thread::scope(|scope| {
                    let file = scope.spawn(|| std::fs::read_to_string("/proc/thread-self/status"));
                    std::thread::sleep(std::time::Duration::from_millis(1));
                    file.join().unwrap().unwrap()
                })
            });
            assert!(text.contains("Seccomp:\t2"), "{purpose:?}");
        }
    }
}
