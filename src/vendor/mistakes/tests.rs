//! Wrong signatures, and what is said of each.

use super::*;

const KEY: &str = "site-key";
const SECRET: &str = "whsec_c2l0ZS1rZXktb2YtdGhlLXNob3A=";
/// Parsed and written again by a program, it has other bytes.
const BODY: &str = "{\"b\": \"\u{17e}\",\"a\":1.50}";

fn hotjar<'a>(key: &'a str, body: &'a str) -> Material<'a> {
    Material {
        profile: Profile::Hotjar,
        key,
        key_encoding: TextEncoding::Utf8,
        signature_encoding: TextEncoding::Hex,
        id: "",
        timestamp: "",
        body: body.as_bytes(),
    }
}

fn standard<'a>(key: &'a str, id: &'a str, timestamp: &'a str, body: &'a str) -> Material<'a> {
    Material {
        profile: Profile::Standard,
        id,
        timestamp,
        ..hotjar(key, body)
    }
}

fn sha3(key: &str, body: &str) -> String {
    hex::encode(signature::hmac_sha3_256(key.as_bytes(), body.as_bytes()))
}

fn sha2(key: &[u8], base: &str) -> String {
    signature::encode_base64(&signature::hmac_sha256(key, &[base.as_bytes()]))
}

fn said(material: &Material<'_>, given: &str) -> String {
    let explained = material.explain(given);
    explained.map_or("nothing".to_owned(), |mistake| mistake.what)
}

#[test]
fn hot_31_each_usual_mistake_of_hotjars_signature_is_named() {
    let right = signature::hmac_sha3_256(KEY.as_bytes(), BODY.as_bytes());
    let (key, body) = (KEY.as_bytes(), BODY.as_bytes());
    let mac = |hash| hex::encode(hashed(key, body, Some(hash), Profile::Hotjar));
    for (given, expected) in [
        (
            sha3(KEY, "{\"b\":\"\u{17e}\",\"a\":1.5}"),
            "JavaScript's JSON.stringify",
        ),
        (
            sha3(KEY, "{\"b\": \"\\u017e\", \"a\": 1.5}"),
            "Python's json.dumps does",
        ),
        (sha3(KEY, "{\"a\": 1.5, \"b\": \"\\u017e\"}"), "sort_keys"),
        (
            sha3(KEY, "{\"a\":1.5,\"b\":\"\u{17e}\"}"),
            "Go's json.Marshal",
        ),
        (sha3(KEY, &format!("{BODY}\n")), "the body with a newline"),
        (sha3("site-key\n", BODY), "the key with a newline"),
        (mac(Hash::Sha256), "SHA-256 instead of SHA3-256"),
        (mac(Hash::Sha3512), "SHA3-512"),
        (mac(Hash::Sha512), "SHA-512"),
        (mac(Hash::Sha1), "SHA-1"),
        (mac(Hash::Keccak), "Keccak"),
        (mac(Hash::KeyThenBody), "a plain hash of the key and"),
        (mac(Hash::BodyThenKey), "and the key instead of an HMAC"),
        (mac(Hash::NoKey), "a plain hash without the key"),
        (mac(Hash::Exchanged), "key and message exchanged"),
        (
            signature::encode_base64(&right),
            "base64 instead of hexadecimal",
        ),
        (format!("sha3-256={}", hex::encode(right)), "with a prefix"),
        (
            signature::encode_base64(hex::encode(right).as_bytes()),
            "the base64 of the hexadecimal digits",
        ),
        (
            sha3("site-key\n", "{\"b\": \"\\u017e\", \"a\": 1.5}"),
            "json.dumps does, and for the key with a newline",
        ),
        (sha3("another", BODY), "nothing"),
        (String::new(), "nothing"),
        ("none at all".to_owned(), "nothing"),
    ] {
        let said = said(&hotjar(KEY, BODY), &given);
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!said.contains(KEY));
    }
    let with_newline = format!("{BODY}\n");
    let said_of = said(&hotjar(KEY, &with_newline), &hex::encode(right));
    assert_eq!(said_of, "the body without its last newline");
    let said_of = said(&hotjar(" site-key\n", BODY), &hex::encode(right));
    assert_eq!(said_of, "the key without the white space round it");
}

#[test]
fn each_usual_mistake_of_standard_webhooks_is_named() {
    let key = b"site-key-of-the-shop";
    let base = format!("msg_1.17.{BODY}");
    let right = signature::hmac_sha256(key, &[base.as_bytes()]);
    for (given, expected) in [
        (
            format!("v1,{}", sha2(SECRET.as_bytes(), &base)),
            "the key's text, undecoded",
        ),
        (
            format!("v1,{}", sha2(&SECRET.as_bytes()[6..], &base)),
            "the text behind whsec_, undecoded",
        ),
        (format!("v1,{}", sha2(key, BODY)), "the body alone"),
        (
            format!("v1,{}", sha2(key, &format!("17.{BODY}"))),
            "without the id",
        ),
        (
            format!("v1,{}", sha2(key, &format!("msg_1.{BODY}"))),
            "without the timestamp",
        ),
        (
            format!("v1,{}", sha2(key, &format!("17.msg_1.{BODY}"))),
            "timestamp before the id",
        ),
        (
            format!("v1,{}", sha2(key, &format!("msg_117{BODY}"))),
            "without full stops",
        ),
        (
            format!("v1,{}", sha2(key, &format!("msg_1.17000.{BODY}"))),
            "in milliseconds",
        ),
        (
            format!("v1,{}", sha2(key, "msg_1.17.{\"b\":\"\u{17e}\",\"a\":1.5}")),
            "JavaScript's JSON.stringify",
        ),
        (
            hex::encode(right),
            "hexadecimal instead of base64, without `v1,`",
        ),
        (
            format!("v1,{}", hex::encode(right)),
            "hexadecimal instead of base64",
        ),
        (signature::encode_base64(&right), "without `v1,`"),
        (
            format!(
                "v1,{}",
                signature::encode_base64(&signature::hmac_sha3_256(key, base.as_bytes()))
            ),
            "SHA3-256 instead of SHA-256",
        ),
        (
            format!("v1,{}", sha2(key, &format!("msg_2.17.{BODY}"))),
            "nothing",
        ),
    ] {
        let said = said(&standard(SECRET, "msg_1", "17", BODY), &given);
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!said.contains("c2l0ZS1rZXkt"));
    }
}

#[test]
fn what_a_receiver_might_expect_instead_is_never_the_right_signature_and_none_comes_twice() {
    for material in [hotjar(KEY, BODY), standard(SECRET, "msg_1", "17", BODY)] {
        let all = material.mistaken();
        assert!((20..50).contains(&all.len()), "{}", all.len());
        let mac = material.mac(&[]).unwrap();
        let right = Spelling::Right.text(&mac, material.profile, material.signature_encoding);
        for (place, (mistake, text)) in all.iter().enumerate() {
            assert_ne!(*text, right, "{mistake:?}");
            assert!(!all[..place].iter().any(|(_, known)| known == text));
            assert!(!mistake.mend.is_empty());
        }
    }
}
