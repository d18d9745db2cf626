//! Texts of /proc as figures: pure functions. What is missing or unreadable is `None`.

/// Times of one processor, or of all, in ticks since the start of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct CpuTicks {
    /// With low priority, too. Time of guests is contained.
    pub user: u64,
    /// With interrupts.
    pub system: u64,
    pub idle: u64,
    pub iowait: u64,
    pub steal: u64,
}

/// `/proc/stat`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Stat {
    pub total: Option<CpuTicks>,
    /// By number of the core. Cores that are offline are missing.
    pub cores: Vec<(u32, CpuTicks)>,
    pub running: Option<u64>,
    pub blocked: Option<u64>,
}

pub(crate) fn stat(text: &str) -> Stat {
    let mut stat = Stat::default();
    for line in text.lines() {
        let Some((name, rest)) = line.split_once(' ') else { continue };
        match name.strip_prefix("cpu") {
            Some("") => stat.total = cpu_ticks(rest),
            Some(number) => {
                if let (Ok(number), Some(ticks)) = (number.parse(), cpu_ticks(rest)) {
                    stat.cores.push((number, ticks));
                }
            }
            None if name == "procs_running" => stat.running = number(rest),
            None if name == "procs_blocked" => stat.blocked = number(rest),
            None => {}
        }
    }
    stat
}

fn cpu_ticks(fields: &str) -> Option<CpuTicks> {
    let mut fields = fields.split_ascii_whitespace().map(|field| field.parse::<u64>().ok());
    let mut next = || fields.next().flatten();
    let (user, nice, system, idle) = (next()?, next()?, next()?, next()?);
    let mut later = || next().unwrap_or(0);
    let (iowait, irq, softirq, steal) = (later(), later(), later(), later());
    Some(CpuTicks {
        user: user.checked_add(nice)?,
        system: system.checked_add(irq)?.checked_add(softirq)?,
        idle,
        iowait,
        steal,
    })
}

/// `/proc/meminfo` in bytes
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Memory {
    pub total: Option<u64>,
    pub available: Option<u64>,
    pub cached: Option<u64>,
    pub swap_total: Option<u64>,
    pub swap_free: Option<u64>,
}

pub(crate) fn memory(text: &str) -> Memory {
    let mut memory = Memory::default();
    for line in text.lines() {
        let Some((name, rest)) = line.split_once(':') else { continue };
        let field = match name {
            "MemTotal" => &mut memory.total,
            "MemAvailable" => &mut memory.available,
            "Cached" => &mut memory.cached,
            "SwapTotal" => &mut memory.swap_total,
            "SwapFree" => &mut memory.swap_free,
            _ => continue,
        };
        *field = rest.trim().strip_suffix(" kB").and_then(number).and_then(|kib| kib.checked_mul(1024));
    }
    memory
}

/// `/proc/loadavg`: average number of runnable or blocked tasks over 1, 5 and 15 minutes
pub(crate) fn load(text: &str) -> [Option<f64>; 3] {
    let mut fields =
        text.split_ascii_whitespace().map(|field| field.parse().ok().filter(|l: &f64| *l >= 0.0));
    std::array::from_fn(|_| fields.next().flatten())
}

/// `/proc/pressure/*`: microseconds in which some tasks, or all of them, waited for the resource
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Pressure {
    pub some: Option<u64>,
    pub full: Option<u64>,
}

pub(crate) fn pressure(text: &str) -> Pressure {
    let mut pressure = Pressure::default();
    for line in text.lines() {
        let total = line.rsplit_once("total=").and_then(|(_, total)| number(total));
        match line.split(' ').next() {
            Some("some") => pressure.some = total,
            Some("full") => pressure.full = total,
            _ => {}
        }
    }
    pressure
}

/// Line of `/proc/diskstats`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Disk<'a> {
    pub name: &'a str,
    pub reads: u64,
    pub read_bytes: u64,
    pub writes: u64,
    pub written_bytes: u64,
    /// Time in which requests were in progress, in milliseconds.
    pub busy_ms: u64,
}

/// Size of the sectors of `/proc/diskstats` in bytes, whatever the device's sectors are.
const SECTOR_BYTES: u64 = 512;

pub(crate) fn disks(text: &str) -> impl Iterator<Item = Disk<'_>> {
    text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(2);
        let name = words.next()?;
        let mut figures = [0_u64; 10];
        for figure in &mut figures {
            *figure = words.next()?.parse().ok()?;
        }
        let [reads, _, sectors_read, _, writes, _, sectors_written, _, _, busy_ms] = figures;
        let read_bytes = sectors_read.checked_mul(SECTOR_BYTES)?;
        let written_bytes = sectors_written.checked_mul(SECTOR_BYTES)?;
        Some(Disk { name, reads, read_bytes, writes, written_bytes, busy_ms })
    })
}

/// Line of `/proc/net/dev`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Interface<'a> {
    pub name: &'a str,
    pub received_bytes: u64,
    /// Errors and dropped packets.
    pub received_errors: u64,
    pub sent_bytes: u64,
    pub sent_errors: u64,
}

pub(crate) fn interfaces(text: &str) -> impl Iterator<Item = Interface<'_>> {
    text.lines().filter_map(|line| {
        let (name, rest) = line.split_once(':')?;
        let mut figures = [0_u64; 12];
        let mut words = rest.split_ascii_whitespace();
        for figure in &mut figures {
            *figure = words.next()?.parse().ok()?;
        }
        Some(Interface {
            name: name.trim(),
            received_bytes: figures[0],
            received_errors: figures[2].checked_add(figures[3])?,
            sent_bytes: figures[8],
            sent_errors: figures[10].checked_add(figures[11])?,
        })
    })
}

