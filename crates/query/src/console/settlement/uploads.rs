//! Files that were looked at and not taken up yet: kept in memory between the preview and the word to take them, a few
//! at a time, so that nobody has to choose the same file twice.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::Bytes;
use chopmark_domain::ids::SellerId;

/// Files that are kept; above that the oldest is forgotten.
const FILES_MAX: usize = 8;

/// A file that somebody looked at.
#[derive(Debug)]
pub(super) struct Looked {
    /// Whose token it came with.
    pub(super) token: String,
    pub(super) seller: SellerId,
    pub(super) file_name: String,
    /// SHA-256 of the bytes, hexadecimal.
    pub(super) sha256: String,
    pub(super) bytes: Bytes,
}

/// The files of all visitors.
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<VecDeque<Arc<Looked>>>);

impl Uploads {
    /// Keeps a file.
    pub(super) fn keep(&self, looked: Looked) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |other: &Looked| {
            (&other.token, &other.seller, &other.sha256) == (&looked.token, &looked.seller, &looked.sha256)
        };
        all.retain(|other| !is_same(other));
        if all.len() == FILES_MAX {
            all.pop_front();
        }
        all.push_back(Arc::new(looked));
    }

    /// The file of a digest that came with a token, for a seller.
    pub(super) fn of(&self, token: &str, seller: &SellerId, sha256: &str) -> Option<Arc<Looked>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it =
            |looked: &&Arc<Looked>| looked.token == token && looked.seller == *seller && looked.sha256 == sha256;
        all.iter().find(is_it).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(token: &str, sha256: usize) -> Looked {
        Looked {
            token: token.into(),
            seller: SellerId::parse("acme").unwrap(),
            file_name: "bill.csv".into(),
            sha256: sha256.to_string(),
            bytes: Bytes::new(),
        }
    }

    #[test]
    fn a_file_is_its_token_s_and_the_oldest_makes_room() {
        let uploads = Uploads::default();
        for n in 0..=FILES_MAX {
            uploads.keep(looked("a", n));
        }
        let [acme, beta] = ["acme", "beta"].map(|id| SellerId::parse(id).unwrap());
        assert!(uploads.of("a", &acme, "0").is_none());
        assert!(uploads.of("a", &acme, "1").is_some());
        assert!(uploads.of("b", &acme, "1").is_none(), "another token's");
        assert!(uploads.of("a", &beta, "1").is_none(), "another seller's");
    }
}
