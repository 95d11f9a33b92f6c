//! Black-box tests of the configuration: a file and an environment in, a configuration or all its problems out.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use chopmark_domain::catalog::{Entitlement, ProductKind, ProductTerms, Seats};
use chopmark_huawei::keys::InterfaceType;
use chopmark_huawei::site::Site;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::{Config, DEFAULT, Environment};

/// The shortest configuration with everything that must be there.
const SHORT: &str = r#"
[[seller]]
id = "acme"
site = "cn"
keys.base = [{ value = "base-key" }]
[[product]]
sku = "a63ee5c9-0000"
seller = "acme"
kind = "saas"
name = "Example"
"#;

struct Case {
    folder: TempDir,
    environment: Vec<(&'static str, &'static str)>,
}

impl Case {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), environment: vec![] }
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    fn with_file(self, name: &str, content: &str) -> Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self, text: &str) -> Result<Config, String> {
        let file = self.path("chopmark.toml");
        fs::write(&file, text).unwrap();
        let environment: Environment = self.environment.iter().copied().collect();
        Config::load(Some(&file), &environment).map_err(|error| {
            let said: Vec<_> = error.complaints().map(|complaint| complaint.to_string()).collect();
            said.join("\n").replace(&format!("{}/", self.folder.path().display()), "")
        })
    }

    #[track_caller]
    fn refuses(&self, text: &str, said: &str) {
        match self.load(text) {
            Ok(_) => panic!("accepted, where this was expected:\n{said}"),
            Err(error) => assert_eq!(error, said),
        }
    }
}

/// The default with its examples in use: lines that begin with `#` and no blank.
fn with_examples() -> String {
    let line = |line: &'static str| match line.strip_prefix('#') {
        Some(example) if !example.is_empty() && !example.starts_with(' ') => example,
        _ => line,
    };
    DEFAULT.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn example_case() -> Case {
    let names = ["BASE_KEY", "CODE_KEY", "JOINT_KEY", "GENERAL_KEY", "AK", "SK", "FIRST_PASSWORD"];
    let variables = ["ACME_BASE_KEY", "ACME_CODE_KEY", "ACME_JOINT_KEY", "ACME_GENERAL_KEY", "ACME_AK", "ACME_SK"];
    let case = variables.iter().fold(Case::new(), |case, name| case.with(name, name));
    let case = case.with("ACME_FIRST_PASSWORD", names[6]);
    fs::create_dir(case.path("tls")).unwrap();
    case.with_file("tls/fullchain.pem", "").with_file("tls/key.pem", "")
}

#[test]
fn without_a_file_the_default_holds() {
    let case = Case::new();
    let config = case.load("").unwrap();
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    assert_eq!(config.log_file, PathBuf::from("./data/log.db"));
    assert_eq!(config.listen.callbacks.to_string(), "127.0.0.1:8080");
    assert_eq!(config.limits.request, Duration::from_secs(10));
    assert!(config.tls.is_none() && config.listen.admin.is_none());
    assert!(config.sellers.is_empty() && config.products.is_empty());
    assert_eq!(config.warnings().len(), 1, "no seller is worth a warning, not an error");
}

#[test]
fn every_example_of_the_default_is_sound() {
    let config = example_case().load(&with_examples()).unwrap();
    assert_eq!(config.listen.admin.unwrap().to_string(), "127.0.0.1:8082");
    assert!(config.tls.unwrap().cert.ends_with("tls/fullchain.pem"));
    let [seller] = &config.sellers[..] else { panic!("one seller") };
    assert_eq!((seller.id.as_str(), seller.site), ("acme", Site::Cn));
    let keys: Vec<_> = seller.keys.iter().map(|(of, key)| (*of, key.expose_secret())).collect();
    let expected = [
        (InterfaceType::Base, "ACME_BASE_KEY"),
        (InterfaceType::LicenseCode, "ACME_CODE_KEY"),
        (InterfaceType::Joint, "ACME_JOINT_KEY"),
        (InterfaceType::General, "ACME_GENERAL_KEY"),
    ];
    assert_eq!(keys, expected);
    assert_eq!(seller.open_api.as_ref().unwrap().secret_key.expose_secret(), "ACME_SK");
    let [product] = &config.products[..] else { panic!("one product") };
    assert_eq!(
        product.app_info.as_ref().unwrap().front_end_url,
        "https://example.example.com/{instance_id}"
    );
    let entitlements = [("reports", Entitlement::Flag(true)), ("users", Entitlement::Text("quantity".into()))];
    assert_eq!(
        product.terms,
        ProductTerms {
            kind: ProductKind::Saas,
            name: "Example".into(),
            entitlements: entitlements.map(|(name, value)| (name.into(), value)).into(),
            seats: Some(Seats::Fixed(3)),
            grace_days: 15,
            lease_seconds: 86_400,
            offline_grace_seconds: 604_800,
            check_interval_seconds: 3600,
            fee_ratio: Some("0.05".parse().unwrap()),
        }
    );
}

