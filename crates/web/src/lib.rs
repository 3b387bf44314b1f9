//! Pages, the JSON API, and the server under them.

pub mod api;
pub mod pages;
pub mod server;
pub mod site;
pub mod words;