/// `/proc/self/stat`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Process {
    /// User and system time in ticks.
    pub cpu_ticks: u64,
    pub threads: u64,
    pub resident_pages: u64,
}

pub(crate) fn process(text: &str) -> Option<Process> {
    // The name, in parentheses, may contain anything.
    let (_, rest) = text.rsplit_once(')')?;
    // The first field after the name is the third of the file.
    let field = |n: usize| rest.split_ascii_whitespace().nth(n - 3)?.parse::<u64>().ok();
    Some(Process {
        cpu_ticks: field(14)?.checked_add(field(15)?)?,
        threads: field(20)?,
        resident_pages: field(24)?,
    })
}

/// `/proc/sys/fs/file-nr`: open files and their limit, of the machine
pub(crate) fn open_files(text: &str) -> Option<(u64, u64)> {
    let mut fields = text.split_ascii_whitespace().map(|field| field.parse().ok());
    let open = fields.next()??;
    Some((open, fields.nth(1)??))
}

/// Number with spaces around it.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn processors_keep_their_numbers_when_one_is_offline() {
        let text = "cpu  100 5 50 800 20 1 2 3 0 0\ncpu0 60 5 30 400 10 1 1 3 0 0\ncpu2 40 0 20 400 10 0 1 0 0 0\n\
                    intr 5 0\nctxt 7\nprocs_running 3\nprocs_blocked 1\n";
        let stat = stat(text);
        let total = CpuTicks { user: 105, system: 53, idle: 800, iowait: 20, steal: 3 };
        assert_eq!((stat.total, stat.running, stat.blocked), (Some(total), Some(3), Some(1)));
        assert_eq!(stat.cores.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(stat.cores[1].1, CpuTicks { user: 40, system: 21, idle: 400, iowait: 10, steal: 0 });
    }

    #[test]
    fn memory_is_in_bytes_and_unknown_where_the_kernel_is_silent() {
        let text = "MemTotal:       16384 kB\nMemFree: 1 kB\nCached:  512 kB\nSwapTotal:     0 kB\nHugePages_Total: 0\n";
        let memory = memory(text);
        assert_eq!((memory.total, memory.cached), (Some(16 << 20), Some(512 << 10)));
        assert_eq!((memory.swap_total, memory.swap_free, memory.available), (Some(0), None, None));
    }

    #[test]
    fn pressure_of_old_kernels_has_no_full_line_for_the_processor() {
        let line = "some avg10=1.23 avg60=0.50 avg300=0.10 total=123456\n";
        assert_eq!(pressure(line), Pressure { some: Some(123_456), full: None });
        let both = "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n";
        assert_eq!(pressure(both), Pressure { some: Some(7), full: Some(5) });
    }

    #[test]
    fn disks_and_interfaces_are_read_by_name() {
        let text = "   8       0 sda 10 1 200 5 20 2 400 6 0 77 11 0 0 0 0\n 259 0 nvme0n1 1 0 2 0 3 0 4 0 0 5 6\nbroken\n";
        let disks: Vec<Disk<'_>> = disks(text).collect();
        let sda = Disk {
            name: "sda",
            reads: 10,
            read_bytes: 102_400,
            writes: 20,
            written_bytes: 204_800,
            busy_ms: 77,
        };
        assert_eq!((disks.len(), disks[0], disks[1].name), (2, sda, "nvme0n1"));
        let text = "Inter-|   Receive  |  Transmit\n face |bytes packets errs\n\
                    eth0: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\n    lo:5 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0\n";
        let interfaces: Vec<Interface<'_>> = interfaces(text).collect();
        let eth0 = Interface {
            name: "eth0",
            received_bytes: 1000,
            received_errors: 3,
            sent_bytes: 2000,
            sent_errors: 7,
        };
        assert_eq!((interfaces.len(), interfaces[0], interfaces[1].name), (2, eth0, "lo"));
    }

    #[test]
    fn the_name_of_a_process_may_contain_parentheses_and_spaces() {
        let text =
            "42 (a) b) (c)) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 9 0 1000 12345678 321 184 1 1";
        assert_eq!(process(text), Some(Process { cpu_ticks: 200, threads: 9, resident_pages: 321 }));
        assert_eq!(open_files("1504\t0\t9223372036854775807\n"), Some((1504, 9_223_372_036_854_775_807)));
        assert_eq!(load("0.52 1.00 2.25 3/456 789\n"), [Some(0.52), Some(1.0), Some(2.25)]);
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in "(cpu[0-9]{0,2}|some|full|total=|MemTotal:|eth0:|kB|[0-9]{1,25}|[ \n)(.-]){0,80}") {
            stat(&text);
            memory(&text);
            load(&text);
            pressure(&text);
            disks(&text).count();
            interfaces(&text).count();
            process(&text);
            open_files(&text);
        }

        #[test]
        fn written_processors_are_read_back(cores in proptest::collection::vec(proptest::array::uniform8(0u64..1 << 40), 1..70)) {
            let mut text = String::new();
            for (number, t) in cores.iter().enumerate() {
                let ticks: Vec<String> = t.iter().map(u64::to_string).collect();
                text.push_str(&format!("cpu{number} {} 0 0\n", ticks.join(" ")));
            }
            let read = stat(&text).cores;
            prop_assert_eq!(read.len(), cores.len());
            for ((_, ticks), t) in read.iter().zip(&cores) {
                let sum = ticks.user + ticks.system + ticks.idle + ticks.iowait + ticks.steal;
                prop_assert_eq!(sum, t.iter().sum::<u64>());
            }
        }
    }
}
