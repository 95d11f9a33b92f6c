//! Licenses that machines use.

use std::ops::Deref;
use std::sync::Arc;

use chopmark_domain::catalog::DatedTerms;
use chopmark_domain::license::Machines;
use chopmark_domain::stream::LicenseKey;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::entry::Entry;
use crate::look_up::Found;
use crate::scan::{Cursor, scan};
use crate::state::State;

/// A license that machines use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithMachines {
    /// Which license.
    pub key: LicenseKey,
    /// Its machines, at least one; some may have given their seats up.
    pub machines: Arc<Machines>,
    /// The terms of its product that are in force; `None` while the product is not known, or not in the catalog.
    pub terms: Option<Arc<DatedTerms>>,
}

/// A page of licenses that machines use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineListing {
    /// The licenses, in the order of their first events.
    pub licenses: Vec<WithMachines>,
    /// Where to go on; `None` if there is nothing more.
    pub next: Option<Cursor>,
}

pub(crate) fn machines<S: Deref<Target = State>>(
    read: &dyn Fn() -> S,
    after: Option<&Cursor>,
    limit: usize,
    now: DateTime<Utc>,
) -> MachineListing {
    let pick = |state: &State, entry: &Entry| {
        let machines = entry.license.machines().filter(|machines| !machines.is_empty())?;
        let found = Found::new(state, entry, entry.id.as_ref().text(&mut Uuid::encode_buffer()), now)?;
        Some(WithMachines { key: found.key, machines: Arc::clone(machines), terms: found.terms })
    };
    let (licenses, next) = scan(read, after, limit, pick);
    MachineListing { licenses, next }
}
