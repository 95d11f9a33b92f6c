//! What comes of what was asked, by the rules of settlement.

use chopmark_billing::report::sentences;
use chopmark_domain::catalog::Catalog;
use chopmark_domain::ids::Sku;
use chopmark_domain::settlement::change;
use chopmark_domain::settlement::explanation::Explained;
use chopmark_domain::settlement::marked::Mark;
use chopmark_domain::settlement::money::{Currency, MoneyError};
use chopmark_domain::settlement::policy::Policy;
use chopmark_domain::settlement::refund::prorated::{self, Unused};
use chopmark_domain::settlement::refund::rules::{five_day_window, needs_approval};
use chopmark_domain::settlement::terms::{SettlementTerms, product_at, seller_at};
use chopmark_domain::settlement::usage::image;
use chopmark_domain::settlement::usage::pricing::{self, Pricing};
use chopmark_log::Position;
use chrono::{DateTime, SecondsFormat, Utc};

use super::asked::{ImageHours, QuoteRequest, Refund, ScaleOut, Upgrade, Usage, brackets, money, number, read, time};
use super::{OfPeriod, OfRefund, Quote};
use crate::json::PositionText;
use crate::problem::Problem;

/// Times of an ECS that are looked at in one go.
const MOST_SPANS: usize = 1_000;

/// An amount with the steps to it, and what else is told of it.
pub(super) struct WorkedOut {
    explained: Explained,
    periods: Vec<OfPeriod>,
    refund: Option<OfRefund>,
}

impl From<Explained> for WorkedOut {
    fn from(explained: Explained) -> Self {
        Self { explained, periods: vec![], refund: None }
    }
}

impl WorkedOut {
    pub(super) fn quote(self, position: Position) -> Quote {
        let amount = self.explained.amount;
        Quote {
            currency: amount.currency().to_string(),
            amount: amount.amount().normalize(),
            shown: amount.shown().amount(),
            explanation: sentences(&self.explained.explanation),
            periods: self.periods,
            refund: self.refund,
            position: PositionText(position),
        }
    }
}

/// By whose rules, in which currency, and as of when.
struct Terms<'a> {
    catalog: &'a Catalog,
    policy: &'a Policy,
    currency: Currency,
    at: DateTime<Utc>,
}

/// Works out what was asked.
pub(super) fn work_out(asked: QuoteRequest, catalog: &Catalog, now: DateTime<Utc>) -> Result<WorkedOut, Problem> {
    let at = asked.at.as_deref().map_or(Ok(now), |text| time("at", text))?;
    let seller = seller_at(catalog, at);
    let currency = asked.currency.as_deref().map(|text| read("currency", text, Currency::parse));
    let currency = currency.transpose()?.unwrap_or(seller.site.currency());
    let terms = Terms { catalog, policy: &seller.policy, currency, at };
    match (asked.upgrade, asked.scale_out, asked.usage, asked.image_hours, asked.refund) {
        (Some(upgrade), None, None, None, None) => terms.upgrade(&upgrade),
        (None, Some(scale_out), None, None, None) => terms.scale_out(&scale_out),
        (None, None, Some(usage), None, None) => terms.usage(&usage),
        (None, None, None, Some(hours), None) => terms.image_hours(&hours),
        (None, None, None, None, Some(refund)) => terms.refund(&refund),
        _ => Err(Problem::malformed("ask for one of upgrade, scale_out, usage, image_hours and refund")),
    }
}