#[test]
fn what_the_default_says_of_products_is_what_holds_without_it() {
    let example = example_case().load(&with_examples()).unwrap();
    let short = Case::new().load(SHORT).unwrap();
    let (example, short) = (&example.products[0].terms, &short.products[0].terms);
    assert_eq!(short.grace_days, example.grace_days);
    assert_eq!(short.lease_seconds, example.lease_seconds);
    assert_eq!(short.offline_grace_seconds, example.offline_grace_seconds);
    assert_eq!(short.check_interval_seconds, example.check_interval_seconds);
    assert_eq!((short.seats, short.fee_ratio, short.entitlements.len()), (None, None, 0));
}

#[test]
fn the_environment_goes_over_the_file() {
    let case = Case::new()
        .with("CHOPMARK_LISTEN__CALLBACKS", "0.0.0.0:80")
        .with("CHOPMARK_LOG__URL", "sqlite:events.db")
        .with("CHOPMARK_DATA_DIR", "/var/lib/chopmark")
        .with("CHOPMARK_LIMITS__REQUEST_SECONDS", "3")
        .with("CHOPMARK_SELLER__0__ID", "\"other\"")
        .with("CHOPMARK_SELLER__0__KEYS__BASE__0", "second-key")
        .with("CHOPMARK_SELLER__0__KEYS__BASE__1__ENV", "OLD_KEY")
        .with("OLD_KEY", "first-key")
        .with("CHOPMARK_PRODUCT__0__SELLER", "other")
        .with("CHOPMARK_PRODUCT__0__SEATS", "quantity")
        .with("CHOPMARK_PRODUCT__0__FEE_RATIO", "0.05")
        .with("CHOPMARK_PRODUCT__0__ENTITLEMENTS", "{ users = 5 }");
    let config = case.load(SHORT).unwrap();
    assert_eq!(config.listen.callbacks.to_string(), "0.0.0.0:80");
    assert_eq!(config.log_file, PathBuf::from("/var/lib/chopmark/events.db"));
    assert_eq!(config.limits.request, Duration::from_secs(3));
    assert_eq!(config.sellers[0].id.as_str(), "other");
    let keys: Vec<_> = config.sellers[0].keys.iter().map(|(_, key)| key.expose_secret()).collect();
    assert_eq!(keys, ["second-key", "first-key"]);
    let terms = &config.products[0].terms;
    assert_eq!((terms.seats, terms.fee_ratio), (Some(Seats::Quantity), Some("0.05".parse().unwrap())));
    assert_eq!(terms.entitlements["users"], Entitlement::Number(5));
}

#[test]
fn the_environment_alone_can_hold_a_whole_seller() {
    let variables = [
        ("CHOPMARK_SELLER__0__ID", "acme"),
        ("CHOPMARK_SELLER__0__SITE", "eu"),
        ("CHOPMARK_SELLER__0__KEYS__BASE", "[{ env = \"KEY\" }]"),
        ("KEY", "base-key"),
        ("CHOPMARK_SELLER__0__OPEN_API__ACCESS_KEY", "ak"),
        ("CHOPMARK_SELLER__0__OPEN_API__SECRET_KEY", "12345"),
        ("CHOPMARK_SELLER__0__OPEN_API__BASE_URL", "http://[::1]:9999"),
    ];
    let case = variables.into_iter().fold(Case::new(), |case, (name, value)| case.with(name, value));
    let config = case.load("").unwrap();
    assert_eq!(config.sellers[0].site, Site::Eu);
    let open_api = config.sellers[0].open_api.as_ref().unwrap();
    assert_eq!(open_api.secret_key.expose_secret(), "12345");
    assert_eq!(open_api.base_url.as_ref().unwrap().as_str(), "http://[::1]:9999/");
}

