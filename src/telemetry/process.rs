//! What the process itself takes, under the names that every Prometheus client gives it.

use std::fs;

use super::sheet::Sheet;

/// Adds what the system tells; nothing, where it tells it in another way than Linux.
pub fn add(sheet: &mut Sheet) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks_per_second = rustix::param::clock_ticks_per_second();
    let page_bytes = rustix::param::page_size() as f64;
    if let Some(own) = Own::parse(&stat) {
        let seconds = own.cpu_ticks as f64 / ticks_per_second as f64;
        sheet.counter(
            "process_cpu_seconds",
            "Processor time, the process's own and the kernel's for it, in seconds",
            seconds,
        );
        sheet.gauge(
            "process_resident_memory_bytes",
            "Memory that is in use",
            own.resident_pages as f64 * page_bytes,
        );
        sheet.gauge(
            "process_virtual_memory_bytes",
            "Address space that is mapped",
            own.virtual_bytes as f64,
        );
        sheet.gauge("process_threads", "Threads", own.threads as f64);
        let booted = fs::read_to_string("/proc/stat").unwrap_or_default();
        if let Some(booted) = boot_time(&booted) {
            sheet.gauge(
                "process_start_time_seconds",
                "When the process began, in seconds since the Unix epoch",
                booted as f64 + own.start_ticks as f64 / ticks_per_second as f64,
            );
        }
    }
    if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
        // One of them is the directory that is being read.
        let open = descriptors.count().saturating_sub(1);
        sheet.gauge("process_open_fds", "Open descriptors", open as f64);
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    if let Some(max) = limit.current {
        sheet.gauge(
            "process_max_fds",
            "Descriptors that may be open",
            max as f64,
        );
    }
}

/// What `/proc/self/stat` says.
#[derive(Debug, PartialEq, Eq)]
struct Own {
    cpu_ticks: u64,
    threads: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Own {
    fn parse(stat: &str) -> Option<Self> {
        // The name of the process stands in brackets, and may have any characters in it.
        let (_, fields) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // Numbered from 1 in proc(5), where the state behind the name is the third.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)? + field(15)?,
            threads: field(20)?,
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

fn boot_time(stat: &str) -> Option<u64> {
    let mut lines = stat.lines();
    lines.find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_behind_a_name_with_brackets_and_spaces() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 7 5 0 0 20 0 9 0 1234 5000000 300 \
                    18446744073709551615 1 1 0 0 0 0 0";
        let own = Own {
            cpu_ticks: 12,
            threads: 9,
            start_ticks: 1234,
            virtual_bytes: 5_000_000,
            resident_pages: 300,
        };
        assert_eq!(Own::parse(stat), Some(own));
        assert_eq!(Own::parse("42 (a"), None);
        assert_eq!(boot_time("cpu 1\nbtime 17\nctxt 2\n"), Some(17));
    }
}
