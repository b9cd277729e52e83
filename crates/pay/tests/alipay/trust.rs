//! Who is believed: notices, certificates, settings and bills.

use std::sync::Arc;

use qiantai_pay::Registry;
use qiantai_pay::transport::AnswerLimit;

use super::*;
use crate::dialogue::Certified;
use crate::scripted::NOW;

fn notice_fields(change: &[(&str, &str)]) -> Pairs {
    let mut fields = Pairs::new();
    for (name, value) in [
        ("charset", "utf-8"),
        ("notify_id", "NT1"),
        ("app_id", APP),
        ("seller_id", SELLER),
        ("out_trade_no", "ZF1"),
        ("trade_no", TRADE),
        ("trade_status", "TRADE_SUCCESS"),
        ("total_amount", "300.00"),
        ("gmt_payment", "2026-11-22 06:00:01"),
        ("buyer_id", "2088x"),
        ("subject", "100%+会员"),
        ("sign_type", "RSA2"),
    ] {
        fields.set(name, value);
    }
    for (name, value) in change {
        fields.set(*name, *value);
    }
    fields
}

fn notice(change: &[(&str, &str)], keys: &Keys) -> String {
    let mut fields = notice_fields(change);
    let text = fields.text_to_sign(&["sign", "sign_type"]);
    let sign = keys.private().sign_sha256_base64(text.as_bytes());
    fields.set("sign", sign.unwrap());
    fields.to_form()
}

#[test]
fn a_notice_in_gbk_is_signed_in_gbk() {
    let mut fields = notice_fields(&[("charset", "GBK")]);
    let text = fields.text_to_sign(&["sign", "sign_type"]);
    let sign = |bytes: &[u8]| GATEWAY.private().sign_sha256_base64(bytes).unwrap();
    let escaped = |text: &str| -> String {
        let (bytes, _, _) = GBK.encode(text);
        bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
    };
    for (signature, is_genuine) in [
        (sign(&GBK.encode(&text).0), true),
        (sign(text.as_bytes()), false),
    ] {
        fields.set("sign", signature);
        let pairs = fields.iter().filter(|(name, _)| *name != "charset");
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        let body = format!("charset=GBK&{}", pairs.join("&"));
        let found = alipay(status(500)).parse_notice(&http::HeaderMap::new(), body.as_bytes());
        assert_eq!(found.is_ok(), is_genuine, "{found:?}");
        let read = SignedNotice::read(body.as_bytes(), None).unwrap();
        assert_eq!(read.fields.get("subject"), Some("100%+会员"));
    }
}

#[test]
fn notices_are_believed_by_their_signature_only() {
    let channel = alipay(status(500));
    let parse = |body: &str| channel.parse_notice(&http::HeaderMap::new(), body.as_bytes());
    let genuine = notice(&[], &GATEWAY);
    let Ok(Notice::Payment(read)) = parse(&genuine) else {
        panic!("{:?}", parse(&genuine));
    };
    assert_eq!(
        (read.notice_id.as_str(), read.attempt_no.as_str()),
        ("NT1", "ZF1")
    );
    assert_eq!(read.paid, paid());
    let check = |body: String, expected| assert_eq!(parse(&body), expected, "{body}");
    let wrong = || Err(NoticeError::WrongSignature);
    check(notice(&[], &OURS), wrong());
    check(genuine.replace("300.00", "300.01"), wrong());
    check(genuine.replace("sign=", "sgin="), wrong());
    for somebody_else in [("app_id", "2"), ("seller_id", "2")] {
        let elsewhere = Notice::PaidElsewhere(ElsewhereNotice {
            attempt_no: "ZF1".to_owned(),
            channel_txn_no: paid().channel_txn_no,
            amount: paid().amount,
        });
        check(notice(&[somebody_else], &GATEWAY), Ok(elsewhere.clone()));
        let refund = [
            somebody_else,
            ("out_biz_no", "TK1"),
            ("refund_fee", "100.00"),
            ("gmt_refund", "2026-01-01 08:15:00.000"),
        ];
        check(notice(&refund, &GATEWAY), Ok(elsewhere));
    }
    check(
        notice(&[("trade_status", "TRADE_CLOSED")], &GATEWAY),
        Ok(Notice::Other("TRADE_CLOSED".to_owned())),
    );
    // What comes after a refund; the sum in it is of all refunds.
    for status in ["TRADE_SUCCESS", "TRADE_CLOSED"] {
        let fields = [
            ("trade_status", status),
            ("out_biz_no", "TK1"),
            ("refund_fee", "100.00"),
            ("gmt_refund", "2026-01-01 08:15:00.000"),
        ];
        let refund = Notice::Refund(RefundNotice {
            notice_id: "NT1".to_owned(),
            attempt_no: "ZF1".to_owned(),
            refund_no: "TK1".to_owned(),
            answer: RefundAnswer::Accepted,
        });
        check(notice(&fields, &GATEWAY), Ok(refund));
        check(notice(&fields, &OURS), wrong());
    }
    for change in [
        ("total_amount", "3e2"),
        ("notify_id", ""),
        ("gmt_payment", "7"),
    ] {
        let found = parse(&notice(&[change], &GATEWAY));
        assert!(matches!(found, Err(NoticeError::Malformed(_))), "{found:?}");
    }
    let taken = channel.notice_response(b"", NoticeReceipt::Taken);
    assert_eq!(&taken.body()[..], b"success");
}

