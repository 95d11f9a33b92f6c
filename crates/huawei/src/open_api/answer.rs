//! Reading what the open API answers, leniently: it may send numbers where its tables say String, grow new fields and
//! values at any time (接口兼容性说明), and its error codes have had two prefixes.

use chopmark_domain::ids::{OrderId, OrderLineId, ProductId, Sku};
use chopmark_domain::order::{ChargingMode, OrderFacts, OrderType};
use chopmark_domain::settlement::money::LARGEST;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::redact::redact_answer;
use crate::time::parse_expire_time;

/// Messages of the marketplace are cut here: they end in logs and events.
const LONGEST_MESSAGE: usize = 200;

/// What the marketplace knows of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderAnswer {
    /// The facts of every line that has a readable id.
    pub lines: Vec<OrderFacts>,
    /// The answer's JSON without personal data: `buyerInfo`, all `extendParams` and the like are cut out.
    pub kept_json: String,
    /// What of the answer could not be read and is left open, for people.
    pub warnings: Vec<String>,
}

/// What a failure calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// It may pass by itself: the network, an overload, an error inside the marketplace.
    Transient,
    /// The marketplace says no, and a person must see to it: the AK/SK, their permissions, an order of another seller.
    Refused,
    /// The answer is none that can be read.
    Malformed,
}

/// A question to the open API that was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OpenApiError {
    /// What it calls for.
    pub kind: ErrorKind,
    /// What happened, for people: the marketplace's code and words, or what failed on the way. Holds no secrets.
    pub message: String,
}

impl OpenApiError {
    /// An error.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed, message)
    }
}

/// Reads an answer of `order/query` about an order (查询订单, topic 0070649350). `status` is its HTTP status, which
/// counts only where the answer has no code of its own: the marketplace's pages contradict each other about it.
///
/// # Errors
/// [`OpenApiError`], where the answer is not the order.
pub fn parse_order_answer(order: &OrderId, status: u16, body: &[u8]) -> Result<OrderAnswer, OpenApiError> {
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(body) else {
        return Err(no_json(status));
    };
    match Code::of(&answer) {
        Some(code) if code.is_success() => {}
        code => return Err(failure(status, code, &answer)),
    }
    let mut warnings = vec![];
    let lines = read_lines(order, &answer, &mut warnings)?;
    redact_answer(&mut answer);
    Ok(OrderAnswer { lines, kept_json: Value::Object(answer).to_string(), warnings })
}

pub(super) fn no_json(status: u16) -> OpenApiError {
    let kind = match status {
        200..=299 => ErrorKind::Malformed,
        _ => kind_of_status(status),
    };
    OpenApiError::new(kind, format!("HTTP {status} without a JSON object"))
}

fn kind_of_status(status: u16) -> ErrorKind {
    match status {
        408 | 425 | 429 | 500..=599 => ErrorKind::Transient,
        _ => ErrorKind::Refused,
    }
}

/// A result code, e.g. `MKT.0000`, `CBC. 0250` or `APIGW.0301`.
pub(super) struct Code {
    text: String,
}

impl Code {
    /// The order query has `resultCode`; the license interfaces and the gateway before all of them `error_code`.
    pub(super) fn of(answer: &Map<String, Value>) -> Option<Self> {
        let text = ["resultCode", "error_code", "errorCode"].iter().find_map(|name| text(answer.get(*name)))?;
        Some(Self { text })
    }

    /// What stands after the dot. Older pages have the prefix `CBC`, newer ones `MKT` (查询订单:错误码).
    pub(super) fn number(&self) -> &str {
        self.text.rsplit('.').next().unwrap_or(&self.text).trim()
    }

    pub(super) fn is_gateway(&self) -> bool {
        self.text.starts_with("APIGW")
    }

    fn is_success(&self) -> bool {
        !self.is_gateway() && self.number() == "0000"
    }

    fn kind(&self, status: u16) -> ErrorKind {
        match self.number() {
            _ if self.is_gateway() => kind_of_status(status),
            "0999" | "0250" | "92020001" => ErrorKind::Transient,
            "0100" | "0101" | "0150" | "0151" | "0154" | "0199" => ErrorKind::Refused,
            // The license interfaces: their pages contradict each other about the status, so it says nothing.
            "92020002" | "92020003" | "92020004" | "92020005" => ErrorKind::Refused,
            number if number.starts_with("9202") => ErrorKind::Transient,
            _ => kind_of_status(status),
        }
    }
}

