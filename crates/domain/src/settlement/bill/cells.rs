//! Text cells and what they say: money, ratios, periods, moments in Beijing, and the words of the console.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rust_decimal::Decimal;

use super::{PaymentStatus, SupervisionStatus};
use crate::ids::IdError;
use crate::order::ChargingMode;
use crate::settlement::calendar::{Period, midnight};
use crate::settlement::line::bill_state::BillState;
use crate::settlement::money::{Currency, Money, MoneyError, Ratio};
use crate::settlement::product::{Category, LineType};

/// Why a cell is not taken. Says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// Not an amount.
    #[error("{0:?} is not an amount; write it like -1234.56 or 1,234.56")]
    Amount(String),
    /// Another currency than the row's.
    #[error("{text:?} is not in {currency}, the currency of its row; map the currency's column, or correct the cell")]
    Currency {
        /// What was given.
        text: String,
        /// What the row is in.
        currency: Currency,
    },
    /// Not a ratio.
    #[error("{0:?} is not a ratio; write 5% or 0.05, or name the column's unit in its header, like 比例(%)")]
    Ratio(String),
    /// Not a period.
    #[error("{0:?} is not a period; write year and month, like 202405 or 2024-05")]
    Period(String),
    /// Not a moment.
    #[error("{0:?} is not a time; write it as Beijing shows it, like 2024-05-30 14:00:00")]
    Time(String),
    /// A word that is not known there.
    #[error("{text:?} is not known here; known are {known}")]
    Word {
        /// What was given.
        text: String,
        /// What may stand there.
        known: String,
    },
    /// Not an identifier.
    #[error(transparent)]
    Id(#[from] IdError),
    /// Out of range, or no currency.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A text that nobody would write.
    #[error("the text has {length} characters; at most {max} are taken")]
    TooLong {
        /// Characters found.
        length: usize,
        /// Characters allowed.
        max: usize,
    },
    /// Nothing where something must stand.
    #[error("the cell is empty; every row needs it")]
    Empty,
    /// Of another bill.
    #[error("the row is of {found}, this bill is of {bill}; import each bill by itself")]
    OtherBill {
        /// What the row says.
        found: String,
        /// What was expected.
        bill: String,
    },
    /// Not billed, says the export itself.
    #[error(
        "the row is not billed yet; a bill holds billed rows only: filter the export, or import it as transactions"
    )]
    Unbilled,
    /// Nothing to match it by.
    #[error("the row names no order and no product; fill in one of them, or remove the row")]
    Nameless,
    /// An order without its line, or a line without its order.
    #[error(
        "an order and its line name what was sold, and one of them is missing; fill in order number and order line id"
    )]
    NoOrderLine,
    /// Consumption without its product or month.
    #[error("consumption is named by its SKU and its period; fill in both")]
    NoUsage,
    /// A refund that gives the seller something.
    #[error("a refund takes back, so its amounts are negative; write -{0}")]
    RefundSign(Decimal),
    /// Two rows of one line that say different things.
    #[error("row {first} says something else of the same line; keep the row that is right")]
    Contradicts {
        /// The row that said it first.
        first: u32,
    },
    /// Rows that are added up, of which only some say an amount.
    #[error("row {first} is added to this one, and only one of the two says this; write 0 where it is nothing")]
    Uneven {
        /// The row that came first.
        first: u32,
    },
    /// The last row's sum is not that of the rows above it.
    #[error("the rows above come to {sum}, but {stated} is written here; is the file complete?")]
    Total {
        /// The sum of the rows.
        sum: Decimal,
        /// What the total says.
        stated: Decimal,
    },
}

/// Whether a cell says nothing: empty, or the dash that the console shows for "not applicable".
#[must_use]
pub fn is_blank(cell: &str) -> bool {
    matches!(cell.trim(), "" | "-" | "--" | "—" | "——")
}

/// An amount in a currency. Taken are signs, a currency sign or code on either side, brackets for a negative amount,
/// and commas between thousands; nothing is guessed from a comma anywhere else.
///
/// # Errors
/// Anything else, and another currency's sign.
pub fn amount(cell: &str, currency: Currency) -> Result<Decimal, CellError> {
    let refused = || CellError::Amount(cell.into());
    let mut text = cell.trim().replace(['−', '－'], "-").replace('，', ",");
    let bracketed = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).map(str::to_owned);
    let mut negative = bracketed.is_some();
    text = bracketed.unwrap_or(text);
    for (sign, code) in [
        ("CNY", "CNY"),
        ("RMB", "CNY"),
        ("¥", "CNY"),
        ("￥", "CNY"),
        ("元", "CNY"),
        ("USD", "USD"),
        ("$", "USD"),
        ("EUR", "EUR"),
        ("€", "EUR"),
    ] {
        if let Some(without) = without_sign(&text, sign) {
            if currency.to_string() != code {
                return Err(CellError::Currency { text: cell.into(), currency });
            }
            text = without;
        }
    }
    if let Some(rest) = text.strip_prefix(['-', '+']) {
        if negative {
            return Err(refused());
        }
        negative = text.starts_with('-');
        text = rest.trim().to_owned();
    }
    let plain = without_thousands(&text).ok_or_else(refused)?;
    let value = Decimal::from_str_exact(&plain).map_err(|_| refused())?;
    let value = Money::new(value, currency)?.amount();
    Ok(if negative && !value.is_zero() { -value } else { value })
}

