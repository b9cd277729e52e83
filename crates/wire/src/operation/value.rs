//! Values with a compact form of their own: ids, hashes, order numbers.

use minicbor::data::Type;
use minicbor::decode::Error as DecodeFailure;
use minicbor::encode::{Error as EncodeFailure, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};
use qiantai_core::ids::{
    AttemptId, CouponTemplateId, DeviceId, LeaseId, LotId, MemberId, OrderId, PackageId, ShiftId,
    StaffId, StoreId, TenantId, TierId,
};
use qiantai_core::number_text::is_number_text;
use uuid::Uuid;

/// A UUID: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(pub Uuid);

impl<C> Encode<C> for Id {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeFailure<W::Error>> {
        encoder.bytes(self.0.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Id {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Id, DecodeFailure> {
        Uuid::from_slice(decoder.bytes()?)
            .map(Id)
            .map_err(|_| DecodeFailure::message("an id has 16 bytes"))
    }
}

macro_rules! id_conversions {
    ($($name:ident),*) => {$(
        impl From<$name> for Id {
            fn from(id: $name) -> Id {
                Id(id.0)
            }
        }

        impl From<Id> for $name {
            fn from(id: Id) -> $name {
                $name(id.0)
            }
        }
    )*};
}

id_conversions!(
    AttemptId,
    CouponTemplateId,
    DeviceId,
    LeaseId,
    LotId,
    MemberId,
    OrderId,
    PackageId,
    ShiftId,
    StaffId,
    StoreId,
    TenantId,
    TierId
);

/// A UUID without its leading zero bytes. A boot id only tells the starts of one device apart:
/// a small number does, and takes few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortId(pub Uuid);

impl<C> Encode<C> for ShortId {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeFailure<W::Error>> {
        let bytes = self.0.as_bytes();
        let start = bytes
            .iter()
            .position(|&byte| byte != 0)
            .unwrap_or(bytes.len());
        encoder.bytes(&bytes[start..])?.ok()
    }
}

impl<'b, C> Decode<'b, C> for ShortId {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<ShortId, DecodeFailure> {
        let tail = decoder.bytes()?;
        let mut bytes = [0_u8; 16];
        let start = bytes
            .len()
            .checked_sub(tail.len())
            .ok_or_else(|| DecodeFailure::message("a short id has at most 16 bytes"))?;
        bytes[start..].copy_from_slice(tail);
        Ok(ShortId(Uuid::from_bytes(bytes)))
    }
}

/// A hash or key: 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes32(pub [u8; 32]);

impl<C> Encode<C> for Bytes32 {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeFailure<W::Error>> {
        encoder.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Bytes32 {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Bytes32, DecodeFailure> {
        <[u8; 32]>::try_from(decoder.bytes()?)
            .map(Bytes32)
            .map_err(|_| DecodeFailure::message("a hash or key has 32 bytes"))
    }
}

/// An order number of domain §3.10: prefix, 24 digits, 4 characters of Crockford base32. It is
/// written as 13 bytes (the digits as a number, then 20 bits) when it has that form and the
/// prefix of its field, otherwise as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number<P>(pub String, std::marker::PhantomData<P>);

/// The two letters that begin a number.
pub trait Prefix {
    /// Those letters.
    const LETTERS: &'static str;
}

macro_rules! prefixes {
    ($($(#[$doc:meta])* $name:ident = $letters:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;

        impl Prefix for $name {
            const LETTERS: &'static str = $letters;
        }
    )*};
}

prefixes! {
    /// Recharge orders.
    Recharge = "CZ";
    /// Payment attempts.
    Attempt = "ZF";
    /// Shifts.
    Shift = "JB";
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: usize = 24;
const RANDOM: usize = 4;
const PACKED_LEN: usize = 13;
const RANDOM_BITS: u32 = 20;

impl<P: Prefix> Number<P> {
    /// A number, of whatever form.
    pub fn new(text: &str) -> Number<P> {
        Number(text.to_owned(), std::marker::PhantomData)
    }

    fn pack(&self) -> Option<[u8; PACKED_LEN]> {
        let rest = self.0.strip_prefix(P::LETTERS)?.as_bytes();
        if rest.len() != DIGITS + RANDOM {
            return None;
        }
        let (digits, random) = rest.split_at(DIGITS);
        let mut packed = 0_u128;
        for digit in digits {
            packed = packed * 10 + u128::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
        for character in random {
            let index = CROCKFORD.iter().position(|known| known == character)?;
            packed = packed << 5 | index as u128;
        }
        let bytes = packed.to_be_bytes();
        bytes[bytes.len() - PACKED_LEN..].try_into().ok()
    }

    fn unpack(bytes: [u8; PACKED_LEN]) -> Option<Number<P>> {
        let mut whole = [0_u8; 16];
        whole[16 - PACKED_LEN..].copy_from_slice(&bytes);
        let packed = u128::from_be_bytes(whole);
        let digits = packed >> RANDOM_BITS;
        let mut text = format!("{}{digits:024}", P::LETTERS);
        if text.len() != P::LETTERS.len() + DIGITS {
            return None;
        }
        for shift in (0..RANDOM as u32).rev() {
            let index = (packed >> (shift * 5)) & 31;
            text.push(char::from(CROCKFORD[usize::try_from(index).ok()?]));
        }
        Some(Number::new(&text))
    }
}

impl<C, P: Prefix> Encode<C> for Number<P> {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeFailure<W::Error>> {
        match self.pack() {
            Some(packed) => encoder.bytes(&packed)?.ok(),
            None => encoder.str(&self.0)?.ok(),
        }
    }
}

impl<'b, C, P: Prefix> Decode<'b, C> for Number<P> {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Number<P>, DecodeFailure> {
        if decoder.datatype()? == Type::String {
            return Ok(Number::new(number_text(decoder)?));
        }
        <[u8; PACKED_LEN]>::try_from(decoder.bytes()?)
            .ok()
            .and_then(Number::unpack)
            .ok_or_else(|| DecodeFailure::message("not a packed number"))
    }
}

/// A number without a form of its own: text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberText(pub String);

impl<C> Encode<C> for NumberText {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeFailure<W::Error>> {
        encoder.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for NumberText {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<NumberText, DecodeFailure> {
        number_text(decoder).map(|text| NumberText(text.to_owned()))
    }
}

fn number_text<'b>(decoder: &mut Decoder<'b>) -> Result<&'b str, DecodeFailure> {
    let text = decoder.str()?;
    match is_number_text(text) {
        true => Ok(text),
        false => Err(DecodeFailure::message(
            "a number has at most 64 characters, none of them a control character",
        )),
    }
}

/// Someone, or the person who wrote the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// The staff of the operation.
    Writer,
    /// Somebody else.
    Other(Uuid),
}

impl Person {
    /// `person` as seen by `writer`.
    pub fn of(person: Uuid, writer: Option<Uuid>) -> Person {
        if Some(person) == writer {
            Person::Writer
        } else {
            Person::Other(person)
        }
    }

    /// The person; `None` when it is the writer and there is none.
    pub fn resolve(self, writer: Option<Uuid>) -> Option<Uuid> {
        match self {
            Person::Writer => writer,
            Person::Other(person) => Some(person),
        }
    }
}

impl<C> Encode<C> for Person {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeFailure<W::Error>> {
        match self {
            Person::Writer => encoder.bool(true)?.ok(),
            Person::Other(person) => Id(*person).encode(encoder, context),
        }
    }
}

impl<'b, C> Decode<'b, C> for Person {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Person, DecodeFailure> {
        if decoder.datatype()? != Type::Bool {
            return Ok(Person::Other(Id::decode(decoder, context)?.0));
        }
        if decoder.bool()? {
            Ok(Person::Writer)
        } else {
            Err(DecodeFailure::message("a person is an id or true"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, bytes: usize) {
        let number = Number::<Recharge>::new(text);
        let encoded = minicbor::to_vec(&number).unwrap();
        assert_eq!(encoded.len(), bytes, "{text}");
        assert_eq!(
            minicbor::decode::<Number<Recharge>>(&encoded).unwrap(),
            number
        );
    }

    #[test]
    fn order_numbers_are_packed_when_they_fit() {
        check("CZ202611211403124800000101A0Z9", 14);
        check("CZ0000000000000000000000000000", 14);
        check("CZ999999999999999999999999ZZZZ", 14);
        check("ZF202611211403124800000101A0Z9", 32);
        check("CZ202611211403124800000101A0ZU", 32);
        check("CZ1", 4);
        check("", 1);
    }

    #[test]
    fn numbers_that_cannot_be_kept_are_refused() {
        let refused = |text: &str| {
            let encoded = minicbor::to_vec(NumberText(text.to_owned())).unwrap();
            assert!(
                minicbor::decode::<NumberText>(&encoded).is_err(),
                "{text:?}"
            );
            assert!(
                minicbor::decode::<Number<Shift>>(&encoded).is_err(),
                "{text:?}"
            );
        };
        refused("JB1\0");
        refused("JB1\r\n");
        refused(&"1".repeat(65));
        check(&"1".repeat(64), 66);
    }

    #[test]
    fn numbers_beyond_24_digits_are_refused() {
        let mut bytes = vec![0x4d];
        bytes.extend_from_slice(&[0xff; PACKED_LEN]);
        assert!(minicbor::decode::<Number<Recharge>>(&bytes).is_err());
    }

    #[test]
    fn short_ids_keep_their_value() {
        for value in [0, 1, 0xffff_ffff, u128::MAX] {
            let id = ShortId(Uuid::from_u128(value));
            let encoded = minicbor::to_vec(id).unwrap();
            assert_eq!(minicbor::decode::<ShortId>(&encoded).unwrap(), id);
        }
        assert_eq!(
            minicbor::to_vec(ShortId(Uuid::from_u128(0xffff_ffff)))
                .unwrap()
                .len(),
            5
        );
        assert!(minicbor::decode::<ShortId>(&[0x51; 18]).is_err());
    }
}
