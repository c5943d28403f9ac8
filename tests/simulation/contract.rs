//! The vendors' contracts as plain facts, told again here so that a mistake in the product's own
//! tables cannot hide behind itself.

use std::time::Duration;

/// Whose contract an endpoint is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    Hotjar,
    Esputnik,
    Standard,
}

/// What an answer, or none, means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    Failed,
    /// A failure, and nothing is sent until the operator resumes the endpoint.
    Paused,
    /// The endpoint is gone for good (HOT-28).
    Gone,
    /// No answer: it has waited for longer than the operator lets it.
    Overdue,
}

impl Vendor {
    pub fn policy(self) -> &'static str {
        match self {
            Self::Hotjar => "hotjar",
            Self::Esputnik => "esputnik",
            Self::Standard => "standard",
        }
    }

    /// ESP-16: one after the other. HOT-12: none holds back another.
    pub fn in_order(self) -> bool {
        self == Self::Esputnik
    }

    pub fn timeout(self) -> Duration {
        match self {
            Self::Hotjar | Self::Esputnik => Duration::from_secs(10),
            Self::Standard => Duration::from_secs(20),
        }
    }

    /// HOT-16, ESP-12.
    pub fn verdict(self, status: Option<u16>) -> Verdict {
        match (self, status) {
            (Self::Esputnik, Some(200)) => Verdict::Delivered,
            (Self::Esputnik, _) => Verdict::Failed,
            (_, Some(200..=299)) => Verdict::Delivered,
            (Self::Hotjar, Some(410)) => Verdict::Gone,
            (Self::Standard, Some(410)) => Verdict::Paused,
            _ => Verdict::Failed,
        }
    }

    /// The least time from the end of the `failures`-th failure in a row to the next attempt.
    pub fn delay(self, failures: u32) -> Duration {
        let at = failures.saturating_sub(1) as usize;
        match self {
            Self::Hotjar => {
                let table = [30, 60, 120, 300, 600, 1200];
                Duration::from_secs(table[at.min(table.len() - 1)])
            }
            Self::Esputnik => {
                let table = [60, 120, 240, 480, 960, 1920, 3600];
                Duration::from_secs(table[at.min(table.len() - 1)])
            }
            // Spread by a tenth either way; see `spread`.
            Self::Standard => {
                let table = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400];
                Duration::from_millis(table[at.min(table.len() - 1)] * 900)
            }
        }
    }

    /// By how much `delay` may be exceeded: a tenth either way, of which it is the lower end.
    pub fn spread(self, delay: Duration) -> Duration {
        match self {
            Self::Standard => delay.mul_f64(0.2 / 0.9) + Duration::from_millis(1),
            Self::Hotjar | Self::Esputnik => Duration::ZERO,
        }
    }

    /// The failure after which a delivery is given up.
    pub fn attempts_max(self) -> Option<u32> {
        match self {
            Self::Hotjar => Some(7),
            Self::Esputnik => None,
            Self::Standard => Some(10),
        }
    }
}
