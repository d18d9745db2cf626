//! Decoder: all compressions and encodings give the same text, and corruption is reported.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;

const TEXT: &str = "time,open\n2024-01-02,1.5\n2024-01-03,é€𝄞\n";

fn decode_with(mut decoder: Decoder, bytes: &[u8], piece: usize) -> Result<String, String> {
    let mut out = Vec::new();
    let mut sink = |text: &[u8]| {
        out.extend_from_slice(text);
        Ok(())
    };
    for piece in bytes.chunks(piece.max(1)) {
        decoder.push(piece, &mut sink).map_err(|f| f.message)?;
    }
    decoder.finish(&mut sink).map_err(|f| f.message)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn decode(bytes: &[u8], piece: usize) -> Result<String, String> {
    decode_with(Decoder::new("x.csv"), bytes, piece)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn unzip(zip: &[u8]) -> Result<String, String> {
    let entry = locate("x.zip", Cursor::new(zip)).map_err(|f| f.message)?;
    let (from, length) = (usize::try_from(entry.start).unwrap(), usize::try_from(entry.length).unwrap());
    let packed = zip.get(from..from.saturating_add(length)).ok_or("the entry lies beyond the zip")?;
    decode_with(Decoder::of_zip_entry("x.zip", &entry), packed, 7)
}

fn utf16(text: &str, big_endian: bool, mark: bool) -> Vec<u8> {
    let mark = if mark { "\u{feff}" } else { "" };
    let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
    format!("{mark}{text}").encode_utf16().flat_map(bytes).collect()
}

#[test]
fn every_compression_and_encoding_gives_the_same_text() {
    let encodings = [
        TEXT.as_bytes().to_vec(),
        format!("\u{feff}{TEXT}").into_bytes(),
        utf16(TEXT, false, true),
        utf16(TEXT, true, true),
        utf16(TEXT, false, false),
        utf16(TEXT, true, false),
        TEXT.replace('\n', "\r").into_bytes(),
    ];
    for bytes in encodings {
        for piece in [1, 2, 3, 5, 1000] {
            assert_eq!(decode(&bytes, piece).unwrap(), TEXT);
            assert_eq!(decode(&gzip(&bytes), piece).unwrap(), TEXT);
        }
        assert_eq!(unzip(&zip_of(&[("a/bars.CSV", &bytes), ("readme.txt", b"x")])).unwrap(), TEXT);
    }
    let twice = [gzip(b"time,open\n"), gzip(b"2024-01-02,1.5\n")].concat();
    assert_eq!(decode(&twice, 9).unwrap(), "time,open\n2024-01-02,1.5\n", "gzip files one after the other");
}

#[test]
fn line_ends_become_lf_without_shifting_offsets() {
    assert_eq!(decode(b"a\rb\r\nc\nd\r\re\r", 1).unwrap(), "a\nb\r\nc\nd\n\ne\n");
    assert_eq!(decode(b"a\rb\r\nc\nd\r\re\r", 100).unwrap(), "a\nb\r\nc\nd\n\ne\n");
}

#[test]
fn damaged_and_binary_files_are_named() {
    let packed = gzip(TEXT.repeat(50).as_bytes());
    assert!(decode(&packed[..packed.len() - 3], 64).unwrap_err().contains("truncated or corrupt"));
    assert!(decode(&packed[..packed.len() / 2], 64).unwrap_err().contains("truncated or corrupt"));
    let mut flipped = packed.clone();
    flipped[packed.len() - 5] ^= 1;
    assert!(decode(&flipped, 64).unwrap_err().contains("truncated or corrupt"));
    assert!(decode(&gzip(&packed), 64).unwrap_err().contains("compressed twice"));
    assert!(decode(b"\xFD7zXZ\0\0", 64).unwrap_err().contains("compressed with xz"));
    assert!(decode(b"PAR1....", 64).unwrap_err().contains("Parquet"));
    assert!(decode(b"\xD0\xCF\x11\xE0....", 64).unwrap_err().contains("Excel"));
    let odd = &utf16(TEXT, false, true)[..21];
    assert!(decode(odd, 64).unwrap_err().contains("UTF-16"));
    let zip = |files: &[(&str, &[u8])]| unzip(&zip_of(files)).unwrap_err();
    assert!(zip(&[("xl/workbook.xml", b"x")]).contains("Excel"));
    assert!(zip(&[("a.json", b"x")]).contains("without a .csv or .txt file. It contains: a.json"));
    assert!(zip(&[("a.csv", b"x"), ("b.csv", b"x")]).contains("2 CSV or text files"));
    let whole = zip_of(&[("a.csv", TEXT.repeat(50).as_bytes())]);
    assert!(unzip(&whole[..whole.len() / 2]).unwrap_err().contains(" as a zip: "));
}

#[test]
fn a_decompression_bomb_is_rejected_within_bounded_memory() {
    let bomb = gzip(&vec![b'\n'; 8 << 20]);
    assert!(bomb.len() < 10_000);
    let mut largest = 0;
    let mut decoder = Decoder::new("x.csv.gz").with_limit(1 << 20);
    let refused = decoder.push(&bomb, &mut |text| {
        largest = largest.max(text.len());
        Ok(())
    });
    assert!(refused.unwrap_err().message.contains("more than 1 MiB"));
    assert!(largest <= PACKED_PIECE_BYTES * 1100, "{largest}");
}

proptest! {
    #[test]
    fn the_chunk_size_does_not_matter(text in "[a,\"\r\né0-9]{0,60}", piece in 1usize..20, wide: bool, packed: bool) {
        let bytes = if wide { utf16(&text, false, true) } else { text.into_bytes() };
        let bytes = if packed { gzip(&bytes) } else { bytes };
        prop_assert_eq!(decode(&bytes, piece), decode(&bytes, usize::MAX));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), start in 0usize..8, piece in 1usize..20) {
        let starts: [&[u8]; 8] = [b"", b"\x1F\x8B\x08\x00", b"PK\x03\x04", b"\xFF\xFE", b"\xFE\xFF", b"\xEF\xBB\xBF", b"\x1F", b"PK\x05\x06"];
        let bytes = [starts[start], &bytes].concat();
        let _ = decode(&bytes, piece);
        let _ = unzip(&bytes);
    }

    #[test]
    fn a_modified_zip_is_read_or_rejected(at in 0usize..200, byte: u8) {
        let mut zip = zip_of(&[("bars.csv", TEXT.as_bytes())]);
        let at = at % zip.len();
        zip[at] = byte;
        if let Ok(text) = unzip(&zip) {
            prop_assert_eq!(text, TEXT);
        }
    }
}
