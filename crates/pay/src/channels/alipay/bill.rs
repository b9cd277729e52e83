//! Alipay's bill of one day: a zip with CSV files, names and contents in GBK.
//!
//! Lines that begin with `#` are comments, of which two at the end state totals. Every value ends
//! with a tab, so a comma inside a value can be told from one between values. Columns differ
//! between products and are found by name.

use std::io::{Cursor, Read as _};

use qiantai_core::money::Money;
use zip::ZipArchive;

use crate::beijing;
use crate::bill::{BillKind, BillLine, Fee};
use crate::pairs::Charset;
use crate::yuan::from_yuan;

/// Largest file read out of the archive; a busy shop's day is some hundred kilobytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most files in an archive; Alipay's has two.
const FILES_MAX: usize = 16;

const TRADE_NO: &str = "支付宝交易号";
const ATTEMPT_NO: &str = "商户订单号";
const KIND: &str = "业务类型";
const FINISHED: &str = "完成时间";
const AMOUNT: &str = "订单金额（元）";
const SETTLED: &str = "商家实收（元）";
const REFUND_NO: &str = "退款批次号/请求号";
const FEE: &str = "服务费（元）";

/// The detail file of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlipayBill {
    /// Its name in the archive.
    pub file_name: String,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Its rows, each with a value for every column.
    pub rows: Vec<Vec<String>>,
    totals: Totals,
}

/// What the comments at the end state; `None` for what is not there or cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Totals {
    payments: Option<(usize, Money)>,
    refunds: Option<(usize, Money)>,
}

/// Why a file is no bill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlipayBillError {
    /// Not a zip archive, or damaged.
    #[error("not a zip archive, or damaged")]
    NotAnArchive,
    /// More or larger files than any bill has.
    #[error("the archive is too large")]
    TooLarge,
    /// No file of details.
    #[error("the archive holds no file named 业务明细")]
    NoDetailFile,
    /// Bytes that are not GBK.
    #[error("the file is not GBK")]
    NotGbk,
    /// A column that must be there is not.
    #[error("the column {0} is missing")]
    MissingColumn(&'static str),
    /// A row cannot be read.
    #[error("row {row}: {problem}")]
    Row {
        /// Counted from 1, without comments and header.
        row: usize,
        /// What is wrong.
        problem: String,
    },
    /// The totals at the end are missing or cannot be read: the file was cut off.
    #[error("the totals are missing")]
    NoTotals,
    /// The rows do not add up to what the file itself states.
    #[error("the rows do not add up to the totals of the file")]
    Totals,
}

impl AlipayBill {
    /// Reads the archive as it was downloaded.
    pub fn read(archive: &[u8]) -> Result<AlipayBill, AlipayBillError> {
        let (file_name, bytes) = detail_file(archive)?;
        let text = Charset::Gbk.decode(&bytes);
        let text = text.ok_or(AlipayBillError::NotGbk)?;
        let mut lines = text.lines().map(|line| line.trim_end_matches('\r'));
        let mut bill = AlipayBill {
            file_name,
            columns: Vec::new(),
            rows: Vec::new(),
            totals: Totals::default(),
        };
        lines.try_for_each(|line| bill.take(line))?;
        Ok(bill)
    }

