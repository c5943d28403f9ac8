//! What a seed picks: the endpoints, and how their receivers behave.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::contract::Vendor;

/// What a receiver does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Status(u16),
    /// As a status, and the connection is not kept.
    Closing(u16),
    /// As a status, after a pause that is shorter than any deadline.
    After(Duration, u16),
    /// Never.
    Hang,
    /// The connection ends without an answer.
    Reset,
    /// It ends within the answer's head.
    Torn,
    /// It ends within the answer's body: the status stands.
    HalfBody(u16),
}

impl Reply {
    /// The status that counts.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Status(status)
            | Self::Closing(status)
            | Self::After(_, status)
            | Self::HalfBody(status) => Some(status),
            Self::Hang | Self::Reset | Self::Torn => None,
        }
    }
}

/// How a receiver is disposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Good,
    Flapping,
    Failing,
    Slow,
    Hanging,
    Resetting,
    /// 410 at this attempt of one delivery in eight.
    Leaving(u32),
}

/// An endpoint and its receiver.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    /// Tells its receiver from the others.
    pub index: usize,
    pub vendor: Vendor,
    pub mood: Mood,
    /// Only events of type `a`.
    pub only_a: bool,
    pub concurrency: u32,
    seed: u64,
}

/// The failures that a receiver may answer with. 202 and 204 are failures under one contract and
/// successes under the others (ESP-12, HOT-16).
const FAILURES: [u16; 8] = [500, 503, 404, 400, 302, 429, 202, 204];

impl Planned {
    fn pick(index: usize, seed: u64, rng: &mut StdRng) -> Self {
        let vendor = [Vendor::Hotjar, Vendor::Esputnik, Vendor::Standard];
        let vendor = vendor[rng.random_range(0..vendor.len())];
        let mood = match rng.random_range(0..10) {
            0 | 1 => Mood::Good,
            2..=4 => Mood::Flapping,
            5 => Mood::Failing,
            6 => Mood::Slow,
            7 => Mood::Hanging,
            8 => Mood::Resetting,
            _ => Mood::Leaving(rng.random_range(1..=10)),
        };
        Self {
            index,
            vendor,
            mood,
            only_a: !vendor.in_order() && rng.random_bool(0.25),
            concurrency: match vendor.in_order() {
                true => 1,
                false => rng.random_range(1..=4),
            },
            seed,
        }
    }

    pub fn name(&self) -> String {
        format!("e{}", self.index)
    }

    pub fn port(&self) -> u16 {
        10_000 + self.index as u16
    }

    pub fn wants(&self, kind: &str) -> bool {
        !self.only_a || kind == "a"
    }

    /// Told by the delivery and the attempt alone: an attempt that is repeated after a crash is
    /// answered as it was before.
    pub fn reply(&self, seq: u64, attempt: u32) -> Reply {
        let mut rng = StdRng::seed_from_u64(
            self.seed ^ (self.index as u64) << 56 ^ seq << 16 ^ u64::from(attempt),
        );
        // What is never given up must get through at last.
        if self.vendor.attempts_max().is_none() && attempt > 5 {
            return Reply::Status(200);
        }
        let fine = match rng.random_range(0..3) {
            0 => Reply::Closing(200),
            _ => Reply::Status(200),
        };
        let failure = FAILURES[rng.random_range(0..FAILURES.len())];
        let pause = Duration::from_millis(rng.random_range(1..9_500));
        let chance = rng.random_range(0..100);
        match (self.mood, chance) {
            (Mood::Flapping, 0..40) | (Mood::Failing, 0..95) => Reply::Status(failure),
            (Mood::Flapping, 40..45) => Reply::Hang,
            (Mood::Flapping, 45..50) => Reply::Reset,
            (Mood::Slow, 0..60) => Reply::After(pause, 200),
            (Mood::Slow, 60..80) => Reply::After(pause, failure),
            (Mood::Hanging, 0..50) => Reply::Hang,
            (Mood::Resetting, 0..25) => Reply::Reset,
            (Mood::Resetting, 25..50) => Reply::Torn,
            (Mood::Resetting, 50..60) => Reply::HalfBody(200),
            (Mood::Resetting, 60..70) => Reply::HalfBody(failure),
            (Mood::Leaving(at), _) if seq.is_multiple_of(8) && attempt == at => Reply::Status(410),
            (Mood::Leaving(at), _) if seq.is_multiple_of(8) && attempt < at => {
                Reply::Status(failure)
            }
            _ => fine,
        }
    }
}

/// The endpoints of a run, one after the other, as many as are asked for.
pub struct Endpoints {
    seed: u64,
    rng: StdRng,
    pub planned: Vec<Planned>,
}

impl Endpoints {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            rng: StdRng::seed_from_u64(!seed),
            planned: Vec::new(),
        }
    }

    pub fn add(&mut self) -> Planned {
        let index = self.planned.len();
        let planned = Planned::pick(index, self.seed, &mut self.rng);
        self.planned.push(planned);
        planned
    }
}
