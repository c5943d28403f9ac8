//! CloudEvents, structured and binary: what is accepted is in order, its data is the sender's
//! bytes, and an event written in one mode is the same event in the other.

use arbitrary::{Arbitrary, Unstructured};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use redeliver::event::Form;
use redeliver::inbound::cloudevents::{is_binary, read_binary, read_structured};
use redeliver::inbound::media::Media;
use redeliver::inbound::problem::Problem;
use redeliver::inbound::read::Read;
use serde_json::{Value, json};

use super::attributes;

const ATTRIBUTES: [&str; 8] = [
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
];

/// The first byte chooses: a structured event as it is, headers and a body as they are, or an
/// event in both modes.
pub fn run(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else {
        return;
    };
    // Input that ends too early is no input.
    let _ = match how % 3 {
        0 => {
            structured(&Bytes::copy_from_slice(rest));
            Ok(())
        }
        1 => binary(Unstructured::new(rest)),
        _ => both_modes(&mut Unstructured::new(rest)),
    };
}

fn in_order(read: &Result<Read, Problem>) -> Option<&Read> {
    match read {
        Ok(read) => {
            attributes::are_in_order(read);
            // Source and id, told apart by a line break that neither of them holds.
            let key = read.idempotency_key.as_ref().unwrap();
            let (source, id) = key.split_once('\n').unwrap();
            assert!((1..=2048).contains(&source.chars().count()), "{read:?}");
            assert!((1..=255).contains(&id.chars().count()), "{read:?}");
            assert!(!id.chars().any(char::is_control), "{read:?}");
            Some(read)
        }
        Err(problem) => {
            attributes::is_told(problem);
            None
        }
    }
}

fn structured(body: &Bytes) {
    let read = read_structured(body);
    let (Some(read), Ok(value)) = (in_order(&read), serde_json::from_slice::<Value>(body)) else {
        return;
    };
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    assert_eq!(text("specversion"), Some("1.0"));
    assert_eq!(Some(&*read.kind), text("type"));
    assert_eq!(read.subject.as_deref(), text("subject"));
    let key = format!("{}\n{}", text("source").unwrap(), text("id").unwrap());
    assert_eq!(read.idempotency_key, Some(key));
    let media = text("datacontenttype");
    let is_json = media.is_none_or(|media| Media::parse(media).is_json());
    match (value.get("data"), text("data_base64")) {
        (Some(_), Some(_)) => panic!("two bodies: {read:?}"),
        (None, None) => assert_eq!(read.body, "null"),
        (Some(data), None) if is_json || data.is_null() => {
            assert_eq!(serde_json::from_slice::<Value>(&read.body).unwrap(), *data);
            assert!(body.as_ptr_range().contains(&read.body.as_ptr()));
        }
        (Some(data), None) => assert_eq!(Some(&*read.body), data.as_str().map(str::as_bytes)),
        (None, Some(encoded)) => {
            let decoded = STANDARD.decode(encoded).unwrap();
            let body = if is_json {
                decoded.trim_ascii()
            } else {
                &decoded
            };
            assert_eq!(read.body, body);
        }
    }
    assert_eq!(read.form == Form::Relayed, read.content_type.is_some());
}

fn binary(mut input: Unstructured<'_>) -> arbitrary::Result<()> {
    let mut headers = HeaderMap::new();
    for _ in 0..input.int_in_range(0..=10)? {
        let name = match input.int_in_range(0..=ATTRIBUTES.len())? {
            place if place < ATTRIBUTES.len() => {
                HeaderName::try_from(format!("ce-{}", ATTRIBUTES[place])).unwrap()
            }
            _ => CONTENT_TYPE,
        };
        if let Ok(value) = HeaderValue::from_bytes(input.arbitrary()?) {
            headers.append(name, value);
        }
    }
    let body = Bytes::copy_from_slice(input.take_rest());
    let read = read_binary(&headers, &body);
    let Some(read) = in_order(&read) else {
        return Ok(());
    };
    assert!(is_binary(&headers));
    for name in ["ce-id", "ce-source", "ce-type", "ce-specversion"] {
        assert_eq!(headers.get_all(name).iter().count(), 1, "{headers:?}");
    }
    match read.form {
        Form::Relayed => assert_eq!(read.body, body),
        Form::Data if body.is_empty() => assert_eq!(read.body, "null"),
        Form::Data => assert_eq!(read.body, body.trim_ascii()),
    }
    Ok(())
}

/// An event that a sender might make.
#[derive(Arbitrary, Debug)]
struct Sent {
    kind: String,
    id: String,
    source: String,
    subject: Option<String>,
    millis: Option<u32>,
    data: Vec<u8>,
    is_text: bool,
    quoted: bool,
    escape_all: bool,
}

impl Sent {
    /// As the HTTP binding says: percent-encoded where a header cannot carry it, in quotation
    /// marks if the sender likes.
    fn header(&self, text: &str) -> HeaderValue {
        let mut written = String::new();
        for c in text.chars() {
            let plain = c.is_ascii_graphic() && !matches!(c, '%' | '"' | '\\');
            if plain && !self.escape_all {
                written.push(c);
            } else {
                let mut utf8 = [0; 4];
                for byte in c.encode_utf8(&mut utf8).bytes() {
                    written.push_str(&format!("%{byte:02x}"));
                }
            }
        }
        if self.quoted {
            written = format!("\"{written}\"");
        }
        HeaderValue::try_from(written).unwrap()
    }
}

fn both_modes(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let sent = Sent::arbitrary(input)?;
    let time = sent
        .millis
        .map(|ms| redeliver::clock::Timestamp::from_millis(ms.into()).to_string());
    let mut headers = HeaderMap::new();
    let mut object = json!({"specversion": "1.0"});
    headers.insert("ce-specversion", HeaderValue::from_static("1.0"));
    let texts = [
        ("type", Some(&sent.kind)),
        ("id", Some(&sent.id)),
        ("source", Some(&sent.source)),
        ("subject", sent.subject.as_ref()),
        ("time", time.as_ref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            let header = HeaderName::try_from(format!("ce-{name}")).unwrap();
            headers.insert(header, sent.header(text));
            object[name] = json!(text);
        }
    }
    let (media, body) = if sent.is_text {
        let text = String::from_utf8_lossy(&sent.data).into_owned();
        object["data"] = json!(text);
        ("text/plain", Bytes::from(text))
    } else {
        object["data_base64"] = json!(STANDARD.encode(&sent.data));
        ("application/octet-stream", Bytes::from(sent.data.clone()))
    };
    object["datacontenttype"] = json!(media);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    // Without a body there is no data in binary mode, and an empty text in the other.
    if body.is_empty() {
        return Ok(());
    }
    let one = read_binary(&headers, &body);
    let other = read_structured(&Bytes::from(object.to_string()));
    match (in_order(&one), in_order(&other)) {
        (Some(one), Some(other)) => {
            assert_eq!((&one.kind, &one.subject), (&other.kind, &other.subject));
            assert_eq!(one.idempotency_key, other.idempotency_key);
            assert_eq!((one.time, &one.body), (other.time, &other.body));
            assert_eq!(one.body, body);
            assert_eq!(one.content_type.as_deref(), Some(media));
            assert_eq!((one.form, other.form), (Form::Relayed, Form::Relayed));
        }
        (None, None) => {}
        (one, other) => panic!("{one:?} but {other:?}"),
    }
    Ok(())
}
