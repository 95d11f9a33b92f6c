use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use uuid::Uuid;

use super::{ExportError, ExportReader, ExportWriter};
use crate::chain::Chain;
use crate::record::{Position, Record, Revision, StreamName};

/// A record with this data and metadata.
fn record(number: u64, data: &[u8], metadata: &[u8]) -> Record {
    Record {
        id: Uuid::from_u128(u128::from(number) << 64 | 7),
        stream: StreamName::new("instance-acme/ид \"1\"").unwrap(),
        revision: Revision(number),
        position: Position(number * 3),
        kind: "kind.v1".into(),
        data: data.to_vec(),
        metadata: metadata.to_vec(),
        recorded_at: DateTime::UNIX_EPOCH + TimeDelta::microseconds(1_790_000_000_000_001),
    }
}

/// Every way in which bytes may or may not be JSON in one line.
fn records() -> Vec<Record> {
    let odd: [&[u8]; 14] = [
        b"{\"a\":1.10,\"b\":[null,\"\\u00e9\"]}",
        b"null",
        b"",
        b"{}",
        b" {}",
        b"{ }",
        b"{\n}",
        b"{} ",
        b"\"\xff\"",
        b"\"\\ud800\"",
        b"12345678901234567890123456789.000",
        b"{\"a\":1,\"a\":2}",
        "\"界\u{2028}\"".as_bytes(),
        b"nonsense",
    ];
    let other = |number: usize| odd[(number * 5 + 3) % odd.len()];
    odd.iter().enumerate().map(|(number, data)| record(number as u64, data, other(number))).collect()
}

fn written(records: &[Record]) -> (Vec<u8>, Chain) {
    let at = DateTime::UNIX_EPOCH + TimeDelta::nanoseconds(1_790_000_000_123_456_789);
    let mut writer = ExportWriter::begin(vec![], at).unwrap();
    records.iter().for_each(|record| writer.record(record).unwrap());
    let (chain, bytes) = writer.finish().unwrap();
    (bytes, chain)
}

fn read(bytes: &[u8]) -> Result<Vec<Record>, ExportError> {
    let mut reader = ExportReader::open(bytes)?;
    let mut records = vec![];
    while let Some(record) = reader.next_record()? {
        records.push(record);
    }
    assert!(reader.next_record()?.is_none(), "the end stays the end");
    Ok(records)
}

#[test]
fn every_byte_of_every_record_comes_back() {
    let records = records();
    let (bytes, chain) = written(&records);
    assert_eq!(read(&bytes).unwrap(), records);
    let mut expected = Chain::START;
    records.iter().for_each(|record| expected.add(record));
    assert_eq!(chain, expected);
    assert_eq!(read(&written(&[]).0).unwrap(), []);
}

#[test]
fn json_is_readable_as_json() {
    let text = String::from_utf8(written(&records()[..1]).0).unwrap();
    let line = text.lines().nth(1).unwrap();
    assert!(line.ends_with(r#""data":{"a":1.10,"b":[null,"\u00e9"]},"metadata":{}}"#), "{line}");
    assert!(text.starts_with("{\"format\":\"chopmark-log\",\"version\":1,\"exported_at\":\"2026-"), "{text}");
}

#[test]
fn a_change_of_any_byte_is_noticed() {
    let (bytes, _) = written(&records()[..3]);
    for at in 0..bytes.len() {
        for mask in [0x01, 0x20, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= mask;
            assert!(read(&changed).is_err(), "byte {at} with {mask:#x}: {}", String::from_utf8_lossy(&changed));
        }
    }
}

#[test]
fn a_file_that_was_cut_or_went_on_is_noticed() {
    let (bytes, _) = written(&records()[..3]);
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "the first {length} bytes");
    }
    let line_ends: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').collect();
    let cut = read(&bytes[..=line_ends[2]]).unwrap_err();
    assert!(matches!(cut, ExportError::CutOff { line: 3 }), "{cut}");
    for more in [&b"\n"[..], b" ", b"{}\n", &bytes] {
        assert!(matches!(read(&[&bytes, more].concat()), Err(ExportError::Changed { .. })));
    }
}

#[test]
fn lines_that_are_missing_twice_there_or_moved_are_noticed() {
    let (bytes, _) = written(&records()[..3]);
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let [header, a, b, c, trailer] = lines[..] else { panic!("five lines") };
    for other in [vec![header, a, b, trailer], vec![header, a, b, b, c, trailer], vec![header, b, a, c, trailer]] {
        assert!(matches!(read(&other.concat()), Err(ExportError::Changed { .. })));
    }
}

#[test]
fn what_is_no_export_is_told_from_one_of_a_newer_version() {
    for other in [&b""[..], b"\n", b"{}\n", b"SQLite format 3\0", b"{\"format\":\"other\",\"version\":1}\n"] {
        assert!(matches!(read(other), Err(ExportError::NotAnExport { .. })), "{other:?}");
    }
    let newer = b"{\"format\":\"chopmark-log\",\"version\":2,\"exported_at\":\"2026-11-24T12:00:00Z\"}\n";
    assert!(matches!(read(newer), Err(ExportError::Newer { found: 2 })));
}

#[test]
fn a_bad_line_is_named_with_its_number() {
    let (bytes, _) = written(&records()[..2]);
    let text = String::from_utf8(bytes).unwrap();
    for (from, to, reason) in [
        ("\"revision\":1", "\"revision\":-1", "-1"),
        ("\"revision\":1", "\"revision\":1,\"more\":1", "more"),
        ("\"data_base64\":\"bnVsbA==\"", "\"data_base64\":\"bnVsbA=\"", "data_base64"),
        ("\"data_base64\":\"bnVsbA==\"", "\"data_base64\":\"bnVsbA==\",\"data\":1", "one of data"),
        (".000001Z\",\"data_base64\"", ".0000019Z\",\"data_base64\"", "microseconds"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = read(changed.as_bytes()).unwrap_err();
        assert!(matches!(error, ExportError::Line { line: 3, .. }) && error.to_string().contains(reason), "{error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_come_back(data in prop::collection::vec(any::<u8>(), 0..40), metadata in "[\\[\\]{}\", :0-9a-z\n\\\\]{0,20}") {
        let records = [record(0, &data, metadata.as_bytes())];
        prop_assert_eq!(read(&written(&records).0).unwrap(), records);
    }

    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }
}