/// The amount without a currency sign at its beginning, after its minus, or at its end.
fn without_sign(text: &str, sign: &str) -> Option<String> {
    let (minus, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest.trim()));
    let rest = rest.strip_prefix(sign).or_else(|| rest.strip_suffix(sign))?;
    Some(format!("{minus}{}", rest.trim()))
}

/// Digits with at most one point; commas only where they part thousands.
fn without_thousands(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next().filter(|first| is_digits(first))?;
    let is_parted = whole.contains(',');
    if (is_parted && first.len() > 3) || groups.any(|group| group.len() != 3 || !is_digits(group)) {
        return None;
    }
    if fraction.is_some_and(|fraction| !is_digits(fraction)) {
        return None;
    }
    Some(text.replace(',', ""))
}

/// A ratio: `5%`, `0.05`, or `5` under a header that says `%`. A bare `5` is none.
///
/// # Errors
/// Anything else, and what is not from 0 to 1.
pub fn ratio(cell: &str, in_percent: bool) -> Result<Ratio, CellError> {
    let refused = || CellError::Ratio(cell.into());
    let text = cell.trim();
    let (digits, in_percent) = match text.strip_suffix(['%', '％']) {
        Some(digits) => (digits.trim(), true),
        None => (text, in_percent),
    };
    let plain = without_thousands(digits).ok_or_else(refused)?;
    let value = Decimal::from_str_exact(&plain).map_err(|_| refused())?;
    let value = if in_percent { value.checked_mul(Decimal::new(1, 2)).ok_or_else(refused)? } else { value };
    Ratio::new(value.normalize()).map_err(|_| refused())
}

/// A period: `202405`, `2024-05`, `2024/5`, `2024年5月`.
///
/// # Errors
/// Anything else.
pub fn period(cell: &str) -> Result<Period, CellError> {
    let refused = || CellError::Period(cell.into());
    let text = cell.trim();
    let parts: Vec<_> = text.split(['-', '/', '年', '月']).filter(|part| !part.is_empty()).collect();
    let compact = match parts.as_slice() {
        [compact] => (*compact).to_owned(),
        [year, month] if month.len() <= 2 => format!("{year}{month:0>2}"),
        _ => return Err(refused()),
    };
    Period::parse(&compact).map_err(|_| refused())
}

/// How moments are written without an offset; a `T` is a blank, and Chinese words are signs.
const TIMES: [&str; 3] = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y%m%d%H%M%S"];

/// A moment on a Beijing clock, or with its own offset (RFC 3339). A day alone is its beginning.
///
/// # Errors
/// Anything else.
pub fn time(cell: &str) -> Result<DateTime<Utc>, CellError> {
    let text = cell.trim();
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Ok(exact.to_utc());
    }
    let text = ["GMT+08:00", "UTC+08:00", "UTC+8", "(UTC+08:00)", "北京时间"]
        .iter()
        .fold(text, |text, zone| text.strip_suffix(zone).map_or(text, str::trim));
    let plain =
        text.replace(['/', '年', '月'], "-").replace(['日', 'T'], " ").replace(['时', '分'], ":").replace('秒', "");
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let there = TIMES.iter().find_map(|format| NaiveDateTime::parse_from_str(&plain, format).ok());
    let day = || NaiveDate::parse_from_str(&plain, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN));
    let there = there.or_else(day).ok_or_else(|| CellError::Time(cell.into()))?;
    let since_midnight = there.signed_duration_since(there.date().and_time(NaiveTime::MIN));
    midnight(there.date()).checked_add_signed(since_midnight).ok_or_else(|| CellError::Time(cell.into()))
}

/// A text for people, or a number of a document. At most 200 characters.
///
/// # Errors
/// Longer.
pub fn text(cell: &str) -> Result<String, CellError> {
    const MAX: usize = 200;
    let (text, length) = (cell.trim(), cell.trim().chars().count());
    if length > MAX { Err(CellError::TooLong { length, max: MAX }) } else { Ok(text.to_owned()) }
}

/// Finds a word, without regard to case.
fn word<T: Copy>(cell: &str, words: &[(T, &[&str])]) -> Result<T, CellError> {
    let text = cell.trim();
    let found = words.iter().find(|(_, words)| words.iter().any(|word| word.eq_ignore_ascii_case(text)));
    found.map(|(value, _)| *value).ok_or_else(|| CellError::Word {
        text: text.chars().take(40).collect(),
        known: words.iter().flat_map(|(_, words)| words.iter().copied()).collect::<Vec<_>>().join(", "),
    })
}

