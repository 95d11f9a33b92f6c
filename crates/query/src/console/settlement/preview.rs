//! The look at a file before anything of it is taken: what it says, how its columns are read, and what it would change.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chopmark_billing::report::file::{
    BillChange, BillFile, ChangedRowShown, FileShown, MappingAsked, ProblemShown, RowShown, TransactionsFile, Upload,
    UploadError, known_mappings,
};
use chopmark_domain::access::Role;
use chopmark_domain::settlement::bill::mapping::{Field, Mapping};

use super::bills::{self, Asked};
use super::paper::{BY_HAND, Paper, mapping_of};
use super::uploads::Looked;
use super::{desk, page_of, upload};
use crate::Query;
use crate::console::forms::{self, Form};
use crate::console::frame::{Frame, Section};
use crate::console::visitor::{Turned, Visitor};
use crate::console::{answered, money, response, show};
use crate::problem::Problem;
use crate::settlement::bills::take_up;
use crate::settlement::desk::Desk;
use crate::settlement::upload::{cause, name, of_upload, refused};

/// What transaction details state.
struct Stated {
    order_lines: usize,
    usage: usize,
    /// Whether these very bytes were taken up before.
    before: bool,
}

#[derive(Template)]
#[template(path = "settlement/preview.html")]
struct Page {
    frame: Frame,
    seller: String,
    back: String,
    paper: Paper,
    file: FileShown,
    problems: Vec<ProblemShown>,
    more_problems: usize,
    change: Option<BillChange>,
    stated: Option<Stated>,
    mappings: Vec<String>,
}

/// A file that was read, with what would be taken up of it.
enum Read {
    Bill(BillFile),
    Transactions { file: TransactionsFile, before: bool },
}

impl Read {
    async fn of(
        query: &Query,
        desk: &Desk<'_>,
        paper: Paper,
        (file_name, bytes): (&str, &Bytes),
        mapping: MappingAsked,
    ) -> Result<Result<Self, UploadError>, Problem> {
        let upload = Upload { file_name: file_name.into(), bytes: bytes.to_vec(), mapping };
        Ok(match paper {
            Paper::Bill(category, period) => {
                let looked = desk.billing().look_at_bill(&desk.asking(), category, period, upload).await;
                looked.map(Self::Bill)
            }
            Paper::Transactions => match desk.billing().look_at_transactions(&desk.asking(), upload).await {
                Ok(file) => {
                    let before = query.commands.has_transactions(&desk.seller, &file.preview.file.sha256).await;
                    Ok(Self::Transactions { file, before: before.map_err(Problem::of_command)? })
                }
                Err(error) => Err(error),
            },
        })
    }

    fn file(&self) -> &FileShown {
        match self {
            Self::Bill(file) => &file.preview.file,
            Self::Transactions { file, .. } => &file.preview.file,
        }
    }
}

/// Looks at a file that comes. Nothing is taken.
pub(crate) async fn look(query: web::Data<Query>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let looked = looked(&query, &request, payload).await;
    answered(&query, &request, looked)
}

