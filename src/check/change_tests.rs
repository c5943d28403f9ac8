//! Every change makes another message, and only those that should make a genuine one do.

use super::*;
use crate::check::crafted::Credentials;
use crate::check::drill::Run;
use crate::check::shapes;
use crate::vendor::VerifyError;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_500);
const FORGERIES: [Change; 9] = [
    Change::BodyDigit,
    Change::SignatureDigit,
    Change::NoSignature,
    Change::EmptySignature,
    Change::HalfSignature,
    Change::LongSignature,
    Change::OtherKey,
    Change::OtherHash,
    Change::SignatureOfAnother,
];

fn made(profile: Profile, key: &str, change: Option<Change>, seed: u64) -> Crafted {
    let mut credentials = Credentials::none(profile);
    credentials.signing_key = Some(Secret::new(key));
    let run = Run {
        started_at: NOW,
        tag: seed,
    };
    let dispatch = Dispatch {
        change,
        ..Dispatch::of(match profile {
            Profile::Hotjar => shapes::hotjar::survey,
            _ => shapes::standard::invoice_paid,
        })
    };
    let maker = Maker {
        credentials: &credentials,
        seed,
        now: NOW,
    };
    let (identity, other) = (Identity::new(run, 1, NOW), Identity::new(run, 2, NOW));
    maker.make(&dispatch, &identity, &other).unwrap()
}

fn hotjar_verdict(mut crafted: Crafted) -> Result<(), VerifyError> {
    let given = take(&mut crafted, hotjar::SIGNATURE_HEADER);
    hotjar::verify(b"k", &crafted.body, &given, TextEncoding::Hex)
}

fn standard_verdict(mut crafted: Crafted) -> Result<(), VerifyError> {
    let [id, timestamp, signature] = [
        standard::ID_HEADER,
        standard::TIMESTAMP_HEADER,
        standard::SIGNATURE_HEADER,
    ]
    .map(|name| take(&mut crafted, name));
    let body = &crafted.body;
    standard::verify("whsec_a2V5", &id, &timestamp, &signature, body, NOW)
}

#[test]
fn hot_34_each_forgery_fails_verification_wherever_the_seed_puts_it() {
    assert_eq!(hotjar_verdict(made(Profile::Hotjar, "k", None, 0)), Ok(()));
    for change in FORGERIES {
        for seed in 0..200 {
            let crafted = made(Profile::Hotjar, "k", Some(change), seed);
            serde_json::from_slice::<serde_json::Value>(&crafted.body).unwrap();
            assert!(hotjar_verdict(crafted).is_err(), "{change:?} {seed}");
        }
    }
}

#[test]
fn each_forgery_of_standard_webhooks_fails_verification_and_the_others_do_not() {
    let verdict =
        |change, seed| standard_verdict(made(Profile::Standard, "whsec_a2V5", change, seed));
    assert_eq!(verdict(None, 0), Ok(()));
    let own = [
        Change::BodyAloneSigned,
        Change::OtherId,
        Change::NoId,
        Change::NoTimestamp,
        Change::TimestampWord,
        Change::UnknownVersionAlone,
    ];
    for change in FORGERIES.into_iter().chain(own) {
        for seed in 0..200 {
            assert!(verdict(Some(change), seed).is_err(), "{change:?} {seed}");
        }
    }
    for change in [
        Change::UnknownVersionsBeside,
        Change::OtherSignatureFirst,
        Change::OtherSignatureLast,
    ] {
        assert_eq!(verdict(Some(change), 0), Ok(()), "{change:?}");
    }
}

#[test]
fn hot_35_a_changed_digit_of_the_body_leaves_its_age_alone() {
    for seed in 0..200 {
        let right = made(Profile::Hotjar, "k", None, seed);
        let forged = made(Profile::Hotjar, "k", Some(Change::BodyDigit), seed);
        let pairs = right.body.iter().zip(&forged.body);
        let differ = pairs.enumerate().filter(|(_, (a, b))| a != b);
        assert_eq!(differ.count(), 1, "{seed}");
        assert_eq!(hotjar::check_age(&forged.body, NOW), Ok(()));
    }
}

#[test]
fn a_forged_login_never_holds_the_password() {
    let mut credentials = Credentials::none(Profile::Esputnik);
    credentials.basic = Some(crate::endpoint::BasicAuth {
        user: "u".to_owned(),
        password: Secret::new("hunter2"),
    });
    let run = Run {
        started_at: NOW,
        tag: 0,
    };
    let maker = Maker {
        credentials: &credentials,
        seed: 0,
        now: NOW,
    };
    let right = basic_authorization("u", "hunter2");
    for change in [
        Change::NoLogin,
        Change::WrongPassword,
        Change::WrongUser,
        Change::EmptyPassword,
        Change::OtherLoginScheme,
    ] {
        let dispatch = Dispatch::of(shapes::hotjar::survey).changed(change);
        let identity = Identity::new(run, 1, NOW);
        let mut crafted = maker.make(&dispatch, &identity, &identity).unwrap();
        assert!(!crafted.has_login, "{change:?}");
        assert_ne!(crafted.header(AUTHORIZATION), Some(&mut right.clone()));
    }
}
