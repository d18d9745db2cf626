//! Network of a sandbox. `none` and `host` need only the filter of system calls.
//!
//! Landlock limits TCP by port only. So `loopback` is a network namespace: its loopback interface reaches no other
//! process of the machine. Without root, a network namespace needs a user namespace.

use crate::config::Network;
use nix::sched::{CloneFlags, unshare};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};
use std::io;

/// Applies the restriction to this process, which has one thread.
pub(super) fn restrict(network: Network) -> Result<(), String> {
    if network != Network::Loopback {
        return Ok(());
    }
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
        .map_err(|e| format!("the namespaces can't be created: {e}"))?;
    // User and group stay the same. Without the right to change groups, the group can be mapped without root.
    let maps = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{user} {user} 1")),
        ("gid_map", format!("{group} {group} 1")),
    ];
    for (file, text) in maps {
        std::fs::write(format!("/proc/self/{file}"), text)
            .map_err(|e| format!("/proc/self/{file} of the user namespace can't be written: {e}"))?;
    }
    start_loopback().map_err(|e| format!("the loopback interface can't be started: {e}"))
}

/// Starts the loopback interface, the first one of each network namespace, with a message RTM_NEWLINK of rtnetlink(7).
fn start_loopback() -> io::Result<()> {
    const NEW_LINK: u16 = 16;
    const REQUEST_WITH_REPLY: u16 = 1 | 4;
    const UP: u32 = 1;
    const FIRST_INTERFACE: i32 = 1;
    /// Length of the header and of the message together.
    const LENGTH: u32 = 16 + 16;
    let mut message = Vec::with_capacity(LENGTH as usize);
    // Header: length, type, flags, sequence number, sender.
    message.extend(LENGTH.to_ne_bytes());
    message.extend(NEW_LINK.to_ne_bytes());
    message.extend(REQUEST_WITH_REPLY.to_ne_bytes());
    message.extend([0; 8]);
    // Interface: family, padding and type; number, flags, changed flags.
    message.extend([0; 4]);
    message.extend(FIRST_INTERFACE.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes());

    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    sendto(&socket, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut reply = [0; 256];
    let (length, _) = recv(&socket, &mut reply, RecvFlags::empty())?;
    // After the header: a negated error number, 0 for success.
    match reply[..length].get(16..20).map(|code| i32::from_ne_bytes([code[0], code[1], code[2], code[3]])) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(-code)),
        None => Err(io::Error::other("the reply of the kernel is too short")),
    }
}
