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

/// Bit in the number of an x32 call, an ABI of x86_64 that filters see as x86_64.
#[cfg(target_arch = "x86_64")]
const X32: c_long = 0x4000_0000;
/// Filters to apply, in order.
pub(super) fn filters(network: Network, unix_sockets: bool) -> Result<Vec<BpfProgram>, String> {
    let mut denied: BTreeMap<c_long, Vec<SeccompRule>> =
        DENIED.iter().map(|call| (*call, Vec::new())).collect();
    let clones = NEW_NAMESPACES.map(|flag| {
        let flag = u64::from(flag.cast_unsigned());
        rule([condition(0, SeccompCmpOp::MaskedEq(flag), flag)?])
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
        // A pair of datagram sockets can send to any other socket. The upper bits of the type are flags.
        let datagram = libc::SOCK_DGRAM.cast_unsigned().into();
        pairs.push(rule([condition(1, SeccompCmpOp::MaskedEq(0xf), datagram)?])?);
    }
    denied.insert(libc::SYS_socketpair, pairs);
    // The flags of clone3 are in memory, which a filter can't read. Without it, C libraries use clone.
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
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
