//! Whose payment code (付款码) the scanner read, seen from the gateways.

use qiantai_core::{attempt, payment_code};

use crate::channel::Wallet;
use crate::channels::emv::ConsumerCode;

/// The wallet behind a scanned code: digits by the core's table, EMVCo consumer codes by the
/// application they carry. `None` means that it is no payment code, and the cashier is asked.
/// `offered` are the shop's channels, see [`payment_code::recognise`].
pub fn recognise(scanned: &str, offered: &[attempt::Channel]) -> Option<Wallet> {
    if let Some(channel) = payment_code::recognise(scanned, offered) {
        return Wallet::of(channel);
    }
    let code = ConsumerCode::parse(scanned).ok()?;
    code.is_unionpay().then_some(Wallet::Unionpay)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::emv::BerObject;

    fn consumer_code(application: &[u8]) -> String {
        ConsumerCode::new(vec![BerObject::template(
            0x61,
            vec![BerObject::primitive(0x4F, application.to_vec())],
        )])
        .to_payload()
    }

    #[test]
    fn digits_and_consumer_codes_have_a_wallet() {
        let unionpay = consumer_code(&[0xA0, 0, 0, 3, 0x33, 1, 1, 2]);
        let foreign = consumer_code(&[0xA0, 0, 0, 0, 0x55, 0x55]);
        let cases = [
            ("130000000000000000", Some(Wallet::Wechat)),
            ("280000000000000000", Some(Wallet::Alipay)),
            ("6212345678901234567", Some(Wallet::Unionpay)),
            ("0112345678901234567", None),
            (unionpay.as_str(), Some(Wallet::Unionpay)),
            (foreign.as_str(), None),
            ("hQVDUFYwMQ", None),
            ("6901234567892", None),
        ];
        for (scanned, expected) in cases {
            assert_eq!(recognise(scanned, &[]), expected, "{scanned}");
        }
        assert_eq!(
            recognise("0112345678901234567", &[attempt::Channel::Ecny]),
            Some(Wallet::Ecny)
        );
    }
}
