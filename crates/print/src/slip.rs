//! The blocks every slip is written in.

use qiantai_core::Timestamp;
use time::Date;
use time::macros::format_description;

use crate::document::{Align, Line, Rule, Span};
use crate::texts::{Language, Texts};

/// The lines of a slip while it is being written.
pub(crate) struct Slip {
    pub(crate) texts: &'static Texts,
    pub(crate) lines: Vec<Line>,
}

impl Slip {
    pub(crate) fn new(language: Language) -> Slip {
        Slip {
            texts: language.texts(),
            lines: Vec::with_capacity(64),
        }
    }

    pub(crate) fn centred(&mut self, span: Span) {
        self.lines.push(Line::Text {
            span,
            align: Align::Center,
        });
    }

    pub(crate) fn rule(&mut self, rule: Rule) {
        self.lines.push(Line::Rule(rule));
    }

    pub(crate) fn columns(&mut self, left: Span, right: Span) {
        self.lines.push(Line::Columns {
            left,
            middle: None,
            right,
        });
    }

    pub(crate) fn entry(&mut self, label: &str, value: impl Into<String>) {
        self.columns(Span::plain(label), Span::plain(value));
    }

    pub(crate) fn table(
        &mut self,
        style: fn(String) -> Span,
        label: &str,
        middle: impl ToString,
        right: impl ToString,
    ) {
        self.lines.push(Line::Columns {
            left: style(label.to_owned()),
            middle: Some(style(middle.to_string())),
            right: style(right.to_string()),
        });
    }
}

pub(crate) fn date_time(at: Timestamp) -> String {
    at.local()
        .format(format_description!(
            "[year]-[month]-[day] [hour]:[minute]:[second]"
        ))
        .expect("a date and a time have all parts of the format")
}

pub(crate) fn date(day: Date) -> String {
    day.format(format_description!("[year]-[month]-[day]"))
        .expect("a date has all parts of the format")
}
