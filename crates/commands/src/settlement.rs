//! Commands about settlement: what is stated of lines, bills, and months.

use chopmark_domain::catalog::Catalog;
use chopmark_domain::cause::Cause;
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::ids::SellerId;
use chopmark_domain::order::{self, Order};
use chopmark_domain::settlement::bill::event::{BillImported, BillProgressed, KeptBill};
use chopmark_domain::settlement::bill::mapping::Mapping;
use chopmark_domain::settlement::bill::{BillIdentity, BillRow};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::month::{AdjustmentRecorded, Month, PeriodClosed};
use chopmark_domain::settlement::reconciliation::judgement::Judged;
use chopmark_domain::settlement::statement::{Statement, Subject};
use chopmark_domain::settlement::transactions::{StatedRow, Transactions, TransactionsImported};
use chopmark_domain::stream::Stream;
use chopmark_log::sqlite::{EVENT_BYTES_MAX, EVENTS_MAX};

use crate::error::{CommandError, SettlementRefusal};
use crate::transact::Guess;
use crate::{Commands, Done};

/// The most mappings that one seller keeps.
const MAPPINGS_MAX: usize = 100;
/// The most characters of a mapping's name and of each header in it.
const HEADER_MAX: usize = 200;
/// The most columns of a mapping; no file that is read has more.
const COLUMNS_MAX: usize = 200;
/// Room that an event leaves for its metadata.
const METADATA_BYTES: usize = 64 * 1024;

impl Commands {
    /// States facts of an order's line. What is stated already adds nothing.
    ///
    /// # Errors
    /// [`SettlementRefusal::UsageStated`]: consumption belongs to no order.
    pub async fn state_order(
        &self,
        seller: &SellerId,
        statement: Statement,
        cause: &Cause,
    ) -> Result<Done<Order>, CommandError> {
        match statement.subject.clone() {
            Subject::OrderLine { order_id, .. } => {
                self.order(seller, &order_id, order::Command::State(statement), cause).await
            }
            Subject::Usage { .. } => Err(SettlementRefusal::UsageStated.into()),
        }
    }

    /// Takes a file of transaction details up, as a whole. A file that was taken up before adds nothing. How many rows
    /// it has is counted here.
    ///
    /// # Errors
    /// More than one append takes; a digest that is none.
    pub async fn import_transactions(
        &self,
        seller: &SellerId,
        imported: TransactionsImported,
        rows: &[StatedRow],
        cause: &Cause,
    ) -> Result<Done<Transactions>, CommandError> {
        let imported = TransactionsImported { rows: count(rows.len())?, ..imported };
        let stream = Stream::Transactions(seller.clone(), imported.sha256.clone());
        if Stream::parse(&stream.to_string()).as_ref() != Some(&stream) {
            return Err(SettlementRefusal::Digest { sha256: imported.sha256.chars().take(80).collect() }.into());
        }
        let import = |known: &Transactions| within_limits(known.import(imported.clone(), rows));
        Ok(self.transact(&stream, Guess::New, cause, import).await?.into())
    }

