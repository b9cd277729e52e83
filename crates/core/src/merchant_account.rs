//! Where the money of a shop's own code goes: a merchant account as the acquirer's contract gives
//! it. Without a gateway the code leads there directly (docs: domain §5.6, "a static shop QR").

use crate::half_width::half_width;

/// A merchant account at UnionPay with what a code says of the shop. Taken by
/// [`MerchantAccount::check`] before it comes into force: whoever pays by the code pays into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MerchantAccount {
    /// 收单机构代码: number of the acquirer.
    pub acquirer: String,
    /// 转发机构代码: number of the institution that forwards for it.
    pub forwarding: String,
    /// 商户号
    pub merchant: String,
    /// Merchant category code (ISO 18245).
    pub category: String,
    /// Name of the shop in Latin letters.
    pub name: String,
    /// Its city in Latin letters.
    pub city: String,
}

/// A field of a [`MerchantAccount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountField {
    /// Number of the acquirer.
    Acquirer,
    /// Number of the forwarding institution.
    Forwarding,
    /// Merchant number.
    Merchant,
    /// Merchant category code.
    Category,
    /// Name in Latin letters.
    Name,
    /// City in Latin letters.
    City,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountFault {
    /// Nothing stands in it.
    #[error("empty")]
    Empty,
    /// A number must have exactly this many places.
    #[error("not {0} places")]
    Places(usize),
    /// A text has more characters than this.
    #[error("more than {0} characters")]
    TooLong(usize),
    /// A character that does not belong there.
    #[error("character {0:?}")]
    Character(char),
}

impl AccountField {
    /// Every field, in the order of the contract.
    pub const ALL: [AccountField; 6] = [
        AccountField::Acquirer,
        AccountField::Forwarding,
        AccountField::Merchant,
        AccountField::Category,
        AccountField::Name,
        AccountField::City,
    ];

    /// What the field is called where it is wrong.
    pub const fn name(self) -> &'static str {
        match self {
            AccountField::Acquirer => "acquirer",
            AccountField::Forwarding => "forwarding",
            AccountField::Merchant => "merchant",
            AccountField::Category => "category",
            AccountField::Name => "latin_name",
            AccountField::City => "city",
        }
    }

    /// Places of a number, or most characters of a text (EMVCo tags 15, 52, 59, 60).
    pub const fn length(self) -> usize {
        match self {
            AccountField::Acquirer | AccountField::Forwarding => 8,
            AccountField::Merchant => 15,
            AccountField::Category => 4,
            AccountField::Name => 25,
            AccountField::City => 15,
        }
    }

    const fn is_text(self) -> bool {
        matches!(self, AccountField::Name | AccountField::City)
    }

    fn takes(self, character: char) -> bool {
        match self {
            AccountField::Category => character.is_ascii_digit(),
            AccountField::Name | AccountField::City => {
                character.is_ascii_graphic() || character == ' '
            }
            _ => character.is_ascii_alphanumeric(),
        }
    }

    fn check(self, value: &str) -> Result<(), AccountFault> {
        if value.is_empty() {
            return Err(AccountFault::Empty);
        }
        if let Some(character) = value.chars().find(|character| !self.takes(*character)) {
            return Err(AccountFault::Character(character));
        }
        match (self.is_text(), value.len()) {
            (true, length) if length > self.length() => Err(AccountFault::TooLong(self.length())),
            (false, length) if length != self.length() => Err(AccountFault::Places(self.length())),
            _ => Ok(()),
        }
    }
}

impl MerchantAccount {
    /// The value of a field.
    pub fn value(&self, field: AccountField) -> &str {
        match field {
            AccountField::Acquirer => &self.acquirer,
            AccountField::Forwarding => &self.forwarding,
            AccountField::Merchant => &self.merchant,
            AccountField::Category => &self.category,
            AccountField::Name => &self.name,
            AccountField::City => &self.city,
        }
    }

    /// As typed from a contract: full-width forms become plain ones, numbers lose their spaces and
    /// texts those around them.
    #[must_use]
    pub fn as_typed(&self) -> MerchantAccount {
        let plain = |field| -> String {
            let typed = self.value(field).trim().chars().map(half_width);
            let is_text = AccountField::is_text(field);
            typed.filter(|c| is_text || !c.is_whitespace()).collect()
        };
        MerchantAccount {
            acquirer: plain(AccountField::Acquirer),
            forwarding: plain(AccountField::Forwarding),
            merchant: plain(AccountField::Merchant),
            category: plain(AccountField::Category),
            name: plain(AccountField::Name),
            city: plain(AccountField::City),
        }
    }

    /// Whether a code can be made of it.
    ///
    /// # Errors
    /// The first field that is wrong, and how.
    pub fn check(&self) -> Result<(), (AccountField, AccountFault)> {
        AccountField::ALL.into_iter().try_for_each(|field| {
            let checked = field.check(self.value(field));
            checked.map_err(|fault| (field, fault))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AccountFault::{Character, Empty, Places, TooLong};
    use AccountField::{Acquirer, Category, City, Forwarding, Merchant, Name};

    fn account() -> MerchantAccount {
        MerchantAccount {
            acquirer: "31127040".to_owned(),
            forwarding: "70002044".to_owned(),
            merchant: "600000000000001".to_owned(),
            category: "7298".to_owned(),
            name: "JIANDAN SALON".to_owned(),
            city: "GUANGZHOU".to_owned(),
        }
    }

    #[test]
    fn each_wrong_field_is_named_with_its_fault() {
        type Edit = fn(&mut MerchantAccount);
        let cases: [(Edit, AccountField, AccountFault); 13] = [
            (|it| it.acquirer.clear(), Acquirer, Empty),
            (|it| it.acquirer.push('1'), Acquirer, Places(8)),
            (
                |it| it.acquirer = "3112704单".into(),
                Acquirer,
                Character('单'),
            ),
            (|it| it.forwarding.truncate(7), Forwarding, Places(8)),
            (
                |it| it.forwarding = "7000-044".into(),
                Forwarding,
                Character('-'),
            ),
            (|it| it.merchant.push('9'), Merchant, Places(15)),
            (|it| it.merchant.clear(), Merchant, Empty),
            (|it| it.category = "72".into(), Category, Places(4)),
            (|it| it.category = "72AB".into(), Category, Character('A')),
            (|it| it.name = "简单美发".into(), Name, Character('简')),
            (|it| it.name = "X".repeat(26), Name, TooLong(25)),
            (|it| it.city = "X".repeat(16), City, TooLong(15)),
            (|it| it.city.clear(), City, Empty),
        ];
        assert_eq!(account().check(), Ok(()));
        for (edit, field, fault) in cases {
            let mut wrong = account();
            edit(&mut wrong);
            assert_eq!(wrong.check(), Err((field, fault)), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_copied_from_a_contract_is_put_right() {
        let typed = MerchantAccount {
            acquirer: " 3112 7040".to_owned(),
            merchant: "６００000000000001\t".to_owned(),
            name: "  JIANDAN SALON ".to_owned(),
            ..account()
        };
        assert_eq!(typed.as_typed(), account());
    }
}
