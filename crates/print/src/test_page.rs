//! The page that shows what a printer can do.

use qiantai_core::Timestamp;

use crate::document::{Align, Document, Line, PaperWidth, Rule, Span};
use crate::glyphs::Glyphs;
use crate::slip::{Slip, date_time};
use crate::texts::Language;
use crate::{Layout, PrintError, escpos, layout, pdf};

/// A page to hold beside the settings: how wide the paper is, and which characters come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestPage {
    /// The paper.
    pub width: PaperWidth,
    /// The language of the words.
    pub language: Language,
    /// What the printer is set to.
    pub glyphs: Glyphs,
    /// The store.
    pub store: String,
    /// Code of the terminal.
    pub terminal: String,
    /// When it is printed.
    pub printed_at: Timestamp,
}

/// Common characters, as every Chinese printer has them.
const COMMON: &str = "张伟 龚 ￥300.00";
/// Characters with four-byte codes.
const RARE: &str = "㛃 㼆";

impl TestPage {
    /// The bytes for the printer.
    ///
    /// # Errors
    /// The code on the page does not fit the paper.
    pub fn escpos(&self) -> Result<Vec<u8>, PrintError> {
        let parts = self.parts()?;
        let bytes = parts
            .iter()
            .flat_map(|(part, glyphs)| escpos::render(part, *glyphs));
        Ok(bytes.collect())
    }

    /// What goes to a receipt printer, part by part. The first sample goes as GBK text, the second
    /// as GB18030 text and the third as a picture, whatever the printer is set to: a person sees
    /// which come out.
    ///
    /// # Errors
    /// The code on the page does not fit the paper.
    pub fn parts(&self) -> Result<Vec<(Layout, Glyphs)>, PrintError> {
        let parts = [
            (self.head(), self.glyphs),
            (self.sample(0), Glyphs::Gbk),
            (self.sample(1), Glyphs::Gb18030),
            (self.sample(2), Glyphs::Pictures),
            (self.advice(), self.glyphs),
            (self.foot(), self.glyphs),
        ];
        parts
            .into_iter()
            .map(|(lines, glyphs)| Ok((layout(&self.document(lines))?, glyphs)))
            .collect()
    }

    /// The page as PDF, for printers that take no ESC/POS. It draws its own letters: there are no
    /// samples to choose by.
    ///
    /// # Errors
    /// The code on the page does not fit the paper.
    pub fn pdf(&self) -> Result<Vec<u8>, PrintError> {
        let mut lines = self.head();
        lines.extend(self.foot());
        Ok(pdf::render(&layout(&self.document(lines))?))
    }

    fn document(&self, lines: Vec<Line>) -> Document {
        Document {
            width: self.width,
            title: "test page".to_owned(),
            printed_at: self.printed_at,
            lines,
        }
    }

    fn head(&self) -> Vec<Line> {
        let words = words(self.language);
        let mut slip = Slip::new(self.language);
        slip.centred(Span::headline(words.title));
        slip.centred(Span::plain(&self.store));
        slip.entry(words.terminal, &self.terminal);
        slip.entry(words.time, date_time(self.printed_at));
        slip.rule(Rule::Heavy);
        let columns = self.width.columns();
        slip.columns(Span::plain(words.width), Span::plain(columns.to_string()));
        let ruler: String = "1234567890".chars().cycle().take(columns).collect();
        slip.centred(Span::plain(ruler));
        slip.rule(Rule::Light);
        slip.lines
    }

    fn sample(&self, which: usize) -> Vec<Line> {
        let words = words(self.language);
        let text = if which == 0 { COMMON } else { RARE };
        let mut slip = Slip::new(self.language);
        slip.entry(words.samples[which], text);
        slip.lines
    }

    fn advice(&self) -> Vec<Line> {
        let mut slip = Slip::new(self.language);
        slip.rule(Rule::Light);
        slip.lines.push(Line::Text {
            span: Span::plain(words(self.language).advice),
            align: Align::Left,
        });
        slip.lines
    }

    fn foot(&self) -> Vec<Line> {
        let words = words(self.language);
        let mut slip = Slip::new(self.language);
        slip.lines.push(Line::Qr {
            payload: format!("QIANTAI {}", date_time(self.printed_at)),
            caption: words.code.to_owned(),
        });
        slip.lines.extend([Line::Feed(1), Line::Cut]);
        slip.lines
    }
}

struct Words {
    title: &'static str,
    terminal: &'static str,
    time: &'static str,
    width: &'static str,
    samples: [&'static str; 3],
    advice: &'static str,
    code: &'static str,
}

fn words(language: Language) -> &'static Words {
    match language {
        Language::ZhCn => &ZH_CN,
        Language::En => &EN,
    }
}

static ZH_CN: Words = Words {
    title: "打印测试",
    terminal: "终端",
    time: "时间",
    width: "每行列数，下面一行应正好占满",
    samples: ["1 常用字", "2 生僻字", "3 图像"],
    advice: "三行都清楚，选“GB18030 全字符”；第 2 行是方块或乱码，选“GBK 两字节”；\
             只有第 3 行清楚，选“全部图像”。",
    code: "应能扫出打印时间",
};

static EN: Words = Words {
    title: "Test page",
    terminal: "Terminal",
    time: "Time",
    width: "Columns; the next line fills the paper",
    samples: ["1 Common", "2 Rare", "3 Picture"],
    advice: "All three lines clear: choose GB18030. Line 2 wrong: choose GBK. \
             Only line 3 clear: choose pictures.",
    code: "Reads as the time of printing",
};
