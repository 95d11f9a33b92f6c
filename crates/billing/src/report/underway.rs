//! How far the bills are that lines are on: it stands with the bill, once, and is shown with each of its lines.

use std::collections::BTreeMap;

use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::bill::event::BillProgressed;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::readiness::{Blocked, Readiness};

use super::{Billing, ReportError, SLICE};
use crate::bookkeeper::kind;
use crate::rows::tab_of;
use crate::store::StoreError;

/// Bills that were imported, or of which somebody said how far they are.
#[derive(Debug, Default)]
pub(crate) struct Underway(BTreeMap<(Period, Category), BillProgressed>);

impl Underway {
    /// Says with a line how far the bill is that it is on. One that waits for more than the run is on none yet.
    pub(crate) fn show(&self, line: &mut SettlementLine, readiness: &Readiness) {
        let waits = readiness.blocked.iter().any(|reason| *reason != Blocked::RunNotReached);
        let Some(period) = readiness.expected.filter(|_| !waits) else { return };
        let Some(progress) = self.0.get(&(period, tab_of(line))) else { return };
        line.bill_id = Some(period.to_string());
        line.bill_state = progress.state;
        line.payment_request_no.clone_from(&progress.payment_request_no);
        line.invoice_no.clone_from(&progress.invoice_no);
    }
}

impl Billing {
    /// The bills of a period, or of all.
    pub(super) async fn underway(&self, seller: &SellerId, period: Option<Period>) -> Result<Underway, ReportError> {
        let imported = self.store().bills(seller, period).await?.value;
        let imported = imported.into_iter().map(|head| ((head.identity.period, head.identity.category), head.progress));
        let mut bills: BTreeMap<_, _> = imported.collect();
        // What was said of bills before they were imported.
        let prefix = period.map(|period| format!("{period}/"));
        let early = self.store().documents_after(seller, kind::BILL, prefix.as_deref(), SLICE).await?;
        for (key, text) in early {
            if prefix.as_deref().is_some_and(|prefix| !key.name.starts_with(prefix)) {
                break;
            }
            let unreadable = || StoreError::Damaged { reason: format!("{:?} says nothing of a bill", key.name) };
            let (month, tab) = key.name.split_once('/').ok_or_else(unreadable)?;
            let bill = Period::parse(month).ok().zip(Category::from_code(tab)).ok_or_else(unreadable)?;
            let progress = serde_json::from_str(&text).map_err(|_| unreadable())?;
            bills.entry(bill).or_insert(progress);
        }
        Ok(Underway(bills))
    }
}