#[test]
fn a_variable_that_fits_no_key_is_an_error_with_its_name() {
    Case::new().with("CHOPMARK_LISTEN__CALBACKS", "0.0.0.0:80").refuses(
        "",
        "environment variable CHOPMARK_LISTEN__CALBACKS: listen.calbacks: there is no such key\n  \
         help: did you mean `callbacks`?",
    );
    Case::new().with("CHOPMARK_SELLER__2__ID", "acme").refuses(
        SHORT,
        "environment variable CHOPMARK_SELLER__2__ID: seller[2].id: the list has 1 elements\n  help: index 1 adds one",
    );
    Case::new().with("CHOPMARK_SELLER__ID", "acme").refuses(
        SHORT,
        "environment variable CHOPMARK_SELLER__ID: seller.id: seller is a list\n  \
         help: name an element by its index, from 0, e.g. CHOPMARK_SELLER__0__ID",
    );
    Case::new().with("CHOPMARK_DATA_DIR__X", "1").refuses(
        "",
        "environment variable CHOPMARK_DATA_DIR__X: data_dir.x: data_dir is a value and has no parts\n  \
         help: set the value itself, or unset the variable",
    );
    Case::new().with("CHOPMARK_LIMITS__CONNECTIONS", "many").refuses(
        "",
        "environment variable CHOPMARK_LIMITS__CONNECTIONS: limits.connections: a whole number is wanted here, not text\n  \
         help: write a whole number from 1 to 1000000, without quotes",
    );
}

#[test]
fn variables_of_other_use_are_left_alone() {
    let names = [
        "CHOPMARK_LOG_FORMAT",
        "CHOPMARK_TEST_SEED",
        "CHOPMARK_PORT",
        "CHOPMARK_PORT_8080_TCP_ADDR",
        "CHOPMARK_SERVICE_HOST",
        "CHOPMARK_SERVICE_PORT",
        "CHOPMARK_SERVICE_PORT_HTTP",
        "CHOPMARK_API_SERVICE_HOST",
        "CHOPMARK_API_PORT",
        "CHOPMARK_API_PORT_8081_TCP",
    ];
    let case = names.into_iter().fold(Case::new(), |case, name| case.with(name, "json"));
    case.load("").unwrap();
}

#[test]
fn the_file_is_found_where_it_was_named() {
    let case = Case::new().with_file("other.toml", "data_dir = \"elsewhere\"");
    let named: Environment = [("CHOPMARK_CONFIG", case.path("other.toml"))].into_iter().collect();
    let config = Config::load(None, &named).unwrap();
    assert_eq!(config.data_dir, PathBuf::from("elsewhere"), "data_dir is relative to the working directory");
    assert_eq!(config.file, Some(case.path("other.toml")));
    let error = Config::load(Some(&case.path("absent.toml")), &named).unwrap_err().to_string();
    assert!(error.contains("absent.toml: the configuration file cannot be read"), "{error}");
}

#[test]
fn a_secret_in_a_file_is_found_beside_the_configuration() {
    let case = Case::new().with_file("key.txt", "from-file\r\n");
    let config = case.load(&SHORT.replace("value = \"base-key\"", "file = \"key.txt\"")).unwrap();
    assert_eq!(config.sellers[0].keys[0].1.expose_secret(), "from-file");
}

