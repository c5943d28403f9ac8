//! Whether the store's disk has little room left. Pure.

use super::notice::{DISK_LOW, DISK_RECOVERED};

/// It is low below so many times the reserve: as the alert rule `RedeliverDiskNearlyFull` has it.
const LOW: u64 = 4;

/// It has recovered from so many times the reserve on, so that a disk on the edge is told once.
const ENOUGH: u64 = 5;

/// How the disk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that are left.
    pub free_bytes: u64,
    /// Below so many no event is taken.
    pub reserve_bytes: u64,
}

impl Disk {
    /// The type of the event that is due, if it was last told to be low or not.
    ///
    /// Within the reserve nothing is: no event is taken, this one neither.
    pub fn news(self, was_low: bool) -> Option<&'static str> {
        let Self {
            free_bytes,
            reserve_bytes,
        } = self;
        match was_low {
            _ if free_bytes < reserve_bytes => None,
            false => (free_bytes < reserve_bytes.saturating_mul(LOW)).then_some(DISK_LOW),
            true => (free_bytes >= reserve_bytes.saturating_mul(ENOUGH)).then_some(DISK_RECOVERED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(free_bytes: u64, was_low: bool) -> Option<&'static str> {
        let reserve_bytes = 100;
        Disk {
            free_bytes,
            reserve_bytes,
        }
        .news(was_low)
    }

    #[test]
    fn a_disk_is_low_below_four_times_its_reserve_and_has_recovered_from_five_times_on() {
        assert_eq!(news(400, false), None);
        assert_eq!(news(399, false), Some(DISK_LOW));
        assert_eq!(news(399, true), None);
        assert_eq!(news(499, true), None);
        assert_eq!(news(500, true), Some(DISK_RECOVERED));
    }

    #[test]
    fn within_the_reserve_nothing_can_be_told() {
        assert_eq!(news(100, false), Some(DISK_LOW));
        assert_eq!(news(99, false), None);
        assert_eq!(news(0, true), None);
    }

    #[test]
    fn a_reserve_beyond_all_disks_is_no_overflow() {
        let disk = Disk {
            free_bytes: u64::MAX,
            reserve_bytes: u64::MAX,
        };
        assert_eq!(disk.news(true), Some(DISK_RECOVERED));
    }
}
