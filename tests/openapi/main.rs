//! `/openapi.json`: that it is OpenAPI 3.1, that it describes every route that there is and no
//! other, and that its examples are what it says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../process/mod.rs"]
mod process;

mod conform;
mod document;
mod examples;
mod routes;
