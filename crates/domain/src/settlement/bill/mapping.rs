//! Which column of a file is which field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a column of a bill says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The period; must be the bill's.
    Period,
    /// The category; must be the bill's.
    Category,
    /// The currency; the site's if no column says it.
    Currency,
    /// The order.
    OrderId,
    /// Its line.
    OrderLineId,
    /// The line that a refund gives back.
    OriginalOrderLineId,
    /// Kind of line.
    LineType,
    /// The specification.
    SkuCode,
    /// The marketplace's product id.
    ProductId,
    /// The product's name.
    ProductName,
    /// How it is charged.
    ChargingMode,
    /// The customer's account.
    Customer,
    /// When it took effect.
    EffectiveAt,
    /// When it was paid in full.
    PaidAt,
    /// When it was accepted.
    SupervisionDoneAt,
    /// Whether it is paid.
    PaymentStatus,
    /// Whether it is accepted.
    SupervisionStatus,
    /// Whether it is billed; must be so.
    BillingStatus,
    /// What the list asks.
    ListPrice,
    /// What was agreed on.
    DealPrice,
    /// What is shared in joint operation.
    SharingBase,
    /// What the goods cost.
    SalesAmount,
    /// The voucher in it.
    VoucherAmount,
    /// What the customer really paid.
    TransactionAmount,
    /// The platform fee.
    FeeRatio,
    /// The tier's share.
    TierRatio,
    /// Withholding tax that the customer kept back.
    CustomerWht,
    /// The seller's own taxes.
    SellerTax,
    /// What the seller gets; the one column that no bill can do without.
    SettleAmount,
    /// How far the bill is.
    BillState,
    /// The payment request.
    PaymentRequestNo,
    /// The invoice.
    InvoiceNo,
}

