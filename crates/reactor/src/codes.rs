//! Codes that a check names and nobody here knows, asked about at the marketplace within bounds; and known codes, asked
//! about again once a day.

mod bounds;
mod counter;
mod desk;
mod memory;
mod metrics;

use chopmark_domain::ids::LicenseCode;
use chopmark_log::Position;

pub use desk::CodeDesk;
pub use metrics::CodeMetrics;

/// Shorter texts are nobody's code.
const SHORTEST: usize = 4;

/// What came of asking about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// The marketplace knows the code, and so does the log.
    Known {
        /// The last event of the code. An answer that shows the code waits for the index to reach it.
        position: Option<Position>,
    },
    /// There is no such code: the marketplace says so, or it could not be one, or its seller cannot ask.
    NotExist,
    /// It is not known now; ask again later.
    Later,
}

/// Whether a text may be a code at all: 4 to 64 ASCII letters, digits, `-` and `_`, and not of the shape of a UUID, as
/// instance ids are. The codes of the marketplace's pages begin with `PL`, which is promised nowhere.
#[must_use]
pub fn is_plausible(code: &LicenseCode) -> bool {
    let text = code.as_str();
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() >= SHORTEST && text.bytes().all(may_stand) && !has_uuid_shape(text)
}

fn has_uuid_shape(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_a_code_is_asked_about() {
        let plausible = |text: &str| is_plausible(&LicenseCode::parse(text).unwrap());
        for text in ["PL1a", "PL0123456789abcdef", "PL-1_2", "a63ee5c9-0000", &"x".repeat(64)] {
            assert!(plausible(text), "{text}");
        }
        for text in ["PL1", "PL 1234", "PL.1234", "PL1234é", "../../etc", "10e758d0-31ad-4c4b-8f1b-81d03469a10e"] {
            assert!(!plausible(text), "{text}");
        }
        assert!(plausible("10e758d0-31ad-4c4b-8f1b-81d03469a10x"));
    }
}
