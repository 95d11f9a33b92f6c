use std::path::PathBuf;

use chopmark_domain::seal::{ChainValue, SealClaims};
use chopmark_log::Chain;
use chopmark_log::export::ExportWriter;
use chopmark_signing::{KeyRing, seal};
use chrono::TimeDelta;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

fn ring(random: u8) -> KeyRing {
    KeyRing::generate([[random; 32], [random + 1; 32]]).unwrap()
}

/// A log that is written by hand: records, and seals by a key.
#[derive(Clone, Default)]
struct Story(Vec<Record>);

impl Story {
    fn record(mut self, stream: &str, kind: &str, data: &[u8], metadata: &[u8]) -> Self {
        let number = self.0.len() as u64 + 1;
        let revision = self.0.iter().filter(|record| record.stream.as_str() == stream).count();
        self.0.push(Record {
            id: Uuid::from_u128(0x019a_a1f4_6f70_7d32_a5a5_0000_0000_0000 | u128::from(number)),
            stream: StreamName::new(stream).unwrap(),
            revision: Revision(revision as u64),
            position: Position(number),
            kind: kind.into(),
            data: data.to_vec(),
            metadata: metadata.to_vec(),
            recorded_at: DateTime::UNIX_EPOCH
                + TimeDelta::microseconds(1_790_000_000_000_000 + i64::try_from(number).unwrap()),
        });
        self
    }

    fn happens(self, stream: &str) -> Self {
        self.record(stream, "happened.v1", b"{\"what\":\"something\"}", b"{}")
    }

    /// The seal over the first records.
    fn sealed_by(self, keys: &KeyRing, records: usize) -> Self {
        let mut chain = Chain::START;
        self.0[..records].iter().for_each(|record| chain.add(record));
        let last = &self.0[records - 1];
        let claims = SealClaims {
            stream: last.stream.as_str().into(),
            revision: last.revision.0,
            id: last.id,
            records: chain.records(),
            chain: ChainValue(chain.value()),
        };
        let sealed = Sealed { seal: seal(keys, &claims).unwrap(), claims };
        self.record("seals", "sealed.v1", json!(sealed).to_string().as_bytes(), b"{\"cause\":{\"source\":\"system\"}}")
    }

    /// Five records, the last of them not sealed.
    fn usual() -> Self {
        Self::default()
            .happens("a")
            .happens("b")
            .sealed_by(&ring(1), 2)
            .happens("a")
            .sealed_by(&ring(1), 4)
            .happens("b")
    }

    fn bytes(&self) -> Vec<u8> {
        let at = DateTime::UNIX_EPOCH + TimeDelta::microseconds(1_790_000_001_000_000);
        let mut writer = ExportWriter::begin(vec![], at).unwrap();
        self.0.iter().for_each(|record| writer.record(record).unwrap());
        writer.finish().unwrap().1
    }

    fn inspected(&self, trust: &Trust) -> Result<Report, Finding> {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log.jsonl");
        std::fs::write(&path, self.bytes()).unwrap();
        file(&path, trust)
    }
}

fn trusted() -> Trust {
    Trust::Keys(PublicKeys::from(&ring(1)))
}

#[test]
fn a_log_that_is_as_it_was_sealed_is_whole() {
    let report = Story::usual().inspected(&trusted()).unwrap();
    assert_eq!((report.records, report.streams, report.seals, report.is_signed), (6, 3, 2, true));
    let covered = report.covered.unwrap();
    assert_eq!((covered.records, covered.until), (4, Story::usual().0[3].recorded_at));
    let unsealed = Story::default().happens("a").inspected(&trusted()).unwrap();
    assert!(unsealed.covered.is_none() && unsealed.seals == 0);
}

#[test]
fn a_seal_may_come_long_after_what_it_covers() {
    let mut late = Story::default().happens("a").happens("a").happens("b").happens("b");
    late = late.sealed_by(&ring(1), 2).sealed_by(&ring(1), 1);
    let report = late.inspected(&trusted()).unwrap();
    assert_eq!((report.seals, report.covered.unwrap().records), (2, 2));
}

