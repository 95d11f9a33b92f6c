//! A record of the log as what it tells the bookkeeper.

use chopmark_domain::codec::{DecodeError, StoredEvent};
use chopmark_domain::hours::{self, HoursClosed, SeenDeployment};
use chopmark_domain::ids::{OrderId, SellerId, Sku};
use chopmark_domain::license::{self, CodeAnswer, InstanceAdopted, LicenseRequested, Released};
use chopmark_domain::order::{self, FactsRecorded, OrderFacts, Stated};
use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_domain::settlement::bill::event as bill;
use chopmark_domain::settlement::books::Source;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::month;
use chopmark_domain::settlement::statement::{Statement, Subject};
use chopmark_domain::settlement::transactions::{self, StatedRow, TransactionsListed};
use chopmark_domain::stream::{LicenseId, Stream};
use chopmark_domain::{catalog, stream::LicenseKey};
use chopmark_log::{Position, Record, StreamName};
use chrono::{DateTime, Utc};

use super::papers::Key;

/// Why the bookkeeper cannot take a record up. It stays at the position before it.
#[derive(Debug, thiserror::Error)]
#[error("stopped at position {position}, stream {stream}: {source}")]
pub struct FoldError {
    /// Where the event is.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// What is wrong with it.
    pub source: DecodeError,
}

/// An event that the books take up.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) seller: SellerId,
    pub(crate) what: What,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) source: Source,
}

/// What it tells.
#[derive(Debug)]
pub(crate) enum What {
    /// The open API answered about lines of an order.
    Facts(OrderId, Vec<OrderFacts>),
    /// Facts were stated, each with the row of its file.
    Stated(Vec<(Option<u32>, Statement)>),
    /// Something about a license that names an order or its end.
    License(LicenseId, Box<license::Event>),
    /// Deployments were seen in an hour: how often, by product.
    Hours(Period, Vec<(Sku, u64)>),
    /// The catalog changed.
    Catalog(Box<catalog::Event>),
    /// A bill.
    Bill(BillIdentity, Box<bill::Event>),
    /// A month.
    Month(Period, Box<month::Event>),
}

impl Heard {
    /// Reads a record; `None` if it tells nothing that is settled.
    pub(crate) fn read(record: &Record) -> Result<Option<Self>, FoldError> {
        let Some(stream) = Stream::parse(record.stream.as_str()) else {
            return Ok(None);
        };
        let read = read(stream, &record.kind, &record.data);
        let read =
            read.map_err(|source| FoldError { position: record.position, stream: record.stream.clone(), source })?;
        Ok(read.map(|(seller, what)| Self {
            seller,
            what,
            recorded_at: record.recorded_at,
            source: Source {
                position: record.position.0,
                event_id: record.id.to_string(),
                kind: record.kind.clone(),
                stream: record.stream.as_str().to_owned(),
                row: None,
            },
        }))
    }

    /// Whether it freezes lines as they are: what came before must be drawn up to the end by then.
    pub(crate) fn closes(&self) -> bool {
        matches!(&self.what, What::Month(_, event) if !matches!(**event, month::Event::AdjustmentRecorded(_)))
    }

    /// By what the cases are found that it may touch.
    pub(crate) fn keys(&self) -> Vec<Key> {
        match &self.what {
            What::Facts(order_id, lines) => {
                let lines = lines.iter().map(|line| Key::line(&line.order_line_id));
                lines.chain([Key::order(order_id)]).collect()
            }
            What::Stated(rows) => rows.iter().flat_map(|(_, statement)| Key::of_statement(statement)).collect(),
            What::License(id, event) => Key::of_license_event(id, event),
            What::Hours(period, seen) => seen.iter().map(|(sku, _)| Key::usage(sku, *period)).collect(),
            What::Month(period, event) => Key::of_month_event(*period, event),
            What::Catalog(_) | What::Bill(..) => vec![],
        }
    }