#[tokio::test]
async fn a_new_certificate_is_fetched_and_believed_only_from_the_roots() {
    let company = "支付宝(中国)网络技术有限公司-2088000000000099";
    let root = certified("Ant Root", &STRANGER, 1, None);
    let by_root = Some((&root, &*STRANGER));
    let app = certified("2088-app", &OURS, 2, by_root);
    let old = certified(company, &GATEWAY, 3, by_root);
    let new = certified(company, &GATEWAY, 4, by_root);
    let merchants = certified("别家店-2088", &GATEWAY, 5, by_root);
    let foreign = certified(company, &GATEWAY, 6, Some((&app, &*OURS)));
    let settings = json!({
        "app_id": APP,
        "private_key": OURS.private_pem(),
        "app_certificate": pem(&app),
        "alipay_certificates": [pem(&old)],
        "alipay_root_certificates":
            format!("{}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", pem(&root)),
    });
    let sn = |x509| cert_sn(&Certificate::from_pem(&pem(x509)).unwrap()).unwrap();
    let node = trade("TRADE_SUCCESS").to_string();
    let answer = |certificate| {
        let more = format!(",\"alipay_cert_sn\":\"{}\"", sn(certificate));
        signed_by(&GATEWAY, &node_of("trade.query"), node.as_bytes(), &more)
    };
    let download = |certificate| {
        let content = BASE64.encode(pem(certificate));
        let node = json!({ "code": "10000", "alipay_cert_content": content });
        reply("open.app.alipaycert.download", &node)
    };
    let success = GatewayAnswer::Success(paid());
    let forged = GatewayAnswer::Unknown(UnknownCause::BadSignature);
    let cases = [
        (vec![answer(&old)], success.clone()),
        (vec![answer(&new), download(&new)], success),
        (vec![answer(&new), download(&old)], forged.clone()),
        (
            vec![answer(&merchants), download(&merchants)],
            forged.clone(),
        ),
        (vec![answer(&foreign), download(&foreign)], forged.clone()),
        (vec![reply("trade.query", &trade("TRADE_SUCCESS"))], forged),
    ];
    for (answers, expected) in cases {
        let calls = answers.len();
        let (channel, dialogue) = channel(settings.clone(), answers);
        let expiries = channel.expiries();
        assert_eq!(expiries.len(), 1);
        assert_eq!(expiries[0].credential, "app_certificate");
        assert_eq!(channel.query(&attempt()).await, expected, "{calls}");
        assert_eq!(dialogue.requests().len(), calls);
        let form = dialogue.form(0);
        assert_eq!(form.get("app_cert_sn"), Some(sn(&app).as_str()));
        assert_eq!(form.get("alipay_root_cert_sn"), Some(sn(&root).as_str()));
    }
}

/// The charge went out and was answered: that the certificate cannot be fetched then is no word
/// about it.
#[tokio::test]
async fn a_charge_that_went_out_is_never_called_unsent() {
    let company = "支付宝(中国)网络技术有限公司-2088000000000099";
    let root = certified("Ant Root", &STRANGER, 1, None);
    let by_root = Some((&root, &*STRANGER));
    let app = certified("2088-app", &OURS, 2, by_root);
    let (old, new) = (
        certified(company, &GATEWAY, 3, by_root),
        certified(company, &GATEWAY, 4, by_root),
    );
    let settings = json!({
        "app_id": APP,
        "private_key": OURS.private_pem(),
        "app_certificate": pem(&app),
        "alipay_certificates": [pem(&old)],
        "alipay_root_certificates": pem(&root),
    });
    let sn = cert_sn(&Certificate::from_pem(&pem(&new)).unwrap()).unwrap();
    let more = format!(",\"alipay_cert_sn\":\"{sn}\"");
    let node = trade("ignored").to_string();
    let paid = signed_by(&GATEWAY, &node_of("trade.pay"), node.as_bytes(), &more);
    let unsent = || Err(TransportError::NotSent);
    for (answers, cause) in [
        (vec![unsent()], UnknownCause::NotSent),
        (vec![paid, unsent()], UnknownCause::Broken),
    ] {
        let calls = answers.len();
        let (channel, dialogue) = channel(settings.clone(), answers);
        let found = channel
            .charge_code(&code_request("280000000000000000"))
            .await;
        assert_eq!(found, GatewayAnswer::Unknown(cause));
        assert_eq!(dialogue.requests().len(), calls);
    }
}

