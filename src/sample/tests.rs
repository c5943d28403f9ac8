//! Every sample has the documented fields with the documented types, and no others.

mod esputnik;
mod hotjar;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use self::hotjar::likes;
use super::esputnik::{Account, Like};
use super::hotjar::Survey;
use super::shop::{KINDS, Shop};
use super::*;
use crate::clock::Timestamp;

const AT: Timestamp = Timestamp::from_millis(1_686_136_385_193);

fn value(document: &Document) -> Value {
    serde_json::from_str(&document.to_json()).unwrap()
}

/// What a field's type lets through.
type Type = fn(&Value) -> bool;

fn is_uuid(value: &Value) -> bool {
    let lengths = value.as_str().unwrap_or_default().split('-').map(str::len);
    lengths.collect::<Vec<_>>() == [8, 4, 4, 4, 12]
}

/// Members of `object`, each of which must be of its type or, if it may be, null.
fn check_fields(object: &Value, documented: &[(&str, Type)], may_be_null: bool) {
    for (name, is_right) in documented {
        let value = object
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {object}"));
        assert!(
            is_right(value) || (may_be_null && value.is_null()),
            "{name} in {object}"
        );
    }
}

fn names(object: &Value) -> BTreeSet<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

proptest! {
    #[test]
    fn the_same_seed_makes_the_same_payloads_byte_for_byte(seed: u64, like in likes()) {
        let all = |seed: u64| {
            let (mut survey, mut account, mut shop) = (Survey::new(seed), Account::new(seed), Shop::new(seed));
            (0..3).map(|_| {
                let survey = survey.response(&like, AT).to_json();
                let account = account.activity(&Like::default(), AT).to_json();
                survey + &account + &shop.event(None, false, AT).1.to_json()
            }).collect::<Vec<_>>()
        };
        prop_assert_eq!(all(seed), all(seed));
        prop_assert_ne!(all(seed), all(seed ^ 1));
    }
}

#[test]
fn a_shop_has_events_of_every_kind_and_of_any_that_it_is_asked_for() {
    let mut shop = Shop::new(5);
    let kinds: BTreeSet<_> = (0..200).map(|_| shop.event(None, false, AT).0).collect();
    assert_eq!(kinds, KINDS.map(str::to_owned).into());
    let (kind, data) = shop.event(Some("invoice.sent"), true, AT);
    assert_eq!(kind, "invoice.sent");
    assert!(value(&data)["x_experiment"].is_object());
}
