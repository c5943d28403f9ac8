//! Animals with bad papers: none of them gets to see a request.

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, NameConstraints, SanType, date_time_ymd,
};
use redeliver::vendor::standard;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use serde_json::json;

use crate::animal::{Animal, Ends};
use crate::cage;
use crate::papers::{
    Papers, authority, https, https_judging, intermediate, key, leaf, no_changes, refused, signed,
    signed_through,
};
use crate::process::broker::Site;
use crate::process::{eventually, now};

const EXPIRED: Ends = refused!("its certificate has expired");
const WRONG_NAME: Ends = refused!("its certificate is for another name");
const UNKNOWN: Ends = refused!("its certificate's issuer is not trusted");
const WRONG_SIGNATURE: Ends = refused!(
    "its certificate is not acceptable: its signature is wrong, or its signer's key too weak"
);

fn long_ago(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
}

/// Certificates that are wrong in themselves.
fn bad_leaves() -> Vec<Animal> {
    vec![
        signed("has_expired", EXPIRED, long_ago),
        signed(
            "is_not_valid_yet",
            refused!("its certificate is not valid yet"),
            |params| {
                params.not_before = date_time_ymd(3000, 1, 1);
            },
        ),
        signed("has_another_name", WRONG_NAME, |params| {
            params.subject_alt_names = vec![SanType::DnsName("other.test".try_into().unwrap())];
        }),
        signed("has_a_name_but_no_number", WRONG_NAME, |params| {
            params.subject_alt_names = vec![SanType::DnsName("localhost".try_into().unwrap())];
        }),
        signed("has_its_name_in_the_subject_only", WRONG_NAME, |params| {
            params.subject_alt_names = Vec::new();
            params
                .distinguished_name
                .push(DnType::CommonName, "127.0.0.1");
        }),
        signed(
            "is_for_clients_only",
            refused!("its certificate is not acceptable: it is not for servers"),
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        ),
        signed(
            "is_an_authority_itself",
            refused!("its certificate is not acceptable: it is an authority's"),
            |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
        ),
        signed(
            "has_an_extension_that_nobody_knows",
            refused!(
                "its certificate is not acceptable: it demands an extension that is not known"
            ),
            |params| {
                let mut odd =
                    CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
                odd.set_criticality(true);
                params.custom_extensions = vec![odd];
            },
        ),
    ]
}

/// Certificates that are fine but for how they came about.
fn bad_chains() -> Vec<Animal> {
    let ca = authority(no_changes);
    let between = intermediate(&ca, no_changes);
    let (by_name, name_key) = leaf(&ca, |params| {
        params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
    });
    let by_name = Papers::new(vec![by_name], &name_key).server();
    let other_name = Ends::Failed("TLS with localhost failed: its certificate is for another name");

    let mut alone = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    alone.is_ca = IsCa::ExplicitNoCa;
    let alone_key = key();
    let alone = alone.self_signed(&alone_key).unwrap().into();
    let alone = Papers::new(vec![alone], &alone_key).server();

    let (stranger, stranger_key) = leaf(
        &authority(|params| {
            params
                .distinguished_name
                .push(DnType::CommonName, "a stranger")
        }),
        no_changes,
    );
    let stranger = Papers::new(vec![stranger], &stranger_key).server();

    let (last, last_key) = leaf(&between, no_changes);
    let truncated = Papers::new(vec![last], &last_key).server();

    let old = intermediate(&ca, long_ago);
    let no_authority = intermediate(&ca, |params| params.is_ca = IsCa::ExplicitNoCa);
    let short = intermediate(&ca, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    });
    let too_long = intermediate(&short, |params| {
        params
            .distinguished_name
            .push(DnType::CommonName, "one too many");
    });
    let narrow = intermediate(&ca, |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![
                GeneralSubtree::DnsName("example.com".to_owned()),
                GeneralSubtree::IpAddress(CidrSubnet::V4([10, 0, 0, 0], [255, 0, 0, 0])),
            ],
            excluded_subtrees: Vec::new(),
        });
    });
    let pem = Some(ca.pem());
    vec![
        https(
            "has_a_number_but_no_name",
            other_name,
            "localhost",
            pem.clone(),
            by_name,
        ),
        https("signs_for_itself", UNKNOWN, "127.0.0.1", pem.clone(), alone),
        https(
            "is_signed_by_a_stranger",
            UNKNOWN,
            "127.0.0.1",
            pem.clone(),
            stranger,
        ),
        https(
            "leaves_out_who_signed",
            UNKNOWN,
            "127.0.0.1",
            pem,
            truncated,
        ),
        signed_through("is_signed_by_one_who_expired", EXPIRED, &ca, &[&old]),
        signed_through(
            "is_signed_by_one_who_may_not",
            refused!("its certificate is not acceptable: one in its chain is not an authority's"),
            &ca,
            &[&no_authority],
        ),
        signed_through(
            "is_signed_too_far_down",
            refused!(
                "its certificate is not acceptable: its chain is longer than its authority allows"
            ),
            &ca,
            &[&too_long, &short],
        ),
        signed_through(
            "is_signed_for_others",
            refused!("its certificate is not acceptable: its authority may not sign for that name"),
            &ca,
            &[&narrow],
        ),
    ]
}

