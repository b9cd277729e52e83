//! `import-receipts` and `import-copy`: what a lost terminal sold, from the receipts that it printed,
//! and what it wrote, from its second copy.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use qiantai_server::copies::{BadRecord, BroughtBack, Stopped};
use qiantai_server::{Channels, Server};
use qiantai_wire::api::{RECEIPTS_LIMIT, ReceiptResultDto};
use qiantai_wire::feed::OutcomeDto;

use crate::cli::{ImportCopy, ImportReceipts};
use crate::settings::Place;
use crate::{AnyError, Ending, books, say, serving};

/// Longest file: more than a day of a large shop.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Takes every line, and says of each what became of it. Bad when one is not in the books now.
pub(crate) async fn receipts(asked: &ImportReceipts, place: &Place) -> Result<Ending, AnyError> {
    let text = read(&asked.file)?;
    let lines: Vec<(usize, &str)> = (1..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.trim()))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    let opened = books::open_to_write(place, "qiantai-server import-receipts".to_owned())?;
    let server = serving(&opened, Channels::default())?;
    let taken = take_all(&server, &lines).await;
    server.stop().await;
    let (counts, all_there) = taken?;
    let counts: Vec<_> = counts
        .iter()
        .map(|(status, count)| format!("{status}={count}"))
        .collect();
    say(&format!("receipts={} {}", lines.len(), counts.join(" ")))?;
    Ok(match all_there {
        true => Ending::Well,
        false => Ending::Bad,
    })
}

/// Takes every copy in a folder, and says of each terminal and each bad record what became of it.
/// Bad when anything is left to look at.
pub(crate) async fn copy(asked: &ImportCopy, place: &Place) -> Result<Ending, AnyError> {
    let opened = books::open_to_write(place, "qiantai-server import-copy".to_owned())?;
    let server = serving(&opened, Channels::default())?;
    let taken = server.bring_back_copies(&asked.folder).await;
    server.stop().await;
    let copies = taken?;
    for path in &copies.strange {
        say(&format!(
            "file {}: nothing tells whose it is",
            path.display()
        ))?;
    }
    for back in &copies.terminals {
        say(&told_of_copy(back))?;
        for record in &back.bad {
            say(&told_of_record(record))?;
        }
    }
    Ok(match copies.are_whole() {
        true => Ending::Well,
        false => Ending::Bad,
    })
}

fn told_of_copy(back: &BroughtBack) -> String {
    let (device, copied, new) = (back.device, back.copied, back.new);
    let mut said = format!("terminal={device} operations={copied} new={new}");
    for (word, count) in [("bad", back.bad.len()), ("kept_for_review", back.kept)] {
        if count > 0 {
            said += &format!(" {word}={count}");
        }
    }
    for (first, last) in &back.missing {
        said += &format!(" missing={first}-{last}");
    }
    match back.stopped {
        None => {}
        Some(Stopped::OtherBooks) => said += " of_other_books",
        Some(Stopped::UnknownTerminal) => said += " unknown_terminal",
        Some(Stopped::NotBelieved) => said += " quarantined",
        Some(Stopped::Fork(at)) => said += &format!(" fork_at={at}"),
    }
    said
}

fn told_of_record(record: &BadRecord) -> String {
    let number = record
        .number
        .map_or_else(String::new, |it| format!(" number={it}"));
    let (path, at, why) = (record.path.display(), record.at, record.why);
    format!("  bad record{number} in {path} at byte {at}: {why}")
}

/// How many lines became what, and whether each of them is decided in the books now.
async fn take_all(
    server: &Server,
    lines: &[(usize, &str)],
) -> Result<(BTreeMap<&'static str, usize>, bool), AnyError> {
    let mut counts = BTreeMap::new();
    let mut all_there = true;
    for part in lines.chunks(RECEIPTS_LIMIT) {
        let texts = part.iter().map(|(_, line)| (*line).to_owned()).collect();
        let results = server.bring_back_receipts(None, texts).await?;
        for ((number, _), result) in part.iter().zip(&results) {
            say(&format!("line {number}: {}", told(result)))?;
            *counts.entry(result.status.word()).or_default() += 1;
            let is_held = matches!(result.outcome, Some(OutcomeDto::Held));
            all_there &= result.status.is_in_the_books() && !is_held;
        }
    }
    Ok((counts, all_there))
}

fn told(result: &ReceiptResultDto) -> String {
    let mut said = result.status.word().to_owned();
    if let (Some(device), Some(seq)) = (result.device, result.device_seq) {
        said += &format!(" terminal={device} number={seq}");
    }
    if let Some(outcome) = &result.outcome {
        said += &format!(" outcome={}", word_of(outcome));
    }
    if result.missing_before > 0 {
        said += &format!(" missing_before={}", result.missing_before);
    }
    said
}

fn word_of(outcome: &OutcomeDto) -> &'static str {
    match outcome {
        OutcomeDto::Applied => "applied",
        OutcomeDto::Exists => "exists",
        OutcomeDto::ExistsWithDifferent { .. } => "exists_with_different",
        OutcomeDto::Refused(_) => "refused",
        OutcomeDto::Held => "held",
    }
}

fn read(file: &Path) -> Result<String, AnyError> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        let input = std::io::stdin().lock();
        input.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?
    } else {
        let input = std::fs::File::open(file)?;
        input.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?
    };
    if read as u64 > FILE_BYTES_MAX {
        return Err(format!("more than {FILE_BYTES_MAX} bytes are no list of receipts").into());
    }
    Ok(text)
}
