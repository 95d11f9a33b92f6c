//! Black-box tests of the configuration: a file and an environment in, a configuration or all its problems out.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chopmark_domain::catalog::{ClonePolicy, Entitlement, LicenseForm, ProductKind, ProductTerms, Seats};
use chopmark_domain::settlement::money::Ratio;
use chopmark_domain::settlement::policy::{Policy, SetOff, UnstatedPayment};
use chopmark_domain::settlement::product::{self, AccessType, Category};
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_huawei::keys::InterfaceType;
use chopmark_huawei::site::Site;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::{Config, DEFAULT, Environment, ViewsAt};

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
    let keys = ["ACME_BASE_KEY", "ACME_CODE_KEY", "ACME_JOINT_KEY", "ACME_GENERAL_KEY"];
    let others = ["ACME_AK", "ACME_SK", "ACME_FIRST_PASSWORD"];
    let case = keys.into_iter().chain(others).fold(Case::new(), |case, name| case.with(name, name));
    fs::create_dir(case.path("tls")).unwrap();
    case.with_file("tls/fullchain.pem", "").with_file("tls/key.pem", "").with_file("signing-key.pem", "a key")
}

#[test]
fn without_a_file_the_default_holds() {
    let case = Case::new();
    let config = case.load("").unwrap();
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    assert_eq!(config.log.file(), Some(Path::new("./data/log.db")));
    assert_eq!(config.seal_every, Duration::from_secs(3_600));
    assert_eq!(config.listen.callbacks.to_string(), "127.0.0.1:8080");
    assert!(matches!(&config.views, ViewsAt::Sqlite { views_file, .. } if views_file == Path::new("./data/views.db")));
    assert_eq!((config.keys.signing.len(), config.keys.issuer.as_str()), (0, "chopmark"));
    assert_eq!((config.limits.failures_per_minute, config.limits.license_burst), (60, 1000));
    assert_eq!((config.limits.code_lookups_per_address, config.limits.code_lookups_per_seller), (10, 120));
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
    assert_eq!(product.app_info.as_ref().unwrap().front_end_url, "https://example.example.com/{instance_id}");
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
            clones: ClonePolicy::Report,
            license_form: LicenseForm::Text,
            settlement: SettlementTerms {
                access_type: Some(AccessType::Saas),
                voucher_bear_ratio: Some(Ratio::percent(95)),
                partner_ratio: Some(Ratio::percent(70)),
                tax_rate: Some(Ratio::percent(6)),
                floor_discount: Some(Ratio::percent(80)),
                ..SettlementTerms::default()
            },
        }
    );
    let settled = SellerTerms {
        deposit: Some(10_000.into()),
        working_days: "2027 off 01-01".into(),
        ..SellerTerms::of(product::Site::Cn)
    };
    assert_eq!(seller.terms, settled, "the switches shown are the defaults");
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
    assert_eq!(config.log.file(), Some(Path::new("/var/lib/chopmark/events.db")));
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
fn odd_values_of_variables_are_refused_and_nothing_worse() {
    for value in ["", " ", "[", "{", "\'\'\'", "\"", "=", "9999999999999999999999", "[[1]", "1e9", "\u{0}", "#", "\n"] {
        let variables = [
            "CHOPMARK_LIMITS",
            "CHOPMARK_LISTEN__API",
            "CHOPMARK_LIMITS__CONNECTIONS",
            "CHOPMARK_SELLER",
            "CHOPMARK_SELLER__0__KEYS__BASE",
            "CHOPMARK_PRODUCT__0__SEATS",
        ];
        for name in variables {
            let error = Case::new().with(name, value).load(SHORT).err();
            let error = error.unwrap_or_else(|| panic!("{name}={value} is accepted"));
            assert!(error.contains(&format!("environment variable {name}: ")), "{name}={value}: {error}");
        }
    }
}

