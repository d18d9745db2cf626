//! Leader election among the tabs of a browser: the leader holds the connection to the feed. Pure.
//!
//! Every active tab requests one lock from the browser. The tab that gets it leads: it connects, and forwards what it
//! receives. The others listen. The browser passes the lock on when the leader is closed or crashes. A leader that
//! hangs keeps it, so a visible tab steals the lock after a timeout. A tab hidden for some minutes rests: it gives up
//! leading, and requests the lock again when it is visible. A tab with pending notifications does not rest. Without
//! locks (pages from an insecure origin) each tab has its own connection; it rests, too. A tab whose session has ended
//! leaves the others, until the user is signed in again.

/// Time after which a hidden page rests, milliseconds. Browsers throttle timers after five minutes.
pub const REST_AFTER: f64 = 4.0 * 60_000.0;
/// Maximum random delay before a silent leader is replaced, so that not all tabs try at once, milliseconds.
const SHAKE: f64 = 2_000.0;

/// Role of a tab.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Not coordinated with other tabs.
    Alone,
    /// Another tab leads, or will.
    Listens,
    /// Holds the connection.
    Leads,
}

/// Input of the state machine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Input {
    /// The page is ready; `shared` where tabs can elect a leader.
    Start { shared: bool, hidden: bool },
    /// We got the lock.
    Granted,
    /// Another tab stole the lock.
    Effects,
    /// The browser refuses locks.
    Refused,
    /// The page was hidden or shown.
    Seen { hidden: bool },
    /// The session has ended.
    SignedOut,
    /// The user is signed in again.
    SignedIn,
    /// Time passes. `silent`: time beyond the leader's timeout in milliseconds; negative before it.
    Tick { silent: f64 },
}

/// Commands, executed in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Queue for the lock.
    Ask,
    /// Steal the lock.
    Steal,
    /// Release the lock, or leave its queue.
    Release,
    /// Ask the leader for its status.
    Join,
    /// Open the connection.
    Connect,
    /// Close the connection.
    Disconnect,
}

/// The state machine. Times are the browser's, milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct Tab {
    role: Role,
    hidden_since: Option<f64>,
    resting: bool,
    signed_out: bool,
    /// It does not rest, because of pending notifications.
    awake: bool,
    /// Random delay before this tab steals the lock.
    patience: Option<f64>,
}

impl Default for Tab {
    fn default() -> Self {
        Self {
            role: Role::Alone,
            hidden_since: None,
            resting: false,
            signed_out: false,
            awake: false,
            patience: None,
        }
    }
}

impl Tab {
    /// Current role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether it gave up its connection: it was hidden for long, or its session has ended.
    pub fn resting(&self) -> bool {
        self.resting || self.signed_out
    }

    /// Whether it stays connected while hidden, because of pending notifications.
    pub fn keep_awake(&mut self, on: bool) {
        self.awake = on;
    }

    /// Handles an input at `now`; `chance` is a random number from 0 to 1.
    pub fn on(&mut self, input: Input, now: f64, chance: f64) -> Vec<Command> {
        match (input, self.role) {
            (Input::Start { shared, hidden }, _) => {
                self.hidden_since = hidden.then_some(now);
                self.role = if shared { Role::Listens } else { Role::Alone };
                self.wake()
            }

            // The tab started to rest while the lock was being granted.
            (Input::Granted, Role::Listens) if self.resting() => vec![Command::Release],
            (Input::Granted, Role::Listens) => {
                self.role = Role::Leads;
                self.patience = None;
                vec![Command::Connect]
            }
            (Input::Effects, Role::Leads) => {
                self.role = Role::Listens;
                vec![Command::Disconnect, Command::Ask, Command::Join]
            }
            (Input::Refused, Role::Listens) => {
                self.role = Role::Alone;
                if self.resting() { vec![] } else { vec![Command::Connect] }
            }

            (Input::Seen { hidden: true }, _) => {
                self.hidden_since.get_or_insert(now);
                vec![]
            }
            (Input::Seen { hidden: false }, _) => {
                self.hidden_since = None;
                let rested = std::mem::take(&mut self.resting);
                if rested && !self.signed_out { self.wake() } else { vec![] }
            }

            (Input::SignedOut, _) => {
                let rested = self.resting();
                self.signed_out = true;
                if rested { vec![] } else { self.leave() }
            }
            (Input::SignedIn, _) => {
                let was = std::mem::take(&mut self.signed_out);
                if was && !self.resting { self.wake() } else { vec![] }
            }

            (Input::Tick { silent }, role) => match self.hidden_since {
                _ if self.signed_out => vec![],
                Some(since) if !self.resting && !self.awake && now - since > REST_AFTER => {
                    self.resting = true;
                    self.leave()
                }
                None if role == Role::Listens => self.judge(silent, chance),
                _ => vec![],
            },
            _ => vec![],
        }
    }

