//! What values of the domain look like, for the description of the API. Only the descriptions are used.

use chopmark_domain::settlement::line::bill_state::BillState;
use chopmark_domain::settlement::product::{Category, LineType};
use chopmark_domain::settlement::readiness::{AgeBucket, Blocked, Missing};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, Type};

/// A text that is one of these, spelt as answers spell them.
pub(crate) fn one_of<T: Serialize>(values: &[T]) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values.iter().map(|value| json!(value)))).build()
}

pub(crate) fn period() -> Object {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9]{6}$"));
    text.description(Some("A month of Beijing's calendar, as year and month.")).examples([json!("202405")]).build()
}

pub(crate) fn categories() -> Object {
    one_of(&Category::ALL)
}

pub(crate) fn line_types() -> Object {
    one_of(&LineType::ALL)
}

pub(crate) fn blocked() -> Object {
    one_of(&Blocked::ALL)
}

pub(crate) fn blocked_list() -> Array {
    ArrayBuilder::new().items(blocked()).build()
}

pub(crate) fn missing_list() -> Array {
    ArrayBuilder::new().items(one_of(&Missing::ALL)).build()
}

pub(crate) fn ages() -> Object {
    use AgeBucket::{Over120, UpTo30, UpTo60, UpTo90, UpTo120};
    one_of(&[UpTo30, UpTo60, UpTo90, UpTo120, Over120])
}

pub(crate) fn bill_states() -> Object {
    use BillState::{
        ApprovalRejected, Generated, InvoiceReview, Paid, PaymentInfoError, PaymentProcessing, PaymentRejected,
        PaymentRequestFailed, PendingApproval, PendingInvoice, PendingPaymentRequest, PendingSellerConfirmation,
    };
    one_of(&[
        Generated,
        PendingSellerConfirmation,
        PendingApproval,
        ApprovalRejected,
        PendingPaymentRequest,
        PaymentRequestFailed,
        PendingInvoice,
        InvoiceReview,
        PaymentProcessing,
        PaymentInfoError,
        PaymentRejected,
        Paid,
    ])
}

/// A fact with how it is known.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct MarkedText {
    /// The fact: an amount or a ratio, or a time.
    value: String,
    /// `stated` by the marketplace, or an `estimate` of ours.
    #[schema(example = "stated")]
    mark: String,
}

/// The fields of a settlement line. What nobody said is absent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct LineFields {
    /// Names the line for ever; may contain `/`.
    line_id: String,
    /// The period it is settled in, or expected to be.
    #[schema(schema_with = period, required = false)]
    period: Option<String>,
    /// The bill it is on: its period, where it was imported or somebody said how far it is.
    bill_id: Option<String>,
    /// The tab of the bill.
    #[schema(schema_with = categories, required = false)]
    product_category: Option<String>,
    /// The order; consumption has none.
    order_id: Option<String>,
    /// Its line.
    order_line_id: Option<String>,
    /// For a refund: the line that is given back.
    original_order_line_id: Option<String>,
    /// What it is.
    #[schema(schema_with = line_types)]
    line_type: String,
    /// The specification.
    sku_code: Option<String>,
    /// The marketplace's product id.
    product_id: Option<String>,
    /// How it is charged.
    charging_mode: Option<String>,
    /// The customer, by the marketplace's id.
    customer_id: Option<String>,
    /// When it takes effect, UTC.
    effective_at: Option<MarkedText>,
    /// When it is paid in full, UTC.
    paid_at: Option<MarkedText>,
    /// When it was accepted, UTC, if it is supervised.
    supervision_done_at: Option<MarkedText>,
    /// When the last condition comes true, UTC.
    settle_ready_at: Option<MarkedText>,
    /// The currency of every amount.
    #[schema(example = "CNY")]
    currency: String,
    /// What the goods cost; of a refund what is given back of it, negative.
    sales_amount: Option<MarkedText>,
    /// The voucher in it, with the same sign.
    voucher_amount: Option<MarkedText>,
    /// The platform fee, frozen when the line is made.
    #[schema(example = "0.05")]
    fee_ratio: Option<String>,
    /// The tier's share; an estimate until the month is closed.
    tier_ratio: Option<MarkedText>,
    /// Withholding tax that the customer keeps back.
    customer_wht: Option<MarkedText>,
    /// The seller's own taxes.
    seller_tax: Option<MarkedText>,
    /// What the seller gets; negative if it is taken back.
    settle_amount: Option<MarkedText>,
    /// Why it is on no bill yet: the most fundamental reason.
    #[schema(schema_with = blocked, required = false)]
    blocked_reason: Option<String>,
    /// How far its bill is.
    #[schema(schema_with = bill_states, required = false)]
    bill_state: Option<String>,
    /// The payment request, which also stands on the bank's statement.
    payment_request_no: Option<String>,
    /// The invoice.
    invoice_no: Option<String>,
}

/// From gross to net: `net = sales - voucher - fee + tier_bonus - tax + refund + adjustment`.
#[derive(ToSchema)]
#[schema(as = Columns)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct ColumnFields {
    /// What the goods cost.
    #[schema(example = "100.00")]
    sales: String,
    /// Vouchers used.
    voucher: String,
    /// What the marketplace keeps, before the tier.
    #[schema(example = "5.00")]
    fee: String,
    /// What the tier gives back of the fee.
    tier_bonus: String,
    /// Withholding tax of the customer, and the seller's taxes.
    tax: String,
    /// What refunds and downgrades take back; negative.
    refund: String,
    /// Corrections; either sign.
    adjustment: String,
    /// What the seller gets.
    #[schema(example = "95.00")]
    net: String,
}

/// A number with its name.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct TermFields {
    /// What it is; stable.
    #[schema(example = "sales_amount")]
    name: String,
    /// How much of it.
    #[schema(example = "100.00")]
    value: String,
}

/// What a step does.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct StepFields {
    /// `sum`, `difference`, `product`, `quotient`, `largest` or `negation`.
    operation: String,
    /// To what, in this order.
    operands: Vec<TermFields>,
    /// What comes out.
    result: TermFields,
}
