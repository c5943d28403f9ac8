//! The dashboard at `/`: pages that a browser runs, served from the binary, and the login to them.
//!
//! The pages hold no data. They ask the API for it, under the rules of `/v1`: with a session where
//! there is an admin token, and on loopback without one.
//!
//! | file | what is in it |
//! |---|---|
//! | `assets`, `assets/` | what is served; plain modules and styles, as they are written |
//! | `pages` | the two documents, and what a browser may do with them |
//! | `login` | a token for a session, and the end of it |
//! | [`session`] | who has logged in |
//! | `cookie` | how a browser says so |
//! | `origin` | whether a request comes from our own pages |
//! | `failures` | who has tried wrong tokens, and how often |

mod assets;
mod cookie;
mod failures;
mod login;
mod origin;
mod pages;
pub mod session;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use self::failures::Failures;
use self::session::Sessions;
use crate::clock::SharedClock;
use crate::current::Current;
use crate::inbound::body::Bodies;
use crate::secret::Tokens;

/// What the dashboard needs.
pub struct Dashboard {
    /// What is asked for at the login; where there is none, there is no login.
    pub tokens: Arc<Current<Tokens>>,
    /// Who has logged in.
    pub sessions: Arc<Sessions>,
    /// The machine's clock: how long a wrong token counts is not for a manual clock to say.
    pub clock: SharedClock,
    /// Reads the login's form.
    pub bodies: Bodies,
}

struct Door {
    dashboard: Dashboard,
    failures: Failures,
}

type Shared = Arc<Door>;

/// Its routes, which nothing guards: they show nothing but themselves.
pub fn router(dashboard: Dashboard) -> Router {
    let door = Door {
        dashboard,
        failures: Failures::default(),
    };
    Router::new()
        .route("/", get(pages::index))
        .route("/dashboard/{version}/{*file}", get(pages::asset))
        .route("/login", get(login::form).post(login::enter))
        .route("/logout", post(login::leave))
        .with_state(Arc::new(door))
}
