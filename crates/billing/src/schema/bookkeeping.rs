//! What the bookkeeper keeps for itself.

use super::Kind::{Integer, Text};
use super::{Table, needed};
use crate::cell::Cell;
use crate::store::{Checkpoint, DocumentKey};

/// A document with its key.
pub(crate) type KeptDocument = (DocumentKey, String);

/// One row for each document.
pub(crate) const DOCUMENTS: Table<KeptDocument> = Table {
    name: "billing_documents",
    says: "What Chopmark keeps between events, for itself. Its form may change with every version.",
    key: &["seller", "kind", "name"],
    indexes: &[],
    columns: &[
        needed("seller", Text, "Whose.", |(key, _)| key.seller.as_str().into()),
        needed("kind", Text, "Which kind.", |(key, _)| key.kind.into()),
        needed("name", Text, "Its name within the kind.", |(key, _)| (&key.name).into()),
        needed("document", Text, "The document.", |(_, document)| document.into()),
    ],
};

/// One row.
pub(crate) const CHECKPOINT: Table<Checkpoint> = Table {
    name: "billing_checkpoint",
    says: "How far the views are: one row, written in the same transaction as everything that follows from the log up to \
           there.",
    key: &["one"],
    indexes: &[],
    columns: &[
        needed("one", Integer, "Always 1.", |_| 1_u32.into()),
        needed("position", Integer, "The position in the log.", |checkpoint| checkpoint.position.0.into()),
        needed("work", Text, "What is to be drawn up anew; for Chopmark itself.", |checkpoint| {
            (&checkpoint.work).into()
        }),
        needed("log", Text, "Which log it is; for Chopmark itself.", |checkpoint| (&checkpoint.log).into()),
    ],
};

/// One row.
pub(crate) const VERSIONS: Table<u32> = Table {
    name: "views_version",
    says: "Of which version these tables are. A program of another version does not touch them before `chopmark rebuild`.",
    key: &["one"],
    indexes: &[],
    columns: &[
        needed("one", Integer, "Always 1.", |_| Cell::Integer(1)),
        needed("version", Integer, "The version.", |version| (*version).into()),
    ],
};