/// Every field with its code and its headers: Chinese, English. Plausible ones, since no page shows the real header row
/// (UNCONFIRMED); words of the pages stand first (S5, S6, S14, S15, S17, S20).
type Row = (Field, &'static str, &'static [&'static str], &'static [&'static str]);

const FIELDS: [Row; 32] = [
    (
        Field::Period,
        "period",
        &["账期", "结算账期", "账单周期", "对账周期"],
        &["Billing Period", "Billing Cycle", "Period"],
    ),
    (
        Field::Category,
        "category",
        &["商品类别", "商品分类", "账单类型"],
        &["Product Category", "Category", "Bill Type"],
    ),
    (Field::Currency, "currency", &["币种", "货币"], &["Currency"]),
    (Field::OrderId, "order_id", &["订单号", "订单编号", "订单ID"], &["Order No.", "Order Number", "Order ID"]),
    (
        Field::OrderLineId,
        "order_line_id",
        &["订单行ID", "订单行号", "订单行编号"],
        &["Order Line ID", "Order Line No.", "Order Item ID"],
    ),
    (
        Field::OriginalOrderLineId,
        "original_order_line_id",
        &["原订单行ID", "原订单行号", "原订单行编号"],
        &["Original Order Line ID", "Original Order Line No."],
    ),
    (
        Field::LineType,
        "line_type",
        &["订单类型", "业务类型", "交易类型"],
        &["Order Type", "Transaction Type", "Line Type"],
    ),
    (Field::SkuCode, "sku_code", &["SKU编码", "规格编码", "SKU"], &["SKU Code", "SKU", "Specification Code"]),
    (Field::ProductId, "product_id", &["商品ID", "产品ID", "商品编码"], &["Product ID", "Product Code"]),
    (Field::ProductName, "product_name", &["商品名称", "产品名称"], &["Product Name", "Product"]),
    (Field::ChargingMode, "charging_mode", &["计费模式", "计费方式", "收费模式"], &["Billing Mode", "Charging Mode"]),
    (
        Field::Customer,
        "customer",
        &["客户账号", "客户帐号", "客户名称", "用户名"],
        &["Customer Account", "Customer", "Account Name"],
    ),
    (
        Field::EffectiveAt,
        "effective_at",
        &["生效时间", "订单生效时间", "开通时间"],
        &["Effective Time", "Effective At", "Provisioned At"],
    ),
    (Field::PaidAt, "paid_at", &["付费时间", "支付时间", "还款时间"], &["Payment Time", "Paid At"]),
    (
        Field::SupervisionDoneAt,
        "supervision_done_at",
        &["服务监管完成时间", "监管完成时间", "验收时间"],
        &["Service Supervision Completed At", "Supervision Completion Time", "Acceptance Time"],
    ),
    (Field::PaymentStatus, "payment_status", &["付费状态", "支付状态"], &["Payment Status"]),
    (
        Field::SupervisionStatus,
        "supervision_status",
        &["服务监管状态", "监管状态"],
        &["Service Supervision Status", "Supervision Status"],
    ),
    (Field::BillingStatus, "billing_status", &["出账状态"], &["Billing Status", "Bill Run Status"]),
    (Field::ListPrice, "list_price", &["目录价", "官网价", "商品目录价"], &["List Price"]),
    (Field::DealPrice, "deal_price", &["成交价", "商品成交价"], &["Deal Price"]),
    (
        Field::SharingBase,
        "sharing_base",
        &["分成基数", "分成金额基数", "结算基数"],
        &["Sharing Base", "Revenue Sharing Base"],
    ),
    (Field::SalesAmount, "sales_amount", &["商品销售金额", "销售金额"], &["Sales Amount", "Product Sales Amount"]),
    (
        Field::VoucherAmount,
        "voucher_amount",
        &["代金券金额", "代金券抵扣金额", "代金券"],
        &["Voucher Amount", "Vouchers", "Voucher"],
    ),
    (
        Field::TransactionAmount,
        "transaction_amount",
        &["交易金额", "实付金额", "实际支付金额"],
        &["Transaction Amount", "Amount Paid", "Actual Payment"],
    ),
    (
        Field::FeeRatio,
        "fee_ratio",
        &["运营管理费比例", "平台服务费比例", "平台费比例"],
        &["Operation Management Fee Ratio", "Platform Fee Ratio", "Platform Fee Rate"],
    ),
    (
        Field::TierRatio,
        "tier_ratio",
        &["阶梯激励比例", "增量分成比例", "阶梯比例"],
        &["Incremental Share Ratio", "Tier Ratio"],
    ),
    (Field::CustomerWht, "customer_wht", &["客户预提税", "客户代扣税"], &["Customer WHT", "Customer Withholding Tax"]),
    (Field::SellerTax, "seller_tax", &["商家税费", "商家预提税"], &["Seller Taxes", "Seller Tax", "Seller WHT"]),
    (
        Field::SettleAmount,
        "settle_amount",
        &["本期结算金额", "结算金额", "待结算金额", "应结算金额"],
        &["Settlement Amount", "Settlement Amount of This Period", "Amount to Be Settled"],
    ),
    (Field::BillState, "bill_state", &["账单状态", "结算状态"], &["Bill Status", "Bill State", "Settlement Status"]),
    (
        Field::PaymentRequestNo,
        "payment_request_no",
        &["申付单号", "付款申请单号"],
        &["Payment Request No.", "Payment Request Number"],
    ),
    (Field::InvoiceNo, "invoice_no", &["发票号", "发票号码"], &["Invoice No.", "Invoice Number"]),
];

impl Field {
    /// Its code, as a saved mapping and the views write it.
    #[must_use]
    pub fn code(self) -> &'static str {
        FIELDS.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// Every field.
    pub fn all() -> impl Iterator<Item = Self> {
        FIELDS.iter().map(|row| row.0)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Columns by their headers. Data: shipped, or saved by whoever imported such a file before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// What it is called.
    pub name: String,
    /// Header to field. Case, blanks, and a unit in brackets do not matter: `结算金额（元）` is `结算金额`.
    pub columns: BTreeMap<String, Field>,
}

/// A mapping that fits a file's headers, to be looked at before it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The mapping, with the headers as the file writes them; named after the one that fits best.
    pub mapping: Mapping,
    /// Headers that nobody knows, or that say again what another column says.
    pub unmapped: Vec<String>,
    /// What no column says.
    pub unsaid: Vec<Field>,
    /// Whether a bill can be read by it: the settlement amount is there, and an order or a product to match it by.
    pub is_sufficient: bool,
}

impl Mapping {
    /// The mappings that ship: the Chinese console, the English console, and the codes of this program's own exports.
    #[must_use]
    pub fn shipped() -> Vec<Self> {
        let mapping = |name: &str, headers: fn(&'static Row) -> Vec<&'static str>| {
            let columns =
                FIELDS.iter().flat_map(|row| headers(row).into_iter().map(|header| (header.to_owned(), row.0)));
            Self { name: name.into(), columns: columns.collect() }
        };
        vec![
            mapping("console-zh", |row| row.2.to_vec()),
            mapping("console-en", |row| row.3.to_vec()),
            mapping("codes", |row| vec![row.1]),
        ]
    }

    /// The field of a header.
    #[must_use]
    pub fn field(&self, header: &str) -> Option<Field> {
        let plain = plain(header);
        let known = |(name, _): &(&String, &Field)| self::plain(name) == plain;
        self.columns.get(header).copied().or_else(|| self.columns.iter().find(known).map(|(_, field)| *field))
    }

    /// A mapping for a file, from those that ship.
    #[must_use]
    pub fn propose(headers: &[&str]) -> Proposal {
        Self::propose_from(headers, &Self::shipped())
    }

    /// A mapping for a file: the one that knows most of its headers, and for what that one does not know, the others
    /// in their order. Of two columns that say the same, the first is taken.
    #[must_use]
    pub fn propose_from(headers: &[&str], known: &[Self]) -> Proposal {
        let fits = |mapping: &Self| headers.iter().filter(|header| mapping.field(header).is_some()).count();
        // The earlier of two that fit alike.
        let best = known.iter().rev().max_by_key(|mapping| fits(mapping));
        let mut columns = BTreeMap::new();
        let (mut said, mut unmapped) = (BTreeSet::new(), vec![]);
        for &header in headers {
            let field = best.into_iter().chain(known).find_map(|mapping| mapping.field(header));
            match field.filter(|field| !columns.contains_key(header) && said.insert(*field)) {
                Some(field) => drop(columns.insert(header.to_owned(), field)),
                None => unmapped.push(header.to_owned()),
            }
        }
        let name = best.map_or_else(String::new, |mapping| mapping.name.clone());
        let unsaid = Field::all().filter(|field| !said.contains(field)).collect();
        Proposal { is_sufficient: is_sufficient(&said), mapping: Self { name, columns }, unmapped, unsaid }
    }
}

/// Columns that a row can be matched by.
pub(in crate::settlement) const NAMING: [Field; 5] =
    [Field::OrderLineId, Field::OriginalOrderLineId, Field::OrderId, Field::SkuCode, Field::ProductId];

/// Whether a bill can be read from these.
pub(super) fn is_sufficient(said: &BTreeSet<Field>) -> bool {
    said.contains(&Field::SettleAmount) && NAMING.iter().any(|field| said.contains(field))
}

/// A header without what does not matter: case, blanks, underscores, a unit in brackets.
fn plain(header: &str) -> String {
    let before_unit = header.trim().split(['(', '（', '[']).next().unwrap_or_default();
    let letters = before_unit.chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '\u{feff}' | '*' | '.'));
    letters.flat_map(char::to_lowercase).collect()
}
