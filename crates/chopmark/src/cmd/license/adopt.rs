//! `chopmark license adopt`.

use chopmark_commands::CommandError;
use chopmark_domain::license::{InstanceAdopted, Refusal, Standing, Status, Terms};
use chopmark_domain::order::OrderRef;
use chopmark_domain::purchase::PurchaseIdentity;
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_query::describe;
use chrono::Utc;

use super::Desk;
use crate::cli::license::adopt::{AdoptArgs, AdoptedStatus};
use crate::cmd::kept::HELP;
use crate::cmd::operator;
use crate::cmd::text;
use crate::failure::{Failure, OrFail, Reason};

pub(super) async fn adopt(args: &AdoptArgs, desk: &Desk) -> Result<(), Failure> {
    let commands = &desk.commands;
    let key = LicenseKey { seller: args.seller.clone(), id: LicenseId::Instance(args.instance.clone()) };
    let standing = commands.read_license(&key).await.or_fail(Reason::Storage, "adopting", HELP)?;
    let is_known = !matches!(standing, Standing::Absent);
    match commands.adopt(&args.seller, &args.instance, wanted(args), &operator::cause()).await {
        Err(CommandError::Refused(Refusal::Exists)) => {
            let what = format!("instance {} or its purchase has a license already", args.instance);
            return Err(Failure::new(Reason::CheckFailed, what, "look at it: chopmark license show"));
        }
        done => done.or_fail(Reason::Storage, "adopting", HELP)?,
    };
    let index = desk.index().await?;
    let found = index.look_up(Some(&args.seller), args.instance.as_str(), None, Utc::now()).found;
    let mut shown = found.map(|found| describe(&found, Utc::now())).unwrap_or_default();
    crate::print(&if args.json {
        shown["adopted_before"] = is_known.into();
        format!("{shown}\n")
    } else {
        let word = if is_known { "adopted already, and left as it is" } else { "adopted" };
        format!("{word}\n{}", text::members(&shown))
    })
}

fn wanted(args: &AdoptArgs) -> InstanceAdopted {
    let order = args.order.clone().zip(args.order_line.clone());
    let purchase =
        order.map(|(order_id, order_line_id)| PurchaseIdentity::OrderLine(OrderRef { order_id, order_line_id }));
    let terms = Terms {
        sku: args.sku.clone(),
        product_id: args.product_id.clone(),
        quantity: args.quantity,
        expires_at: args.expires_at,
        expiry_approximate: false,
    };
    let status = match args.status {
        AdoptedStatus::Active => Status::Active,
        AdoptedStatus::Frozen => Status::Frozen,
    };
    InstanceAdopted { purchase, terms, status }
}
