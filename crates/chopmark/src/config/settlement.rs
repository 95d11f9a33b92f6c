//! How sellers and products are settled. What stands here goes into the catalog, with the time from which it holds.

use chopmark_domain::catalog::ProductKind;
use chopmark_domain::settlement::calendar::working_days::WorkingDays;
use chopmark_domain::settlement::money::{LARGEST, Ratio};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::policy;
use super::reader::Found;

/// The most bytes of a seller's own calendar.
const CALENDAR_MAX: usize = 16 * 1024;

const HOW_TO_WRITE_RATIOS: &str = "write it like \"0.05\" for 5 %, in quotes";

/// How a seller of a site is settled.
pub(super) fn read_seller(found: Found<'_>, site: Site) -> Option<SellerTerms> {
    let mut section = found.section()?;
    let usual = SellerTerms::of(site);
    let certified = section.optional("certified", Found::flag);
    let deposit = section.optional("deposit", |found| amount(found, "write it like \"10000\", in quotes"));
    let working_days = section.optional("working_days", |found| {
        found.parsed(calendar, "write lines like \"2027 off 01-01 02-08\" and \"2027 work 02-06\", between ''' and '''")
    });
    let policy = section.optional("policy", policy::read);
    section.finish();
    Some(SellerTerms {
        certified: certified?.unwrap_or(usual.certified),
        deposit: deposit?,
        working_days: working_days?.unwrap_or_default(),
        policy: policy?.unwrap_or_default(),
        ..usual
    })
}

/// How a product is settled. `kind` is `None` where it could not be read.
pub(super) fn read_product(found: Found<'_>, kind: Option<ProductKind>) -> Option<SettlementTerms> {
    let mut section = found.section()?;
    let usual = SettlementTerms::default();
    let access_type = section.optional("access_type", code);
    let category = section.optional("category", code);
    let supervised = section.optional("supervised", Found::flag);
    let tiers = section.optional("tiers", Found::flag);
    let voucher_bear_ratio = section.optional("voucher_bear_ratio", ratio);
    let partner_ratio = section.optional("partner_ratio", ratio);
    let tax_rate = section.optional("tax_rate", ratio);
    let floor_discount = section.optional("floor_discount", ratio);
    let hourly_price = section.optional("hourly_price", |found| {
        if kind.is_some_and(|kind| kind != ProductKind::Image) {
            found.refuse("only an image is paid by the hour", "leave it out");
            return None;
        }
        amount(found, "write it like \"0.50\", in quotes")
    });
    let partial_hour = section.optional("partial_hour", code);
    section.finish();
    Some(SettlementTerms {
        access_type: access_type?,
        category: category?.unwrap_or(usual.category),
        supervised: supervised?.unwrap_or(usual.supervised),
        tiers: tiers?.unwrap_or(usual.tiers),
        voucher_bear_ratio: voucher_bear_ratio?,
        partner_ratio: partner_ratio?,
        tax_rate: tax_rate?,
        floor_discount: floor_discount?,
        hourly_price: hourly_price?,
        partial_hour: partial_hour?,
    })
}

/// One of the stable codes by which stored events name a choice, so that a choice has one name everywhere.
pub(super) fn code<T: DeserializeOwned>(found: Found<'_>) -> Option<T> {
    let (spot, reader) = (found.spot.clone(), found.reader);
    let text = found.text()?;
    match serde_json::from_value(Value::String(text.clone())) {
        Ok(choice) => Some(choice),
        Err(error) => {
            let mend = format!("the choices are {}", choices(&error.to_string()));
            spot.refuse(reader, format!("{text:?} is not one of the choices"), mend);
            None
        }
    }
}

/// The codes out of "unknown variant `X`, expected one of `A`, `B`" or "expected `A` or `B`".
fn choices(error: &str) -> String {
    let expected = error.rsplit_once("expected ").map_or(error, |(_, expected)| expected);
    let codes = expected.strip_prefix("one of ").unwrap_or(expected);
    codes.replace(" or ", ", ").replace('`', "")
}

/// A share from 0 to 1.
pub(super) fn ratio(found: Found<'_>) -> Option<Ratio> {
    let parse = |text: &str| {
        let value = text.parse::<Decimal>().map_err(|_| format!("{text:?} is no decimal number"))?;
        Ratio::new(value).map_err(|_| format!("{value} is no share: it must be from 0 to 1"))
    };
    found.parsed(parse, HOW_TO_WRITE_RATIOS)
}

/// An amount that is not negative, in the site's currency.
pub(super) fn amount(found: Found<'_>, mend: &str) -> Option<Decimal> {
    let parse = |text: &str| match text.parse::<Decimal>() {
        Ok(amount) if amount >= Decimal::ZERO && amount <= LARGEST => Ok(amount),
        Ok(amount) => Err(format!("{amount} is no amount: it must be from 0 to {LARGEST}")),
        Err(_) => Err(format!("{text:?} is no decimal number")),
    };
    found.parsed(parse, mend)
}

fn calendar(text: &str) -> Result<String, String> {
    if text.len() > CALENDAR_MAX {
        return Err(format!("the calendar has {} bytes; at most {CALENDAR_MAX} are taken", text.len()));
    }
    WorkingDays::default().extend(text).map_err(|error| error.to_string())?;
    Ok(text.into())
}
