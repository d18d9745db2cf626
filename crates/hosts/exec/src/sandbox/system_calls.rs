//! System calls that a sandboxed command can't use, by filters of seccomp.
//!
//! A denied call fails with EPERM, so that programs report it. A program of another architecture (32 bits) is killed.

use crate::config::Network;
use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};
use std::collections::BTreeMap;

/// Calls that are denied with any arguments.
const DENIED: &[c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    // Shared memory, semaphores and queues of System V, which no path protects.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    // Namespaces and mounts: a user namespace would give capabilities within it.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // Parts of the kernel that programs of users rarely need, and that had many vulnerabilities.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // These requests pass no filter.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_fanotify_init,
    libc::SYS_open_by_handle_at,
    libc::SYS_lookup_dcookie,
    libc::SYS_syslog,
    // The machine.
    libc::SYS_kexec_load,
    #[cfg(not(target_arch = "riscv64"))]
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    // In x32, ptrace, kexec_load, process_vm_readv and process_vm_writev have numbers of their own.
    #[cfg(target_arch = "x86_64")]
    521,
    #[cfg(target_arch = "x86_64")]
    528,
    #[cfg(target_arch = "x86_64")]
    539,
    #[cfg(target_arch = "x86_64")]
    540,
];

/// Flags of clone that create namespaces.
const NEW_NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Bits of a file's mode with which a program runs as another user or group.
const SET_ID_BITS: [u64; 2] = [libc::S_ISUID as u64, libc::S_ISGID as u64];

/// Calls with a mode, and the number of its argument.
const WITH_MODE: &[(c_long, u8)] = &[
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chmod, 1),
    (libc::SYS_fchmod, 1),
    (libc::SYS_fchmodat, 2),
    (FCHMODAT2, 2),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mknod, 1),
    (libc::SYS_mknodat, 2),
];
const FCHMODAT2: c_long = 452;

/// Calls that open a file, and may create it with a mode: the numbers of the arguments with the flags and the mode.
const OPENING: &[(c_long, u8, u8)] = &[
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 1, 2),
    (libc::SYS_openat, 2, 3),
];
/// Flags with which a file is created; the mode has no meaning without them.
const CREATING: [u64; 2] = [libc::O_CREAT as u64, 0o20_000_000];

/// Value of the first argument of `ioprio_set` for a process.
const IOPRIO_WHO_PROCESS: u64 = 1;

