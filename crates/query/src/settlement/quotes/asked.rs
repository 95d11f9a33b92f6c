//! What is asked, and how it is read.

use std::fmt::Display;

use chopmark_domain::settlement::change::{Remaining, UserPricing};
use chopmark_domain::settlement::money::{Currency, Money, Ratio};
use chopmark_domain::settlement::policy::TermDays;
use chopmark_domain::settlement::term::{TermLength, days_between, end_of_term, term_days};
use chopmark_domain::settlement::usage::image::{EcsState, Span};
use chopmark_domain::settlement::usage::pricing::{Bracket, Brackets};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::params;
use crate::problem::Problem;
use crate::settlement::statements;

/// What a price is asked of: exactly one of `upgrade`, `scale_out`, `usage`, `image_hours` and `refund`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuoteRequest {
    /// The moment of the change or the refund, whose policy holds; now where it is absent.
    #[schema(format = DateTime, example = "2024-05-16T00:00:00Z")]
    pub(super) at: Option<String>,
    /// The currency of all amounts; the site's where it is absent.
    #[schema(pattern = "^[A-Z]{3}$", example = "CNY")]
    pub(super) currency: Option<String>,
    /// Another specification for the rest of a term.
    pub(super) upgrade: Option<Upgrade>,
    /// More users for the rest of a term.
    pub(super) scale_out: Option<ScaleOut>,
    /// A metered quantity.
    pub(super) usage: Option<Usage>,
    /// Hours of an image that is paid by use.
    pub(super) image_hours: Option<ImageHours>,
    /// A refund for the hours not used.
    pub(super) refund: Option<Refund>,
}

/// An upgrade.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteUpgrade)]
pub(crate) struct Upgrade {
    /// What the old specification costs for the whole term.
    #[schema(example = "1000")]
    pub(super) old_price: String,
    /// What the new one costs for the whole term.
    #[schema(example = "1600")]
    pub(super) new_price: String,
    /// The term that is changed.
    pub(super) term: Term,
    /// What is left of the price after discount; 1 where it is absent.
    #[schema(example = "0.9")]
    pub(super) discount: Option<String>,
}

/// A term.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteTerm)]
pub(crate) struct Term {
    /// When it began.
    #[schema(format = DateTime, example = "2024-04-30T16:00:00Z")]
    from: String,
    /// How many months it has; or say `years`.
    #[schema(minimum = 1, maximum = 1200, example = 1)]
    months: Option<u32>,
    /// How many years it has.
    #[schema(minimum = 1, maximum = 100)]
    years: Option<u32>,
}

/// More users.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteScaleOut)]
pub(crate) struct ScaleOut {
    /// How users are priced: `linear`, `tiered` or `volume`.
    #[schema(pattern = "^(linear|tiered|volume)$", example = "volume")]
    pub(super) pricing: String,
    /// Users before.
    pub(super) users_before: u32,
    /// Users after.
    pub(super) users_after: u32,
    /// What all users before cost for the whole term.
    #[schema(example = "1000")]
    pub(super) price_before: String,
    /// The price of one user for the whole term, by the number of users.
    #[schema(min_items = 1, max_items = 100)]
    pub(super) brackets: Vec<BracketAsked>,
    /// The term that is changed.
    pub(super) term: Term,
    /// What is left of the price after discount; 1 where it is absent.
    #[schema(example = "0.9")]
    pub(super) discount: Option<String>,
}

/// A price for quantities up to a bound.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteBracket)]
pub(crate) struct BracketAsked {
    /// The largest quantity at this price; absent for the last bracket.
    #[schema(example = "3")]
    up_to: Option<String>,
    /// The price of one.
    #[schema(example = "0.30")]
    unit_price: String,
}

/// A metered quantity.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteUsage)]
pub(crate) struct Usage {
    /// `fixed`: one price; `step`: each slice at its own price; `tier`: all of it at the price of its bracket.
    #[schema(pattern = "^(fixed|step|tier)$", example = "step")]
    pub(super) pricing: String,
    /// The prices; one bracket for `fixed`.
    #[schema(min_items = 1, max_items = 100)]
    pub(super) brackets: Vec<BracketAsked>,
    /// What was used before in the same accumulation period; only steps look at it.
    pub(super) used_before: Option<String>,
    /// How much is used.
    #[schema(example = "8")]
    pub(super) quantity: String,
}

/// Hours of an image.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteImageHours)]
pub(crate) struct ImageHours {
    /// The product, whose terms say the price and how a part of an hour counts where they do.
    #[schema(max_length = 64)]
    pub(super) sku: Option<String>,
    /// The price of an hour; that of the product where it is absent.
    #[schema(example = "0.50")]
    pub(super) hourly_price: Option<String>,
    /// The times of one ECS.
    #[schema(min_items = 1, max_items = 1000)]
    pub(super) spans: Vec<SpanAsked>,
}

