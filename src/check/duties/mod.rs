//! The duties of a receiver, by vendor. What several vendors ask for is written once.

mod esputnik;
mod families;
mod hotjar;
mod standard;

use std::time::Duration;

use super::duty::Duty;
use crate::vendor::Profile;

/// How far a timestamp is from the edge of what is allowed: the clocks of two machines differ, and
/// a message is under way for a while.
const MARGIN_S: i64 = 10;
/// Beyond every tolerance.
const DAY_S: i64 = 24 * 3600;

/// The duties under the vendor of `profile`, in the order in which they are looked at. The first
/// two are what all others stand on. `tolerance` is how far a timestamp of Standard Webhooks may be
/// from the receiver's clock; the other vendors name theirs.
pub fn duties(profile: Profile, tolerance: Duration) -> Vec<Duty> {
    match profile {
        Profile::Hotjar => hotjar::duties(),
        Profile::Esputnik => esputnik::duties(),
        Profile::Standard => standard::duties(tolerance),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::check::drill::Drill;

    #[test]
    fn every_duty_has_a_name_of_its_own_a_rule_and_a_mend() {
        for profile in [Profile::Hotjar, Profile::Standard, Profile::Esputnik] {
            let all = duties(profile, Duration::from_secs(300));
            let ids: BTreeSet<_> = all.iter().map(|duty| &duty.id).collect();
            assert_eq!(ids.len(), all.len(), "{profile:?}");
            for duty in &all {
                let text = "abcdefghijklmnopqrstuvwxyz-.0123456789";
                assert!(duty.id.chars().all(|c| text.contains(c)), "{}", duty.id);
                assert!(!duty.rules.is_empty(), "{}", duty.id);
                assert!(duty.mend.len() > 20, "{}", duty.id);
                assert!(duty.title.len() < 80, "{}", duty.id);
            }
            assert!(matches!(all[0].drill, Drill::Answer(_)));
            assert!(all[1].id.contains(".accept."));
        }
    }
}
