//! `GET /v1/backup`: a copy of the log as it stands, while it goes on.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::sync::mpsc;

use super::gate::auth::LetIn;
use super::request::params::Params;
use super::streaming::chunks::Chunks;
use super::{Admin, Shared};
use crate::inbound::problem::Problem;
use crate::store::backup::{BackupError, Cursor, Have};

/// What the answer is.
const MEDIA_TYPE: &str = "application/vnd.redeliver.backup";

/// Pieces that wait for a reader: a few times a quarter of a mebibyte. How long a reader may take
/// over them is the connection's business.
const PIECES_MAX: usize = 4;

/// `GET /v1/backup?store=…&events_from=…&transitions_from=…`: everything, or what is behind what
/// the caller has.
pub(super) async fn backup(
    State(admin): State<Shared>,
    Extension(let_in): Extension<LetIn>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let known = ["store", "events_from", "transitions_from"];
    let mut params = Params::read(query.as_deref(), &known);
    let number = "a number from 1 on";
    let have = Have {
        tag: params.value("store", "the number of a store", |_| true),
        events_from: params
            .value("events_from", number, |from| *from > 0)
            .unwrap_or(1),
        transitions_from: params
            .value("transitions_from", number, |from| *from > 0)
            .unwrap_or(1),
    };
    params.check()?;
    if admin.tokens.get().is_empty() {
        // Nothing else that is answered holds a key; and without a token, whoever is on this
        // machine may ask.
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "a backup holds the keys of all endpoints, and this server lets everybody in: give it an admin_token, or stop it and use `redeliver store backup --data`",
        ));
    }
    let place = admin.streams.open_private().ok_or_else(|| {
        Problem::unavailable("too many streams are open; close one, or raise limits.streams_max")
    })?;
    let begun = admin.ask(move |store| Ok(store.begin_backup(&have)));
    let mut cursor = begun.await?.map_err(problem)?;
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let over = admin.over(let_in);
    tokio::spawn(async move {
        let _place = place;
        let sent = async {
            while let Some((piece, after)) = next(&admin, cursor).await {
                if sender.send(Ok(piece)).await.is_err() {
                    return;
                }
                match after {
                    Some(after) => cursor = after,
                    None => return,
                }
            }
        };
        tokio::select! {
            () = sent => {}
            _ = over => {}
        }
    });
    let headers = [(CONTENT_TYPE, MEDIA_TYPE), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(Chunks(receiver))).into_response())
}

/// The next piece, and the cursor, if there may be more.
async fn next(admin: &Arc<Admin>, mut cursor: Cursor) -> Option<(Bytes, Option<Cursor>)> {
    let read = admin.ask(move |store| {
        Ok(match store.read_backup(&mut cursor) {
            Ok(piece) => piece.map(|piece| (piece.into(), Some(cursor))),
            Err(error) => {
                tracing::error!(%error, "a backup came to nothing");
                cursor.failed(&error).ok().map(|piece| (piece.into(), None))
            }
        })
    });
    read.await.ok().flatten()
}

fn problem(error: BackupError) -> Problem {
    match error {
        BackupError::Store(error) => error.into(),
        BackupError::OtherStore | BackupError::Behind { .. } => {
            Problem::conflict(error.to_string())
        }
        other => Problem::internal(other.to_string()),
    }
}
