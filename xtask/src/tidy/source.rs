//! One file as the rules see it: its text, and for Rust its tokens with comments left out.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::error::Error;
use crate::tree;

/// What a token is, as far as the rules care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Word,
    Sign,
    Literal,
    /// `(`, `[` or `{`; `close` is the index of the token that closes it.
    Open {
        close: usize,
    },
    Close,
}

/// A token of Rust code.
#[derive(Debug, Clone)]
pub struct Token {
    pub kind: Kind,
    pub text: String,
    /// Counted from 1.
    pub line: usize,
    /// Inside `#[cfg(test)]`, `#[test]` or a file of tests.
    pub in_test: bool,
}

/// One text file of the work tree.
#[derive(Debug)]
pub struct Source {
    /// Path from the root, with `/`.
    pub path: String,
    pub text: String,
    /// Empty for files that are not Rust.
    pub tokens: Vec<Token>,
}

/// Files that are no text of ours: pictures, fonts, sounds, lock files.
const NOT_READ: [&str; 15] = [
    ".png",
    ".ico",
    ".icns",
    ".ttf",
    ".otf",
    ".woff2",
    ".wav",
    ".ogg",
    ".pdf",
    ".bin",
    ".gz",
    ".zst",
    ".db",
    "Cargo.lock",
    "package-lock.json",
];

impl Source {
    /// Reads a file of the work tree; `None` if it is no text of ours.
    ///
    /// # Errors
    /// Where it cannot be read, or is no Rust although it is called so.
    pub fn read(path: &str) -> Result<Option<Self>, Error> {
        if NOT_READ.iter().any(|ending| path.ends_with(ending)) {
            return Ok(None);
        }
        Self::of(path, tree::read(path)?).map(Some)
    }

    /// The file called `path` with the given text.
    ///
    /// # Errors
    /// Where it is called Rust and is not.
    pub fn of(path: &str, text: String) -> Result<Self, Error> {
        let mut tokens = Vec::new();
        if path.ends_with(".rs") {
            let stream: TokenStream = text
                .parse()
                .map_err(|error| Error::unreadable(path, format!("{error}")))?;
            flatten(stream, is_test_file(path), &mut tokens);
        }
        Ok(Self {
            path: path.to_owned(),
            text,
            tokens,
        })
    }

    /// Whether the file lies in one of these folders (or is it).
    pub fn is_in(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    /// Whether the file's name ends like this.
    pub fn ends(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.path.ends_with(ending))
    }

    /// The lines on which the words and signs of `pattern` (`"Instant::now"`) follow each other in
    /// code, tests left out if `with_tests` is false.
    pub fn lines_with(&self, pattern: &[&str], with_tests: bool) -> Vec<usize> {
        self.tokens
            .windows(pattern.len())
            .filter(|window| {
                let same = window.iter().zip(pattern).all(|(token, part)| {
                    !matches!(token.kind, Kind::Literal) && token.text == *part
                });
                same && (with_tests || !window[0].in_test)
            })
            .map(|window| window[0].line)
            .collect()
    }
}

fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

fn flatten(stream: TokenStream, in_test: bool, out: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    // Set by a test attribute, until the item it stands on has ended.
    let mut item_is_test = false;
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        let inside = in_test || item_is_test;
        let mut push = |kind, text: String| {
            out.push(Token {
                kind,
                text,
                line,
                in_test: inside,
            })
        };
        match tree {
            TokenTree::Ident(word) => push(Kind::Word, word.to_string()),
            TokenTree::Literal(literal) => push(Kind::Literal, literal.to_string()),
            TokenTree::Punct(sign) => {
                if sign.as_char() == ';' {
                    item_is_test = false;
                }
                let attribute = sign.as_char() == '#';
                push(Kind::Sign, sign.to_string());
                if attribute && trees.peek().is_some_and(is_inner_mark) {
                    trees.next();
                }
                if let (true, Some(TokenTree::Group(group))) = (attribute, trees.peek()) {
                    let words = group.stream().to_string();
                    item_is_test |= is_test_attribute(&words);
                    if words.starts_with("doc ") || words.starts_with("doc=") {
                        trees.next();
                    }
                }
            }
            TokenTree::Group(group) => {
                let brace = group.delimiter() == Delimiter::Brace;
                enclose(&group, inside, out);
                if brace {
                    item_is_test = false;
                }
            }
        }
    }
}

fn is_inner_mark(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(sign) if sign.as_char() == '!')
}

fn is_test_attribute(words: &str) -> bool {
    let words: String = words.split_whitespace().collect();
    words == "cfg(test)" || words == "test" || words.starts_with("tokio::test")
}

fn enclose(group: &Group, in_test: bool, out: &mut Vec<Token>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::None => ("", ""),
    };
    let opened = out.len();
    let line = group.span_open().start().line;
    out.push(Token {
        kind: Kind::Open { close: 0 },
        text: open.into(),
        line,
        in_test,
    });
    flatten(group.stream(), in_test, out);
    let closed = out.len();
    let line = group.span_close().end().line;
    out.push(Token {
        kind: Kind::Close,
        text: close.into(),
        line,
        in_test,
    });
    out[opened].kind = Kind::Open { close: closed };
}