/// The error that an answer without success is.
pub(super) fn failure(status: u16, code: Option<Code>, answer: &Map<String, Value>) -> OpenApiError {
    let Some(code) = code else {
        return match status {
            200..=299 => OpenApiError::malformed("the answer has no result code"),
            _ => OpenApiError::new(kind_of_status(status), format!("HTTP {status} without a result code")),
        };
    };
    let words = ["resultMsg", "error_msg", "errorMsg"].iter().find_map(|name| text(answer.get(*name)));
    let message = format!("{}: {} (HTTP {status})", code.text, words.unwrap_or_default());
    OpenApiError::new(code.kind(status), message.chars().take(LONGEST_MESSAGE).collect::<String>())
}

fn read_lines(
    order: &OrderId,
    answer: &Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<Vec<OrderFacts>, OpenApiError> {
    let info = answer
        .get("orderInfo")
        .and_then(first_object)
        .ok_or_else(|| OpenApiError::malformed("the answer has no orderInfo"))?;
    // Facts of another order must not end on this one's stream.
    if let Some(other) = text(info.get("orderId")).filter(|other| other != order.as_str()) {
        let other: String = other.chars().take(64).collect();
        return Err(OpenApiError::malformed(format!("asked for order {order}, the answer is about {other}")));
    }
    let order_type = known_or(info.get("orderType"), OrderType::Other);
    let ordered_at = time(info.get("createTime"));
    let lines =
        info.get("orderLine").map(objects).ok_or_else(|| OpenApiError::malformed("the order has no orderLine"))?;
    Ok(lines.iter().filter_map(|line| read_line(order_type, ordered_at, line, warnings)).collect())
}

/// `None` for a line without a readable id: nobody can ask for it.
fn read_line(
    order_type: OrderType,
    ordered_at: Option<DateTime<Utc>>,
    line: &Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Option<OrderFacts> {
    let order_line_id = OrderLineId::parse(&text(line.get("orderLineId"))?).ok()?;
    let mut money = |name| match amount(line.get(name)) {
        Ok(amount) => amount,
        Err(shown) => {
            warnings.push(format!("line {order_line_id}: {name} is {shown}, which is no amount; it is left open"));
            None
        }
    };
    let (amount, deal_amount) = (money("currency"), money("currencyAfterDiscount"));
    let product = line.get("productInfo").and_then(first_object);
    let of_product = |name| product.and_then(|product| text(product.get(name)));
    Some(OrderFacts {
        order_line_id,
        order_type,
        charging_mode: known_or(line.get("chargingMode"), ChargingMode::Other),
        sku: of_product("skuCode").and_then(|text| Sku::parse(&text).ok()),
        product_id: of_product("productId").and_then(|text| ProductId::parse(&text).ok()),
        quantity: of_product("linearValue").and_then(|text| text.parse().ok()),
        expires_at: time(line.get("expireTime")),
        ordered_at,
        amount,
        deal_amount,
    })
}

/// A text, or a number as text; blanks around it removed.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A value of a list that may have grown since.
fn known_or<T: DeserializeOwned>(value: Option<&Value>, otherwise: T) -> T {
    let known = text(value).and_then(|text| serde_json::from_value(Value::String(text)).ok());
    known.unwrap_or(otherwise)
}

/// The longest amount that is looked at; longer texts are none.
const LONGEST_AMOUNT: usize = 40;

/// An amount, which the marketplace writes as text. Absent, null and empty ones are not said: refunds have no order
/// amount (查询订单).
///
/// # Errors
/// No amount of money: what stands there, cut short.
fn amount(value: Option<&Value>) -> Result<Option<Decimal>, String> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let shown = || value.to_string().chars().take(LONGEST_AMOUNT).collect::<String>();
    let text = text(Some(value)).ok_or_else(shown)?;
    if text.is_empty() {
        return Ok(None);
    }
    let amount = Decimal::from_str_exact(&text).ok().filter(|_| text.len() <= LONGEST_AMOUNT).ok_or_else(shown)?;
    if amount.abs() > LARGEST { Err(shown()) } else { Ok(Some(amount)) }
}

fn time(value: Option<&Value>) -> Option<DateTime<Utc>> {
    parse_expire_time(&text(value)?)
}

/// The objects of a list; an object that stands alone where a list should is a list of one.
fn objects(value: &Value) -> Vec<&Map<String, Value>> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_object).collect(),
        Value::Object(object) => vec![object],
        _ => vec![],
    }
}

fn first_object(value: &Value) -> Option<&Map<String, Value>> {
    objects(value).into_iter().next()
}

#[cfg(test)]
mod tests;
