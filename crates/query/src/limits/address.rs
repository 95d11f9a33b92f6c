//! Where a request comes from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::{FORWARDED, HeaderName, HeaderValue};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The bits of an IPv6 address that name a network: within it anybody takes as many addresses as they like.
const NETWORK_BITS: u32 = 64;

/// The peer, or whom a trusted proxy names: the right-most address of `X-Forwarded-For` or `Forwarded` (RFC 7239) that
/// is no trusted proxy itself. What stands to the left of it anybody may have written, and is not looked at.
///
/// A proxy writes one of the two headers and may hand on the other as the client sent it, so two that disagree are not
/// believed, as one is not that makes no sense where it is read: then it is the peer.
pub(super) fn client_address(request: &HttpRequest, trusted: &[IpNet]) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    if !is_trusted(peer, trusted) {
        return peer;
    }
    let named = [
        named_in(request, &X_FORWARDED_FOR, trusted, node_address),
        named_in(request, &FORWARDED, trusted, forwarded_for),
    ];
    match named {
        [Named::Nobody, named] | [named, Named::Nobody] => named.or(peer),
        [one, other] if one == other => one.or(peer),
        _ => peer,
    }
}

/// Whether the client's connection was by TLS, as far as a trusted proxy tells: the last word of `X-Forwarded-Proto`, or
/// the last `proto` of `Forwarded`.
pub(super) fn came_by_tls(request: &HttpRequest, trusted: &[IpNet]) -> bool {
    if request.app_config().secure() {
        return true;
    }
    let is_proxy = request.peer_addr().is_some_and(|peer| is_trusted(peer.ip().to_canonical(), trusted));
    let last = |header| request.headers().get_all(header).last().and_then(|value: &HeaderValue| value.to_str().ok());
    let is_https = |scheme: &str| scheme.trim().eq_ignore_ascii_case("https");
    let forwarded_proto = |element: &str| {
        let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let mut schemes = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("proto"));
        schemes.next().is_some_and(|(_, scheme)| is_https(scheme.trim_matches('"')))
    };
    is_proxy
        && (last(X_FORWARDED_PROTO).and_then(|value| value.rsplit(',').next()).is_some_and(is_https)
            || last(FORWARDED).and_then(|value| value.rsplit(',').next()).is_some_and(forwarded_proto))
}

/// What an address is counted as: of IPv6 its network.
pub(super) fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let host_bits = u128::BITS - NETWORK_BITS;
            Ipv6Addr::from_bits(address.to_bits() >> host_bits << host_bits).into()
        }
        v4 => v4,
    }
}

/// The network that an address is in, as events tell it: a /24 of IPv4, a /48 of IPv6, like `203.0.113.0/24`. It names a
/// provider or a company, and no person.
pub(crate) fn network_of(address: IpAddr) -> String {
    let network = match address.to_canonical() {
        IpAddr::V4(v4) => IpNet::V4(Ipv4Net::new_assert(v4, 24)),
        IpAddr::V6(v6) => IpNet::V6(Ipv6Net::new_assert(v6, 48)),
    };
    network.trunc().to_string()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// The header is not there.
    Nobody,
    Address(IpAddr),
    Malformed,
}

impl Named {
    fn or(self, peer: IpAddr) -> IpAddr {
        match self {
            Self::Address(address) => address,
            Self::Nobody | Self::Malformed => peer,
        }
    }
}

fn named_in(
    request: &HttpRequest,
    header: &HeaderName,
    trusted: &[IpNet],
    address: impl Fn(&str) -> Option<IpAddr>,
) -> Named {
    let values: Vec<&HeaderValue> = request.headers().get_all(header).collect();
    let mut named = Named::Nobody;
    for value in values.into_iter().rev() {
        let Ok(text) = value.to_str() else { return Named::Malformed };
        for element in text.rsplit(',') {
            let Some(address) = address(element.trim()) else { return Named::Malformed };
            named = Named::Address(address);
            if !is_trusted(address, trusted) {
                return named;
            }
        }
    }
    // Proxies only: the one farthest away.
    named
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// `192.0.2.1`, `2001:db8::1`, and both with a port: `192.0.2.1:80`, `[2001:db8::1]:80`; or in brackets without.
fn node_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip())),
    };
    Some(address?.to_canonical())
}

/// The `for` of an element: `for=192.0.2.1;proto=https`, `For="[2001:db8::1]:4711"`. Text in quotes that holds a comma,
/// a semicolon or a backslash is refused: what a client may have put there must not pass for the proxy's word.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut address = None;
    for pair in element.split(';') {
        let (name, value) = pair.trim().split_once('=')?;
        let is_quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
        let value = if is_quoted { value.get(1..value.len() - 1)? } else { value };
        if value.contains(['"', '\\']) {
            return None;
        }
        if name.eq_ignore_ascii_case("for") {
            if address.is_some() {
                return None;
            }
            address = Some(node_address(value)?);
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_says_that_a_visitor_came_by_tls() {
        let came = |peer: &str, header: (&str, &str)| {
            let request =
                actix_web::test::TestRequest::default().peer_addr(peer.parse().unwrap()).insert_header(header);
            came_by_tls(&request.to_http_request(), &["10.0.0.0/8".parse().unwrap()])
        };
        assert!(came("10.0.0.1:80", ("x-forwarded-proto", "https")));
        assert!(came("10.0.0.1:80", ("forwarded", "for=192.0.2.1;proto=\"https\"")));
        assert!(!came("10.0.0.1:80", ("x-forwarded-proto", "https, http")), "the proxy's word is the last");
        assert!(!came("192.0.2.1:80", ("x-forwarded-proto", "https")));
        assert!(!came("10.0.0.1:80", ("x-forwarded-for", "192.0.2.1")));
    }

    #[test]
    fn events_tell_the_network_and_no_address() {
        for (address, network) in [
            ("203.0.113.7", "203.0.113.0/24"),
            ("::ffff:203.0.113.255", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("::1", "::/48"),
        ] {
            assert_eq!(network_of(address.parse().unwrap()), network);
        }
    }
}
