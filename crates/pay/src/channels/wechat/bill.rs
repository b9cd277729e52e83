//! The trade bill: CSV in which every value begins with a backtick.

use std::collections::HashMap;
use std::io::Read;

use flate2::read::GzDecoder;
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;

use super::message::CURRENCY;
use crate::beijing;
use crate::bill::{BillKind, BillLine, Fee};
use crate::crypto::{is_same, sha1};
use crate::yuan;

/// Largest file after unpacking: a hundred thousand lines.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Begins the header of the sums.
const SUMS: &str = "总交易单数";

/// Why a bill is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    /// Not gzip, or too large.
    #[error("the file does not unpack")]
    Packing,
    /// Another hash than the gateway stated.
    #[error("the file's hash is not what the gateway stated")]
    Hash,
    /// A kind of hash that is not used.
    #[error("the hash is of the unknown kind {0}")]
    HashType(String),
    /// Not UTF-8.
    #[error("the file is not UTF-8")]
    NotText,
    /// A column is missing.
    #[error("the column {0} is missing")]
    Column(&'static str),
    /// A line has more or fewer values than the header.
    #[error("line {0} does not fit the header")]
    Width(usize),
    /// A value is not what its column says.
    #[error("line {line}: {column} is not readable")]
    Value {
        /// Line of the file, from 1.
        line: usize,
        /// Name of the column.
        column: &'static str,
    },
    /// The lines of the sums are missing: the file was cut off.
    #[error("the sums are missing")]
    NoSums,
    /// The lines do not add up to the stated sum.
    #[error("the lines do not add up to the stated {0}")]
    Sums(&'static str),
}

/// Unpacks a gzip file.
pub fn unpack(packed: &[u8]) -> Result<Vec<u8>, BillError> {
    let mut file = Vec::new();
    let mut limited = GzDecoder::new(packed).take(FILE_BYTES_MAX + 1);
    limited
        .read_to_end(&mut file)
        .map_err(|_| BillError::Packing)?;
    if file.len() as u64 > FILE_BYTES_MAX {
        return Err(BillError::Packing);
    }
    Ok(file)
}

/// Checks the SHA-1 of the unpacked file against the stated hexadecimal text.
pub fn check_hash(file: &[u8], stated: &str) -> Result<(), BillError> {
    let hash = sha1(file).map_err(|_| BillError::Hash)?;
    let stated = hex::decode(stated.trim()).map_err(|_| BillError::Hash)?;
    is_same(&hash, &stated).then_some(()).ok_or(BillError::Hash)
}

/// Reads a trade bill and checks its sums. Every line must be of the merchant `mchid`, where one is
/// given.
pub fn read_bill(file: &[u8], mchid: Option<&str>) -> Result<Vec<BillLine>, BillError> {
    let text = std::str::from_utf8(file).map_err(|_| BillError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_end_matches('\r')))
        .filter(|(_, line)| !line.is_empty());
    let (_, header) = lines.next().ok_or(BillError::NoSums)?;
    let columns = Columns::of(header);
    let mut bill = Vec::new();
    let mut sums = Sums::default();
    for (number, line) in lines.by_ref() {
        if line.starts_with(SUMS) {
            let (number, values) = lines.next().ok_or(BillError::NoSums)?;
            sums.check(&Columns::of(line).row(number, values)?)?;
            return Ok(bill);
        }
        let row = columns.row(number, line)?;
        let merchant = row.text("商户号")?;
        if mchid.is_some_and(|mchid| mchid != merchant) {
            return Err(row.wrong("商户号"));
        }
        sums.add(&row)?;
        bill.push(row.line()?);
    }
    Err(BillError::NoSums)
}

/// Columns by name: other kinds of bills have more or fewer.
struct Columns<'a>(HashMap<&'a str, usize>);

impl<'a> Columns<'a> {
    fn of(header: &'a str) -> Columns<'a> {
        let names = header.split(',').map(|name| name.trim_matches('`'));
        Columns(
            names
                .enumerate()
                .map(|(index, name)| (name, index))
                .collect(),
        )
    }

    /// A value may hold a comma; only one before a backtick parts.
    fn row(&self, number: usize, line: &'a str) -> Result<Row<'_>, BillError> {
        let values = line.strip_prefix('`').ok_or(BillError::Width(number))?;
        let values: Vec<&str> = values.split(",`").collect();
        if values.len() != self.0.len() {
            return Err(BillError::Width(number));
        }
        Ok(Row {
            number,
            columns: &self.0,
            values,
        })
    }
}

struct Row<'a> {
    number: usize,
    columns: &'a HashMap<&'a str, usize>,
    values: Vec<&'a str>,
}

impl Row<'_> {
    fn find(&self, column: &str) -> Option<&str> {
        let index = *self.columns.get(column)?;
        self.values.get(index).map(|value| value.trim())
    }

