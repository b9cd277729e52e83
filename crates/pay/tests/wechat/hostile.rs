//! Bodies that no gateway should send, each with a signature that holds.

use qiantai_pay::{Channel, GatewayAnswer, UnknownCause};

use super::answers::{ATTEMPT, PAID, fact, order};
use super::gateway::{GATEWAY, NOW, PUBLIC_KEY, channel, response, seal, signed};

#[tokio::test]
async fn a_body_that_is_not_what_the_protocol_says_decides_nothing() {
    let paid = order("SUCCESS", PAID);
    let bodies = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "<html></html>".to_owned(),
        paid[..paid.len() - 1].to_owned(),
        format!("{paid}{paid}"),
        "[".repeat(200_000),
        format!("{{\"a\":{}", "[".repeat(100_000)),
        paid.replace("50000", "\"50000\""),
        paid.replace("50000", "50000.0"),
        paid.replace("50000", "5e4"),
        paid.replace("50000", "99999999999999999999"),
        paid.replace("\"SUCCESS\"", "1"),
        paid.replace("\"4200002026\"", "4200002026"),
        paid.replace("\"4200002026\"", "\"\""),
        paid.replace("2026-01-01T08:01:10+08:00", "1767225670"),
        paid.replace(
            "\"trade_state\":",
            "\"trade_state\":\"CLOSED\",\"trade_state\":",
        ),
        order("SUCCESS", ""),
    ];
    for body in bodies {
        let shown: String = body.chars().take(200).collect();
        let found = channel(signed(200, &body)).query(ATTEMPT).await;
        assert!(
            matches!(found, GatewayAnswer::Unknown(UnknownCause::Unreadable(_))),
            "{shown}: {found:?}"
        );
    }
}

#[tokio::test]
async fn an_order_that_is_not_ours_decides_nothing() {
    let paid = order("SUCCESS", PAID);
    for (from, to) in [
        (ATTEMPT, "ZF20260101080000123001230100A1B3"),
        ("1900000109", "1900000108"),
        ("wx8888888888888888", "wx8888888888888889"),
        ("\"CNY\"", "\"USD\""),
        ("50000", "0"),
        ("50000", "-50000"),
    ] {
        let found = channel(signed(200, &paid.replace(from, to)))
            .query(ATTEMPT)
            .await;
        let expected = GatewayAnswer::Unknown(UnknownCause::Mismatched);
        assert_eq!(found, expected, "{to}");
    }
}

#[tokio::test]
async fn form_does_not_matter_where_the_meaning_is_clear() {
    let paid = order("SUCCESS", PAID);
    let spaced = paid.replace(',', " ,\n\t").replace(':', " : ");
    let spaced = spaced.replace("08 : 01 : 10+08 : 00", "08:01:10+08:00");
    let text = paid
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
        .unwrap();
    let (first, rest) = text.split_once(',').unwrap();
    let reordered = format!("{{{rest},{first}}}");
    let unknown_fields = paid.replacen('{', "{\"x\":{\"y\":[null,1.5e300]},", 1);
    for body in [spaced, reordered, unknown_fields] {
        let found = channel(signed(200, &body)).query(ATTEMPT).await;
        assert_eq!(found, GatewayAnswer::Success(fact()), "{body}");
    }
    // The signature covers the bytes; what their type is called changes nothing.
    let mut headers = seal(&GATEWAY, PUBLIC_KEY, NOW, &paid);
    headers.insert("content-type", "text/html; charset=gbk".parse().unwrap());
    let found = channel(response(200, headers, &paid)).query(ATTEMPT).await;
    assert_eq!(found, GatewayAnswer::Success(fact()));
}
