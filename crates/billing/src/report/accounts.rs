//! Running accounts: each period ended after the other, with the deposit and what is carried on.

use std::collections::BTreeMap;

use chopmark_domain::catalog::Catalog;
use chopmark_domain::settlement::balance::{self, Account, Closing};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::money::{Currency, Money, MoneyError};
use chopmark_domain::settlement::terms::SellerTerms;
use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::sentences;

/// How a period ends in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Balance {
    /// The currency of all amounts.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// Lines and adjustments, less the shortfall brought forward.
    #[schema(value_type = String, example = "95.00")]
    pub net: Decimal,
    /// What is paid out.
    #[schema(value_type = String, example = "95.00")]
    pub payable: Decimal,
    /// What is taken from the deposit.
    #[schema(value_type = String, example = "0")]
    pub from_deposit: Decimal,
    /// What the seller must pay by other means.
    #[schema(value_type = String, example = "0")]
    pub receivable: Decimal,
    /// The deposit after it.
    #[schema(value_type = String, example = "500.00")]
    pub deposit: Decimal,
    /// The shortfall carried to the next period.
    #[schema(value_type = String, example = "0")]
    pub carried_forward: Decimal,
    /// How the net came to be, step by step.
    pub explanation: Vec<String>,
}

impl From<&Closing> for Balance {
    fn from(closing: &Closing) -> Self {
        Self {
            currency: closing.net.currency(),
            net: closing.net.amount(),
            payable: closing.payable.amount(),
            from_deposit: closing.from_deposit.amount(),
            receivable: closing.receivable.amount(),
            deposit: closing.account.deposit.amount(),
            carried_forward: closing.account.shortfall.amount(),
            explanation: sentences(&closing.explanation),
        }
    }
}

/// What a period has in one currency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holding {
    pub(crate) lines: Money,
    pub(crate) adjustments: Money,
}

impl Holding {
    pub(crate) fn nothing(currency: Currency) -> Self {
        Self { lines: Money::zero(currency), adjustments: Money::zero(currency) }
    }
}

/// The accounts of a seller, by currency, as they go from period to period.
pub(crate) struct Accounts<'a> {
    catalog: &'a Catalog,
    running: BTreeMap<Currency, Running>,
}

struct Running {
    account: Account,
    /// The deposit that the terms stated last: what is drawn from it stays drawn until they state another.
    stated: Option<Decimal>,
}

impl<'a> Accounts<'a> {
    pub(crate) fn new(catalog: &'a Catalog) -> Self {
        Self { catalog, running: BTreeMap::new() }
    }

    /// Ends periods one after the other, up to the last that holds anything and to `until` at least. A period without
    /// anything is ended where a shortfall is brought into it, and changes nothing otherwise.
    pub(crate) fn run(
        &mut self,
        mut holdings: BTreeMap<(Currency, Period), Holding>,
        until: Period,
    ) -> Result<BTreeMap<(Period, Currency), Closing>, MoneyError> {
        let last = holdings.keys().map(|(_, period)| *period).fold(until, Period::max);
        let mut closings = BTreeMap::new();
        while let Some(((currency, period), holding)) = holdings.pop_first() {
            let terms = terms_of(self.catalog, period);
            let account = self.brought_into(period, currency);
            let carry = terms.policy.carry;
            let closing = balance::close(period, holding.lines, holding.adjustments, &account, carry)?;
            let carries = !closing.account.shortfall.amount().is_zero();
            if carries && period < last {
                holdings.entry((currency, period.next())).or_insert_with(|| Holding::nothing(currency));
            }
            if let Some(running) = self.running.get_mut(&currency) {
                running.account = closing.account;
            }
            closings.insert((period, currency), closing);
        }
        Ok(closings)
    }

    /// The account as a period finds it.
    pub(crate) fn brought_into(&mut self, period: Period, currency: Currency) -> Account {
        let terms = terms_of(self.catalog, period);
        let stated = terms.deposit.filter(|_| terms.site.currency() == currency);
        let running = self
            .running
            .entry(currency)
            .or_insert_with(|| Running { account: Account::with_deposit(Money::zero(currency)), stated: None });
        if running.stated != stated {
            running.stated = stated;
            // Beyond any amount that is taken, the terms would not have been.
            let deposit = Money::new(stated.unwrap_or_default(), currency);
            running.account.deposit = deposit.unwrap_or(Money::zero(currency));
        }
        running.account
    }
}

/// The terms in force as a period ends.
pub(crate) fn terms_of(catalog: &Catalog, period: Period) -> SellerTerms {
    let last_moment = period.bounds().end - TimeDelta::seconds(1);
    super::Rules::at(catalog, last_moment).terms
}