/// Configured by hand or not, a certificate is believed between its dates only.
#[tokio::test]
async fn a_configured_certificate_is_believed_between_its_dates_only() {
    let company = "支付宝(中国)网络技术有限公司-2088000000000099";
    let root = certified("Ant Root", &STRANGER, 1, None);
    let app = certified("2088-app", &OURS, 2, Some((&root, &*STRANGER)));
    let second = Millis::seconds(1);
    let day = Millis::days(1);
    for (from, until, holds) in [
        (NOW - day, NOW + day, true),
        (NOW - day, NOW + second, true),
        (NOW - second, NOW + day, true),
        (NOW - day, NOW - second, false),
        (NOW + second, NOW + day, false),
    ] {
        let certificate = Certified {
            common_name: company,
            keys: &GATEWAY,
            serial: 3,
            issuer: Some((&root, &*STRANGER)),
            from,
            until,
        };
        let certificate = pem(&certificate.issue());
        let settings = json!({
            "app_id": APP,
            "seller_id": SELLER,
            "private_key": OURS.private_pem(),
            "app_certificate": pem(&app),
            "alipay_certificates": [certificate],
            "alipay_root_certificates": pem(&root),
        });
        let sn = cert_sn(&Certificate::from_pem(&certificate).unwrap()).unwrap();
        let node = trade("TRADE_SUCCESS").to_string();
        let more = format!(",\"alipay_cert_sn\":\"{sn}\"");
        let answer = signed_by(&GATEWAY, &node_of("trade.query"), node.as_bytes(), &more);
        let (channel, dialogue) = channel(settings, [answer]);
        let expected = match holds {
            true => GatewayAnswer::Success(paid()),
            false => GatewayAnswer::Unknown(UnknownCause::BadSignature),
        };
        assert_eq!(
            channel.query(&attempt()).await,
            expected,
            "{from:?} {until:?}"
        );
        assert_eq!(
            dialogue.requests().len(),
            1,
            "it is held, so none is fetched"
        );
        for named in [None, Some(("alipay_cert_sn", sn.as_str()))] {
            let change: Vec<(&str, &str)> = named.into_iter().collect();
            let body = notice(&change, &GATEWAY);
            let read = channel.parse_notice(&http::HeaderMap::new(), body.as_bytes());
            assert_eq!(
                read.is_ok(),
                holds,
                "{from:?} {until:?} {named:?}: {read:?}"
            );
        }
    }
}

#[test]
fn wrong_settings_are_refused_in_plain_words() {
    let check = |change: &[(&str, Value)], expected: &str| {
        let mut settings = config();
        for (name, value) in change {
            settings[*name] = value.clone();
        }
        let mut registry = Registry::new();
        let opened = registry.open("alipay", settings, Dialogue::new([]), Arc::new(Still));
        let error = opened.err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(&[("base_url", json!("ftp://x"))], "base_url must be http");
    check(&[("app_id", json!("x"))], "app_id must be digits");
    check(&[("qr_minutes", json!(0))], "qr_minutes must be at least 1");
    check(
        &[("private_key", json!("no key"))],
        "private_key: this is not a private key",
    );
    check(&[("alipay_public_keys", json!([]))], "set either");
    check(
        &[("alipay_public_keys", json!([OURS.public_pem()]))],
        "our own public key",
    );
    check(&[("app_certificate", json!("x"))], "set either");
}

pub fn bill_file() -> Vec<u8> {
    let file: Value = serde_json::from_str(include_str!("../vectors/alipay.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let bill = vectors
        .iter()
        .find(|vector| vector["kind"] == "alipay_bill")
        .unwrap();
    BASE64
        .decode(bill["input"]["zip_base64"].as_str().unwrap())
        .unwrap()
}

#[tokio::test]
async fn bills_are_fetched_and_held_against_their_own_totals() {
    let address = json!({ "code": "10000", "bill_download_url": "https://files.test/bill?x=1" });
    let address = || reply("data.dataservice.bill.downloadurl.query", &address);
    let request = |date| BillRequest { date };
    let (channel, dialogue) = channel(config(), [address(), ok(bill_file())]);
    let BillAnswer::Ready(lines) = channel.fetch_bill(&request(date!(2026 - 11 - 20))).await else {
        panic!("the bill is there");
    };
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (lines[0].kind, lines[0].amount),
        (BillKind::Payment, Money::from_yuan(500))
    );
    assert_eq!(lines[0].fee.rounded(), Money::from_yuan(3));
    let download = &dialogue.requests()[1];
    assert_eq!(download.uri(), "https://files.test/bill?x=1");
    let limit = download.extensions().get::<AnswerLimit>();
    assert_eq!(limit, Some(&AnswerLimit::BILL));

    let missing = || {
        failure(
            "data.dataservice.bill.downloadurl.query",
            "isp.bill_not_exist",
        )
    };
    let cases = [
        (
            missing(),
            date!(2026 - 11 - 20),
            BillAnswer::Ready(Vec::new()),
        ),
        (missing(), date!(2026 - 11 - 21), BillAnswer::NotYet),
        (
            status(500),
            date!(2026 - 11 - 20),
            BillAnswer::Unknown(UnknownCause::GatewayFault(500)),
        ),
    ];
    for (answer, date, expected) in cases {
        assert_eq!(
            alipay(answer).fetch_bill(&request(date)).await,
            expected,
            "{date}"
        );
    }
}
