//! Zip archives as Alipay writes them: names in GBK, without the mark of UTF-8. Archive libraries
//! write names in UTF-8 only.

use flate2::Crc;

/// Files with their names, stored without compression.
pub(super) fn archive(files: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in files {
        let offset = size(body.len());
        let entry = entry(name, content);
        body.extend(0x0403_4b50_u32.to_le_bytes());
        body.extend(&entry);
        body.extend(name);
        body.extend(content);
        directory.extend(0x0201_4b50_u32.to_le_bytes());
        directory.extend(20_u16.to_le_bytes());
        directory.extend(&entry);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name);
    }
    let (at, length) = (size(body.len()), size(directory.len()));
    let count = u16::try_from(files.len()).expect("a bill has two files");
    body.extend(directory);
    body.extend(0x0605_4b50_u32.to_le_bytes());
    body.extend([0; 4]);
    body.extend(count.to_le_bytes());
    body.extend(count.to_le_bytes());
    body.extend(length.to_le_bytes());
    body.extend(at.to_le_bytes());
    body.extend([0; 2]);
    body
}

/// What both headers of a file hold: version, flags, method, time, date, sum, sizes, lengths.
fn entry(name: &[u8], content: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(content);
    let mut entry = Vec::new();
    for field in [20_u16, 0, 0, 0, 0x21] {
        entry.extend(field.to_le_bytes());
    }
    for field in [sum.sum(), size(content.len()), size(content.len())] {
        entry.extend(field.to_le_bytes());
    }
    let length = u16::try_from(name.len()).expect("names are short");
    entry.extend(length.to_le_bytes());
    entry.extend(0_u16.to_le_bytes());
    entry
}

fn size(length: usize) -> u32 {
    u32::try_from(length).expect("a day's bill is far smaller than this")
}
