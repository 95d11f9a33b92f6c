//! What a file shows in several rows, as one: consumption, which the marketplace bills by product and month (S7), and a
//! refund of several lines.

use rust_decimal::Decimal;

use crate::settlement::bill::mapping::Field;
use crate::settlement::money::LARGEST;
use crate::settlement::statement::{StatedFacts, When};

/// Adds a further row to what was said so far. Amounts add up; moments are the latest, since the whole is paid when the
/// last of it is; what is given back and its product are those of the first row; everything else must agree.
///
/// # Errors
/// The field that only one of them says, or `None` where they do not agree or come to too much.
pub(super) fn add(whole: &mut StatedFacts, part: &StatedFacts) -> Result<(), Option<Field>> {
    let mut sum = whole.clone();
    for (field, so_far, more) in [
        (Field::SalesAmount, &mut sum.sales_amount, part.sales_amount),
        (Field::VoucherAmount, &mut sum.voucher_amount, part.voucher_amount),
        (Field::ListPrice, &mut sum.list_price, part.list_price),
        (Field::CustomerWht, &mut sum.customer_wht, part.customer_wht),
        (Field::SellerTax, &mut sum.seller_tax, part.seller_tax),
    ] {
        *so_far = match (*so_far, more) {
            (Some(so_far), Some(more)) => Some(added(so_far, more).ok_or(None)?),
            (None, None) => None,
            _ => return Err(Some(field)),
        };
    }
    sum.effective = latest(whole.effective, part.effective);
    sum.paid_in_full = latest(whole.paid_in_full, part.paid_in_full);
    sum.supervision = latest(whole.supervision, part.supervision);
    if !agree(whole, part) {
        return Err(None);
    }
    *whole = sum;
    Ok(())
}

fn added(one: Decimal, other: Decimal) -> Option<Decimal> {
    one.checked_add(other).filter(|sum| sum.abs() <= LARGEST)
}

/// `None` where one of them is not said: then it is not said of the whole.
fn latest(one: Option<When>, other: Option<When>) -> Option<When> {
    Some(match (one?, other?) {
        (When::NotYet, _) | (_, When::NotYet) => When::NotYet,
        (When::NotApplicable, when) | (when, When::NotApplicable) => when,
        (When::At(one), When::At(other)) => When::At(one.max(other)),
    })
}

/// Whether everything else is said alike.
fn agree(one: &StatedFacts, other: &StatedFacts) -> bool {
    let rest = |facts: &StatedFacts| StatedFacts {
        original_order_line_id: None,
        sku: None,
        product_id: None,
        sales_amount: None,
        voucher_amount: None,
        list_price: None,
        customer_wht: None,
        seller_tax: None,
        effective: None,
        paid_in_full: None,
        supervision: None,
        ..facts.clone()
    };
    rest(one) == rest(other)
}
