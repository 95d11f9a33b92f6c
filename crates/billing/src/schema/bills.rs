//! The bills that were imported.

use chopmark_domain::ids::{OrderId, OrderLineId, ProductId, Sku};
use rust_decimal::Decimal;

use super::Kind::{Amount, Integer, Json, Moment, Text};
use super::{Filled, Index, Table, maybe, needed};
use crate::cell::Cell;
use crate::rows::{BillHead, BilledRow};

/// One row for each bill.
pub(crate) const BILLS: Table<BillHead> = Table {
    name: "bills",
    says: "Bills of the marketplace as they were imported last.",
    key: &["seller", "period", "category"],
    indexes: &[],
    columns: &[
        needed("seller", Text, "Whose.", |head| head.identity.seller.as_str().into()),
        needed("period", Text, "Of which period.", |head| Cell::code(head.identity.period)),
        needed("category", Text, "The tab of the console.", |head| head.identity.category.code().into()),
        needed("revision", Integer, "Counts the imports of this bill, from 1.", |head| head.imported.revision.into()),
        needed("file_name", Text, "The file.", |head| (&head.imported.file_name).into()),
        needed("sha256", Text, "SHA-256 of the file, hexadecimal.", |head| (&head.imported.sha256).into()),
        needed("row_count", Integer, "How many rows it has.", |head| head.imported.rows.into()),
        maybe("imported_at", Moment, "When it was imported.", |head| head.imported_at.into()),
        maybe("bill_state", Text, "How far it is, like `PENDING_INVOICE` or `PAID`.", |head| {
            Cell::code(head.progress.state)
        }),
        maybe("payment_request_no", Text, "The payment request; several bills may share one.", |head| {
            head.progress.payment_request_no.as_ref().into()
        }),
        maybe("invoice_no", Text, "The invoice.", |head| head.progress.invoice_no.as_ref().into()),
        needed("document", Json, "The whole bill without its rows: with its mapping and judgements.", Cell::document),
    ],
};

/// One row for each row of a bill.
pub(crate) const BILL_ROWS: Table<BilledRow> = Table {
    name: "bill_rows",
    says: "Rows of the bills, as their files have them. What a file does not say is null.",
    key: &["seller", "period", "category", "file_row"],
    indexes: &[Index { name: "bill_rows_by_order", on: "seller, order_id", only: "" }],
    columns: &ROW_COLUMNS,
};

const ROW_COLUMNS: [Filled<BilledRow>; 34] = [
    needed("seller", Text, "Whose.", |row| row.identity.seller.as_str().into()),
    needed("period", Text, "The bill's period.", |row| Cell::code(row.identity.period)),
    needed("category", Text, "The bill's tab.", |row| row.identity.category.code().into()),
    needed("file_row", Integer, "Its row in the file, as a spreadsheet counts.", |row| row.row.row.into()),
    needed("currency", Text, "The currency of every amount.", |row| Cell::code(row.row.currency)),
    needed("settle_amount", Amount, "The settlement amount; negative if it is taken back.", |row| {
        row.row.settle_amount.into()
    }),
    maybe("order_id", Text, "The order.", |row| row.row.order_id.as_ref().map(OrderId::as_str).into()),
    maybe("order_line_id", Text, "The order line.", |row| {
        row.row.order_line_id.as_ref().map(OrderLineId::as_str).into()
    }),
    maybe("original_order_line_id", Text, "Of a refund: the order line that is given back.", |row| {
        row.row.original_order_line_id.as_ref().map(OrderLineId::as_str).into()
    }),
    maybe("line_type", Text, "What it is, as in `settlement_lines`.", |row| Cell::code(row.row.line_type)),
    maybe("sku_code", Text, "The specification.", |row| row.row.sku_code.as_ref().map(Sku::as_str).into()),
    maybe("product_id", Text, "The marketplace's product id.", |row| {
        row.row.product_id.as_ref().map(ProductId::as_str).into()
    }),
    maybe("product_name", Text, "The product's name.", |row| row.row.product_name.as_ref().into()),
    maybe("charging_mode", Text, "How it is charged, as in `settlement_lines`.", |row| {
        Cell::code(row.row.charging_mode)
    }),
    maybe("customer", Text, "The customer's account.", |row| row.row.customer.as_ref().into()),
    maybe("effective_at", Moment, "When it took effect.", |row| row.row.effective_at.into()),
    maybe("paid_at", Moment, "When it was paid in full.", |row| row.row.paid_at.into()),
    maybe("supervision_done_at", Moment, "When it was accepted.", |row| row.row.supervision_done_at.into()),
    maybe("payment_status", Text, "Whether it is paid: `COMPLETED`, `OPEN`.", |row| Cell::code(row.row.payment_status)),
    maybe("supervision_status", Text, "Whether it is accepted: `NOT_APPLICABLE`, `COMPLETED`, `OPEN`.", |row| {
        Cell::code(row.row.supervision_status)
    }),
    maybe("list_price", Amount, "What the list asks.", |row| row.row.list_price.into()),
    maybe("deal_price", Amount, "What was agreed on.", |row| row.row.deal_price.into()),
    maybe("sharing_base", Amount, "What is shared in joint operation.", |row| row.row.sharing_base.into()),
    maybe("sales_amount", Amount, "What the goods cost.", |row| row.row.sales_amount.into()),
    maybe("voucher_amount", Amount, "The voucher in it.", |row| row.row.voucher_amount.into()),
    maybe("transaction_amount", Amount, "What the customer really paid.", |row| row.row.transaction_amount.into()),
    maybe("fee_ratio", Amount, "The platform fee, from 0 to 1.", |row| row.row.fee_ratio.map(Decimal::from).into()),
    maybe("tier_ratio", Amount, "The tier's share, from 0 to 1.", |row| row.row.tier_ratio.map(Decimal::from).into()),
    maybe("customer_wht", Amount, "Withholding tax that the customer kept back.", |row| row.row.customer_wht.into()),
    maybe("seller_tax", Amount, "The seller's own taxes.", |row| row.row.seller_tax.into()),
    maybe("bill_state", Text, "How far the bill is.", |row| Cell::code(row.row.bill_state)),
    maybe("payment_request_no", Text, "The payment request.", |row| row.row.payment_request_no.as_ref().into()),
    maybe("invoice_no", Text, "The invoice.", |row| row.row.invoice_no.as_ref().into()),
    needed("document", Json, "The whole row.", Cell::document),
];
