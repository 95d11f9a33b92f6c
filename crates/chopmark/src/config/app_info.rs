//! What customers see of an instance in the marketplace's console.

use chopmark_huawei::answer::AppInfo;
use secrecy::ExposeSecret;
use url::Url;

use super::document::Value;
use super::reader::{Found, Section};
use super::secret;

/// Stands for the instance's id in every text.
const PLACEHOLDER: &str = "{instance_id}";

/// The longest id that may be filled in (创建实例, zh-cn_topic_0070649427).
const LONGEST_ID: usize = 64;

/// Most characters of each text (AppInfo in 查询实例信息, zh-cn_topic_0070649428).
const URL: usize = 512;
const ACCOUNT: usize = 128;
const MEMO: usize = 1024;

pub(super) fn read(found: Found<'_>) -> Option<AppInfo> {
    let mut section = found.section()?;
    let front_end_url =
        section.required("front_end_url", "front_end_url = \"https://app.example.com/{instance_id}\"", web_address);
    let admin_url = section.optional("admin_url", web_address);
    let user_name = read_text(&mut section, "user_name", ACCOUNT);
    let password = section.optional("password", password);
    let memo = read_text(&mut section, "memo", MEMO);
    section.finish();
    Some(AppInfo {
        front_end_url: front_end_url?,
        admin_url: admin_url?,
        user_name: user_name?,
        password: password?,
        memo: memo?,
    })
}

fn read_text(section: &mut Section<'_>, key: &'static str, max: usize) -> Option<Option<String>> {
    section.optional(key, |found| found.parsed(|text| short_enough(text, max), "shorten it"))
}

fn web_address(found: Found<'_>) -> Option<String> {
    found.parsed(
        |text| {
            let example = text.replace(PLACEHOLDER, "0");
            if example.contains(['{', '}']) {
                return Err(format!("{PLACEHOLDER} is the only thing that is filled in"));
            }
            match Url::parse(&example) {
                Ok(url) if matches!(url.scheme(), "https" | "http") => short_enough(text, URL),
                Ok(url) => Err(format!("a browser opens this, and {}: is nothing for it", url.scheme())),
                Err(error) => Err(format!("{text:?} is no URL: {error}")),
            }
        },
        "write it like \"https://app.example.com/{instance_id}\", with at most 512 characters",
    )
}

/// A first password, written like a secret or, since every customer sees it, as plain text.
fn password(found: Found<'_>) -> Option<String> {
    let (spot, reader) = (found.spot.clone(), found.reader);
    let password = match found.value {
        Value::Text(password) => password,
        value => secret::read(Found { value, ..found })?.expose_secret().into(),
    };
    short_enough(&password, ACCOUNT).map_err(|what| spot.refuse(reader, what, "shorten it")).ok()
}

/// The text, if the marketplace takes it with the longest id filled in.
fn short_enough(text: &str, max: usize) -> Result<String, String> {
    let places = text.matches(PLACEHOLDER).count();
    let length = text.chars().count() - places * PLACEHOLDER.len() + places * LONGEST_ID;
    if length > max {
        let filled_in = if places > 0 { " with the longest id filled in" } else { "" };
        return Err(format!("{length} characters{filled_in}, and the marketplace takes at most {max}"));
    }
    Ok(text.into())
}
