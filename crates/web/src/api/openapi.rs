//! The description of the API (OpenAPI 3.1), made from the table of its calls.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderName, Method};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, RefOr, Required,
    ResponseBuilder, ResponsesBuilder,
};

use super::problem::Problem;
use super::route::{Described, Route};
use super::{ROOT, bounces, table};

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
        .request_body(request_body(route))
        .responses(responses(route, problem));
    let operation = if route.takes_message {
        operation.parameter(signed_at()).parameter(signature())
    } else {
        operation
    };
    if route.signed_in {
        operation.security(SecurityRequirement::new::<_, [&str; 0], &str>(SESSION, []))
    } else {
        operation
    }
}

fn request_body(route: &Route) -> Option<RequestBody> {
    let text = || ObjectBuilder::new().schema_type(Type::String).build();
    let (kind, schema) = match &route.takes {
        Some(takes) => ("application/json", takes.reference()),
        None if route.takes_message => (bounces::MESSAGE, text().into()),
        None => return None,
    };
    let body = RequestBodyBuilder::new().required(Some(Required::True));
    Some(body.content(kind, Content::new(Some(schema))).build())
}

fn signed_at() -> Parameter {
    let about = "When it was signed, in seconds since 1970; at most 5 minutes from our time.";
    header(&bounces::TIME, about, "^[0-9]+$")
}

fn signature() -> Parameter {
    let about =
        "HMAC-SHA256, under the configured secret, of the time as it stands in its header, a full stop, and the body.";
    header(&bounces::SIGNATURE, about, "^[0-9a-fA-F]{64}$")
}

fn header(name: &HeaderName, about: &str, pattern: &str) -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    ParameterBuilder::new()
        .name(name.as_str())
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(text.build()))
        .build()
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
