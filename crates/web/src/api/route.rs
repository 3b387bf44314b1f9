//! A line of the table: a path, its handler, and what the description says of it.

use axum::Json;
use axum::response::{IntoResponse, NoContent};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};

use super::bounces::SignedMessage;
use super::call::{Anybody, Caller, Document};
use super::problem::Refused;
use super::{Call, ROOT};
use crate::site::Site;

/// A type of document: its name, and its schema with all that it is made of.
pub(super) struct Described {
    name: String,
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
}

impl Described {
    pub(super) fn of<T: ToSchema>() -> Self {
        let mut schemas = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut schemas);
        Self {
            name: T::name().into_owned(),
            schemas,
        }
    }

    pub(super) fn reference(&self) -> RefOr<Schema> {
        Ref::from_schema_name(&self.name).into()
    }
}

/// What a handler gives: a document, or nothing.
pub(super) trait Given: IntoResponse {
    fn described() -> Option<Described>;
}

impl<T: Serialize + ToSchema> Given for Json<T> {
    fn described() -> Option<Described> {
        Some(Described::of::<T>())
    }
}

impl Given for NoContent {
    fn described() -> Option<Described> {
        None
    }
}

/// A call: where, what for, by whom, with what, for what.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) about: &'static str,
    pub(super) signed_in: bool,
    pub(super) takes: Option<Described>,
    /// Whether it takes a signed message in the place of a document.
    pub(super) takes_message: bool,
    pub(super) gives: Option<Described>,
    pub(super) handler: MethodRouter<Site>,
}

impl Route {
    /// Takes a document by POST.
    pub(super) fn post<C, T, G, F, Fut>(path: &'static str, about: &'static str, handler: F) -> Self
    where
        C: Caller,
        T: DeserializeOwned + ToSchema + Send + 'static,
        G: Given + 'static,
        F: Fn(C, T) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<G, Refused>> + Send,
    {
        let answered = move |caller: C, Document(document): Document<T>| async move {
            let answerer = caller.answerer();
            answerer.answer(handler(caller, document).await)
        };
        Self {
            method: Method::POST,
            path,
            about,
            signed_in: C::SIGNED_IN,
            takes: Some(Described::of::<T>()),
            takes_message: false,
            gives: G::described(),
            handler: on(MethodFilter::POST, answered),
        }
    }

    /// Takes a signed message by POST.
    pub(super) fn post_message<G, F, Fut>(path: &'static str, about: &'static str, handler: F) -> Self
    where
        G: Given + 'static,
        F: Fn(Anybody, SignedMessage) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<G, Refused>> + Send,
    {
        let answered = move |caller: Anybody, message: SignedMessage| async move {
            let answerer = caller.answerer();
            answerer.answer(handler(caller, message).await)
        };
        Self {
            method: Method::POST,
            path,
            about,
            signed_in: false,
            takes: None,
            takes_message: true,
            gives: G::described(),
            handler: on(MethodFilter::POST, answered),
        }
    }

    /// Takes nothing, by POST.
    pub(super) fn post_bare<C, G, F, Fut>(path: &'static str, about: &'static str, handler: F) -> Self
    where
        C: Caller,
        G: Given + 'static,
        F: Fn(C) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<G, Refused>> + Send,
    {
        Self::bare(Method::POST, MethodFilter::POST, path, about, handler)
    }

    /// Looks at something.
    pub(super) fn get<C, G, F, Fut>(path: &'static str, about: &'static str, handler: F) -> Self
    where
        C: Caller,
        G: Given + 'static,
        F: Fn(C) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<G, Refused>> + Send,
    {
        Self::bare(Method::GET, MethodFilter::GET, path, about, handler)
    }

    /// Takes something away.
    pub(super) fn delete<C, G, F, Fut>(path: &'static str, about: &'static str, handler: F) -> Self
    where
        C: Caller,
        G: Given + 'static,
        F: Fn(C) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<G, Refused>> + Send,
    {
        Self::bare(Method::DELETE, MethodFilter::DELETE, path, about, handler)
    }

    fn bare<C, G, F, Fut>(
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        about: &'static str,
        handler: F,
    ) -> Self
    where
        C: Caller,
        G: Given + 'static,
        F: Fn(C) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<G, Refused>> + Send,
    {
        let answered = move |caller: C| async move {
            let answerer = caller.answerer();
            answerer.answer(handler(caller).await)
        };
        Self {
            method,
            path,
            about,
            signed_in: C::SIGNED_IN,
            takes: None,
            takes_message: false,
            gives: G::described(),
            handler: on(filter, answered),
        }
    }

    pub(super) fn call(&self) -> Call {
        Call {
            method: self.method.clone(),
            path: format!("{ROOT}{}", self.path),
            signed_in: self.signed_in,
            takes: self.takes.is_some(),
        }
    }
}
