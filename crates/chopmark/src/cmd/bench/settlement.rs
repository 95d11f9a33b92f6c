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

/// Measures in SQLite, and in a PostgreSQL where one is named. Shows figures as they come: all of them take minutes.
pub(crate) async fn measure(
    folder: &Path,
    lines: usize,
    rounds: usize,
    postgres: Option<&SecretString>,
    mut show: impl FnMut(Vec<Figure>),
) -> anyhow::Result<()> {
    let shop = Shop::open()?;
    let log = rebuilding::fill(folder, &shop, lines / LINES_PER_EVENT).await?;
    let place = Place::sqlite(folder)?;
    let measured = in_one(&place, &shop, log.clone(), [lines, rounds], &mut show).await;
    // What it took on the disk is free for the next.
    place.take_away().await?;
    measured?;
    if let Some(url) = postgres {
        let place = Place::postgres(url).await?;
        let measured = in_one(&place, &shop, log.clone(), [lines, rounds], &mut show).await;
        place.take_away().await?;
        measured?;
    }
    log.close().await;
    Ok(())
}

async fn in_one(
    place: &Place,
    shop: &Shop,
    log: Arc<dyn EventLog>,
    [lines, rounds]: [usize; 2],
    show: &mut impl FnMut(Vec<Figure>),
) -> anyhow::Result<()> {
    show(vec![rebuilding::measure(place, log).await?]);
    let lines = filling::fill(place.store.as_ref(), shop, lines).await?;
    let (_writer, progress) = progress();
    let desk = Desk { billing: Billing::new(Arc::clone(&place.store), progress), place, shop };
    show(questions::measure(&desk, rounds).await?);
    show(exports::measure(&desk, lines).await?);
    Ok(())
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
