//! The test vectors of the specification, and a software authenticator that can be made to misbehave.

use data_encoding::HEXLOWER;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

use super::*;

fn vector(name: &str) -> Vec<u8> {
    let lines = include_str!("webauthn_vectors.txt").lines();
    let mut named = lines.filter_map(|line| line.split_once(' ')).filter(|(given, _)| *given == name);
    HEXLOWER.decode(named.next().expect(name).1.as_bytes()).unwrap()
}

fn site() -> Site {
    Site { id: "example.org".into(), origin: "https://example.org".into() }
}

#[test]
fn the_vectors_of_the_specification_hold() {
    let (client, attestation) = (vector("registration.client"), vector("registration.attestation"));
    let made = Made { client: &client, attestation: &attestation };
    let is_ours = |challenge: &[u8]| challenge == vector("registration.challenge");
    let mut passkey = Passkey::register(&site(), &made, "열쇠", 1, is_ours).unwrap();
    assert!(passkey.copied);
    let (client, authenticator, signature) =
        (vector("use.client"), vector("use.authenticator"), vector("use.signature"));
    let used = Used { client: &client, authenticator: &authenticator, signature: &signature };
    let is_ours = |challenge: &[u8]| challenge == vector("use.challenge");
    passkey.verify(&site(), &used, 2, is_ours).unwrap();
    assert_eq!((passkey.used, passkey.counter), (Some(2), 0));
    assert_eq!(passkey.verify(&site(), &used, 2, |_| false), Err(Fault::Challenge));

    let (client, attestation) = (vector("unverified.client"), vector("unverified.attestation"));
    let made = Made { client: &client, attestation: &attestation };
    assert_eq!(Passkey::register(&site(), &made, "x", 1, |_| true).err(), Some(Fault::NotVerified));
}

#[test]
fn keys_of_every_algorithm_offered_are_read_and_their_signatures_checked() {
    for name in ["ed25519", "rs256"] {
        let part = |part: &str| vector(&format!("{name}.{part}"));
        let key = PublicKey::of_cose(&read_cbor(&mut &part("key")[..]).unwrap()).unwrap();
        let mut signed = [part("authenticator"), Sha256::digest(part("client")).to_vec()].concat();
        key.verify(&signed, &part("signature")).unwrap();
        signed[0] ^= 1;
        assert_eq!(key.verify(&signed, &part("signature")), Err(Fault::Signature), "{name}");
    }
}

/// An authenticator in software: one key, a counter, and the wish to behave or not.
struct Device {
    key: EcdsaKeyPair,
    flags: u8,
    counter: u32,
    site: Site,
    challenge: Vec<u8>,
}

impl Device {
    fn new() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).unwrap();
        Self { key, flags: PRESENT | VERIFIED, counter: 1, site: site(), challenge: b"asked".to_vec() }
    }

    fn client(&self, ceremony: &str) -> Vec<u8> {
        let challenge = URL_SAFE_NO_PAD.encode(&self.challenge);
        let origin = &self.site.origin;
        format!(
            r#"{{"type":"{ceremony}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#
        )
        .into_bytes()
    }

    fn head(&self, more: u8) -> Vec<u8> {
        let hash = Sha256::digest(self.site.id.as_bytes()).to_vec();
        [hash, vec![self.flags | more], self.counter.to_be_bytes().to_vec()].concat()
    }

    /// Attestation object with a key in COSE form.
    fn attestation(&self, id: &[u8]) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let number = |number: i64| Value::Integer(number.into());
        let key = Value::Map(vec![
            (number(1), number(2)),
            (number(3), number(-7)),
            (number(-1), number(1)),
            (number(-2), Value::Bytes(point[1..33].to_vec())),
            (number(-3), Value::Bytes(point[33..].to_vec())),
        ]);
        let mut data = self.head(ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        data.extend(id);
        ciborium::into_writer(&key, &mut data).unwrap();
        attestation_of(data)
    }

    fn register(&self) -> Result<Passkey, Fault> {
        let (client, attestation) = (self.client("webauthn.create"), self.attestation(b"credential"));
        let made = Made { client: &client, attestation: &attestation };
        Passkey::register(&site(), &made, "열쇠", 1, |challenge| challenge == b"asked")
    }

    fn sign(&self, passkey: &mut Passkey) -> Result<(), Fault> {
        let (client, authenticator) = (self.client("webauthn.get"), self.head(0));
        let signed = [authenticator.as_slice(), &Sha256::digest(&client)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let used = Used { client: &client, authenticator: &authenticator, signature: signature.as_ref() };
        passkey.verify(&site(), &used, 2, |challenge| challenge == b"asked")
    }
}

