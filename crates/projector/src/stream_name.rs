//! Stream names, read without allocating: a rebuild reads millions of them, nearly all of licenses that are known by then.

use crate::compact_id::Family;

/// A stream that the index may fold. What looks like one may still be a stranger's: only
/// [`Stream::parse`](chopmark_domain::stream::Stream::parse) knows, and is asked before anything new is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamName<'a> {
    License { seller: &'a str, family: Family, id: &'a str },
    Seller(&'a str),
    Access,
}

impl<'a> StreamName<'a> {
    /// Reads a name; `None` for orders, hours, settlement, seals and strangers.
    pub(crate) fn read(name: &'a str) -> Option<Self> {
        let license = |family, rest: &'a str| {
            let (seller, id) = rest.split_once('/')?;
            Some(Self::License { seller, family, id })
        };
        if let Some(rest) = name.strip_prefix("instance-") {
            license(Family::Instance, rest)
        } else if let Some(rest) = name.strip_prefix("code-") {
            license(Family::Code, rest)
        } else if let Some(rest) = name.strip_prefix("deployment-") {
            license(Family::Deployment, rest)
        } else if let Some(seller) = name.strip_prefix("seller-") {
            Some(Self::Seller(seller))
        } else {
            (name == "access").then_some(Self::Access)
        }
    }
}

#[cfg(test)]
mod tests {
    use chopmark_domain::stream::{LicenseId, LicenseKey, Stream};
    use proptest::prelude::*;

    use super::*;

    /// What is read of a name, in the domain's words.
    fn read(name: &str) -> Option<Stream> {
        match StreamName::read(name)? {
            StreamName::License { seller, family, id } => {
                Some(Stream::License(family.key(&chopmark_domain::ids::SellerId::parse(seller).ok()?, id)?))
            }
            StreamName::Seller(seller) => Some(Stream::Seller(chopmark_domain::ids::SellerId::parse(seller).ok()?)),
            StreamName::Access => Some(Stream::Access),
        }
    }

    proptest! {
        #[test]
        fn names_mean_what_the_domain_says(
            name in "(instance|code|deployment|order|hours|bill|month|transactions|seller|access|seals|other)?-?[a-z.,/-]{0,6}/?((generic/)?[ a-zA-Z0-9,/界-]{0,70}|2026112[0-9]|(generic/)?2026(0[1-9]|1[0-2])|[0-9a-f]{64})"
        ) {
            let expected = match Stream::parse(&name) {
                Some(
                    Stream::Order(..)
                    | Stream::Hours(..)
                    | Stream::Bill(_)
                    | Stream::Month(..)
                    | Stream::Transactions(..)
                    | Stream::Seals
                    | Stream::Requests(_),
                ) => None,
                other => other,
            };
            prop_assert_eq!(read(&name), expected);
        }
    }

    #[test]
    fn an_id_may_contain_slashes() {
        let Some(Stream::License(LicenseKey { id, .. })) = read("instance-acme/odd/id") else {
            panic!("a license's stream");
        };
        assert!(matches!(id, LicenseId::Instance(id) if id.as_str() == "odd/id"));
    }
}