/// Certificates and keys that do not hold what they say.
fn forged() -> Vec<Animal> {
    let ca = authority(no_changes);
    let pem = Some(ca.pem());
    let (certificate, _) = leaf(&ca, no_changes);
    let stolen = Papers::new(vec![certificate.clone()], &key()).server();

    let (certificate, leaf_key) = leaf(&ca, no_changes);
    let mut bytes = certificate.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let altered = Papers::new(vec![bytes.into()], &leaf_key).server();

    // Of the same name as the authority, which is all that a name is good for.
    let (impostor, impostor_key) = leaf(&authority(no_changes), no_changes);
    let impostor = Papers::new(vec![impostor], &impostor_key).server();

    let unreadable = Papers::new(vec![b"hello".to_vec().into()], &leaf_key).server();
    let huge = Papers::new(
        vec![vec![0; 60_000].into(), vec![0; 60_000].into()],
        &leaf_key,
    )
    .server();
    let nothing = Papers::new(vec![], &leaf_key).server();
    vec![
        https(
            "has_stolen_its_papers",
            WRONG_SIGNATURE,
            "127.0.0.1",
            pem.clone(),
            stolen,
        ),
        https(
            "has_altered_its_papers",
            WRONG_SIGNATURE,
            "127.0.0.1",
            pem.clone(),
            altered,
        ),
        https(
            "is_signed_by_an_impostor",
            WRONG_SIGNATURE,
            "127.0.0.1",
            pem.clone(),
            impostor,
        ),
        https(
            "has_unreadable_papers",
            refused!("its certificate is not acceptable: it cannot be read"),
            "127.0.0.1",
            pem.clone(),
            unreadable,
        ),
        https(
            "has_papers_without_end",
            refused!("its handshake does not end within 64 KiB"),
            "127.0.0.1",
            pem.clone(),
            huge,
        ),
        https(
            "has_no_papers",
            refused!("its certificate is not acceptable: there is none"),
            "127.0.0.1",
            pem,
            nothing,
        ),
        weak(
            "is_signed_with_sha_1",
            refused!("its certificate is not acceptable: it is signed in a way that is not safe"),
            include_str!("../fixtures/weak/sha1-leaf.pem"),
            include_str!("../fixtures/weak/sha1-ca.pem"),
        ),
        weak(
            "is_signed_with_rsa_1024",
            WRONG_SIGNATURE,
            include_str!("../fixtures/weak/rsa1024-leaf.pem"),
            include_str!("../fixtures/weak/rsa1024-ca.pem"),
        ),
    ]
}

fn weak(name: &'static str, ends: Ends, leaf: &str, ca: &str) -> Animal {
    let key = include_bytes!("../fixtures/weak/leaf.key");
    let papers = Papers {
        chain: vec![CertificateDer::from_pem_slice(leaf.as_bytes()).unwrap()],
        key: PrivateKeyDer::from_pem_slice(key).unwrap(),
    };
    https(
        name,
        ends,
        "127.0.0.1",
        Some(ca.to_owned()),
        papers.server(),
    )
}

pub fn bad_certificates() -> Vec<Animal> {
    [bad_leaves(), bad_chains(), forged()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn no_bad_certificate_is_accepted_and_each_refusal_says_what_is_bad() {
    cage::visit(bad_certificates());
}

#[test]
fn a_receiver_under_the_endpoints_own_authority_is_delivered_to_under_every_policy() {
    let ca = authority(no_changes);
    let between = intermediate(&ca, no_changes);
    cage::visit(vec![
        signed("has_good_papers", Ends::Answered(200), no_changes),
        signed_through(
            "has_good_papers_from_the_one_between",
            Ends::Answered(200),
            &ca,
            &[&between],
        ),
    ]);
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// 200 if the request is signed as Standard Webhooks asks for, at this hour.
fn judge(request: &str) -> u16 {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(given, _)| *given == name).unwrap().1
    };
    let (id, seconds) = (header("webhook-id"), header("webhook-timestamp"));
    let signatures = header("webhook-signature");
    match standard::verify(SECRET, id, seconds, signatures, body.as_bytes(), now()) {
        Ok(()) => 200,
        Err(_) => 400,
    }
}

#[test]
fn a_standard_webhook_over_tls_arrives_signed_where_the_configuration_names_the_authority() {
    let ca = authority(no_changes);
    let (certificate, key) = leaf(&ca, no_changes);
    let server = Papers::new(vec![certificate], &key).server();
    let ends = Ends::Answered(200);
    let receiver = https_judging("verifies", ends, "localhost", None, server, judge);
    let site = Site::new();
    std::fs::write(site.path("ca.pem"), ca.pem()).unwrap();
    let endpoint = |name: &str, more: &str| {
        format!(
            "[[endpoint]]\nname = \"{name}\"\nurl = \"{}\"\npolicy = \"standard\"\n{more}\n",
            receiver.url
        )
    };
    let trusting = format!("signing_key = \"{SECRET}\"\nca_file = \"ca.pem\"\n");
    let misled = "ca_file = \"ca.pem\"\nsigning_key = \"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\"\n";
    let config = [
        endpoint("trusting", &trusting),
        endpoint("misled", misled),
        endpoint("strange", ""),
    ];
    site.configure(&config.concat());
    let broker = site.start(&[]);
    let event = broker.event("order.paid", &json!({"total": 12.5}));
    let first = |name: &str| {
        eventually("an attempt ends", || {
            let delivery = broker.delivery_of_to(&event, name);
            Some(delivery["attempts"][0].clone()).filter(|attempt| attempt.is_object())
        })
    };
    assert_eq!(first("trusting")["status"], 200);
    assert_eq!(
        broker.delivery_of_to(&event, "trusting")["status"],
        "delivered"
    );
    // The receiver can tell, and another endpoint's authority is trusted by nobody else.
    assert_eq!(first("misled")["status"], 400);
    assert_eq!(
        first("strange")["error"],
        "TLS with localhost failed: its certificate's issuer is not trusted"
    );
    broker.stop();
}
