//! What a request claims in its query string: who signed it and when.

use std::borrow::Cow;

use chopmark_domain::cause::REQUEST_WINDOW;
use chrono::{DateTime, Utc};

use super::rejection::Reason;

/// The names of its parameters.
const NAMES: [&str; 3] = ["timestamp", "nonce", "signature"];

/// The three parameters of a signed request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// Not yet checked.
    pub(super) signature: String,
    /// As sent, within the window.
    pub(super) timestamp: String,
    /// Percent-decoded, as it was before it became part of the query string: so it was signed.
    pub(super) nonce: String,
}

impl Claim {
    /// Reads the claim. Parameters of other names are the seller's own and do not matter.
    ///
    /// It is decoded as servlets do it: `+` is a blank, and a `%` that begins no escape stands for itself.
    pub(super) fn read(query: &str, now: DateTime<Utc>) -> Result<Self, Reason> {
        let mut values = [const { None }; NAMES.len()];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(at) = NAMES.iter().position(|known| *known == name) else { continue };
            // Which of two values was signed nobody can tell.
            if values[at].replace(value).is_some() {
                return Err(Reason::ParameterRepeated { name: NAMES[at] });
            }
        }
        let [timestamp, nonce, signature] =
            values.map(|value| value.filter(|value| !value.is_empty()).map(Cow::into_owned));
        // Whoever does not even claim to have signed is told that first.
        let signature = signature.ok_or(Reason::SignatureMissing)?;
        let timestamp = timestamp.ok_or(Reason::TimestampMissing)?;
        let nonce = nonce.ok_or(Reason::NonceMissing)?;
        let sent_at = epoch_millis(&timestamp).ok_or(Reason::TimestampMalformed)?;
        if sent_at.abs_diff(now.timestamp_millis()) > REQUEST_WINDOW.num_milliseconds().unsigned_abs() {
            return Err(Reason::TimestampOutsideWindow);
        }
        Ok(Self { signature, timestamp, nonce })
    }
}

/// 13 digits are milliseconds, 10 are seconds: the guides disagree, and both are met.
fn epoch_millis(text: &str) -> Option<i64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match text.len() {
        13 => text.parse().ok(),
        10 => text.parse::<i64>().ok().map(|seconds| seconds * 1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_680_508_066_618).unwrap()
    }

    #[test]
    fn a_claim_is_read_whatever_stands_around_it() {
        let claim = Claim::read("a=b&nonce=N%41%2b+%zz&&timestamp=1680508066618&x&signature=ab%63", now()).unwrap();
        assert_eq!(
            claim,
            Claim { signature: "abc".into(), timestamp: "1680508066618".into(), nonce: "NA+ %zz".into() }
        );
    }

    #[test]
    fn what_is_missing_is_said_in_order() {
        let reason = |query| Claim::read(query, now()).unwrap_err();
        assert_eq!(reason(""), Reason::SignatureMissing);
        assert_eq!(reason("timestamp=1680508066618&nonce=n&signature"), Reason::SignatureMissing);
        assert_eq!(reason("nonce=n&signature=s"), Reason::TimestampMissing);
        assert_eq!(reason("timestamp=&nonce=n&signature=s"), Reason::TimestampMissing);
        assert_eq!(reason("timestamp=x&signature=s"), Reason::NonceMissing);
        assert_eq!(reason("timestamp=x&nonce=n&signature=s"), Reason::TimestampMalformed);
        assert_eq!(reason("timestamp=1680508000&nonce=n&signature=s"), Reason::TimestampOutsideWindow);
    }

    #[test]
    fn a_parameter_may_stand_once_however_it_is_written() {
        for name in ["signature", "timestamp", "nonce"] {
            let query = format!("timestamp=1&nonce=n&signature=s&{}{}=", "%", hex::encode(&name[..1]) + &name[1..]);
            assert_eq!(Claim::read(&query, now()), Err(Reason::ParameterRepeated { name }));
        }
        assert!(Claim::read("timestamp=1680508066618&nonce=n&signature=s&a=1&a=2&Nonce=3", now()).is_ok());
    }

    #[test]
    fn ten_digits_are_seconds_and_thirteen_milliseconds_and_nothing_else_is_a_time() {
        let accepts = |timestamp: &str| Claim::read(&format!("timestamp={timestamp}&nonce=n&signature=s"), now());
        assert!(accepts("1680508066618").is_ok());
        assert!(accepts("1680508066").is_ok());
        for timestamp in [
            "168050806661",
            "16805080666",
            "16805080666180",
            "168050806661a",
            "-680508066",
            "+680508066618",
            "1680508066.18",
            "%2b680508066",
            "１６８０50",
            "168050806%36%36%36%36%36",
        ] {
            assert_eq!(accepts(timestamp), Err(Reason::TimestampMalformed), "{timestamp}");
        }
    }

    #[test]
    fn sixty_seconds_are_within_the_window_either_way() {
        let accepts = |timestamp: &str, late: i64| {
            let now = now() + TimeDelta::milliseconds(late);
            Claim::read(&format!("timestamp={timestamp}&nonce=n&signature=s"), now).is_ok()
        };
        for (timestamp, late, accepted) in [
            ("1680508066618", 60_000, true),
            ("1680508066618", 60_001, false),
            ("1680508066618", -60_000, true),
            ("1680508066618", -60_001, false),
            // In seconds: the signed moment is 618 ms before ours.
            ("1680508066", 60_000 - 618, true),
            ("1680508066", 60_001 - 618, false),
            ("1680508066", -60_000 - 618, true),
            ("1680508066", -60_001 - 618, false),
            // Milliseconds mistaken for seconds and the other way round are far away.
            ("9999999999999", 0, false),
            ("0000000000", 0, false),
        ] {
            assert_eq!(accepts(timestamp, late), accepted, "{timestamp}, {late} ms late");
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query: String) {
            let _ = Claim::read(&query, now());
        }

        #[test]
        fn what_was_encoded_is_decoded(text: String) {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let query = format!("timestamp=1680508066618&nonce=n{encoded}&signature=s");
            prop_assert_eq!(Claim::read(&query, now()).unwrap().nonce, format!("n{text}"));
        }
    }
}