    fn text(&self, column: &'static str) -> Result<&str, BillError> {
        self.find(column).ok_or(BillError::Column(column))
    }

    fn money(&self, column: &'static str) -> Result<Money, BillError> {
        let money = yuan::from_yuan(self.text(column)?);
        money.ok_or_else(|| self.wrong(column))
    }

    /// An amount of a column that not every kind of bill has.
    fn money_if_there(&self, column: &'static str) -> Result<Option<Money>, BillError> {
        match self.find(column) {
            Some(_) => self.money(column).map(Some),
            None => Ok(None),
        }
    }

    fn fee(&self, column: &'static str) -> Result<Fee, BillError> {
        let fee = Fee::from_yuan_text(self.text(column)?);
        fee.ok_or_else(|| self.wrong(column))
    }

    fn wrong(&self, column: &'static str) -> BillError {
        BillError::Value {
            line: self.number,
            column,
        }
    }

    fn line(&self) -> Result<BillLine, BillError> {
        let kind = match self.text("交易状态")? {
            "SUCCESS" => BillKind::Payment,
            "REFUND" => BillKind::Refund,
            "REVOKED" => BillKind::Reversal,
            _ => return Err(self.wrong("交易状态")),
        };
        if self.text("货币种类")? != CURRENCY {
            return Err(self.wrong("货币种类"));
        }
        let (amount, settled, number_of_refund) = if kind == BillKind::Payment {
            let settled = self.money("应结订单金额")?;
            (self.money_if_there("订单金额")?, settled, None)
        } else {
            let settled = self.money("退款金额")?;
            let numbers = (self.text("商户退款单号")?, self.text("微信退款单号")?);
            (self.money_if_there("申请退款金额")?, settled, Some(numbers))
        };
        let at: Timestamp =
            beijing::from_dashed(self.text("交易时间")?).ok_or_else(|| self.wrong("交易时间"))?;
        // A reversal of an order has no number of its own; the file says 0.
        let own = |number: &str| (!matches!(number, "" | "0")).then(|| number.to_owned());
        Ok(BillLine {
            kind,
            attempt_no: self.text("商户订单号")?.to_owned(),
            channel_txn_no: self.text("微信订单号")?.to_owned(),
            refund_no: number_of_refund.and_then(|(ours, _)| own(ours)),
            channel_refund_no: number_of_refund.and_then(|(_, theirs)| own(theirs)),
            amount: amount.unwrap_or(settled),
            settled,
            fee: self.fee("手续费")?,
            at,
        })
    }
}

#[derive(Default)]
struct Sums {
    rows: i64,
    paid_fen: i64,
    returned_fen: i64,
    fees: Vec<Fee>,
}

impl Sums {
    fn add(&mut self, row: &Row<'_>) -> Result<(), BillError> {
        let too_large = |column| move || row.wrong(column);
        let paid = row.money("应结订单金额")?.fen();
        let returned = row.money("退款金额")?.fen();
        self.rows += 1;
        self.paid_fen = self
            .paid_fen
            .checked_add(paid)
            .ok_or_else(too_large("应结订单金额"))?;
        self.returned_fen = self
            .returned_fen
            .checked_add(returned)
            .ok_or_else(too_large("退款金额"))?;
        self.fees.push(row.fee("手续费")?);
        Ok(())
    }

    fn check(&self, stated: &Row<'_>) -> Result<(), BillError> {
        let equal = |column: &'static str, sum: i64, parts_of_yuan: fn(&str) -> Option<i64>| {
            let is_equal = parts_of_yuan(stated.text(column)?) == Some(sum);
            is_equal.then_some(()).ok_or(BillError::Sums(column))
        };
        let fen = |text: &str| yuan::from_yuan(text).map(Money::fen);
        let count = |text: &str| {
            let hundredths = yuan::from_yuan(text)?.fen();
            (hundredths % 100 == 0).then_some(hundredths / 100)
        };
        let milli_fen = |text: &str| Fee::from_yuan_text(text).map(Fee::milli_fen);
        equal("总交易单数", self.rows, count)?;
        equal("应结订单总金额", self.paid_fen, fen)?;
        equal("退款总金额", self.returned_fen, fen)?;
        let fees: Fee = self.fees.iter().copied().sum();
        equal("手续费总金额", fees.milli_fen(), milli_fen)
    }
}
