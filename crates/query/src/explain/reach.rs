//! Whether a check would have found the license at all.

use chopmark_commands::{CommandError, Commands};
use chopmark_domain::catalog::{self, ProductDefined};
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::ids::{SellerId, Sku};
use chopmark_domain::stream::{LicenseId, LicenseKey, Stream};
use chopmark_log::{Position, Revision, StreamName};
use chopmark_projector::LicenseIndex;

use super::asked::Asked;
use crate::question::Subject;

/// Records of a seller's stream that are read at once.
const RECORDS: usize = 1_000;

/// Why a check finds a license or does not, where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It does.
    Found,
    /// The question names another seller.
    OtherSeller,
    /// The product named is of another seller's catalog.
    OtherSellersProduct,
    /// A question that names a `license` finds no deployment, and one from a deployment nothing else.
    OtherKind,
    /// A deployment names a product that nobody has.
    UnknownProduct,
}

/// Follows the rules by which a check finds its license, as they stood at a position.
pub(super) async fn reach(
    commands: &Commands,
    index: &LicenseIndex,
    key: &LicenseKey,
    asked: &Asked<'_>,
    position: Position,
) -> Result<Reach, CommandError> {
    let is_deployment = matches!(key.id, LicenseId::Deployment(_));
    let asks_as_deployment = matches!(asked.question.subject, Subject::Deployment(_));
    // Support may leave the deployment's own words out.
    if (asks_as_deployment && !is_deployment) || (asked.names_license && is_deployment) {
        return Ok(Reach::OtherKind);
    }
    let named = asked.question.seller.as_deref();
    if named.is_some_and(|named| named != key.seller.as_str()) {
        return Ok(Reach::OtherSeller);
    }
    // A seller named is enough for a license; a deployment is found by its product.
    let owner = match &asked.question.product {
        Some(product) if named.is_none() || asks_as_deployment => owner(commands, index, product, position).await?,
        _ => None,
    };
    match owner {
        Some(owner) if owner == key.seller => Ok(Reach::Found),
        Some(_) => Ok(Reach::OtherSellersProduct),
        None if asks_as_deployment => Ok(Reach::UnknownProduct),
        // Another seller may have a license of the same id; who explains this one has said whose is meant.
        None => Ok(Reach::Found),
    }
}

/// Whose catalog had a product: the one who defined it last.
async fn owner(
    commands: &Commands,
    index: &LicenseIndex,
    product: &Sku,
    position: Position,
) -> Result<Option<SellerId>, CommandError> {
    let mut last = None;
    for seller in index.sellers() {
        let knows = index.catalog(&seller).is_some_and(|catalog| catalog.latest(product).is_some());
        if let Some(at) = if knows { defined_at(commands, &seller, product, position).await? } else { None }
            && last.as_ref().is_none_or(|(before, _)| *before < at)
        {
            last = Some((at, seller));
        }
    }
    Ok(last.map(|(_, seller)| seller))
}

/// Where a seller last defined a product, up to a position.
async fn defined_at(
    commands: &Commands,
    seller: &SellerId,
    product: &Sku,
    until: Position,
) -> Result<Option<Position>, CommandError> {
    let name = StreamName::new(&Stream::Seller(seller.clone()).to_string())?;
    let (mut from, mut last) = (Revision(0), None);
    loop {
        let records = commands.log().read_stream(&name, from, RECORDS).await?;
        let Some(end) = records.last().map(|record| record.revision) else { return Ok(last) };
        let mut defined = records.iter().filter(|record| record.position <= until).filter(|record| {
            matches!(
                catalog::Event::decode(&record.kind, &record.data),
                Ok(catalog::Event::ProductDefined(ProductDefined { sku, .. })) if sku == *product
            )
        });
        last = defined.next_back().map(|record| record.position).or(last);
        from = Revision(end.0 + 1);
    }
}