/// A time that an ECS spent in one state.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteSpan)]
pub(crate) struct SpanAsked {
    /// From when.
    #[schema(format = DateTime, example = "2024-05-05T01:40:00Z")]
    from: String,
    /// Until when.
    #[schema(format = DateTime, example = "2024-05-05T03:10:00Z")]
    to: String,
    /// `normal`, `powered_off`, `expired`, `in_arrears` or `gone`; `normal` where it is absent.
    #[schema(pattern = "^(normal|powered_off|expired|in_arrears|gone)$")]
    state: Option<String>,
}

/// A term that is given back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRefund)]
pub(crate) struct Refund {
    /// What was paid, without coupons.
    #[schema(example = "758")]
    pub(super) paid: String,
    /// When it was provisioned.
    #[schema(format = DateTime, example = "2024-01-01T02:30:00Z")]
    pub(super) provisioned_at: String,
    /// When its term ends.
    #[schema(format = DateTime, example = "2024-02-01T15:59:59Z")]
    pub(super) expires_at: String,
    /// The marketplace's handling fee, if it is known.
    pub(super) handling_fee: Option<String>,
}

/// Reads a member; what is wrong with it is told under its name.
pub(super) fn read<T, E: Display>(name: &str, text: &str, read: impl Fn(&str) -> Result<T, E>) -> Result<T, Problem> {
    read(text).map_err(|error| Problem::malformed(format!("`{name}`: {error}")))
}

/// Money of at least nothing.
pub(super) fn money(name: &str, text: &str, currency: Currency) -> Result<Money, Problem> {
    let amount = number(name, text)?;
    read(name, text, |_| Money::new(amount, currency))
}

/// A number of at least nothing.
pub(super) fn number(name: &str, text: &str) -> Result<Decimal, Problem> {
    let number = read(name, text, statements::amount)?;
    if number < Decimal::ZERO {
        return Err(Problem::malformed(format!("`{name}`: it is less than nothing")));
    }
    Ok(number)
}

pub(super) fn time(name: &str, text: &str) -> Result<DateTime<Utc>, Problem> {
    read(name, text, params::time)
}

impl Term {
    /// What of the term is left at a moment, counted by the policy.
    pub(super) fn remaining(
        &self,
        at: DateTime<Utc>,
        discount: Option<&str>,
        policy: TermDays,
    ) -> Result<Remaining, Problem> {
        let from = time("from", &self.from)?;
        let length = match (self.months, self.years) {
            (Some(months), None) => TermLength::Months(months),
            (None, Some(years)) => TermLength::Years(years),
            _ => return Err(Problem::malformed("`term`: say how long it is, by either `months` or `years`")),
        };
        let to = end_of_term(from, length).filter(|to| *to > from);
        let to = to.ok_or_else(|| Problem::malformed("`term`: it has no end; give it another length"))?;
        if !(from..to).contains(&at) {
            return Err(Problem::malformed("`at`: it is not within the term"));
        }
        let discount = discount.map(|text| read("discount", text, statements::ratio)).transpose()?;
        Ok(Remaining {
            days: days_between(at, to),
            term_days: term_days(length, from, to, policy),
            discount: discount.unwrap_or(Ratio::ONE),
        })
    }
}

impl ScaleOut {
    pub(super) fn user_pricing(&self) -> Result<UserPricing, Problem> {
        match self.pricing.as_str() {
            "linear" => Ok(UserPricing::Linear),
            "tiered" => Ok(UserPricing::Tiered),
            "volume" => Ok(UserPricing::Volume),
            _ => Err(Problem::malformed("`pricing`: say linear, tiered or volume")),
        }
    }
}

/// Brackets in one currency.
pub(super) fn brackets(asked: &[BracketAsked], currency: Currency) -> Result<Brackets, Problem> {
    let bracket = |asked: &BracketAsked| {
        let up_to = asked.up_to.as_deref().map(|text| number("up_to", text)).transpose()?;
        Ok(Bracket { up_to, unit_price: money("unit_price", &asked.unit_price, currency)? })
    };
    let brackets = asked.iter().map(bracket).collect::<Result<Vec<_>, Problem>>()?;
    Brackets::new(&brackets).map_err(|error| Problem::malformed(format!("`brackets`: {error}")))
}

impl SpanAsked {
    pub(super) fn span(&self) -> Result<Span, Problem> {
        let state = match self.state.as_deref() {
            None | Some("normal") => EcsState::Normal,
            Some("powered_off") => EcsState::PoweredOff,
            Some("expired") => EcsState::Expired,
            Some("in_arrears") => EcsState::InArrears,
            Some("gone") => EcsState::Gone,
            Some(_) => {
                return Err(Problem::malformed("`state`: say normal, powered_off, expired, in_arrears or gone"));
            }
        };
        Ok(Span { from: time("from", &self.from)?, to: time("to", &self.to)?, state })
    }
}
