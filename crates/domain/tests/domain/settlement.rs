//! The rules of settlement: every worked number of the marketplace's pages, every boundary, and what must hold
//! whatever the amounts.

mod support;

mod balance;
mod bill;
mod books;
mod books_properties;
mod books_rules;
mod books_support;
mod calendar;
mod change;
mod forecast;
mod formula;
mod line;
mod money;
mod policy;
mod properties;
mod readiness;
mod reconciliation;
mod refund;
mod refund_rules;
mod scenarios;
mod transactions;
mod usage;
