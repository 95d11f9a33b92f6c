//! (f) What finance asks over many settlement lines, beside the bare SQL of the same rows; exports of all of them; and how
//! fast the views are made anew.

mod bare;
mod exports;
mod filling;
mod place;
mod questions;
mod rebuilding;
mod shop;

use std::path::Path;
use std::sync::Arc;

use chopmark_billing::report::{Asking, Billing};
use chopmark_log::EventLog;
use chopmark_log::progress::progress;
use secrecy::SecretString;

use self::place::Place;
use self::shop::Shop;
use super::figure::Figure;

/// Settlement lines for each event of the log that is folded.
const LINES_PER_EVENT: usize = 5;

/// Measures in SQLite, and in a PostgreSQL where one is named.
pub(crate) async fn measure(
    folder: &Path,
    lines: usize,
    rounds: usize,
    postgres: Option<&SecretString>,
) -> anyhow::Result<Vec<Figure>> {
    let shop = Shop::open()?;
    let log = rebuilding::fill(folder, &shop, lines / LINES_PER_EVENT).await?;
    let mut figures = vec![];
    let place = Place::sqlite(folder)?;
    let measured = in_one(&place, &shop, log.clone(), lines, rounds).await;
    // What it took on the disk is free for the next.
    place.take_away().await?;
    figures.extend(measured?);
    if let Some(url) = postgres {
        let place = Place::postgres(url).await?;
        let measured = in_one(&place, &shop, log.clone(), lines, rounds).await;
        place.take_away().await?;
        figures.extend(measured?);
    }
    log.close().await;
    Ok(figures)
}

async fn in_one(
    place: &Place,
    shop: &Shop,
    log: Arc<dyn EventLog>,
    lines: usize,
    rounds: usize,
) -> anyhow::Result<Vec<Figure>> {
    let rebuilt = rebuilding::measure(place, log).await?;
    let lines = filling::fill(place.store.as_ref(), shop, lines).await?;
    let (_writer, progress) = progress();
    let desk = Desk { billing: Billing::new(Arc::clone(&place.store), progress), place, shop };
    let mut figures = questions::measure(&desk, rounds).await?;
    figures.extend(exports::measure(&desk, lines).await?);
    figures.push(rebuilt);
    Ok(figures)
}

/// Where finance asks, as Chopmark answers and as the bare driver does.
struct Desk<'a> {
    billing: Billing,
    place: &'a Place,
    shop: &'a Shop,
}

impl Desk<'_> {
    fn asking(&self) -> Asking<'_> {
        Asking { seller: &self.shop.seller, catalog: &self.shop.catalog, now: self.shop.now }
    }

    /// The name of a measurement in this engine.
    fn named(&self, name: &str) -> String {
        format!("{name}_{}", self.place.engine)
    }
}