#[test]
fn secrets_are_not_shown() {
    let config = Case::new()
        .load(
            r#"
            [[seller]]
            id = "acme"
            site = "cn"
            keys.base = [{ value = "hush-key" }]
            open_api = { access_key = { value = "hush-ak" }, secret_key = { value = "hush-sk" } }
            app_info = { front_end_url = "https://a.example", password = "hush-password" }
            "#,
        )
        .unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn no_error_quotes_a_secret() {
    let broken = [
        "[[seller]]\nkeys.base = [\"hush\"]",
        "[[seller]]\nkeys.base = \"hush\"",
        "[[seller]]\nkeys.base = [{ value = \"hush\" ]",
        "[[seller]]\nkeys.base = [{ value = 'hush",
        "[[seller]]\nkeys.base = [{ value = \"hush\", env = \"A\" }]",
        "[[seller]]\nkeys.base = [{ value = \"hush\" }]\nkeys.general = [{ value = \"hush\" }]",
        "[log]\nurl = \"postgres://chopmark:hush@db/chopmark\"",
        "[[seller]]\nopen_api.base_url = \"http://hush@example.com/\"",
    ];
    for text in broken {
        let error = Case::new().load(text).unwrap_err();
        assert!(!error.contains("hush"), "{error}");
    }
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    Case::new().with("CHOPMARK_LISTEN__API", "api").refuses(
        "data_dir = 5\n[listen]\nmetrics = \":9090\"\n[[seller]]\nid = \"acme\"\nsite = \"de\"\n[[product]]\nsku = \"s\"",
        "chopmark.toml:1: data_dir: a text is wanted here, not a whole number\n  \
           help: put it in double quotes\n\
         chopmark.toml:3: listen.metrics: \":9090\" is not an IP address with a port\n  \
           help: write \"0.0.0.0:9090\" to listen on every address\n\
         chopmark.toml:4: seller[0].keys.base: is missing\n  \
           help: add `keys.base = [{ env = \"ACME_BASE_KEY\" }]`, the access key from Seller Center > Application Tools > \
           Key Management\n\
         chopmark.toml:6: seller[0].site: \"de\" is not one of the choices\n  \
           help: the choices are cn, intl, eu\n\
         chopmark.toml:7: product[0].seller: is missing\n  \
           help: add `seller = \"…\", the id of a [[seller]]`\n\
         chopmark.toml:7: product[0].kind: is missing\n  \
           help: add `kind = \"saas\"`\n\
         chopmark.toml:7: product[0].name: is missing\n  \
           help: add `name = \"Example\"`\n\
         environment variable CHOPMARK_LISTEN__API: listen.api: \"api\" is not an IP address with a port\n  \
           help: write it like \"127.0.0.1:8080\", or \"[::1]:8080\" for IPv6",
    );
}

/// One line put into [`SHORT`] after another one, and what is said of it: the line's number counts from the first of
/// `SHORT`, which is empty.
#[test]
fn each_problem_names_key_line_and_mend() {
    let seller = "keys.base = [{ value = \"base-key\" }]";
    let product = "name = \"Example\"";
    let long_url = format!("app_info = {{ front_end_url = \"https://a.example/{}\" }}", "x".repeat(500));
    let cases: &[(&str, &str, &str)] = &[
        (product, "grace_day = 3", "chopmark.toml:11: product[0].grace_day: there is no such key\n  help: did you mean `grace_days`?"),
        (product, "graceDays = 3", "chopmark.toml:11: product[0].graceDays: there is no such key\n  help: did you mean `grace_days`?"),
        (product, "colour = 3", "chopmark.toml:11: product[0].colour: there is no such key\n  help: the keys here are sku, seller, kind, name, entitlements, seats, grace_days, lease_seconds, offline_grace_seconds, check_interval_seconds, fee_ratio, app_info"),
        (product, "grace_days = \"3\"", "chopmark.toml:11: product[0].grace_days: a whole number is wanted here, not text\n  help: write a whole number from 0 to 3650, without quotes"),
        (product, "grace_days = -1", "chopmark.toml:11: product[0].grace_days: -1 is out of range\n  help: write a whole number from 0 to 3650, without quotes"),
        (product, "fee_ratio = 0.05", "chopmark.toml:11: product[0].fee_ratio: a text is wanted here, not a number with a point\n  help: put it in double quotes"),
        (product, "fee_ratio = \"5\"", "chopmark.toml:11: product[0].fee_ratio: 5 is no share of a price: it must be from 0 to below 1\n  help: write it like \"0.05\", in quotes"),
        (product, "fee_ratio = \"5%\"", "chopmark.toml:11: product[0].fee_ratio: \"5%\" is no decimal number\n  help: write it like \"0.05\", in quotes"),
        (product, "seats = 0", "chopmark.toml:11: product[0].seats: 0 is no number of machines\n  help: write a whole number from 1, or \"quantity\" for the amount bought"),
        (product, "seats = \"all\"", "chopmark.toml:11: product[0].seats: \"all\" is no number of machines\n  help: write a whole number from 1, or \"quantity\" for the amount bought"),
        (product, "seats = [1]", "chopmark.toml:11: product[0].seats: seats are not a list\n  help: write a whole number from 1, or \"quantity\" for the amount bought"),
        (product, "entitlements = { users = 1.5 }", "chopmark.toml:11: product[0].entitlements.users: an entitlement is not a number with a point\n  help: write true, false, a whole number, a text, or \"quantity\" for the amount bought"),
        (product, "app_info = { admin_url = \"https://a.example\" }", "chopmark.toml:11: product[0].app_info.front_end_url: is missing\n  help: add `front_end_url = \"https://app.example.com/{instance_id}\"`"),
        (product, "app_info = { front_end_url = \"https://a.example/{id}\" }", "chopmark.toml:11: product[0].app_info.front_end_url: {instance_id} is the only thing that is filled in\n  help: write it like \"https://app.example.com/{instance_id}\", with at most 512 characters"),
        (product, "app_info = { front_end_url = \"app.example\" }", "chopmark.toml:11: product[0].app_info.front_end_url: \"app.example\" is no URL: relative URL without a base\n  help: write it like \"https://app.example.com/{instance_id}\", with at most 512 characters"),
        (product, &long_url, "chopmark.toml:11: product[0].app_info.front_end_url: 518 characters, and the marketplace takes at most 512\n  help: write it like \"https://app.example.com/{instance_id}\", with at most 512 characters"),
        (product, "[[product]]\nsku = \"a63ee5c9-0000\"\nseller = \"acme\"\nkind = \"image\"\nname = \"Other\"", "chopmark.toml:12: product[1].sku: there is a product a63ee5c9-0000 already\n  help: give it another one, or merge it with product[0].sku (chopmark.toml:7)"),
        (product, "[[product]]\nsku = \"other\"\nseller = \"amce\"\nkind = \"licence_code\"\nname = \"Other\"", "chopmark.toml:13: product[1].seller: there is no seller amce\n  help: did you mean `acme`?\nchopmark.toml:14: product[1].kind: \"licence_code\" is not one of the choices\n  help: did you mean `license_code`?"),
        (product, "[[seller]]\nid = \"acme\"\nsite = \"eu\"\nkeys.base = [{ value = \"k\" }]", "chopmark.toml:12: seller[1].id: there is a seller acme already\n  help: give it another one, or merge it with seller[0].id (chopmark.toml:3)"),
        (product, "[[seller]]\nid = \"a/b\"\nsite = \"eu\"\nkeys.base = [{ value = \"k\" }]", "chopmark.toml:12: seller[1].id: seller id contains '/', which is not allowed there\n  help: use at most 64 of A-Z a-z 0-9 . _ -"),
        (product, "[[seller]]\nid = \"other\"\nsite = \"eu\"\nkeys.base = []", "chopmark.toml:14: seller[1].keys.base: is missing\n  help: add `keys.base = [{ env = \"ACME_BASE_KEY\" }]`, the access key from Seller Center > Application Tools > Key Management"),
        (seller, "keys.general = [{ value = \"base-key\" }]", "chopmark.toml:6: seller[0].keys.general[0]: this key stands in keys.base too, and two interface types never share a key\n  help: bind each type to a key of its own in Seller Center > Application Tools > Key Management"),
        (seller, "keys.licence_code = [{ value = \"k\" }]", "chopmark.toml:6: seller[0].keys.licence_code: there is no such key\n  help: did you mean `license_code`?"),
        (seller, "keys.joint = { value = \"k\" }", "chopmark.toml:6: seller[0].keys.joint: a list is wanted here, not a table\n  help: put it in square brackets: [ … ]"),
        (seller, "keys.joint = [\"k\"]", "chopmark.toml:6: seller[0].keys.joint[0]: a secret is not written as text\n  help: write one of { env = \"NAME\" }, { file = \"PATH\" } and { value = \"…\" }"),
        (seller, "keys.joint = [{ env = \"A\", value = \"k\" }]", "chopmark.toml:6: seller[0].keys.joint[0]: exactly one of `env`, `file` and `value` is wanted\n  help: write one of { env = \"NAME\" }, { file = \"PATH\" } and { value = \"…\" }"),
        (seller, "keys.joint = [{ evn = \"A\" }]", "chopmark.toml:6: seller[0].keys.joint[0].evn: there is no such key\n  help: did you mean `env`?"),
        (seller, "keys.joint = [\n  { env = \"ABSENT\" },\n]", "chopmark.toml:7: seller[0].keys.joint[0].env: the environment variable ABSENT is not set\n  help: set it for this process, or name the one that is set"),
        (seller, "keys.joint = [{ env = \"EMPTY\" }]", "chopmark.toml:6: seller[0].keys.joint[0].env: the environment variable EMPTY is empty\n  help: put the secret there"),
        (seller, "keys.joint = [{ value = \"\" }]", "chopmark.toml:6: seller[0].keys.joint[0].value: the secret is empty\n  help: put the secret there"),
        (seller, "keys.joint = [{ file = \"empty\" }]", "chopmark.toml:6: seller[0].keys.joint[0].file: the file empty is empty\n  help: put the secret there"),
        (seller, "keys.joint = [{ file = \"absent\" }]", "chopmark.toml:6: seller[0].keys.joint[0].file: the file absent cannot be read: No such file or directory (os error 2)\n  help: put it there and let Chopmark read it; paths are relative to the folder of the configuration file"),
        (seller, "open_api = { access_key = { value = \"a\" } }", "chopmark.toml:6: seller[0].open_api.secret_key: is missing\n  help: add `secret_key = { env = \"ACME_SK\" }`"),
        (seller, "open_api = { access_key = { value = \"a\" }, secret_key = { value = \"s\" }, base_url = \"http://example.com\" }", "chopmark.toml:6: seller[0].open_api.base_url: orders and signatures do not go over http:// to another machine\n  help: write it like \"https://mkt.myhuaweicloud.com\"; http:// is for loopback only"),
        ("", "[listen]\napi = \"localhost:8081\"", "chopmark.toml:2: listen.api: \"localhost:8081\" is not an IP address with a port\n  help: write \"127.0.0.1:8081\""),
        ("", "[listen]\nadmin = \"127.0.0.1:8081\"", "built-in default:31: listen.api: there is a listener at 127.0.0.1:8081 already"),
        ("", "[log]\nurl = \"postgres://db/chopmark\"", "chopmark.toml:2: log.url: this version keeps events and views in SQLite only, not in postgres:\n  help: write \"sqlite:\" for the file log.db under data_dir, or \"sqlite:PATH\""),
        ("", "[views]\nurl = \"esdb://host:2113\"", "chopmark.toml:2: views.url: this version keeps events and views in SQLite only, not in esdb:\n  help: write \"sqlite:\" for the file views.db under data_dir, or \"sqlite:PATH\""),
        ("", "[log]\nurl = \"mysql://db\"", "chopmark.toml:2: log.url: mysql: is not known here\n  help: write \"sqlite:\" for the file log.db under data_dir, or \"sqlite:PATH\""),
        ("", "[tls]\ncert = \"absent.pem\"", "chopmark.toml:1: tls.key: is missing\n  help: add `key = \"tls/key.pem\"`\nchopmark.toml:2: tls.cert: there is no file absent.pem\n  help: paths are relative to the folder of the configuration file"),
        ("", "[keys]\nsigning = [{ path = \"x\" }]", "chopmark.toml:2: keys.signing[0].path: there is no such key\n  help: the keys here are value, env, file"),
        ("", "data_dir = \"a\"\ndata_dir = \"b\"", "chopmark.toml:2: this is no TOML: duplicate key\n  help: texts stand in quotes, lists in [ ], tables in { }; `chopmark serve --print-config` shows examples"),
        ("", "listen = 5", "chopmark.toml:1: listen: a table is wanted here, not a whole number\n  help: write its keys in braces: { key = value, … }"),
    ];
    for (after, line, said) in cases {
        let text = if after.is_empty() { (*line).into() } else { SHORT.replace(after, &format!("{after}\n{line}")) };
        Case::new().with("EMPTY", "").with_file("empty", "\n").refuses(&text, said);
    }
}