    /// Whether a file of transaction details, by its SHA-256 in hexadecimal, was taken up.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn has_transactions(&self, seller: &SellerId, sha256: &str) -> Result<bool, CommandError> {
        let known: Transactions = self.read(&Stream::Transactions(seller.clone(), sha256.to_owned())).await?;
        Ok(known != Transactions::default())
    }

    /// A bill with its last import, its judgements and how far it is; empty where nothing is known of it.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn bill(&self, identity: &BillIdentity) -> Result<KeptBill, CommandError> {
        self.read(&Stream::Bill(identity.clone())).await
    }

    /// Takes an import of a bill up as its next revision, which is counted here like its rows. The same rows again add
    /// nothing.
    ///
    /// # Errors
    /// More than one append takes.
    pub async fn import_bill(
        &self,
        identity: &BillIdentity,
        imported: BillImported,
        rows: &[BillRow],
        cause: &Cause,
    ) -> Result<Done<KeptBill>, CommandError> {
        let imported = BillImported { rows: count(rows.len())?, ..imported };
        let import = |kept: &KeptBill| within_limits(kept.import(imported.clone(), rows));
        Ok(self.transact(&Stream::Bill(identity.clone()), Guess::Unknown, cause, import).await?.into())
    }

    /// Records a judgement on a pair of a bill that was imported.
    ///
    /// # Errors
    /// [`SettlementRefusal::NoBill`].
    pub async fn judge_difference(
        &self,
        identity: &BillIdentity,
        judged: Judged,
        cause: &Cause,
    ) -> Result<Done<KeptBill>, CommandError> {
        let judge = |kept: &KeptBill| match kept.imported {
            Some(_) => within_limits(kept.judge(judged.clone())),
            None => Err(SettlementRefusal::NoBill { identity: Box::new(identity.clone()) }.into()),
        };
        Ok(self.transact(&Stream::Bill(identity.clone()), Guess::Unknown, cause, judge).await?.into())
    }

    /// Records how far a bill is; it need not be imported for that. What is absent stays as it was.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn progress_bill(
        &self,
        identity: &BillIdentity,
        progress: BillProgressed,
        cause: &Cause,
    ) -> Result<Done<KeptBill>, CommandError> {
        let progress = |kept: &KeptBill| within_limits(kept.progress(progress.clone()));
        Ok(self.transact(&Stream::Bill(identity.clone()), Guess::Unknown, cause, progress).await?.into())
    }

    /// A seller's month: whether it is closed, and its adjustments.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn month(&self, seller: &SellerId, period: Period) -> Result<Month, CommandError> {
        self.read(&Stream::Month(seller.clone(), period)).await
    }

    /// Records a correction on a month's bill; the same one again adds nothing.
    ///
    /// # Errors
    /// [`CommandError::Month`]: the month is closed, or another correction has that id.
    pub async fn record_adjustment(
        &self,
        seller: &SellerId,
        period: Period,
        adjustment: AdjustmentRecorded,
        cause: &Cause,
    ) -> Result<Done<Month>, CommandError> {
        let adjust = |month: &Month| within_limits(month.adjust(period, adjustment.clone())?);
        Ok(self.transact(&Stream::Month(seller.clone(), period), Guess::Unknown, cause, adjust).await?.into())
    }

    /// Closes a month with its lines, which are counted here; nothing is appended where it is closed.
    ///
    /// # Errors
    /// [`CommandError::Month`]: more lines than one close holds.
    pub async fn close_period(
        &self,
        seller: &SellerId,
        period: Period,
        closed: PeriodClosed,
        lines: &[SettlementLine],
        cause: &Cause,
    ) -> Result<Done<Month>, CommandError> {
        let closed = PeriodClosed { lines: count(lines.len())?, ..closed };
        let close = |month: &Month| within_limits(month.close(closed.clone(), lines)?);
        Ok(self.transact(&Stream::Month(seller.clone(), period), Guess::Unknown, cause, close).await?.into())
    }

    /// Saves a mapping under its name, in place of the one that has it.
    ///
    /// # Errors
    /// [`SettlementRefusal::Mapping`]: it has no name or is too large, or the seller keeps too many.
    pub async fn save_mapping(
        &self,
        seller: &SellerId,
        mapping: Mapping,
        cause: &Cause,
    ) -> Result<Done<Catalog>, CommandError> {
        is_sound(&mapping)?;
        let save = |catalog: &Catalog| {
            let others = catalog.mappings().filter(|other| other.name != mapping.name).count();
            if others >= MAPPINGS_MAX {
                let why =
                    format!("{others} are kept already, which is the most: save it under the name of one of them");
                return Err(SettlementRefusal::Mapping { why }.into());
            }
            within_limits(catalog.save_mapping(mapping.clone()))
        };
        Ok(self.transact(&Stream::Seller(seller.clone()), Guess::Unknown, cause, save).await?.into())
    }
}

/// Rows as an event counts them.
fn count(rows: usize) -> Result<u32, SettlementRefusal> {
    u32::try_from(rows).map_err(|_| SettlementRefusal::TooMuch { what: format!("{rows} rows") })
}

/// The events, if one append takes them: all of a file are appended at once, so that none is ever half there.
fn within_limits<E: StoredEvent>(events: Vec<E>) -> Result<Vec<E>, CommandError> {
    if events.len() > EVENTS_MAX {
        let what = format!("{} events where {EVENTS_MAX} are taken", events.len());
        return Err(SettlementRefusal::TooMuch { what }.into());
    }
    let largest = events.iter().map(|event| event.encode().len()).max().unwrap_or_default();
    let most = EVENT_BYTES_MAX - METADATA_BYTES;
    if largest > most {
        let what = format!("an event of {largest} bytes where {most} are taken");
        return Err(SettlementRefusal::TooMuch { what }.into());
    }
    Ok(events)
}

fn is_sound(mapping: &Mapping) -> Result<(), SettlementRefusal> {
    let length = |text: &str| text.trim().chars().count();
    let refused = |why: String| Err(SettlementRefusal::Mapping { why });
    if !(1..=HEADER_MAX).contains(&length(&mapping.name)) {
        return refused(format!("its name must have 1 to {HEADER_MAX} characters"));
    }
    if !(1..=COLUMNS_MAX).contains(&mapping.columns.len()) {
        return refused(format!("it must map 1 to {COLUMNS_MAX} columns"));
    }
    match mapping.columns.keys().find(|header| !(1..=HEADER_MAX).contains(&length(header))) {
        Some(_) => refused(format!("each header in it must have 1 to {HEADER_MAX} characters")),
        None => Ok(()),
    }
}
