//! A receiver over TLS, as vendors ask for one (HOT-14).

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::hotjar::HOTJAR;
use crate::receiver::Receiver;

#[test]
fn hot_14_a_receiver_over_tls_is_reached_by_whoever_trusts_its_authority() {
    let place = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let both = place.path().join("receiver.pem");
    std::fs::write(&both, certificate.pem() + &key.serialize_pem()).unwrap();
    let trusted = place.path().join("authority.pem");
    std::fs::write(&trusted, authority.pem()).unwrap();

    let Some(receiver) = Receiver::start_with(HOTJAR, "", Some(&both)) else {
        return;
    };
    let unknown = receiver.check(&["--only", "accept"]);
    assert_eq!(unknown.code, 3, "{unknown:?}");
    assert!(unknown.err.contains("TLS"), "{}", unknown.err);
    let trusted = trusted.to_str().unwrap();
    let ran = receiver.check(&["--ca-file", trusted]);
    assert_eq!((ran.code, &*ran.err), (0, ""), "{}", ran.out);
    assert_eq!(ran.with("not_judged"), ["hotjar.age.future"]);
}