#[test]
fn whatever_is_changed_before_a_seal_is_found_and_narrowed_down() {
    let changes: [fn(&mut Vec<Record>); 6] = [
        |records| records[3].data = b"{\"what\":\"nothing\"}".to_vec(),
        |records| records[3].metadata = b"{ }".to_vec(),
        |records| records[3].kind = "happened.v2".into(),
        |records| records[3].id = Uuid::nil(),
        |records| {
            records[3].stream = StreamName::new("c").unwrap();
            records[3].revision = Revision(0);
        },
        |records| {
            // The seal before it was taken away.
            records.remove(2);
            records[3].revision = Revision(0);
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut story = Story::usual();
        change(&mut story.0);
        let finding = story.inspected(&trusted()).unwrap_err();
        let is_found = matches!(finding, Finding::Changed { after: 0 | 2, upto: 4, .. });
        assert!(is_found, "change {number}: {finding}");
    }
    let mut story = Story::usual();
    story.0[3].data = b"{}".to_vec();
    let said = story.inspected(&trusted()).unwrap_err().to_string();
    assert_eq!(said, "the log is not what was sealed: records 3 to 4 are others than those that seal 1 covers");
}

#[test]
fn records_that_are_missing_are_found() {
    let mut story = Story::usual();
    story.0.remove(1);
    assert!(matches!(story.inspected(&trusted()), Err(Finding::Gap { .. } | Finding::Changed { .. })));
    let mut story = Story::usual();
    story.0.remove(0);
    assert!(matches!(story.inspected(&trusted()), Err(Finding::Gap { number: 3, .. } | Finding::Changed { .. })));
    let short = Story::usual();
    let of_more = Story(short.0.iter().filter(|record| record.stream.as_str() != "b").cloned().collect());
    assert!(matches!(of_more.inspected(&trusted()), Err(Finding::Changed { .. } | Finding::Shorter { .. })));
}

#[test]
fn seals_of_strangers_are_not_believed_and_without_keys_records_must_still_fit() {
    let story = Story::default().happens("a").sealed_by(&ring(7), 1);
    let unknown = story.inspected(&trusted()).unwrap_err();
    assert!(matches!(unknown, Finding::Seal { source: SealError::UnknownKey { .. }, .. }), "{unknown}");
    let report = story.inspected(&Trust::Unsigned).unwrap();
    assert!(!report.is_signed && report.seals == 1);
    let mut changed = story;
    changed.0[0].data = b"{}".to_vec();
    assert!(matches!(changed.inspected(&Trust::Unsigned), Err(Finding::Changed { .. })));
}

#[test]
fn what_is_no_seal_among_the_seals_is_said() {
    let story = Story::usual().record("seals", "sealed.v9", b"{}", b"{}");
    assert!(matches!(story.inspected(&trusted()), Err(Finding::NotASeal(_))));
}

/// Every way in which a line may look, sealed twice; and the same where somebody changed a record afterwards, and counted
/// everything anew.
fn vector() -> (Story, Story) {
    let mut story = Story::default()
        .record(
            "seller-acme",
            "seller_secret_created.v1",
            b"{\"secret\":\"00\"}",
            b"{\"cause\":{\"source\":\"system\"}}",
        )
        .record("instance-acme/\"\\\u{754c}", "instance_created.v1", "{\"name\":\"\u{754c}\\u754c\"}".as_bytes(), b"{}")
        .happens("instance-acme/2")
        .record("instance-acme/2", "number.v1", b"1.10", b"[1, 2,3]")
        .sealed_by(&ring(1), 3)
        .record("instance-acme/2", "null.v1", b"null", b"")
        .record("instance-acme/2", "bytes.v1", b"\x00\xff", b"{\n}")
        .record("instance-acme/2", "spaced.v1", b" {}", b"{} ")
        .happens("instance-acme/3")
        .sealed_by(&ring(1).rotate([3; 32]).unwrap(), 9)
        .happens("instance-acme/3");
    story = story.happens("instance-acme/2");
    let mut forged = story.clone();
    forged.0[2].data = b"{\"what\":\"something else\"}".to_vec();
    (story, forged)
}

/// The file that other languages are tried with. It is written anew with `CHOPMARK_BLESS=1`, which changes nothing unless
/// the format has changed.
#[test]
fn the_log_that_strangers_verify_is_what_we_write() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/vectors");
    let (story, forged) = vector();
    let keys = ring(1).rotate([3; 32]).unwrap();
    let jwks = format!("{:#}\n", json!(keys.jwks())).into_bytes();
    let files =
        [("sealed-log.jsonl", story.bytes()), ("forged-log.jsonl", forged.bytes()), ("sealed-log.jwks.json", jwks)];
    for (name, bytes) in files {
        let path = folder.join(name);
        if std::env::var_os("CHOPMARK_BLESS").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "{name} is another one; see above");
    }
    let trust = Trust::Keys(PublicKeys::from(&keys));
    let report = file(&folder.join("sealed-log.jsonl"), &trust).unwrap();
    assert_eq!((report.records, report.seals), (12, 2));
    assert!(matches!(file(&folder.join("forged-log.jsonl"), &trust), Err(Finding::Changed { after: 0, upto: 3, .. })));
}
