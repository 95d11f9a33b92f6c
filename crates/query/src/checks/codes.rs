//! License codes that the log does not know yet. The marketplace made them and is the authority.

use chopmark_domain::catalog::ProductKind;
use chopmark_domain::ids::{LicenseCode, SellerId};
use chopmark_domain::stream::LicenseId;
use chopmark_projector::{Found, LookUp};
use chrono::{DateTime, Utc};

use super::answer::Outcome;
use crate::asker::Asker;
use crate::code_lookup::CodeLookedUp;
use crate::question::Question;
use crate::{Query, up_to_millis};

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
    let code = LicenseCode::parse(id).ok().filter(LicenseCode::is_plausible)?;
    let seller = seller_of(query, question, now)?;
    let not_yet = |over_limit| Outcome::BeingConfirmed { position: query.progress.position(), over_limit };
    if !asker.may_have_looked_up(&seller, &code) {
        return Some(not_yet(true));
    }
    let news = match lookup.confirm(&seller, &code).await {
        CodeLookedUp::NotExist => return None,
        CodeLookedUp::Later => return Some(not_yet(false)),
        CodeLookedUp::Known(news) => news,
    };
    if let Some(position) = news {
        query.wait_for(position).await;
    }
    let LookUp { position, found, .. } = query.index.look_up(Some(&seller), id, question.product.as_ref(), now);
    // What the marketplace said is in the log; the index comes to it in a moment.
    Some(match (found, news) {
        (None, _) => not_yet(false),
        (Some(found), None) => Outcome::judged(position, found),
        (Some(found), Some(_)) => Outcome::news(position, found, up_to_millis(query.commands.now())),
    })
}

/// A code that the log knows was used: now and then the marketplace is asked how it is with it.
pub(super) fn refresh(query: &Query, found: &Found) {
    if let (Some(lookup), LicenseId::Code(code)) = (&query.codes, &found.key.id) {
        lookup.refresh_daily(&found.key.seller, code);
    }
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
