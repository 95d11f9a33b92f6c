//! `chopmark license list`.

use chopmark_domain::license::Shown;
use chopmark_projector::Filter;
use chopmark_query::describe;
use chrono::Utc;
use serde_json::Value;

use super::Desk;
use crate::cli::license::{ListArgs, StatusName};
use crate::cmd::text;
use crate::failure::Failure;

pub(super) async fn list(args: &ListArgs, desk: &Desk) -> Result<(), Failure> {
    let index = desk.index().await?;
    let now = Utc::now();
    let listing = index.list(&filter(args), None, args.limit.get(), now);
    let shown: Vec<Value> = listing.licenses.iter().map(|found| describe(found, now)).collect();
    if args.json {
        return crate::print(&shown.iter().map(|license| format!("{license}\n")).collect::<String>());
    }
    if shown.is_empty() {
        return crate::print("no license\n");
    }
    let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    let mut said = text::table(&["SELLER", "LICENSE", "PRODUCT", "VERDICT", "EXPIRES"], &rows);
    if listing.next.is_some() {
        said += &format!("… and more; --limit shows more than {}\n", args.limit);
    }
    crate::print(&said)
}

fn filter(args: &ListArgs) -> Filter {
    let status = args.status.map(|status| match status {
        StatusName::Pending => Shown::Pending,
        StatusName::Active => Shown::Active,
        StatusName::Frozen => Shown::Frozen,
        StatusName::Released => Shown::Released,
    });
    Filter {
        sellers: None,
        seller: args.seller.clone(),
        statuses: status.map(|status| vec![status]),
        product: args.product.clone(),
        id_prefix: args.prefix.clone(),
        blocked: args.blocked.then_some(true),
        clone_suspected: args.clones,
    }
}

fn row(license: &Value) -> Vec<String> {
    let cell = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let cells = [&license["seller"], &license["id"], &license["product"], &license["verdict"]["code"]];
    cells.into_iter().chain([&license["expires_at"]]).map(cell).collect()
}
