//! License codes that the log does not know yet. The marketplace made them and is the authority.

use chopmark_domain::catalog::ProductKind;
use chopmark_domain::ids::{LicenseCode, SellerId};
use chopmark_domain::stream::LicenseId;
use chopmark_projector::{Found, LookUp};
use chrono::{DateTime, Utc};

use super::answer::Outcome;
use crate::Query;
use crate::asker::Asker;
use crate::code_lookup::CodeLookedUp;
use crate::question::Question;

/// The shortest text that may be a code of the marketplace's. Those of its examples have ten characters.
const SHORTEST: usize = 6;

/// What becomes of an id that no license has: where it may be a code of a seller who sells codes, the marketplace is
/// asked. `None`: there is no such code.
pub(super) async fn confirm(
    query: &Query,
    question: &Question<'_>,
    id: &str,
    asker: &Asker<'_>,
    now: DateTime<Utc>,
) -> Option<Outcome> {
    let lookup = query.codes.as_ref()?;
    let code = plausible(id)?;
    let seller = seller_of(query, question, now)?;
    let not_yet = |over_limit| Outcome::BeingConfirmed { position: query.progress.position(), over_limit };
    if !asker.may_have_looked_up(&seller) {
        return Some(not_yet(true));
    }
    match lookup.confirm(&seller, &code).await {
        CodeLookedUp::NotExist => return None,
        CodeLookedUp::Later => return Some(not_yet(false)),
        CodeLookedUp::Known(Some(position)) => query.wait_for(position).await,
        CodeLookedUp::Known(None) => {}
    }
    let LookUp { position, found, .. } = query.index.look_up(Some(&seller), id, question.product.as_ref(), now);
    // What the marketplace said is in the log; the index comes to it in a moment.
    Some(found.map_or_else(|| not_yet(false), |found| Outcome::judged(position, found)))
}

/// A code that the log knows was used: now and then the marketplace is asked how it is with it.
pub(super) fn refresh(query: &Query, found: &Found) {
    if let (Some(lookup), LicenseId::Code(code)) = (&query.codes, &found.key.id) {
        lookup.refresh_daily(&found.key.seller, code);
    }
}

/// A text that may be a code of the marketplace's; ids of instances are none.
fn plausible(id: &str) -> Option<LicenseCode> {
    let of_a_code = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let looks_like_one = id.len() >= SHORTEST && id.bytes().all(of_a_code) && uuid::Uuid::try_parse(id).is_err();
    looks_like_one.then(|| LicenseCode::parse(id).ok()).flatten()
}

/// Whose code it may be: of the seller named, of the product's owner, or of the only one who sells codes.
fn seller_of(query: &Query, question: &Question<'_>, now: DateTime<Utc>) -> Option<SellerId> {
    let named = match question.seller.as_deref().map(SellerId::parse) {
        Some(Err(_)) => return None,
        Some(Ok(seller)) => Some(seller),
        None => None,
    };
    if let Some(product) = &question.product {
        let (owner, dated) = query.index.product(product, now)?;
        let sells_it = named.is_none_or(|named| named == owner) && dated.terms.kind == ProductKind::LicenseCode;
        return sells_it.then_some(owner);
    }
    let mut sellers = query.index.code_sellers(now);
    match named {
        Some(named) => sellers.contains(&named).then_some(named),
        None => sellers.pop().filter(|_| sellers.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_a_code_is_asked_for() {
        for code in ["PL0001TEST", "PL-0001_x", &"P".repeat(64)] {
            assert!(plausible(code).is_some(), "{code}");
        }
        let instance = "10e758d0-31ad-4c4b-8f1b-81d03469a10e";
        for other in ["", "PL1", "PL 0001", "PL0001,PL0002", "码码码码码码", instance, &"P".repeat(65)] {
            assert!(plausible(other).is_none(), "{other}");
        }
    }
}