    /// How much there is to do, in lines or so.
    pub(crate) fn weight(&self) -> usize {
        match &self.what {
            What::Facts(_, lines) => lines.len(),
            What::Stated(rows) => rows.len(),
            What::Hours(_, seen) => seen.len(),
            What::Bill(_, event) => match &**event {
                bill::Event::RowsListed(listed) => listed.rows.len(),
                _ => 1,
            },
            What::License(..) | What::Catalog(_) | What::Month(..) => 1,
        }
    }
}

fn read(stream: Stream, kind: &str, data: &[u8]) -> Result<Option<(SellerId, What)>, DecodeError> {
    Ok(match stream {
        Stream::License(LicenseKey { seller, id }) => {
            let event = license::Event::decode(kind, data)?;
            is_of_interest(&event).then(|| (seller, What::License(id, Box::new(event))))
        }
        Stream::Order(seller, order_id) => match order::Event::decode(kind, data)? {
            order::Event::FactsRecorded(FactsRecorded { lines }) => Some((seller, What::Facts(order_id, lines))),
            order::Event::Stated(Stated { statement }) => Some((seller, What::Stated(vec![(None, statement)]))),
            order::Event::Notified(_) | order::Event::FactsDelayed(_) | order::Event::FactsAbandoned(_) => None,
        },
        Stream::Transactions(seller, _) => match transactions::Event::decode(kind, data)? {
            transactions::Event::Listed(TransactionsListed { rows }) => {
                let rows = rows.into_iter().map(|StatedRow { row, statement }| (Some(row), statement));
                Some((seller, What::Stated(rows.collect())))
            }
            transactions::Event::Imported(_) => None,
        },
        Stream::Hours(seller, _) => {
            let hours::Event::HoursClosed(closed) = hours::Event::decode(kind, data)?;
            Some((seller, seen(&closed)))
        }
        Stream::Seller(seller) => match catalog::Event::decode(kind, data)? {
            // Neither the secret nor how files are read is anything to the books.
            catalog::Event::SecretCreated(_) | catalog::Event::MappingSaved(_) => None,
            event => Some((seller, What::Catalog(Box::new(event)))),
        },
        Stream::Bill(identity) => {
            let event = bill::Event::decode(kind, data)?;
            Some((identity.seller.clone(), What::Bill(identity, Box::new(event))))
        }
        Stream::Month(seller, period) => {
            Some((seller, What::Month(period, Box::new(month::Event::decode(kind, data)?))))
        }
        Stream::Access | Stream::Seals | Stream::Requests(_) => None,
    })
}

fn is_of_interest(event: &license::Event) -> bool {
    match event {
        license::Event::InstanceAdopted(InstanceAdopted { purchase, terms, .. }) => {
            purchase.is_some() || terms.expires_at.is_some()
        }
        license::Event::LicenseRequested(LicenseRequested { expires_at, .. }) => expires_at.is_some(),
        license::Event::Released(Released { order_id, .. }) => order_id.is_some(),
        license::Event::CodeConfirmed(CodeAnswer { order, expires_at, .. }) => order.is_some() || expires_at.is_some(),
        license::Event::OrderFactsApplied(applied) => applied.terms.expires_at.is_some(),
        event => event.names_order().is_some(),
    }
}

/// Yearly and monthly ECS do not pay for their image by use; of those that say nothing it is assumed that they do.
const YEARLY_OR_MONTHLY: &str = "1";

fn seen(closed: &HoursClosed) -> What {
    let mut products: Vec<(Sku, u64)> = vec![];
    let by_use = |seen: &&SeenDeployment| seen.charging_mode.as_deref() != Some(YEARLY_OR_MONTHLY);
    for SeenDeployment { product, .. } in closed.seen.iter().filter(by_use) {
        match products.iter_mut().find(|(sku, _)| sku == product) {
            Some((_, count)) => *count += 1,
            None => products.push((product.clone(), 1)),
        }
    }
    What::Hours(Period::of(closed.hour.start()), products)
}

/// The line of a statement, with the order that it belongs to.
pub(crate) fn subject_of(order_id: &OrderId, facts: &OrderFacts) -> Subject {
    Subject::OrderLine { order_id: order_id.clone(), order_line_id: facts.order_line_id.clone() }
}