#[test]
fn variables_of_other_use_are_left_alone() {
    let names = [
        "CHOPMARK_LOG_FORMAT",
        "CHOPMARK_TEST_SEED",
        "CHOPMARK_CI_CACHE",
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
            [log]
            url = { value = "esdb://chopmark:hush@log:2113" }
            [views]
            url = { value = "postgres://chopmark:hush@db/chopmark" }
            "#,
        )
        .unwrap();
    let shown = format!("{config:?} {}", config.log);
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
        "[log]\nurl = \"esdb://chopmark:hush@a:2113,b:2113?tls=true\"",
        "[log]\nurl = \"http://chopmark:hush@db/chopmark\"",
        "[views]\nurl = \"postgres://chopmark:hush@db/chopmark\"",
        "[views]\nurl = \"postgres://db/chopmark?password=hush\"",
        "[views]\nurl = { value = \"mysql://chopmark:hush@db/chopmark\" }",
        "[views]\nurl = { value = \"postgres://chopmark:hush@db:port/chopmark\" }",
        "[[seller]]\nopen_api.base_url = \"http://hush@example.com/\"",
    ];
    for text in broken {
        let error = Case::new().load(text).unwrap_err();
        assert!(!error.contains("hush"), "{error}");
    }
}

#[test]
fn the_log_is_in_a_file_or_in_a_database_or_in_an_event_store() {
    let case = Case::new().with("LOG_URL", "postgres://chopmark:secret@db/chopmark?sslmode=require");
    for (url, shown) in [
        (r#""sqlite:""#, "./data/log.db"),
        (r#""sqlite:/srv/events.db""#, "/srv/events.db"),
        (r#""postgres://chopmark@db:5432/chopmark""#, "postgres://db:5432/chopmark"),
        (r#"{ env = "LOG_URL" }"#, "postgres://db/chopmark"),
        (r#""esdb://a:2113,b:2113,[::1]:2113?tls=true""#, "esdb://a:2113,b:2113,[::1]:2113"),
        (r#""kurrentdb://node""#, "kurrentdb://node"),
        (r#"{ value = "esdb+discover://admin:secret@cluster:2113?tls=true" }"#, "esdb+discover://cluster:2113"),
    ] {
        let log = case.load(&format!("[log]\nurl = {url}")).unwrap().log;
        assert_eq!(log.to_string(), shown, "{url}");
        assert_eq!(log.is_remote(), !url.contains("sqlite"), "{url}");
    }
    for (url, said) in [
        ("mysql://db/chopmark", "mysql: is not known here"),
        ("esdb://", "names no host"),
        ("esdb:host", "no URL of a server"),
        ("postgres://db:many/chopmark", "a port that is no number"),
        ("postgres://user:word@db/chopmark", "a URL with a password is a secret"),
    ] {
        let error = Case::new().load(&format!("[log]\nurl = \"{url}\"")).unwrap_err();
        assert!(error.contains("chopmark.toml:2: log.url: ") && error.contains(said), "{error}");
    }
}

/// Where views are, for one value of `views.url`.
fn views(case: &Case, url: &str) -> ViewsAt {
    case.load(&format!("[views]\nurl = {url}")).unwrap().views
}

#[test]
fn views_are_in_files_beside_each_other_or_in_postgresql() {
    let case = Case::new().with("VIEWS_URL", "postgres://chopmark:secret@db/chopmark");
    for (url, views_file, billing_file) in [
        (r#""sqlite:""#, "./data/views.db", "./data/billing.db"),
        (r#""sqlite:seen/v.db""#, "./data/seen/v.db", "./data/seen/billing.db"),
        (r#""sqlite:/srv/v.db""#, "/srv/v.db", "/srv/billing.db"),
    ] {
        let ViewsAt::Sqlite { views_file: seen, billing_file: billing } = views(&case, url) else { panic!("{url}") };
        assert_eq!((seen, billing), (PathBuf::from(views_file), PathBuf::from(billing_file)), "{url}");
    }
    let secret = "postgres://chopmark:secret@db/chopmark";
    for (url, expected) in [
        (r#""postgres://chopmark@db/chopmark""#, "postgres://chopmark@db/chopmark"),
        (r#"{ env = "VIEWS_URL" }"#, secret),
        (r#"{ value = "postgres://chopmark:secret@db/chopmark" }"#, secret),
    ] {
        let ViewsAt::Postgres { url: at } = views(&case, url) else { panic!("{url}") };
        assert_eq!(at.expose_secret(), expected, "{url}");
    }
    let by_variable = Case::new().with("CHOPMARK_VIEWS__URL", secret).load("").unwrap().views;
    assert!(
        matches!(by_variable, ViewsAt::Postgres { .. }),
        "a variable in the place of a secret is the secret itself"
    );
}

#[test]
fn settlement_is_read_by_the_codes_that_events_have() {
    let seller = "\n[seller.settlement]\ncertified = false\npolicy = { set_off = \"NEXT_MONTH\", unstated_payment = \
                  \"UNKNOWN\", run_days = { cn = 7 }, tiers = { brackets = [] } }\n[[product]]";
    let product = "\n[product.settlement]\ncategory = \"joint_operation\"\nsupervised = true\ntiers = false\n";
    let text = SHORT.replacen("\n[[product]]", seller, 1) + product;
    let config = Case::new().load(&text).unwrap();
    let terms = &config.sellers[0].terms;
    let mut policy =
        Policy { set_off: SetOff::NextMonth, unstated_payment: UnstatedPayment::Unknown, ..Policy::default() };
    policy.run_days.cn = chopmark_domain::settlement::calendar::DayOfMonth::SEVENTH;
    policy.tiers.brackets = vec![];
    assert_eq!((terms.certified, &terms.policy), (false, &policy));
    let category = Category::JointOperation;
    let expected = SettlementTerms { category, supervised: true, tiers: false, ..SettlementTerms::default() };
    assert_eq!(config.products[0].terms.settlement, expected);
    let warnings: Vec<_> = config.warnings().iter().map(ToString::to_string).collect();
    assert!(warnings.iter().any(|said| said.contains("joint operation without its shares")), "{warnings:?}");
}

#[test]
fn every_switch_can_be_set_by_its_name_and_code() {
    let switches = serde_json::to_value(Policy::default()).unwrap();
    for (name, value) in switches.as_object().unwrap() {
        if let serde_json::Value::String(code) = value {
            let line = format!("settlement.policy.{name} = \"{code}\"\n[[product]]");
            Case::new().load(&SHORT.replacen("[[product]]", &line, 1)).unwrap();
            let wrong = SHORT.replacen("[[product]]", &line.replace(code, "SOMETIMES"), 1);
            let said = Case::new().load(&wrong).unwrap_err();
            assert!(said.contains(&format!("policy.{name}: \"SOMETIMES\"")) && said.contains(code), "{said}");
        }
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

/// Cases of `problems.txt`, divided by empty lines: where some lines are put, the lines, `---`, and what is said.
/// Lines in a seller begin at line 6 of the file, lines in a product at line 11.
#[test]
fn each_problem_names_key_line_and_mend() {
    let cases = include_str!("tests/problems.txt").trim_end().split("\n\n");
    for case in cases {
        let (place, rest) = case.split_once('\n').unwrap();
        let (lines, said) = rest.split_once("\n---\n").unwrap();
        let before = match place {
            "in a seller" => "keys.base = [{ value = \"base-key\" }]\n",
            "in a product" => "name = \"Example\"\n",
            "alone" => "",
            other => panic!("{other}?"),
        };
        let text = if before.is_empty() { lines.into() } else { SHORT.replace(before, &format!("{before}{lines}\n")) };
        Case::new().with("EMPTY", "").with_file("empty", "\n").refuses(&text, said);
    }
}
