//! The description of the API (OpenAPI 3.1), made from the table of its calls.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::CONTENT_TYPE;
use utoipa::openapi::path::{HttpMethod, OperationBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, RefOr, Required,
    ResponseBuilder, ResponsesBuilder,
};

use super::problem::Problem;
use super::route::{Described, Route};
use super::{ROOT, table};

const ABOUT: &str = "\
What the pages do, for programs.

A conversation (sign-in, sign-up, new password, new address, new app) goes on with the token `rf_…` that each of its answers \
brings; a newer one takes the place of the one before. Whoever is signed in sends the token of the session (`rs_…`, or `ra_…` \
for programs) as `Authorization: Bearer`. Changes of the account answer with a new token, and the one before is dead. A change \
that asks for a fresh proof says so (`fresh-proof`): prove at `/step-up`, then call again.

What goes otherwise is told as `application/problem+json` (RFC 9457); go by its `code`. Wrong, unknown and turned-off \
passwords are answered alike. Members that are not described are refused.";

const SESSION: &str = "session";

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = describe(&table()).to_pretty_json().expect("a description is JSON");
    text.push('\n');
    text
});

/// The description, as it is served.
pub fn document() -> &'static str {
    &TEXT
}

/// `GET /api/v1/openapi.json`.
pub(super) async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json")], document()).into_response()
}

fn describe(table: &[Route]) -> OpenApi {
    let problem = Described::of::<Problem>();
    let paths = table.iter().fold(PathsBuilder::new(), |paths, route| {
        let item = PathItem::new(method(&route.method), operation(route, &problem));
        paths.path(format!("{ROOT}{}", route.path), item)
    });
    let documents = table.iter().flat_map(|route| route.takes.iter().chain(&route.gives));
    let schemas: BTreeMap<String, RefOr<Schema>> = documents
        .chain([&problem])
        .flat_map(|described| described.schemas.iter().cloned())
        .collect();
    let session = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token of a session: `rs_…` or `ra_…`."))
        .build();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(SESSION, SecurityScheme::Http(session));
    let info = InfoBuilder::new()
        .title("Rightful")
        .version("1")
        .description(Some(ABOUT));
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

fn method(method: &Method) -> HttpMethod {
    match *method {
        Method::GET => HttpMethod::Get,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Post,
    }
}

fn operation(route: &Route, problem: &Described) -> OperationBuilder {
    let name = format!(
        "{}{}",
        route.method.as_str().to_ascii_lowercase(),
        route.path.replace('/', "-")
    );
    let tag = route.path.split('/').nth(1).unwrap_or_default();
    let operation = OperationBuilder::new()
        .operation_id(Some(name))
        .tag(tag)
        .summary(Some(route.about))
        .request_body(route.takes.as_ref().map(|takes| {
            RequestBodyBuilder::new()
                .required(Some(Required::True))
                .content("application/json", Content::new(Some(takes.reference())))
                .build()
        }))
        .responses(responses(route, problem));
    if route.signed_in {
        operation.security(SecurityRequirement::new::<_, [&str; 0], &str>(SESSION, []))
    } else {
        operation
    }
}

fn responses(route: &Route, problem: &Described) -> ResponsesBuilder {
    let otherwise = ResponseBuilder::new()
        .description("It went otherwise; `code` says how.")
        .content("application/problem+json", Content::new(Some(problem.reference())));
    let (status, done) = match &route.gives {
        Some(gives) => {
            let content = Content::new(Some(gives.reference()));
            (
                "200",
                ResponseBuilder::new()
                    .description("Done.")
                    .content("application/json", content),
            )
        }
        None => ("204", ResponseBuilder::new().description("Done.")),
    };
    ResponsesBuilder::new()
        .response(status, done)
        .response("default", otherwise)
}
