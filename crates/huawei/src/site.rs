//! Sites of the marketplace: where its open APIs are.

use chopmark_domain::settlement::product;
use serde::{Deserialize, Serialize};

/// Which marketplace a seller sells on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// 云商店, mainland China.
    Cn,
    /// KooGallery, international.
    Intl,
    /// KooGallery, Europe.
    Eu,
}

impl Site {
    /// Hosts of the open APIs, HTTPS only: the one to use, then the one for when it is unavailable
    /// (查询订单, topics 0070649350, 0070649116, en-us_topic_000033).
    #[must_use]
    pub fn hosts(self) -> &'static [&'static str] {
        match self {
            Self::Cn => &["mkt.myhuaweicloud.com", "mkt.myhuaweicloud.cn"],
            Self::Intl => &["mkt-intl.myhuaweicloud.com"],
            Self::Eu => &["mkt.myhuaweicloud.eu"],
        }
    }
}

impl From<Site> for product::Site {
    fn from(site: Site) -> Self {
        match site {
            Site::Cn => Self::Cn,
            Site::Intl => Self::Intl,
            Site::Eu => Self::Eu,
        }
    }
}
