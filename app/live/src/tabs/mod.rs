//! One connection for all tabs of a browser: [`leader_election`] chooses the tab that connects, [`frame`] defines the
//! messages between tabs, [`follower`] handles them in the other tabs, [`channel`] is the browser's lock and channel.

pub mod channel;
pub mod follower;
pub mod frame;
pub mod leader_election;
