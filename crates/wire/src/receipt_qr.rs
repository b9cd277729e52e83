//! The QR code on a receipt: `QT1:` and the signed operation in base45 (RFC 9285), which QR
//! codes hold in their alphanumeric mode. It carries no personal data; any terminal of the
//! tenant can import it when the device that wrote it is lost.

use thiserror::Error;

use crate::operation::{DecodeError, SignedOperation};

/// What begins the text.
pub const PREFIX: &str = "QT1:";

/// Most bytes that fit: as text, a QR code of version 20 with error correction M, whose modules
/// are three dots wide on 58 mm paper (384 dots). An ordinary top-up stays below
/// [`ORDINARY_MAX`]; several kinds of coupon in one package can pass it.
pub const BYTES_MAX: usize = 640;

/// Length of an ordinary top-up in bytes (shared sync.md, "Encoding"): version 16, four dots.
pub const ORDINARY_MAX: usize = 400;

/// Why there is no code, or why a text is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReceiptQrError {
    /// The operation is longer than [`BYTES_MAX`].
    #[error("an operation of {0} bytes does not fit a receipt")]
    TooLong(usize),
    /// The text does not begin with [`PREFIX`].
    #[error("not a receipt code")]
    NotAReceipt,
    /// The text is not base45.
    #[error("the receipt code is damaged")]
    Damaged,
    /// The bytes are not an operation.
    #[error("the receipt code holds no operation: {0}")]
    Operation(#[from] DecodeError),
}

/// The text of the code.
///
/// # Errors
/// The operation is too long.
pub fn receipt_text(operation: &SignedOperation) -> Result<String, ReceiptQrError> {
    if operation.bytes.len() > BYTES_MAX {
        return Err(ReceiptQrError::TooLong(operation.bytes.len()));
    }
    Ok(format!("{PREFIX}{}", base45::encode(&operation.bytes)))
}

/// The operation of a scanned text; the signature is not checked.
///
/// # Errors
/// See [`ReceiptQrError`].
pub fn parse_receipt_text(text: &str) -> Result<SignedOperation, ReceiptQrError> {
    let encoded = text
        .trim()
        .strip_prefix(PREFIX)
        .ok_or(ReceiptQrError::NotAReceipt)?;
    if encoded.len() > BYTES_MAX.div_ceil(2) * 3 {
        return Err(ReceiptQrError::TooLong(encoded.len() / 3 * 2));
    }
    let bytes = base45::decode(encoded).map_err(|_| ReceiptQrError::Damaged)?;
    let operation = SignedOperation::from(bytes);
    operation.header()?;
    Ok(operation)
}
