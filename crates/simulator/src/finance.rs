//! The finance pages of the seller's console: transaction details (交易明细) and the monthly bill, as files to import.
//!
//! ```text
//! Sold (what, when, for how much) ─▶ Books ─▶ lines (month, share, amount) ─▶ Bill ─▶ planted differences
//!                                      └────▶ transaction details ──────────────┴──▶ Sheet ─▶ CSV, XLSX
//! ```
//!
//! The amounts are reckoned here a second time, from the published rules alone, in whole numbers, and without a word
//! of the seller's own settlement rules: where both agree, that means something. It plays generic goods of the China
//! site.

mod accounts;
mod bill;
mod books;
mod export;
mod month;
mod sheet;
mod sold;
mod xlsx;

pub use accounts::{Accounts, Body};
pub use bill::{Bill, Row};
pub use books::{Books, Line, Settled};
pub use export::Language;
pub use month::Month;
pub use sheet::Sheet;
pub use sold::{Acceptance, Kind, Sold};