async fn looked(query: &Query, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Turned> {
    let sent = upload::read(query, request, payload).await?;
    let visitor = &sent.visitor;
    let desk = desk(query, visitor, sent.field("seller")).await?;
    let asked = Asked::of(sent.field("seller"), sent.field("period").trim(), sent.field("category"));
    let paper = match Paper::read(sent.field("category"), sent.field("period")) {
        Ok(paper) => paper,
        Err(problem) => {
            return bills::page(query, request, visitor, &desk, asked, Some(problem.detail().into())).await;
        }
    };
    let file_name = name(Some(&sent.file_name))?;
    let _place = desk.place().await?;
    let read = match Read::of(query, &desk, paper, (&file_name, &sent.bytes), MappingAsked::Proposed).await? {
        Ok(read) => read,
        Err(UploadError::Table(error)) => {
            return bills::page(query, request, visitor, &desk, asked, Some(error.to_string())).await;
        }
        Err(error) => return Err(of_upload(&error).into()),
    };
    query.console.uploads.keep(Looked {
        token: visitor.caller.id().into(),
        seller: desk.seller.clone(),
        file_name,
        sha256: read.file().sha256.clone(),
        bytes: sent.bytes.clone(),
    });
    Ok(response::page(StatusCode::OK, &Page::of(Frame::new(request, visitor, Section::Bills), &desk, paper, read))?)
}

/// Looks at the same file again with its columns read otherwise, and saves how, if that is asked for.
pub(crate) async fn look_again(query: web::Data<Query>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let looked = looked_again(&query, &request, payload).await;
    answered(&query, &request, looked)
}

async fn looked_again(query: &Query, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Turned> {
    let form = Form::read(payload).await?;
    let visitor = Visitor::sending(request, query, Role::Finance, form.field(forms::SECRET))?;
    let mut desk = desk(query, &visitor, form.field("seller").unwrap_or_default()).await?;
    let Some(looked) = kept(query, &visitor, &desk, &form) else {
        return gone(query, request, &visitor, &desk).await;
    };
    let (paper, mapping) = (paper_of(&form)?, mapping_of(&form));
    let mut frame = Frame::new(request, &visitor, Section::Bills);
    if let (Some("save"), MappingAsked::Given(mapping)) = (form.field("do"), &mapping) {
        let done = query.commands.save_mapping(&desk.seller, mapping.clone(), &visitor.caller.cause()).await;
        desk.catalog = done.map_err(Problem::of_command)?.state;
        frame.done = Some(frame.t.done_mapping);
    }
    let _place = desk.place().await?;
    let read = Read::of(query, &desk, paper, (&looked.file_name, &looked.bytes), mapping).await?;
    let read = read.map_err(|error| of_upload(&error))?;
    Ok(response::page(StatusCode::OK, &Page::of(frame, &desk, paper, read))?)
}

/// Takes a file up that was looked at, with its columns read as they were shown.
pub(crate) async fn import(query: web::Data<Query>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let imported = imported(&query, &request, payload).await;
    answered(&query, &request, imported)
}

async fn imported(query: &Query, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Turned> {
    let form = Form::read(payload).await?;
    let visitor = Visitor::sending(request, query, Role::Finance, form.field(forms::SECRET))?;
    let desk = desk(query, &visitor, form.field("seller").unwrap_or_default()).await?;
    let Some(looked) = kept(query, &visitor, &desk, &form) else {
        return gone(query, request, &visitor, &desk).await;
    };
    let paper = paper_of(&form)?;
    let _place = desk.place().await?;
    let read = Read::of(query, &desk, paper, (&looked.file_name, &looked.bytes), mapping_of(&form)).await?;
    let next = match read.map_err(|error| of_upload(&error))? {
        Read::Bill(BillFile { preview, import }) => {
            take_up(query, &desk, &preview, import).await?;
            let path = format!("/settlement/{}/reconciliation", preview.period);
            page_of(&desk.seller, &path).with("done", "imported")
        }
        Read::Transactions { file, .. } => {
            state(query, &desk, file).await?;
            page_of(&desk.seller, "/bills").with("done", "transactions")
        }
    };
    Ok(response::see_other(&next.to_string(), &[]))
}

/// Takes up what transaction details state.
async fn state(query: &Query, desk: &Desk<'_>, file: TransactionsFile) -> Result<(), Problem> {
    let TransactionsFile { preview, import } = file;
    let (imported, rows) = import.ok_or_else(|| refused(&preview.problems, preview.more_problems))?;
    let cause = cause(desk, &imported.file_name, &imported.sha256);
    let done = query.commands.import_transactions(&desk.seller, imported, &rows, &cause).await;
    desk.written(done.map_err(Problem::of_command)?.position).await;
    Ok(())
}

fn kept(query: &Query, visitor: &Visitor, desk: &Desk<'_>, form: &Form) -> Option<std::sync::Arc<Looked>> {
    query.console.uploads.of(visitor.caller.id(), &desk.seller, form.field("sha256").unwrap_or_default())
}

async fn gone(
    query: &Query,
    request: &HttpRequest,
    visitor: &Visitor,
    desk: &Desk<'_>,
) -> Result<HttpResponse, Turned> {
    let gone = Frame::bare(request).t.file_gone.to_owned();
    bills::page(query, request, visitor, desk, Asked::default(), Some(gone)).await
}

fn paper_of(form: &Form) -> Result<Paper, Problem> {
    Paper::read(form.field("category").unwrap_or_default(), form.field("period").unwrap_or_default())
}

impl Page {
    fn of(frame: Frame, desk: &Desk<'_>, paper: Paper, read: Read) -> Self {
        let back = page_of(&desk.seller, "/bills").with("period", &paper.period());
        let back = match paper {
            Paper::Bill(category, _) => back.with("category", category.code()),
            Paper::Transactions => back,
        };
        let (file, problems, more_problems, change, stated) = match read {
            Read::Bill(BillFile { preview, .. }) => {
                (preview.file, preview.problems, preview.more_problems, preview.change, None)
            }
            Read::Transactions { file: TransactionsFile { preview, import }, before } => {
                let (order_lines, usage) = (preview.order_lines, preview.usage);
                let stated = import.map(|_| Stated { order_lines, usage, before });
                (preview.file, preview.problems, preview.more_problems, None, stated)
            }
        };
        let mappings = known_mappings(&desk.catalog).into_iter().map(|mapping| mapping.name).collect();
        let frame = Frame { here: back.to_string(), ..frame };
        let (seller, back) = (desk.seller.to_string(), back.to_string());
        Self { frame, seller, back, paper, file, problems, more_problems, change, stated, mappings }
    }

    fn can_be_taken(&self) -> bool {
        self.stated.is_some() || self.change.as_ref().is_some_and(|change| !change.same)
    }

    /// The name to save the mapping under: its own, where it was saved before.
    fn own_name(&self) -> &str {
        let ships = Mapping::shipped().iter().any(|mapping| mapping.name == self.file.mapping);
        if ships || self.file.mapping == BY_HAND { "" } else { &self.file.mapping }
    }

    fn is_read_as(&self, header: &str, field: &Field) -> bool {
        self.file.columns.get(header) == Some(field)
    }

    /// What a changed row said and says: a line for each field.
    fn changes(&self, changed: &ChangedRowShown) -> Vec<String> {
        let said =
            |row: &RowShown, field: &str| row.values.get(field).cloned().unwrap_or_else(|| show::DASH.to_owned());
        let change = |field: &String| {
            let name = self.frame.word("field", field);
            format!("{name}: {} → {}", said(&changed.old, field), said(&changed.new, field))
        };
        changed.changes.iter().map(change).collect()
    }
}
