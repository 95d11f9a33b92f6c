//! `GET` and `PUT /v1/settlement/mappings`.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::access::Role;
use chopmark_domain::settlement::bill::mapping::{Field, Mapping};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::desk::{Desk, SellerParams, answer, received};
use crate::caller::Caller;
use crate::json::PositionText;
use crate::problem::Problem;
use crate::{Query, params};

/// A mapping of columns.
#[derive(Serialize, ToSchema)]
#[schema(as = MappingShown)]
struct Shown {
    /// Its name.
    #[schema(example = "console-zh")]
    name: String,
    /// Whether it ships; others were saved.
    shipped: bool,
    /// Header to field.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    columns: BTreeMap<String, Field>,
}

/// Mappings by which files can be read.
#[derive(Serialize, ToSchema)]
#[schema(as = Mappings)]
pub(crate) struct List {
    /// Those that were saved, then those that ship.
    mappings: Vec<Shown>,
    /// The fields that columns can be mapped to.
    fields: Vec<&'static str>,
    position: PositionText,
}

impl List {
    fn of(desk: &Desk<'_>, position: chopmark_log::Position) -> Self {
        let shown = |shipped| move |Mapping { name, columns }: Mapping| Shown { name, shipped, columns };
        let saved = desk.catalog.mappings().cloned().map(shown(false));
        Self {
            mappings: saved.chain(Mapping::shipped().into_iter().map(shown(true))).collect(),
            fields: Field::all().map(Field::code).collect(),
            position: PositionText(position),
        }
    }
}

/// Mappings by which the columns of files can be read.
#[utoipa::path(
    get, path = "/v1/settlement/mappings", operation_id = "listMappings", tag = "settlement", params(SellerParams),
    responses((status = 200, description = "The mappings.", body = List)), security(("token" = [])),
)]
pub(crate) async fn list(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    query.count("mappings", listed(&query, &request).await)
}

async fn listed(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: SellerParams = params::read(request.query_string())?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), None).await?;
    let position = desk.billing().progress().position();
    Ok(answer(&List::of(&desk, position), position))
}

/// A mapping to be saved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingRequest {
    /// Its name; one that was saved under it before is replaced.
    #[schema(min_length = 1, max_length = 64, example = "our-export")]
    name: String,
    /// Header to field. Case, blanks, and a unit in brackets do not matter.
    #[schema(value_type = std::collections::HashMap<String, String>, example = json!({ "Net (CNY)": "settle_amount", "Order": "order_id" }))]
    columns: BTreeMap<String, String>,
}

/// Saves a mapping under its name.
#[utoipa::path(
    put, path = "/v1/settlement/mappings", operation_id = "saveMapping", tag = "settlement", params(SellerParams),
    request_body = MappingRequest,
    responses((status = 200, description = "The mappings.", body = List)), security(("token" = [])),
)]
pub(crate) async fn save(query: web::Data<Query>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    query.count("mappings", saved(&query, &request, payload).await)
}

async fn saved(query: &Query, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let (caller, seller, MappingRequest { name, columns }) = received(query, request, payload).await?;
    let columns = columns.into_iter().map(|(header, code)| {
        let field = Field::all().find(|field| field.code() == code);
        let unknown = || format!("`columns`: {code:?} is no field; see `fields` of GET /v1/settlement/mappings");
        Ok((header, field.ok_or_else(|| Problem::malformed(unknown()))?))
    });
    let columns = columns.collect::<Result<BTreeMap<_, _>, Problem>>()?;
    let mut desk = Desk::open(query, &caller, seller.as_deref(), None).await?;
    let done = query.commands.save_mapping(&desk.seller, Mapping { name, columns }, &caller.cause()).await;
    let done = done.map_err(Problem::of_command)?;
    desk.catalog = done.state;
    let position = desk.written(done.position).await;
    Ok(answer(&List::of(&desk, position), position))
}
