//! From a purchase to an instance id: the same purchase always gives the same id, and nobody can guess it.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::ids::{InstanceId, OrderId, ProductId};
use crate::order::OrderRef;

/// A seller's secret, from which instance ids derive. Made once, never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SellerSecret([u8; 32]);

impl SellerSecret {
    /// A secret of 32 random bytes. The caller brings the randomness.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for SellerSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SellerSecret(…)")
    }
}

impl TryFrom<String> for SellerSecret {
    type Error = hex::FromHexError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl From<SellerSecret> for String {
    fn from(secret: SellerSecret) -> Self {
        hex::encode(secret.0)
    }
}

/// What makes two deliveries the same purchase.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum PurchaseIdentity {
    /// SaaS V2.0 and online licenses: order and line (创建实例, zh-cn_topic_0070649427).
    OrderLine(OrderRef),
    /// SaaS V1.0 and the retired licenses: the order (新购商品, zh-cn_topic_0070649013).
    Order {
        /// The order.
        order_id: OrderId,
    },
    /// Pay-per-use in V1.0: order and product, since one order may hold several billing items.
    OrderProduct {
        /// The order.
        order_id: OrderId,
        /// The product.
        product_id: ProductId,
    },
}

impl PurchaseIdentity {
    /// The order bought.
    #[must_use]
    pub fn order_id(&self) -> &OrderId {
        match self {
            Self::OrderLine(order) => &order.order_id,
            Self::Order { order_id } | Self::OrderProduct { order_id, .. } => order_id,
        }
    }

    /// The instance id of this purchase: a UUIDv8 made of HMAC-SHA256 under the seller's secret. Order numbers are
    /// printed on invoices, so the id must not follow from them alone.
    #[must_use]
    pub fn instance_id(&self, secret: &SellerSecret) -> InstanceId {
        // HMAC takes keys of any length.
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).expect("any key length");
        for part in self.parts() {
            // Lengths in front keep "a"+"bc" and "ab"+"c" apart.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        let text = Uuid::new_v8(bytes).to_string();
        #[expect(clippy::expect_used, reason = "36 characters of hexadecimal and dashes are an instance id")]
        InstanceId::parse(&text).expect("a UUID is an instance id")
    }

    fn parts(&self) -> [&str; 3] {
        match self {
            Self::OrderLine(order) => ["order_line", order.order_id.as_str(), order.order_line_id.as_str()],
            Self::Order { order_id } => ["order", order_id.as_str(), ""],
            Self::OrderProduct { order_id, product_id } => ["order_product", order_id.as_str(), product_id.as_str()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrderLineId;

    fn line(order: &str, line: &str) -> PurchaseIdentity {
        PurchaseIdentity::OrderLine(OrderRef {
            order_id: OrderId::parse(order).unwrap(),
            order_line_id: OrderLineId::parse(line).unwrap(),
        })
    }

    #[test]
    fn an_id_follows_from_purchase_and_secret_and_from_nothing_less() {
        let secret = SellerSecret::new([7; 32]);
        let id = line("CS1", "CS1-000001").instance_id(&secret);
        assert_eq!(id, line("CS1", "CS1-000001").instance_id(&secret), "a redelivery gets the same id");
        assert_ne!(id, line("CS1", "CS1-000001").instance_id(&SellerSecret::new([8; 32])));
        assert_ne!(id, line("CS1", "CS1-000002").instance_id(&secret));
        assert_ne!(line("a", "bc").instance_id(&secret), line("ab", "c").instance_id(&secret));
        let order = PurchaseIdentity::Order { order_id: OrderId::parse("CS1").unwrap() };
        assert_ne!(id, order.instance_id(&secret));
        assert_eq!(Uuid::parse_str(id.as_str()).unwrap().get_version_num(), 8);
    }

    #[test]
    fn the_secret_is_not_shown() {
        assert_eq!(format!("{:?}", SellerSecret::new([7; 32])), "SellerSecret(…)");
    }
}
