//! A record of the log as a change of the index.

use chopmark_domain::codec::{DecodeError, StoredEvent};
use chopmark_domain::stream::Stream;
use chopmark_domain::{access, catalog, license};
use chopmark_log::{Position, Record, StreamName};

use crate::compact_id::Family;
use crate::stream_name::StreamName as Name;

/// Why the index cannot take a record up. It stays at the position before it, and answers from there.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// An event of ours that this version cannot read.
    #[error("stopped at position {position}, stream {stream}: {source}")]
    Decode {
        /// Where the event is.
        position: Position,
        /// Its stream.
        stream: StreamName,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The index numbers sellers, SKUs and licenses, and has no number left.
    #[error("stopped at position {position}: the index has no room for more {what}")]
    Full {
        /// Where the event is.
        position: Position,
        /// Of what there are too many.
        what: &'static str,
    },
}

/// What a record changes.
#[derive(Debug)]
pub(crate) enum Change<'a> {
    License { seller: &'a str, family: Family, id: &'a str, event: license::Event },
    Catalog { seller: &'a str, event: catalog::Event },
    Access(access::Event),
}

impl<'a> Change<'a> {
    /// Reads a record; `None` if the index does not fold its stream.
    pub(crate) fn read(record: &'a Record) -> Result<Option<Self>, FoldError> {
        let Some(name) = Name::read(record.stream.as_str()) else {
            return Ok(None);
        };
        match Self::decode(name, record) {
            Ok(change) => Ok(Some(change)),
            // A stranger's stream whose name only begins as ours do.
            Err(_) if Stream::parse(record.stream.as_str()).is_none() => Ok(None),
            Err(source) => Err(FoldError::Decode { position: record.position, stream: record.stream.clone(), source }),
        }
    }

    fn decode(name: Name<'a>, record: &Record) -> Result<Self, DecodeError> {
        let (kind, data) = (record.kind.as_str(), record.data.as_slice());
        Ok(match name {
            Name::License { seller, family, id } => {
                Self::License { seller, family, id, event: license::Event::decode(kind, data)? }
            }
            Name::Seller(seller) => Self::Catalog { seller, event: catalog::Event::decode(kind, data)? },
            Name::Access => Self::Access(access::Event::decode(kind, data)?),
        })
    }
}