impl Terms<'_> {
    fn upgrade(&self, asked: &Upgrade) -> Result<WorkedOut, Problem> {
        let remaining = asked.term.remaining(self.at, asked.discount.as_deref(), self.policy.term_days)?;
        let old = money("old_price", &asked.old_price, self.currency)?;
        let new = money("new_price", &asked.new_price, self.currency)?;
        Ok(change::upgrade(old, new, &remaining).map_err(|error| of_money(&error))?.into())
    }

    fn scale_out(&self, asked: &ScaleOut) -> Result<WorkedOut, Problem> {
        let remaining = asked.term.remaining(self.at, asked.discount.as_deref(), self.policy.term_days)?;
        let order = change::ScaleOut {
            pricing: asked.user_pricing()?,
            users_before: asked.users_before,
            users_after: asked.users_after,
            price_before: money("price_before", &asked.price_before, self.currency)?,
            ordered_at: self.at,
        };
        let brackets = brackets(&asked.brackets, self.currency)?;
        let fee = change::scale_out(&order, &brackets, &remaining, self.policy.volume_discount);
        Ok(fee.map_err(|error| of_money(&error))?.into())
    }

    fn usage(&self, asked: &Usage) -> Result<WorkedOut, Problem> {
        let brackets = brackets(&asked.brackets, self.currency)?;
        let quantity = number("quantity", &asked.quantity)?;
        let before = asked.used_before.as_deref().map(|text| number("used_before", text)).transpose()?;
        let pricing = match asked.pricing.as_str() {
            "fixed" if asked.brackets.len() == 1 => Pricing::Fixed(brackets.price_of(quantity)),
            "fixed" => return Err(Problem::malformed("`brackets`: one price is one bracket")),
            "step" => Pricing::Step(brackets),
            "tier" => Pricing::Tier(brackets),
            _ => return Err(Problem::malformed("`pricing`: say fixed, step or tier")),
        };
        let charge = pricing::charge(&pricing, before.unwrap_or_default(), quantity);
        Ok(charge.map_err(|error| of_money(&error))?.into())
    }

    /// By the terms of the product where one is named, else by the seller's policy.
    fn image_hours(&self, asked: &ImageHours) -> Result<WorkedOut, Problem> {
        let product = asked.sku.as_deref().map(|text| self.product(text)).transpose()?;
        let listed = product.and_then(|terms| terms.hourly_price).map(|price| price.to_string());
        let price = asked.hourly_price.as_ref().or(listed.as_ref());
        let price =
            price.ok_or_else(|| Problem::malformed("`hourly_price`: name it, or a `sku` whose terms have it"))?;
        let price = money("hourly_price", price, self.currency)?;
        let partial = product.and_then(|terms| terms.partial_hour).unwrap_or(self.policy.partial_hour);
        if asked.spans.len() > MOST_SPANS {
            return Err(Problem::malformed(format!(
                "`spans`: there are more than {MOST_SPANS}; ask for a part of them"
            )));
        }
        let spans = asked.spans.iter().map(|span| span.span()).collect::<Result<Vec<_>, Problem>>()?;
        let hours = image::hours_used(&spans, self.policy.powered_off);
        let hours = hours.map_err(|error| Problem::malformed(format!("`spans`: {error}")))?;
        let charge = |hours: &[_]| image::charge(hours, price, partial).map_err(|error| of_money(&error));
        let periods = image::by_period(&hours).into_iter().map(|(period, hours)| {
            let (seconds, amount) = (image::seconds_charged(&hours, partial), charge(&hours)?.amount.amount());
            Ok(OfPeriod { period: period.to_string(), seconds, amount: amount.normalize() })
        });
        let periods = periods.collect::<Result<Vec<_>, Problem>>()?;
        Ok(WorkedOut { periods, ..charge(&hours)?.into() })
    }

    fn product(&self, sku: &str) -> Result<&SettlementTerms, Problem> {
        let sku = read("sku", sku, Sku::parse)?;
        let terms = product_at(self.catalog, &sku, self.at);
        let terms = terms.ok_or_else(|| Problem::malformed(format!("`sku`: the seller has no product {sku}")))?;
        Ok(&terms.settlement)
    }

    fn refund(&self, asked: &Refund) -> Result<WorkedOut, Problem> {
        let fee = asked.handling_fee.as_deref().map(|text| money("handling_fee", text, self.currency)).transpose()?;
        let provisioned_at = time("provisioned_at", &asked.provisioned_at)?;
        let unused = Unused {
            paid: money("paid", &asked.paid, self.currency)?,
            handling_fee: fee,
            bought_at: provisioned_at,
            expires_at: time("expires_at", &asked.expires_at)?,
            refunded_at: self.at,
        };
        let prorated = prorated::refund(&unused).map_err(|error| of_money(&error))?;
        let refund = OfRefund {
            order_hours: prorated.order_hours,
            used_hours: prorated.used_hours,
            estimated: prorated.refund.mark == Mark::Estimate,
            five_days_until: five_day_window(provisioned_at).end.to_rfc3339_opts(SecondsFormat::Secs, true),
            needs_approval: needs_approval(prorated.refund.value.amount),
        };
        Ok(WorkedOut { refund: Some(refund), ..prorated.refund.value.into() })
    }
}

fn of_money(error: &MoneyError) -> Problem {
    Problem::malformed(error.to_string())
}