    /// The value of a column in a row, without its tab; `None` for a column that is not there.
    pub fn value<'a>(&self, row: &'a [String], column: &str) -> Option<&'a str> {
        let at = self.columns.iter().position(|name| name == column)?;
        row.get(at).map(String::as_str)
    }

    /// The rows as movements of money, held against the totals that the file states.
    pub fn lines(&self) -> Result<Vec<BillLine>, AlipayBillError> {
        for column in [
            TRADE_NO, ATTEMPT_NO, KIND, FINISHED, AMOUNT, SETTLED, REFUND_NO, FEE,
        ] {
            if !self.rows.is_empty() && !self.columns.iter().any(|name| name == column) {
                return Err(AlipayBillError::MissingColumn(column));
            }
        }
        let lines = self
            .rows
            .iter()
            .enumerate()
            .map(|(index, row)| {
                self.line(row).map_err(|problem| AlipayBillError::Row {
                    row: index + 1,
                    problem,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        for (stated, kind) in [
            (self.totals.payments, BillKind::Payment),
            (self.totals.refunds, BillKind::Refund),
        ] {
            let stated = stated.ok_or(AlipayBillError::NoTotals)?;
            if sum_of(&lines, kind) != Some(stated) {
                return Err(AlipayBillError::Totals);
            }
        }
        Ok(lines)
    }

    fn take(&mut self, line: &str) -> Result<(), AlipayBillError> {
        if line.trim().is_empty() {
            return Ok(());
        }
        if let Some(comment) = line.strip_prefix('#') {
            self.totals.take(comment);
            return Ok(());
        }
        if self.columns.is_empty() {
            let columns = line.split(',').map(|name| name.trim().to_owned());
            self.columns = columns.collect();
            return Ok(());
        }
        let row = values(line);
        if row.len() != self.columns.len() {
            return Err(AlipayBillError::Row {
                row: self.rows.len() + 1,
                problem: format!("{} values for {} columns", row.len(), self.columns.len()),
            });
        }
        self.rows.push(row);
        Ok(())
    }

    fn line(&self, row: &[String]) -> Result<BillLine, String> {
        let need = |column: &str| {
            let value = self.value(row, column);
            value.ok_or_else(|| format!("the column {column} is missing"))
        };
        let money = |column: &str| {
            let text = need(column)?;
            from_yuan(text).ok_or_else(|| format!("{column} is {text}"))
        };
        let (amount, settled) = (money(AMOUNT)?, money(SETTLED)?);
        let fee = need(FEE)?;
        let fee = Fee::from_yuan_text(fee).ok_or_else(|| format!("{FEE} is {fee}"))?;
        let finished = need(FINISHED)?;
        let at = beijing::from_dashed(finished);
        let at = at.ok_or_else(|| format!("{FINISHED} is {finished}"))?;
        let refund_no = Some(need(REFUND_NO)?.to_owned()).filter(|number| !number.is_empty());
        let (kind, sign_is_right) = match need(KIND)? {
            "交易" => (
                BillKind::Payment,
                !amount.is_negative() && !settled.is_negative(),
            ),
            "退款" => (
                BillKind::Refund,
                !amount.is_positive() && !settled.is_positive(),
            ),
            other => return Err(format!("{KIND} is {other}")),
        };
        if !sign_is_right || (kind == BillKind::Refund) != refund_no.is_some() {
            return Err("sign and number do not fit its kind".to_owned());
        }
        let plain = |money: Money| if money.is_negative() { -money } else { money };
        Ok(BillLine {
            kind,
            attempt_no: need(ATTEMPT_NO)?.to_owned(),
            channel_txn_no: need(TRADE_NO)?.to_owned(),
            channel_refund_no: refund_no.clone(),
            refund_no,
            amount: plain(amount),
            settled: plain(settled),
            fee: fee.negated(),
            at,
        })
    }
}

impl Totals {
    /// Takes `交易合计：1笔，商家实收共500.00元，…`; other comments say nothing.
    fn take(&mut self, comment: &str) {
        let read = |rest: &str, label: &str| {
            let (count, rest) = rest.split_once("笔，")?;
            let (sum, _) = rest.strip_prefix(label)?.split_once('元')?;
            let sum = from_yuan(sum.trim_start_matches('-'))?;
            Some((count.parse().ok()?, sum))
        };
        if let Some(rest) = comment.strip_prefix("交易合计：") {
            self.payments = read(rest, "商家实收共");
        } else if let Some(rest) = comment.strip_prefix("退款合计：") {
            self.refunds = read(rest, "商家实收退款共");
        }
    }
}

/// Number and sum of the lines of a kind; `None` for a sum that no amount is large enough for.
fn sum_of(lines: &[BillLine], kind: BillKind) -> Option<(usize, Money)> {
    lines
        .iter()
        .filter(|line| line.kind == kind)
        .try_fold((0, Money::ZERO), |(count, sum), line| {
            Some((count + 1, sum.checked_add(line.settled)?))
        })
}

/// The values of a row, each without the tab that ends it. Of a row without tabs every comma
/// separates.
fn values(line: &str) -> Vec<String> {
    if !line.contains('\t') {
        return line.split(',').map(str::to_owned).collect();
    }
    let inner = line.strip_suffix('\t').unwrap_or(line);
    inner
        .split("\t,")
        .map(|value| value.trim().to_owned())
        .collect()
}

/// Name and content of the detail file.
fn detail_file(archive: &[u8]) -> Result<(String, Vec<u8>), AlipayBillError> {
    let mut archive =
        ZipArchive::new(Cursor::new(archive)).map_err(|_| AlipayBillError::NotAnArchive)?;
    if archive.len() > FILES_MAX {
        return Err(AlipayBillError::TooLarge);
    }
    for index in 0..archive.len() {
        let mut file = archive
            .by_index(index)
            .map_err(|_| AlipayBillError::NotAnArchive)?;
        let raw = file.name_raw();
        let name = match std::str::from_utf8(raw) {
            Ok(name) => Some(name.to_owned()),
            Err(_) => Charset::Gbk.decode(raw),
        };
        let Some(name) = name.filter(|name| name.contains("业务明细") && !name.contains("汇总"))
        else {
            continue;
        };
        let mut bytes = Vec::new();
        file.by_ref()
            .take(FILE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(|_| AlipayBillError::NotAnArchive)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(AlipayBillError::TooLarge);
        }
        return Ok((name, bytes));
    }
    Err(AlipayBillError::NoDetailFile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_inside_a_value_separates_nothing() {
        let check = |line: &str, expected: &[&str]| assert_eq!(values(line), expected, "{line}");
        check("a\t,b\t,\t", &["a", "b", ""]);
        check("a,b\t,c\t", &["a,b", "c"]);
        check("a\t, b \t,c\t", &["a", "b", "c"]);
        check("a,b,", &["a", "b", ""]);
        check("\t", &[""]);
    }

    #[test]
    fn totals_are_read_where_they_are_stated() {
        let mut totals = Totals::default();
        totals.take("导出时间：[2026年01月01日 10:00:00]");
        assert_eq!(totals, Totals::default());
        totals.take("交易合计：12笔，商家实收共500.00元，商家优惠共0.00元");
        totals.take("退款合计：1笔，商家实收退款共-3.50元，商家优惠退款共0.00元");
        assert_eq!(totals.payments, Some((12, Money::from_yuan(500))));
        assert_eq!(totals.refunds, Some((1, Money::from_fen(350))));
    }
}