/// Bit in the number of an x32 call, an ABI of x86_64 that filters see as x86_64.
#[cfg(target_arch = "x86_64")]
const X32: c_long = 0x4000_0000;
/// Filters to apply, in order.
pub(super) fn filters(network: Network, unix_sockets: bool) -> Result<Vec<BpfProgram>, String> {
    let mut denied: BTreeMap<c_long, Vec<SeccompRule>> =
        DENIED.iter().map(|call| (*call, Vec::new())).collect();
    let clones = NEW_NAMESPACES.map(|flag| {
        let flag = u64::from(flag.cast_unsigned());
        rule([has(0, flag)?])
    });
    denied.insert(libc::SYS_clone, clones.into_iter().collect::<Result<_, _>>()?);
    let families = families(network, unix_sockets);
    // Without a condition, all are denied.
    let others =
        families.iter().map(|family| condition(0, SeccompCmpOp::Ne, (*family).cast_unsigned().into()));
    let others = others.collect::<Result<Vec<_>, _>>()?;
    denied.insert(libc::SYS_socket, if others.is_empty() { Vec::new() } else { vec![rule(others)?] });
    let mut pairs = vec![rule([condition(0, SeccompCmpOp::Ne, libc::AF_UNIX.cast_unsigned().into())?])?];
    if !unix_sockets {
        // A pair of datagram sockets can send to any other socket, and the system makes them of raw ones, too. The
        // upper bits of the type are flags.
        for kind in [libc::SOCK_DGRAM, libc::SOCK_RAW] {
            pairs.push(rule([condition(1, SeccompCmpOp::MaskedEq(0xf), kind.cast_unsigned().into())?])?);
        }
    }
    denied.insert(libc::SYS_socketpair, pairs);
    // Limits, scheduling and priorities of other processes; 0 is the calling one.
    for call in
        [libc::SYS_prlimit64, libc::SYS_sched_setscheduler, libc::SYS_sched_setparam, libc::SYS_sched_setattr]
    {
        denied.insert(call, vec![rule([condition(0, SeccompCmpOp::Ne, 0)?])?]);
    }
    for (call, of_process) in
        [(libc::SYS_setpriority, u64::from(libc::PRIO_PROCESS)), (libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS)]
    {
        let others = [
            rule([condition(0, SeccompCmpOp::Ne, of_process)?])?,
            rule([condition(1, SeccompCmpOp::Ne, 0)?])?,
        ];
        denied.insert(call, others.into());
    }
    for (call, mode) in WITH_MODE {
        let set = SET_ID_BITS.map(|bit| rule([has(*mode, bit)?]));
        denied.insert(*call, set.into_iter().collect::<Result<_, _>>()?);
    }
    for (call, flags, mode) in OPENING {
        let mut rules = Vec::new();
        for flag in CREATING {
            for bit in SET_ID_BITS {
                rules.push(rule([has(*flags, flag)?, has(*mode, bit)?])?);
            }
        }
        denied.insert(*call, rules);
    }
    // The arguments of clone3 and openat2 are in memory, which a filter can't read. Programs then use clone and openat.
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new()), (libc::SYS_openat2, Vec::new())]);
    Ok(vec![filter(denied, libc::EPERM)?, filter(unknown, libc::ENOSYS)?])
}

/// Address families of the sockets that a command can open.
fn families(network: Network, unix_sockets: bool) -> Vec<i32> {
    let mut families = match network {
        Network::None => Vec::new(),
        // C libraries look up the addresses of the machine over netlink.
        Network::Loopback | Network::Host => vec![libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK],
    };
    families.extend(unix_sockets.then_some(libc::AF_UNIX));
    families
}

fn condition(argument: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompCondition, String> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value).map_err(|e| e.to_string())
}

/// All of these bits are set in an argument.
fn has(argument: u8, bits: u64) -> Result<SeccompCondition, String> {
    condition(argument, SeccompCmpOp::MaskedEq(bits), bits)
}

fn rule(conditions: impl Into<Vec<SeccompCondition>>) -> Result<SeccompRule, String> {
    SeccompRule::new(conditions.into()).map_err(|e| e.to_string())
}

fn filter(denied: BTreeMap<c_long, Vec<SeccompRule>>, error: i32) -> Result<BpfProgram, String> {
    #[cfg(target_arch = "x86_64")]
    let denied: BTreeMap<_, _> =
        denied.into_iter().flat_map(|(call, rules)| [(call | X32, rules.clone()), (call, rules)]).collect();
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|e| e.to_string())?;
    let action = SeccompAction::Errno(error.cast_unsigned());
    SeccompFilter::new(denied, SeccompAction::Allow, action, arch)
        .and_then(BpfProgram::try_from)
        .map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_gives_filters_that_the_kernel_accepts() {
        const MAX_INSTRUCTIONS: usize = 4096;
        for network in [Network::None, Network::Loopback, Network::Host] {
            for unix_sockets in [false, true] {
                let filters = filters(network, unix_sockets).unwrap();
                assert!(filters.iter().all(|filter| (1..MAX_INSTRUCTIONS).contains(&filter.len())));
            }
        }
    }

    #[test]
    fn only_listed_families_can_be_opened() {
        assert_eq!(families(Network::None, false), [0; 0]);
        assert_eq!(families(Network::None, true), [libc::AF_UNIX]);
        // Others, as vsock, are not part of a network namespace.
        assert_eq!(families(Network::Loopback, false), [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK]);
    }
}