    fn wake(&self) -> Vec<Command> {
        match self.role {
            Role::Alone => vec![Command::Connect],
            _ => vec![Command::Ask, Command::Join],
        }
    }

    /// Gives up the connection and the lock, or the place in its queue.
    fn leave(&mut self) -> Vec<Command> {
        match self.role {
            Role::Alone => vec![Command::Disconnect],
            Role::Listens => vec![Command::Release],
            Role::Leads => {
                self.role = Role::Listens;
                vec![Command::Disconnect, Command::Release]
            }
        }
    }

    /// Checks whether the leader's timeout has passed.
    fn judge(&mut self, silent: f64, chance: f64) -> Vec<Command> {
        if silent <= 0.0 {
            self.patience = None;
            return vec![];
        }
        if silent <= *self.patience.get_or_insert(chance.clamp(0.0, 1.0) * SHAKE) {
            return vec![];
        }
        self.patience = None;
        // Leaves the queue first, or the lock would be granted twice.
        vec![Command::Release, Command::Steal]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Command::*;
    use proptest::prelude::*;

    const QUIET: Input = Input::Tick { silent: -1.0 };

    fn listening() -> Tab {
        let mut tab = Tab::default();
        assert_eq!(tab.on(Input::Start { shared: true, hidden: false }, 0.0, 0.0), [Ask, Join]);
        assert_eq!(tab.role(), Role::Listens);
        tab
    }

    fn leading() -> Tab {
        let mut tab = listening();
        assert_eq!(tab.on(Input::Granted, 0.0, 0.0), [Connect]);
        tab
    }

    #[test]
    fn without_locks_a_tab_has_a_connection_of_its_own() {
        let mut tab = Tab::default();
        assert_eq!(tab.on(Input::Start { shared: false, hidden: false }, 0.0, 0.0), [Connect]);
        let mut tab = listening();
        assert_eq!(tab.on(Input::Refused, 0.0, 0.0), [Connect]);
        assert_eq!(tab.role(), Role::Alone);
        assert_eq!(tab.on(Input::Tick { silent: 99_000.0 }, 0.0, 0.0), []);
    }

    #[test]
    fn a_silent_leader_loses_the_lock_to_one_visible_tab() {
        let mut tab = listening();
        assert_eq!(tab.on(Input::Tick { silent: 1.0 }, 0.0, 0.5), []);
        assert_eq!(tab.on(Input::Tick { silent: 900.0 }, 0.0, 0.0), []);
        assert_eq!(tab.on(Input::Tick { silent: 1_001.0 }, 0.0, 0.0), [Release, Steal]);
        let mut hidden = listening();
        hidden.on(Input::Seen { hidden: true }, 0.0, 0.0);
        assert_eq!(hidden.on(Input::Tick { silent: 60_000.0 }, 1_000.0, 0.0), []);
    }

    #[test]
    fn a_leader_that_lost_its_lock_follows_and_queues_again() {
        let mut tab = leading();
        assert_eq!(tab.on(Input::Effects, 0.0, 0.0), [Disconnect, Ask, Join]);
        assert_eq!(tab.on(Input::Granted, 0.0, 0.0), [Connect]);
    }

    #[test]
    fn a_leader_hidden_for_long_releases_the_lock_and_requests_it_when_shown() {
        let mut tab = leading();
        tab.on(Input::Seen { hidden: true }, 1_000.0, 0.0);
        // A repeated input does not restart the time.
        tab.on(Input::Seen { hidden: true }, 200_000.0, 0.0);
        assert_eq!(tab.on(QUIET, 1_000.0 + REST_AFTER, 0.0), []);
        assert_eq!(tab.on(QUIET, 1_001.0 + REST_AFTER, 0.0), [Disconnect, Release]);
        assert_eq!(tab.on(QUIET, 9_000.0 + REST_AFTER, 0.0), []);
        assert_eq!(tab.on(Input::Seen { hidden: false }, 999_000.0, 0.0), [Ask, Join]);
        assert_eq!(tab.on(Input::Granted, 999_001.0, 0.0), [Connect]);
    }

    #[test]
    fn a_single_tab_hidden_for_long_disconnects_and_a_follower_leaves_the_queue() {
        let mut alone = Tab::default();
        alone.on(Input::Start { shared: false, hidden: true }, 0.0, 0.0);
        assert_eq!(alone.on(QUIET, REST_AFTER + 1.0, 0.0), [Disconnect]);
        assert_eq!(alone.on(Input::Seen { hidden: false }, REST_AFTER + 2.0, 0.0), [Connect]);
        let mut tab = listening();
        tab.on(Input::Seen { hidden: true }, 0.0, 0.0);
        assert_eq!(tab.on(QUIET, REST_AFTER + 1.0, 0.0), [Release]);
        // The lock was being granted already.
        assert_eq!(tab.on(Input::Granted, REST_AFTER + 2.0, 0.0), [Release]);
        assert_eq!(tab.role(), Role::Listens);
    }

    #[test]
    fn a_tab_that_others_depend_on_does_not_pause() {
        let mut tab = leading();
        tab.keep_awake(true);
        tab.on(Input::Seen { hidden: true }, 0.0, 0.0);
        assert_eq!(tab.on(QUIET, 10.0 * REST_AFTER, 0.0), []);
        tab.keep_awake(false);
        assert_eq!(tab.on(QUIET, 10.0 * REST_AFTER + 1.0, 0.0), [Disconnect, Release]);
    }

    #[test]
    fn a_signed_out_tab_leaves_the_others_until_the_user_is_signed_in_again() {
        let mut tab = leading();
        assert_eq!(tab.on(Input::SignedOut, 0.0, 0.0), [Disconnect, Release]);
        assert_eq!(tab.on(Input::SignedOut, 0.0, 0.0), []);
        // Neither shown again nor a silent leader brings it back.
        tab.on(Input::Seen { hidden: true }, 0.0, 0.0);
        assert_eq!(tab.on(QUIET, REST_AFTER + 1.0, 0.0), []);
        assert_eq!(tab.on(Input::Seen { hidden: false }, REST_AFTER + 2.0, 0.0), []);
        assert_eq!(tab.on(Input::Tick { silent: 60_000.0 }, REST_AFTER + 3.0, 0.0), []);
        assert_eq!(tab.on(Input::SignedIn, 0.0, 0.0), [Ask, Join]);
        assert_eq!(tab.on(Input::SignedIn, 0.0, 0.0), []);
    }

    proptest! {
        /// Invariant: connected exactly while it leads or is alone, and is active; in the queue or holding the lock
        /// exactly while it is active and not alone.
        #[test]
        fn a_tab_connects_only_with_the_lock_and_queues_while_awake(
            shared: bool,
            steps in proptest::collection::vec((0u8..9, 0.0f64..200_000.0, 0.0f64..1.0), 1..100),
        ) {
            let mut tab = Tab::default();
            let (mut connected, mut asked, mut held) = (false, false, false);
            let mut now = 0.0;
            let obey = |commands: Vec<Command>, connected: &mut bool, asked: &mut bool, held: &mut bool| {
                for command in commands {
                    match command {
                        Ask | Steal => { prop_assert!(!*asked && !*held); *asked = true; }
                        Release => (*asked, *held) = (false, false),
                        Connect => { prop_assert!(!*connected); *connected = true; }
                        Disconnect => { prop_assert!(*connected); *connected = false; }
                        Join => {}
                    }
                }
                Ok(())
            };
            let start = tab.on(Input::Start { shared, hidden: false }, now, 0.0);
            obey(start, &mut connected, &mut asked, &mut held)?;
            for (what, later, chance) in steps {
                now += later;
                let input = match what {
                    0 if asked => { (asked, held) = (false, true); Input::Granted }
                    1 if held => { held = false; Input::Effects }
                    2 if asked && chance < 0.1 => { asked = false; Input::Refused }
                    3 => Input::Seen { hidden: true },
                    4 => Input::Seen { hidden: false },
                    5 => Input::Tick { silent: chance * 10_000.0 },
                    6 => Input::SignedOut,
                    7 => Input::SignedIn,
                    _ => QUIET,
                };
                obey(tab.on(input, now, chance), &mut connected, &mut asked, &mut held)?;
                let awake = !tab.resting();
                prop_assert_eq!(connected, awake && tab.role() != Role::Listens, "{:?}", tab);
                prop_assert_eq!(asked || held, awake && tab.role() != Role::Alone, "{:?}", tab);
                prop_assert_eq!(held, tab.role() == Role::Leads);
            }
        }
    }
}
