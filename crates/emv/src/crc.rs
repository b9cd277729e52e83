//! The check digits of merchant-presented codes.

/// CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, nothing reflected, no final XOR.
/// EMVCo takes it over the UTF-8 bytes of the payload up to and including `6304`.
pub fn crc16_ccitt_false(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 {
                shifted
            } else {
                shifted ^ 0x1021
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::crc16_ccitt_false;

    #[test]
    fn catalogue_values() {
        for (text, expected) in [("", 0xFFFF), ("123456789", 0x29B1), ("北京", 0x0131)] {
            assert_eq!(crc16_ccitt_false(text.as_bytes()), expected, "{text}");
        }
    }
}
