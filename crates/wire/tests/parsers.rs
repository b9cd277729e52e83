//! Every reader of bytes from outside, each behind one function that takes any bytes. The fuzz
//! targets in `fuzz/` feed them, and a test replays the committed corpora.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{SIGNATURE_LENGTH, SigningKey};
use qiantai_core::ids::MemberId;
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{
    AttemptAnswer, AuthorityAnswer, ChannelsAnswer, ChargeRequest, CreditRequest, Event,
    GatewayCheckRequest, InvitationRequest, JoinAnswer, JoinRequest, LeasesRequest, OrderAnswer,
    PushAnswer, PushRequest, QuoteRequest, ReceiptsRequest, RevocationRequest, RulesRequest,
};
use qiantai_wire::copy::{CopyHead, CopyRecord, HEAD_LEN, read_records};
use qiantai_wire::enrol::EnrolCode;
use qiantai_wire::feed::{FeedPage, SnapshotPage};
use qiantai_wire::operation::decode;
use qiantai_wire::profile::{decode_policy, encode_policy, open_profile};
use qiantai_wire::receipt_qr::{parse_receipt_text, receipt_text};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A reader that takes any bytes.
pub type Parser = fn(&[u8]);

/// Every reader by the name of its fuzz target and its corpus.
pub const PARSERS: [(&str, Parser); 4] = [
    ("enrol_code", enrol_code),
    ("http_body", http_body),
    ("operation", operation),
    ("second_copy", second_copy),
];

/// The code by which a terminal is enrolled: as text, and behind a checksum that holds.
pub fn enrol_code(bytes: &[u8]) {
    let checked = [bytes, &Sha256::digest(bytes)[..4]].concat();
    let texts = [
        String::from_utf8_lossy(bytes).into_owned(),
        format!("QTE1{}", URL_SAFE_NO_PAD.encode(checked)),
    ];
    for text in texts {
        if let Ok(code) = text.parse::<EnrolCode>() {
            let again = code.to_string().parse::<EnrolCode>();
            assert!(again == Ok(code), "what is written is read back");
        }
    }
}

/// What terminals send to a server and servers to a terminal, as JSON.
pub fn http_body(bytes: &[u8]) {
    reads_back::<PushRequest>(bytes);
    reads_back::<QuoteRequest>(bytes);
    reads_back::<JoinRequest>(bytes);
    reads_back::<ChargeRequest>(bytes);
    reads_back::<CreditRequest>(bytes);
    reads_back::<GatewayCheckRequest>(bytes);
    reads_back::<InvitationRequest>(bytes);
    reads_back::<LeasesRequest>(bytes);
    reads_back::<ReceiptsRequest>(bytes);
    reads_back::<RevocationRequest>(bytes);
    reads_back::<RulesRequest>(bytes);
    reads_back::<PushAnswer>(bytes);
    reads_back::<OrderAnswer>(bytes);
    reads_back::<AttemptAnswer>(bytes);
    reads_back::<AuthorityAnswer>(bytes);
    reads_back::<JoinAnswer>(bytes);
    reads_back::<ChannelsAnswer>(bytes);
    reads_back::<FeedPage>(bytes);
    reads_back::<SnapshotPage>(bytes);
    if let Ok(policy) = decode_policy(bytes) {
        let again = decode_policy(&encode_policy(&policy));
        assert!(
            again.is_ok_and(|again| again == policy),
            "what is written is read back"
        );
    }
    let text = String::from_utf8_lossy(bytes);
    for name in ["hello", "feed", "attempt", "channels"] {
        if let Ok(event) = Event::parse(name, &text) {
            let again = Event::parse(event.name(), &event.body());
            assert!(again.is_ok(), "what is written is read back");
        }
    }
}

fn reads_back<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(read) = serde_json::from_slice::<T>(bytes) {
        let written = serde_json::to_vec(&read).expect("what was read is written");
        let again = serde_json::from_slice::<T>(&written);
        assert!(again.is_ok(), "what is written is read back");
    }
}

/// Signed operations, bare and as a receipt carries them, and sealed profiles. Whatever decodes is
/// the one form of what it says.
pub fn operation(bytes: &[u8]) {
    let signed = SignedOperation::from(bytes.to_vec());
    let key = SigningKey::from_bytes(&[42; 32]);
    if let Ok((header, operation)) = decode(bytes) {
        let again = SignedOperation::sign(&operation, &key);
        let end = bytes.len() - SIGNATURE_LENGTH;
        assert_eq!(&again.bytes[..end], &bytes[..end], "one form");
        assert_eq!(signed.header(), Ok(header));
    }
    if signed.verify(&key.verifying_key()).is_ok() {
        assert!(signed.header().is_ok(), "nobody signs what has no head");
    }
    assert!(open_profile(bytes, MemberId(Uuid::nil()), &[0; 32]).is_err());
    if let Ok(read) = parse_receipt_text(&String::from_utf8_lossy(bytes)) {
        let again = receipt_text(&read).map(|text| parse_receipt_text(&text));
        assert_eq!(again, Ok(Ok(read)), "what is written is read back");
    }
}

/// Length of the checks in a file of a second copy.
const CHECK_LEN: usize = 8;

/// A file of a terminal's second copy: as it came, and with checks that hold.
pub fn second_copy(bytes: &[u8]) {
    let server = SigningKey::from_bytes(&[42; 32]);
    for file in [bytes.to_vec(), mended(bytes)] {
        let Ok(head) = CopyHead::parse(&file) else {
            continue;
        };
        let (begin, behind) = file.split_at(HEAD_LEN);
        assert_eq!(head.to_bytes(), begin, "one form");
        let (records, end) = read_records(behind);
        let again: Vec<u8> = records.iter().flat_map(CopyRecord::to_bytes).collect();
        assert_eq!(again, &behind[..end], "what is written is read back");
        for record in &records {
            let _ = record.open(&head, &server);
        }
    }
}

/// A head and one record of what `bytes` begin and go on with, checks apart.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let (head, record) = bytes.split_at(bytes.len().min(HEAD_LEN - CHECK_LEN));
    let sealed = record.len().saturating_sub(8 + 32);
    let length = u32::try_from(sealed).unwrap_or(u32::MAX).to_be_bytes();
    let checked = |content: &[u8]| [content, &Sha256::digest(content)[..CHECK_LEN]].concat();
    [checked(head), checked(&[&length, record].concat())].concat()
}
