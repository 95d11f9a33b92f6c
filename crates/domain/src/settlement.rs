//! Settlement: what the marketplace will pay a seller for what was sold, and when; each number with its explanation.
//!
//! Plain functions over plain data, like all of the domain. Facts come in (some of them missing, some estimated),
//! amounts with their steps go out. Nothing is guessed: a missing fact is an `Option` that stays empty.
//!
//! ```text
//! facts ─▶ readiness (which period?) ─▶ formula, usage, refund (how much, and why?) ─▶ line ─▶ balance (what is paid?)
//!              calendar                        money, explanation                             policy: every switch
//!
//! news of the log ─▶ books (every line, drawn up from what is known of it)
//! unbilled lines ─▶ forecast (what will be paid, when, and what stands in its way?)
//! imported bill  ─▶ bill (which column is what?) ─▶ reconciliation (what differs from our lines, and why?)
//! ```
//!
//! # Where the rules come from
//! Huawei's public pages for sellers, named in the comments by these short ids; nothing was checked against the live
//! site.
//!
//! | Id | Page |
//! |---|---|
//! | S1, S2, S3, S4 | Settlement Rules (international), 结算流程总览, 结算规则, 结算流程总览 of 通用商品结算 |
//! | S5, S6 | 账单说明, Bill Description |
//! | S7, S8, S9 | 订单结算机制, 退订出账规则, 退订订单如何结算 |
//! | S10, S11, S12, S13 | 退订规则, Unsubscription Rules (2025-07, 2024-08), Requesting a Negotiated Unsubscription |
//! | S14, S15, S17, S18 | Prerequisites for Bill Run, Querying Transaction Details, Confirming Bills, 账单对账步骤 |
//! | S20, S21, S22, S23 | 给华为云开票, notice of the 2024-03-01 policy, 代金券结算规则, Upgrade and Billing Rules |
//! | S24, S26, S27, S28 | renewal rules, Billing Center on refunds, 按需付费的镜像怎么计费, 按需使用量推送 |
//! | S29, S30, S33, S34, S36 | Querying an Order, supervision pages, bill precision, resellers, Billing Center FAQ |
//!
//! CONSTRUCTED marks a rule of our own that agrees with every page; UNCONFIRMED one that no page settles. Each of
//! those that has alternatives is a switch of [`policy::Policy`].

pub mod balance;
pub mod bill;
pub mod books;
pub mod calendar;
pub mod change;
pub mod explanation;
pub mod forecast;
pub mod formula;
pub mod line;
pub mod marked;
pub mod money;
pub mod month;
pub mod policy;
pub mod product;
pub mod readiness;
pub mod reconciliation;
pub mod refund;
pub mod statement;
pub mod term;
pub mod terms;
pub mod transactions;
pub mod usage;
