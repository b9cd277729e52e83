//! Bytes from strangers: an error or a value, never a panic, never a second form.

use proptest::prelude::*;
use qiantai_core::ids::MemberId;
use qiantai_core::operation::{Cursor, Operation};
use qiantai_wire::SignedOperation;
use qiantai_wire::copy::{CopyHead, read_records};
use qiantai_wire::operation::{OPERATION_MAX, decode};
use qiantai_wire::profile::{decode_policy, open_profile};
use qiantai_wire::receipt_qr::parse_receipt_text;
use uuid::Uuid;

use crate::samples;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        read_everything(&bytes)?;
    }

    #[test]
    fn changed_operations(
        sample in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let all = samples::all();
        let (_, operation) = sample.get(&all);
        let mut bytes = SignedOperation::sign(operation, &samples::key()).bytes;
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_everything(&bytes)?;
    }

    #[test]
    fn arbitrary_text(text in "(QT1:)?[0-9A-Z $%*+./:-]{0,900}") {
        if let Ok(signed) = parse_receipt_text(&text) {
            read_everything(&signed.bytes)?;
        }
    }
}

/// Whatever decodes must be the one form of what it says.
fn read_everything(bytes: &[u8]) -> Result<(), TestCaseError> {
    let signed = SignedOperation::from(bytes.to_vec());
    let key = samples::key();
    if let Ok((header, operation)) = decode(bytes) {
        let again = SignedOperation::sign(&operation, &key);
        let end = bytes.len() - 64;
        prop_assert_eq!(&again.bytes[..end], &bytes[..end]);
        prop_assert_eq!(
            header,
            signed.header().expect("a whole operation has a header")
        );
    }
    if signed.verify(&key.verifying_key()).is_ok() {
        prop_assert!(signed.header().is_ok());
    }
    prop_assert!(open_profile(bytes, MemberId(Uuid::nil()), &[0; 32]).is_err());
    prop_assert!(decode_policy(bytes).is_err());
    prop_assert!(CopyHead::parse(bytes).is_err());
    let (records, end) = read_records(bytes);
    prop_assert!(records.is_empty() && end == 0);
    Ok(())
}

#[test]
fn what_no_ledger_can_count_to_is_refused() {
    let (_, operation) = samples::all().swap_remove(0);
    let check = |change: &dyn Fn(&mut Operation, u64), name: &str| {
        for (count, taken) in [(1 << 63, false), (u64::MAX, false), ((1 << 63) - 1, true)] {
            let mut counted = operation.clone();
            change(&mut counted, count);
            let signed = SignedOperation::sign(&counted, &samples::key());
            assert_eq!(decode(&signed.bytes).is_ok(), taken, "{name} {count}");
            assert_eq!(signed.header().is_ok(), taken, "{name} {count}");
        }
    };
    check(
        &|operation, count| operation.device_seq = count,
        "device_seq",
    );
    check(
        &|operation, count| operation.monotonic_ms = count,
        "monotonic_ms",
    );
    check(
        &|operation, server_seq| {
            operation.cursor = Some(Cursor {
                timeline: 1,
                server_seq,
            });
        },
        "cursor",
    );
}

#[test]
fn deep_and_long_input_is_refused() {
    for filler in [0x81_u8, 0xa1, 0xc1, 0x9f, 0xbf, 0x5f, 0xff] {
        for length in [1, 300, 10_000, OPERATION_MAX, OPERATION_MAX + 1] {
            assert!(
                decode(&vec![filler; length]).is_err(),
                "{filler:#x} × {length}"
            );
        }
    }
}