fn attestation_of(data: Vec<u8>) -> Vec<u8> {
    let text = |text: &str| Value::Text(text.into());
    let object = Value::Map(vec![
        (text("fmt"), text("none")),
        (text("attStmt"), Value::Map(Vec::new())),
        (text("authData"), Value::Bytes(data)),
    ]);
    let mut bytes = Vec::new();
    ciborium::into_writer(&object, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_counter_that_goes_back_shuts_the_passkey_for_good() {
    let mut device = Device::new();
    let mut passkey = device.register().unwrap();
    device.counter = 5;
    device.sign(&mut passkey).unwrap();
    device.counter = 6;
    device.sign(&mut passkey).unwrap();
    // The copy was taken at 5, and counts on from there.
    device.counter = 6;
    assert_eq!(device.sign(&mut passkey), Err(Fault::Cloned));
    assert!(passkey.suspect);
    device.counter = 7;
    assert_eq!(device.sign(&mut passkey), Err(Fault::Cloned), "nobody knows which of the two it is");

    // One that does not count never goes back; one that counted does not stop.
    device.counter = 0;
    let mut passkey = device.register().unwrap();
    device.sign(&mut passkey).unwrap();
    device.sign(&mut passkey).unwrap();
    device.counter = 1;
    device.sign(&mut passkey).unwrap();
    device.counter = 0;
    assert_eq!(device.sign(&mut passkey), Err(Fault::Cloned));
}

#[test]
fn a_device_that_misbehaves_is_not_taken() {
    let wrong = |change: fn(&mut Device)| {
        let mut device = Device::new();
        let mut passkey = device.register().unwrap();
        device.counter += 1;
        change(&mut device);
        (device.register().err(), device.sign(&mut passkey).err())
    };
    let both = |fault| (Some(fault), Some(fault));
    assert_eq!(wrong(|device| device.flags = PRESENT), both(Fault::NotVerified));
    assert_eq!(wrong(|device| device.flags = VERIFIED), both(Fault::NotVerified));
    assert_eq!(wrong(|device| device.flags |= BACKED_UP), both(Fault::Malformed));
    assert_eq!(wrong(|device| device.site.id = "evil.example".into()), both(Fault::Elsewhere));
    assert_eq!(wrong(|device| device.site.origin = "https://evil.example".into()), both(Fault::Elsewhere));
    assert_eq!(wrong(|device| device.site.origin = "http://example.org".into()), both(Fault::Elsewhere));
    assert_eq!(wrong(|device| device.challenge = b"another".to_vec()), both(Fault::Challenge));
    // What was not to be copied is, or the other way round.
    assert_eq!(wrong(|device| device.flags |= BACKUP_ELIGIBLE), (None, Some(Fault::Malformed)));
    assert_eq!(wrong(|device| device.key = Device::new().key), (None, Some(Fault::Signature)));
}

#[test]
fn one_ceremony_is_not_the_other() {
    let device = Device::new();
    let (client, attestation) = (device.client("webauthn.get"), device.attestation(b"id"));
    let made = Made { client: &client, attestation: &attestation };
    assert_eq!(Passkey::register(&site(), &made, "x", 1, |_| true).err(), Some(Fault::Malformed));
    let framed = String::from_utf8(device.client("webauthn.create")).unwrap().replace("false", "true");
    let made = Made { client: framed.as_bytes(), attestation: &attestation };
    assert_eq!(Passkey::register(&site(), &made, "x", 1, |_| true).err(), Some(Fault::Elsewhere));
}

#[test]
fn what_cannot_be_read_is_told_and_nothing_more() {
    let device = Device::new();
    let client = device.client("webauthn.create");
    let whole = device.attestation(b"id");
    let register = |attestation: &[u8]| {
        Passkey::register(&site(), &Made { client: &client, attestation }, "x", 1, |_| true).err()
    };
    assert_eq!(register(&whole), None);
    for length in 0..whole.len() {
        assert_eq!(register(&whole[..length]), Some(Fault::Malformed), "{length}");
    }
    assert_eq!(register(&device.attestation(b"")), Some(Fault::Malformed));
    assert_eq!(register(&device.attestation(&[7; ID_BYTES])), None);
    assert_eq!(register(&device.attestation(&[7; ID_BYTES + 1])), Some(Fault::Malformed));
    assert_eq!(register(&attestation_of(device.head(0))), Some(Fault::Malformed), "no key");
    // A length of many bytes, with none behind it, and nesting without end.
    assert_eq!(register(&[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Some(Fault::Malformed));
    assert_eq!(register(&[0x81; 4_000]), Some(Fault::Malformed));
    for json in ["", "{}", "[", "null"] {
        let made = Made { client: json.as_bytes(), attestation: &whole };
        assert_eq!(
            Passkey::register(&site(), &made, "x", 1, |_| true).err(),
            Some(Fault::Malformed),
            "{json}"
        );
    }
}

#[test]
fn changed_bytes_make_nothing_panic_and_no_signature_right() {
    let device = Device::new();
    let (client, whole) = (device.client("webauthn.create"), device.attestation(b"id"));
    for place in 0..whole.len() {
        for byte in [0x00, 0x1f, 0x5f, 0x7f, 0x9f, 0xbf, 0xff, whole[place] ^ 1, whole[place] ^ 0x20] {
            let mut changed = whole.clone();
            changed[place] = byte;
            let made = Made { client: &client, attestation: &changed };
            let Ok(mut passkey) = Passkey::register(&site(), &made, "x", 1, |_| true) else { continue };
            // Of keys that are on no curve too nothing is right.
            let another = Device { counter: u32::MAX, ..Device::new() };
            assert!(another.sign(&mut passkey).is_err(), "{place} {byte}");
        }
    }
}

#[test]
fn a_site_is_a_name() {
    let site = |url: &str| Site::of(url).map(|site| (site.id, site.origin));
    let is = |id: &str, origin: &str| Some((id.to_owned(), origin.to_owned()));
    assert_eq!(site("https://hub.example/fhir"), is("hub.example", "https://hub.example"));
    assert_eq!(site("https://Hub.example:443/fhir"), is("hub.example", "https://hub.example"));
    assert_eq!(site("https://hub.example:8443/fhir"), is("hub.example", "https://hub.example:8443"));
    assert_eq!(site("http://127.0.0.1:8080/fhir"), is("localhost", "http://localhost:8080"));
    assert_eq!(site("http://[::1]:8080/fhir"), is("localhost", "http://localhost:8080"));
    assert_eq!(site("http://localhost/fhir"), is("localhost", "http://localhost"));
    assert_eq!(site("https://10.1.2.3/fhir"), None);
}
