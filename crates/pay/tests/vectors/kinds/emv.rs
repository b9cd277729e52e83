//! EMVCo codes and their check digits.

use qiantai_pay::channels::emv::{BerObject, ConsumerCode, Field, MerchantCode, crc16_ccitt_false};
use serde_json::{Value, json};

use crate::vector::{Kind, Outcome, Vector};

pub const KINDS: &[Kind] = &[
    ("crc16_ccitt_false", crc),
    ("emv_mpm", merchant_code),
    ("emv_cpm", consumer_code),
];

fn crc(vector: &Vector) -> Outcome {
    let crc = crc16_ccitt_false(vector.text("text")?.as_bytes());
    vector.expect("crc", format!("{crc:04X}"))
}

fn merchant_code(vector: &Vector) -> Outcome {
    let payload = vector.text("payload")?;
    let strict = MerchantCode::parse(payload);
    if vector.is_refusal() {
        return vector.accepted(strict).map(|_| ());
    }
    let reading = MerchantCode::read(payload).map_err(|error| error.to_string())?;
    vector.expect("crc_ok", reading.crc_ok)?;
    vector.expect("fields", fields(&reading.fields))?;
    if !reading.crc_ok {
        return Ok(());
    }
    let written = strict.map_err(|error| error.to_string())?.to_payload();
    if written == payload {
        Ok(())
    } else {
        Err(format!("written again it is {written}"))
    }
}

fn fields(fields: &[Field]) -> Value {
    let of = |field: &Field| {
        let mut value = json!({ "tag": format!("{:02}", field.tag), "value": field.value });
        if !field.sub.is_empty() {
            value["sub"] = self::fields(&field.sub);
        }
        value
    };
    fields.iter().map(of).collect()
}

fn consumer_code(vector: &Vector) -> Outcome {
    let payload = vector.text("payload")?;
    let Some(code) = vector.accepted(ConsumerCode::parse(payload))? else {
        return Ok(());
    };
    vector.expect("objects", objects(code.objects()))?;
    let written = code.to_payload();
    if written == payload {
        Ok(())
    } else {
        Err(format!("written again it is {written}"))
    }
}

fn objects(objects: &[BerObject]) -> Value {
    let of = |object: &BerObject| {
        let mut value = json!({
            "tag": format!("{:X}", object.tag),
            "value_hex": hex::encode_upper(&object.value),
        });
        if !object.sub.is_empty() {
            value["sub"] = self::objects(&object.sub);
        }
        value
    };
    objects.iter().map(of).collect()
}