/// Kind of a line (订单类型).
///
/// # Errors
/// A word that is not known.
pub fn line_type(cell: &str) -> Result<LineType, CellError> {
    word(
        cell,
        &[
            (LineType::New, &["新购", "订购", "New", "Purchase", "New Purchase", "Subscription"]),
            (LineType::Renew, &["续费", "续订", "自动续费", "Renew", "Renewal"]),
            (LineType::Change, &["变更", "升级", "扩容", "Change", "Upgrade", "Scale-out"]),
            (LineType::TrialConvert, &["试用转商用", "试用转正", "TRIAL_CONVERT", "Trial to Commercial"]),
            (LineType::Usage, &["按需", "用量", "消费", "Usage", "On-demand", "Pay-per-use"]),
            (LineType::Package, &["按需套餐包", "套餐包", "Package", "On-demand Package"]),
            (LineType::Refund, &["退订", "退款", "Refund", "Unsubscription", "Unsubscribe"]),
            (LineType::Downgrade, &["降配", "降级", "按需转包周期", "Downgrade"]),
            (LineType::Adjustment, &["调整", "调账", "差异调整", "Adjustment"]),
        ],
    )
}

/// How something is charged (计费模式).
///
/// # Errors
/// A word that is not known.
pub fn charging_mode(cell: &str) -> Result<ChargingMode, CellError> {
    word(
        cell,
        &[
            (ChargingMode::Period, &["包年/包月", "包年包月", "包周期", "包年", "包月", "Yearly/Monthly", "Period"]),
            (ChargingMode::OneTime, &["按次", "一次性", "One-time", "ONE_TIME"]),
            (ChargingMode::OnDemand, &["按需", "按需计费", "On-demand", "Pay-per-use", "ON_DEMAND"]),
            (ChargingMode::OnDemandPkg, &["按需套餐包", "套餐包", "On-demand Package", "ON_DEMAND_PKG"]),
        ],
    )
}

/// The tab of the bill (商品类别, S17).
///
/// # Errors
/// A word that is not known.
pub fn category(cell: &str) -> Result<Category, CellError> {
    word(
        cell,
        &[
            (Category::Generic, &["通用商品", "Generic", "Generic Goods", "generic"]),
            (Category::Selected, &["严选", "严选商品", "严选&认证配件", "Selected", "selected"]),
            (Category::JointOperation, &["联营", "联营商品", "Joint Operation", "joint_operation"]),
            (Category::HuaweiSelfService, &["华为商品", "华为自营", "Huawei Self-service", "huawei_self_service"]),
        ],
    )
}

/// Whether it is paid (付费状态).
///
/// # Errors
/// A word that is not known.
pub fn payment_status(cell: &str) -> Result<PaymentStatus, CellError> {
    word(
        cell,
        &[
            (PaymentStatus::Completed, &["已完成", "已付费", "已支付", "已还款", "Completed", "Paid"]),
            (PaymentStatus::Open, &["未完成", "未付费", "待支付", "未还款", "部分还款", "Open", "Unpaid", "Pending"]),
        ],
    )
}

/// Whether it is accepted (服务监管状态).
///
/// # Errors
/// A word that is not known.
pub fn supervision_status(cell: &str) -> Result<SupervisionStatus, CellError> {
    word(
        cell,
        &[
            (SupervisionStatus::NotApplicable, &["不涉及", "N/A", "NOT_APPLICABLE", "Not applicable"]),
            (SupervisionStatus::Completed, &["已完成", "已验收", "Completed"]),
            (SupervisionStatus::Open, &["未完成", "进行中", "监管中", "待验收", "Open", "Processing", "In progress"]),
        ],
    )
}

/// Whether it is billed (出账状态, S15).
///
/// # Errors
/// A word that is not known, and a row that is not billed.
pub fn billed(cell: &str) -> Result<(), CellError> {
    let words: [(bool, &[&str]); 2] =
        [(true, &["已出账", "Billed"]), (false, &["待出账", "未出账", "Unbilled", "To be billed"])];
    if word(cell, &words)? { Ok(()) } else { Err(CellError::Unbilled) }
}

/// How far the bill is (账单状态), by the console's word or by the code.
///
/// # Errors
/// A word that is not known.
pub fn bill_state(cell: &str) -> Result<BillState, CellError> {
    let by_code = || serde_json::from_value(serde_json::Value::from(cell.trim())).ok();
    let known =
        "待会签, 会签驳回, 待申付, 申付单创建失败, 待开票, 发票待审核, 申付处理中, 支付信息错误, 申付被驳回, 已支付";
    let unknown = || CellError::Word { text: cell.trim().chars().take(40).collect(), known: known.into() };
    BillState::from_label(cell).or_else(by_code).ok_or_else(unknown)
}
