//! The flat XML of API v2: one element for each parameter, nothing else.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;

/// Largest message read; the gateway's are a few kilobytes.
const BYTES_MAX: usize = 256 * 1024;

/// Why a text is not such a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Larger than any message.
    #[error("the message is too large")]
    TooLarge,
    /// Not well-formed, or not UTF-8.
    #[error("not XML: {0}")]
    NotXml(String),
    /// A document type, an entity of its own or a processing instruction: none belongs here, and
    /// each can be an attack.
    #[error("the message holds what no message holds: {0}")]
    Forbidden(&'static str),
    /// Elements inside elements, or text outside of them.
    #[error("the message is not a flat list")]
    NotFlat,
    /// The same parameter twice: which one counts would be a guess.
    #[error("{0} stands twice")]
    Twice(String),
}

/// Root of every message.
const ROOT: &str = "xml";

/// Writes parameters.
pub fn write_xml(params: &BTreeMap<String, String>) -> String {
    write_flat(ROOT, params)
}

/// Writes parameters below another root.
pub fn write_flat(root: &str, params: &BTreeMap<String, String>) -> String {
    let mut text = format!("<{root}>");
    for (name, value) in params {
        text.push_str(&format!("<{name}>{}</{name}>", escape(value.as_str())));
    }
    text.push_str(&format!("</{root}>"));
    text
}

/// Reads parameters.
pub fn read_xml(body: &[u8]) -> Result<BTreeMap<String, String>, XmlError> {
    read_flat(ROOT, body)
}

/// Reads parameters below another root.
pub fn read_flat(root: &str, body: &[u8]) -> Result<BTreeMap<String, String>, XmlError> {
    if body.len() > BYTES_MAX {
        return Err(XmlError::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|error| not_xml(&error))?;
    let mut reader = Reader::from_str(text);
    let mut read = Reading::below(root);
    loop {
        match reader.read_event().map_err(|error| not_xml(&error))? {
            Event::Start(tag) => read.open(tag.name().as_ref())?,
            Event::Empty(tag) => {
                read.open(tag.name().as_ref())?;
                read.close()?;
            }
            Event::End(_) => read.close()?,
            Event::Text(part) => read.text(&part)?,
            Event::CData(part) => read.text(&part)?,
            Event::GeneralRef(entity) => {
                let character = entity.resolve_char_ref().map_err(|error| not_xml(&error))?;
                match character {
                    Some(character) => read.text(character.encode_utf8(&mut [0; 4]))?,
                    None => read.text(
                        resolve_predefined_entity(&entity)
                            .ok_or(XmlError::Forbidden("an entity"))?,
                    )?,
                }
            }
            Event::Decl(_) | Event::Comment(_) => {}
            Event::DocType(_) => return Err(XmlError::Forbidden("a document type")),
            Event::PI(_) => return Err(XmlError::Forbidden("a processing instruction")),
            Event::Eof => return read.end(),
        }
    }
}

struct Reading<'a> {
    root: &'a str,
    in_root: bool,
    root_seen: bool,
    parameter: Option<(String, String)>,
    params: BTreeMap<String, String>,
}

impl<'a> Reading<'a> {
    fn below(root: &'a str) -> Reading<'a> {
        Reading {
            root,
            in_root: false,
            root_seen: false,
            parameter: None,
            params: BTreeMap::new(),
        }
    }

    fn open(&mut self, name: &str) -> Result<(), XmlError> {
        if !self.in_root && !self.root_seen && name == self.root {
            self.in_root = true;
            self.root_seen = true;
            return Ok(());
        }
        if !self.in_root || self.parameter.is_some() {
            return Err(XmlError::NotFlat);
        }
        if self.params.contains_key(name) {
            return Err(XmlError::Twice(name.to_owned()));
        }
        self.parameter = Some((name.to_owned(), String::new()));
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        match self.parameter.take() {
            Some((name, value)) => {
                self.params.insert(name, value);
            }
            None if self.in_root => self.in_root = false,
            None => return Err(XmlError::NotFlat),
        }
        Ok(())
    }

    fn text(&mut self, part: &str) -> Result<(), XmlError> {
        match &mut self.parameter {
            Some((_, value)) => value.push_str(part),
            None if part.trim().is_empty() => {}
            None => return Err(XmlError::NotFlat),
        }
        Ok(())
    }

    fn end(self) -> Result<BTreeMap<String, String>, XmlError> {
        if self.in_root || !self.root_seen || self.parameter.is_some() {
            return Err(XmlError::NotFlat);
        }
        Ok(self.params)
    }
}

fn not_xml(error: &impl ToString) -> XmlError {
    XmlError::NotXml(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let params: BTreeMap<String, String> =
            [("a", "1 < 2 & \"x\" ]]>"), ("b", ""), ("c", "储值")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        assert_eq!(read_xml(write_xml(&params).as_bytes()), Ok(params));
    }

    #[test]
    fn only_a_flat_list_is_read() {
        let check = |text: &str, expected: Result<&[(&str, &str)], XmlError>| {
            let expected = expected.map(|pairs| {
                let owned = pairs
                    .iter()
                    .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
                owned.collect::<BTreeMap<_, _>>()
            });
            assert_eq!(read_xml(text.as_bytes()), expected, "{text}");
        };
        check(
            "<xml><a><![CDATA[1]]></a>\n<b/></xml>",
            Ok(&[("a", "1"), ("b", "")]),
        );
        check(
            "<?xml version=\"1.0\"?><xml><a>&lt;&#65;</a></xml>",
            Ok(&[("a", "<A")]),
        );
        check("<xml></xml>", Ok(&[]));
        check("<xml><a><b>1</b></a></xml>", Err(XmlError::NotFlat));
        check("<xml>text</xml>", Err(XmlError::NotFlat));
        check("<other><a>1</a></other>", Err(XmlError::NotFlat));
        check("<xml></xml><xml></xml>", Err(XmlError::NotFlat));
        check("", Err(XmlError::NotFlat));
        check(
            "<xml><a>1</a><a>2</a></xml>",
            Err(XmlError::Twice("a".to_owned())),
        );
        let bomb = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><xml><a>&e;</a></xml>";
        check(bomb, Err(XmlError::Forbidden("a document type")));
        check(
            "<xml><a>&e;</a></xml>",
            Err(XmlError::Forbidden("an entity")),
        );
        check(
            "<?php x?><xml></xml>",
            Err(XmlError::Forbidden("a processing instruction")),
        );
        for text in ["<xml><a>1</xml>", "<xml><a>1</a>", "<xml"] {
            assert!(read_xml(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read_xml(&[0xff, 0xfe]).is_err());
        assert_eq!(
            read_xml(&vec![b' '; BYTES_MAX + 1]),
            Err(XmlError::TooLarge)
        );
    }
}
