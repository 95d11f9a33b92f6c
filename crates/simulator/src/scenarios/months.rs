//! Several months of a shop: everything that can be sold, the console's files, and bills with planted differences.
//!
//! Callbacks come now, as always; that it all happened months ago is what the transaction details say.

mod asking;
mod planted;
mod shop;
mod story;

use std::time::Instant;

use chrono::TimeDelta;

use super::Context;
use super::play::Play;
use crate::finance::{Accounts, Kind, Language, Month};
use crate::orders::Cents;
use crate::report::Report;
use asking::Clerk;
use planted::Planted;
use shop::Shop;

/// The platform fee that the transaction details tell, in hundredths of a percent: that of generic goods, with tiers.
const FEE: i64 = 500;

/// How many months are played.
const MONTHS: usize = 3;

/// How far back is looked for months that nothing was sold in. The tiers are older than that.
const FURTHEST: usize = 24;

/// Plays it; needs an API, an open API, and a token of the role `finance` or `admin`.
pub async fn play(context: &Context<'_>) -> Report {
    let mut play = Play::begin("months", context);
    if play.needs_api()
        && play.needs_desk().is_some()
        && let Some(accounts) = accounts(&mut play)
    {
        let mut clerk = Clerk::new(accounts);
        if let Some(months) = months(&mut play, &mut clerk).await {
            perform(&mut play, &mut clerk, months).await;
        }
    }
    play.finish()
}

fn accounts(play: &mut Play<'_>) -> Option<Accounts> {
    let context = play.context;
    let (Some(api), Some(token)) = (&context.api, &context.token) else {
        let problem = "give one of the role finance or admin with --token-file or --token-env";
        play.conclude("there is a token", Err(problem.into()), Instant::now());
        return None;
    };
    Some(Accounts::new(api, &context.seller, token, context.tls.clone()))
}

/// The last months in which nothing was sold yet, so that nothing else is on their bills. Their bills were run.
async fn months(play: &mut Play<'_>, clerk: &mut Clerk) -> Option<[Month; MONTHS]> {
    let began = Instant::now();
    let taken = match clerk.months().await {
        Ok(taken) => taken,
        Err(problem) => {
            play.conclude("the months that are there", Err(problem), began);
            return None;
        }
    };
    // In the first half of a month the bill of the last one may not have been run.
    let mut last = Month::of(Play::now() - TimeDelta::days(15)).prev();
    for _ in 0..FURTHEST {
        let months = [last.prev().prev(), last.prev(), last];
        // A renewal bought in the last of them may begin two months later.
        if !months.iter().any(|month| taken.contains(&month.to_string())) {
            play.conclude("three months in which nothing was sold", Ok(format!("{} to {last}", months[0])), began);
            return Some(months);
        }
        last = last.prev();
    }
    let problem = "there are none; play it against a server with a log of its own";
    play.conclude("three months in which nothing was sold", Err(problem.into()), began);
    None
}

async fn perform(play: &mut Play<'_>, clerk: &mut Clerk, months: [Month; MONTHS]) {
    let mut shop = Shop::new(play, FEE);
    story::play(&mut shop, months).await;
    import_transactions(&mut shop, clerk, months).await;
    for month in months {
        clerk.lines(&mut shop, month).await;
    }
    clerk.waits(&mut shop, "bought on credit, and not repaid", "UNPAID_CREDIT").await;
    clerk.waits(&mut shop, "a service that nobody has accepted", "SUPERVISION_OPEN").await;
    let languages = [Language::Chinese, Language::English, Language::English];
    let bills = planted::bills(&shop, months);
    for (planted, language) in bills.iter().zip(languages) {
        import_bill(&mut shop, clerk, planted, language).await;
    }
    for planted in &bills {
        clerk.reconciled(&mut shop, planted).await;
    }
    close(&mut shop, clerk, months[0]).await;
}

/// The details of each month, as they are shown when it is over: as CSV and as XLSX, in both languages.
async fn import_transactions(shop: &mut Shop<'_, '_>, clerk: &mut Clerk, [first, second, third]: [Month; MONTHS]) {
    // Amounts that the details do not tell, the open API does.
    let details = shop.books.transactions(first, Language::Chinese).without(&["商品销售金额"]);
    clerk.imports(shop, &format!("details-{first}.csv"), &details.to_csv()).await;
    let details = shop.books.transactions(second, Language::English);
    clerk.imports(shop, &format!("details-{second}.xlsx"), &details.to_xlsx()).await;
    let details = shop.books.transactions(third, Language::Chinese);
    clerk.imports(shop, &format!("details-{third}.csv"), &details.to_csv()).await;
    clerk.imports_nothing_new(shop, &format!("details-{third}.csv"), &details.to_csv()).await;
}

async fn import_bill(shop: &mut Shop<'_, '_>, clerk: &mut Clerk, planted: &Planted, language: Language) {
    let (sheet, month) = (planted.bill.export(language), planted.bill.month);
    match language {
        Language::Chinese => clerk.bills(shop, month, &format!("bill-{month}.csv"), &sheet.to_csv()).await,
        Language::English => clerk.bills(shop, month, &format!("bill-{month}.xlsx"), &sheet.to_xlsx()).await,
    }
}

/// A month is closed, and then a fact of it turns out to be another.
async fn close(shop: &mut Shop<'_, '_>, clerk: &mut Clerk, month: Month) {
    clerk.closes(shop, month).await;
    let corrected = shop.line("bought, and billed");
    let sold = shop.sold(Kind::New, Cents::whole(40), month.at(12, 10));
    shop.books.correct(&corrected, |known| known.voucher = sold.sales);
    let details = shop.books.transaction(&corrected, Language::Chinese);
    clerk.imports(shop, "corrected.csv", &details.to_csv()).await;
    clerk.proposed(shop, month, &corrected, "-38.00").await;
    clerk.stands(shop, month, &corrected, "190").await;
}
