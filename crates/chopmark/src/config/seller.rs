//! Sellers: their keys, their access to the open API, what their customers see.

use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::terms::SellerTerms;
use chopmark_huawei::answer::AppInfo;
use chopmark_huawei::keys::InterfaceType;
use chopmark_huawei::open_api::{LicenseApi, UploadSigning, is_loopback};
use chopmark_huawei::site::Site;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::reader::{Found, Unique};
use super::{app_info, secret, settlement};

/// A seller.
#[derive(Debug)]
pub(crate) struct SellerConfig {
    /// Its name in paths and streams.
    pub(crate) id: SellerId,
    /// Which marketplace.
    pub(crate) site: Site,
    /// How it is settled.
    pub(crate) terms: SellerTerms,
    /// Its access keys by what they are bound to, in the order written; at least one of the base interface.
    pub(crate) keys: Vec<(InterfaceType, SecretString)>,
    /// Its access to the marketplace's open API.
    pub(crate) open_api: Option<OpenApiConfig>,
    /// What its customers see of products that have nothing of their own.
    pub(crate) app_info: Option<AppInfo>,
}

/// Access to the marketplace's open API.
#[derive(Debug)]
pub(crate) struct OpenApiConfig {
    /// The AK of the account.
    pub(crate) access_key: SecretString,
    /// The SK of the account.
    pub(crate) secret_key: SecretString,
    /// In place of the site's hosts; `http` only for loopback.
    pub(crate) base_url: Option<Url>,
    /// Which version of the interfaces for license codes is called.
    pub(crate) license_api: LicenseApi,
    /// How uploads are signed.
    pub(crate) upload_signing: UploadSigning,
}

const LICENSE_APIS: [(&str, LicenseApi); 2] = [("v1", LicenseApi::V1), ("v2", LicenseApi::V2)];

const UPLOAD_SIGNINGS: [(&str, UploadSigning); 2] =
    [("exact_body", UploadSigning::ExactBody), ("unsigned_payload", UploadSigning::UnsignedPayload)];

const SITES: [(&str, Site); 3] = [("cn", Site::Cn), ("intl", Site::Intl), ("eu", Site::Eu)];

const NO_BASE_KEY: &str = "add `keys.base = [{ env = \"ACME_BASE_KEY\" }]`, the access key from Seller Center > \
                           Application Tools > Key Management";

pub(super) fn read(found: Found<'_>, ids: &mut Unique<SellerId>) -> Option<SellerConfig> {
    let mut section = found.section()?;
    let id = section.required("id", "id = \"acme\"", |found| read_id(found, ids));
    let site = section.required("site", "site = \"cn\"", |found| found.one_of(&SITES));
    let keys = match section.take("keys") {
        Some(found) => read_keys(found),
        None => {
            section.missing("keys.base", NO_BASE_KEY);
            None
        }
    };
    let open_api = section.optional("open_api", read_open_api);
    let app_info = section.optional("app_info", app_info::read);
    // The site that could not be read is told already.
    let of_site = site.unwrap_or(Site::Cn).into();
    let terms = section.optional("settlement", |found| settlement::read_seller(found, of_site));
    section.finish();
    let terms = terms?.unwrap_or_else(|| SellerTerms::of(of_site));
    Some(SellerConfig { id: id?, site: site?, terms, keys: keys?, open_api: open_api?, app_info: app_info? })
}

fn read_id(found: Found<'_>, ids: &mut Unique<SellerId>) -> Option<SellerId> {
    let (spot, reader) = (found.spot.clone(), found.reader);
    let id = found.parsed(SellerId::parse, "use at most 64 of A-Z a-z 0-9 . _ -")?;
    ids.add(&id, spot, reader);
    Some(id)
}

/// The keys of all interface types.
fn read_keys(found: Found<'_>) -> Option<Vec<(InterfaceType, SecretString)>> {
    let mut section = found.section()?;
    let mut keys = Some(Vec::new());
    for interface in InterfaceType::ALL {
        let elements = section.elements(interface.as_str());
        if elements.is_empty() && interface == InterfaceType::Base {
            section.missing(interface.as_str(), NO_BASE_KEY);
        }
        for element in elements {
            let known = keys.as_deref().unwrap_or_default();
            let key = read_key(element, interface, known);
            keys = keys.zip(key).map(|(mut keys, key)| {
                keys.push((interface, key));
                keys
            });
        }
    }
    section.finish();
    keys
}

/// One key, which must be none of another type's.
fn read_key(
    found: Found<'_>,
    interface: InterfaceType,
    known: &[(InterfaceType, SecretString)],
) -> Option<SecretString> {
    let (spot, reader) = (found.spot.clone(), found.reader);
    let key = secret::read(found)?;
    let shared = known.iter().find(|(other, known)| *other != interface && same(known, &key));
    if let Some((other, _)) = shared {
        spot.refuse(
            reader,
            format!("this key stands in keys.{other} too, and two interface types never share a key"),
            "bind each type to a key of its own in Seller Center > Application Tools > Key Management",
        );
    }
    Some(key)
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

fn read_open_api(found: Found<'_>) -> Option<OpenApiConfig> {
    let mut section = found.section()?;
    let access_key = section.required("access_key", "access_key = { env = \"ACME_AK\" }", secret::read);
    let secret_key = section.required("secret_key", "secret_key = { env = \"ACME_SK\" }", secret::read);
    let base_url = section.optional("base_url", |found| {
        found.parsed(open_api_url, "write it like \"https://mkt.myhuaweicloud.com\"; http:// is for loopback only")
    });
    let license_api = section.optional("license_api", |found| found.one_of(&LICENSE_APIS));
    let upload_signing = section.optional("upload_signing", |found| found.one_of(&UPLOAD_SIGNINGS));
    section.finish();
    Some(OpenApiConfig {
        access_key: access_key?,
        secret_key: secret_key?,
        base_url: base_url?,
        license_api: license_api?.unwrap_or(LicenseApi::V1),
        upload_signing: upload_signing?.unwrap_or(UploadSigning::ExactBody),
    })
}

fn open_api_url(text: &str) -> Result<Url, String> {
    // Messages do not repeat the text: a URL may hold a password.
    let url = Url::parse(text).map_err(|error| format!("this is no URL: {error}"))?;
    let sound = match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err("orders and signatures do not go over http:// to another machine"),
        _ => Err("only https:// is spoken here"),
    };
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the URL ends with its path".into());
    }
    sound.map(|()| url).map_err(Into::into)
}
