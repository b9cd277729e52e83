//! Codes that stand for an amount on sale, printed once and kept beside the scanner. A scanned one
//! chooses and never charges (docs: adr 0024).

use qiantai_core::Money;
use qiantai_core::ids::PackageId;
use qiantai_core::policy::Policy;
use qiantai_core::recharge::AmountChoice;

use crate::counter::Counter;
use crate::error::CallError;
use crate::parse;
use crate::show::order::qr_view;
use crate::top_up::on_sale;
use crate::view::code::OfferCode;

// The first keys of a scan cannot be told from a hand's (docs: adr 0023): these letters do nothing
// on the form.
const AMOUNT: &str = "QMON:";
const PACKAGE: &str = "QBON:";

/// What a printed code says: nothing within, where that is on sale no more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ScannedOffer(pub(crate) Option<AmountChoice>);

/// Reads a printed code; `None` for anything else that is scanned. A package is taken as it is sold
/// today, whatever version was on sale when the code was printed.
pub(crate) fn read(text: &str, policy: &Policy) -> Option<ScannedOffer> {
    if let Some(yuan) = text.strip_prefix(AMOUNT) {
        let plain = yuan.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let amount = parse::amount(yuan).ok().filter(|_| plain);
        return Some(ScannedOffer(amount.map(AmountChoice::Amount)));
    }
    let id = text.strip_prefix(PACKAGE)?;
    let id = parse::id(id).ok().map(PackageId);
    let mut packages = policy.packages.iter();
    let package = packages.find(|package| Some(package.id) == id);
    let choice = package.map(|package| AmountChoice::Package(package.id, package.version));
    Some(ScannedOffer(choice))
}

fn write(choice: AmountChoice) -> String {
    match choice {
        AmountChoice::Amount(amount) => format!("{AMOUNT}{}", plain(amount)),
        AmountChoice::Package(id, _) => format!("{PACKAGE}{id}"),
    }
}

/// `300` or `300.50`.
fn plain(amount: Money) -> String {
    let text = amount.to_string().replace(',', "");
    text.strip_suffix(".00").map(str::to_owned).unwrap_or(text)
}

impl Counter {
    /// A code for every amount and package on sale, in order of display.
    pub(crate) fn offer_codes(&self) -> Result<Vec<OfferCode>, CallError> {
        self.staff()?;
        let policy = self.policy()?;
        let codes = on_sale(&policy)
            .into_iter()
            .filter_map(|(choice, name, pay)| {
                let qr = qr_view(&write(choice))?;
                Some(OfferCode {
                    name: name.map(str::to_owned),
                    pay_fen: pay.into(),
                    qr,
                })
            });
        Ok(codes.collect())
    }
}
