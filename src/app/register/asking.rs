//! What the network is asked about endpoints of the configuration: of many at once, but a few at a
//! time, and for a bounded time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::{Host, Url};

use crate::app::AppError;
use crate::config::EndpointEntry;
use crate::deliver::courier::Courier;
use crate::deliver::guard::{AddressGuard, GuardError};
use crate::endpoint::EndpointSettings;
use crate::vendor::Profile;

/// Names that are looked up at once: each holds a thread.
const LOOKUPS_AT_ONCE: usize = 64;

/// How long all lookups together may take, of the machine's own time. Nothing is decided by one that
/// has not ended by then: each connection asks again, and is judged again.
const LOOKUPS_TIME: Duration = Duration::from_secs(5);

/// GETs on save that are under way at once: each holds a descriptor that nobody has set aside.
const CHECKS_AT_ONCE: usize = 16;

/// Refuses entries that cannot be used, all of them at once.
pub(in crate::app) async fn check_all(
    entries: &[EndpointEntry],
    courier: &Arc<Courier>,
) -> Result<(), AppError> {
    let mut mistakes = BTreeMap::new();
    let mut lookups = JoinSet::new();
    let places = Arc::new(Semaphore::new(LOOKUPS_AT_ONCE));
    for (number, entry) in entries.iter().enumerate() {
        let url = match check(&entry.settings) {
            Ok(url) => url,
            Err(mistake) => {
                mistakes.insert(number, mistake);
                continue;
            }
        };
        let is_name = matches!(url.host(), Some(Host::Domain(_)));
        let (courier, places) = (courier.clone(), places.clone());
        let judge = async move {
            // It is never closed.
            let _place = places.acquire_owned().await;
            match courier.check_url(&url).await {
                // A name that does not resolve yet may do so later.
                Ok(()) | Err(GuardError::Unresolvable { .. }) => None,
                Err(refused) => Some((number, refused.to_string())),
            }
        };
        match is_name {
            true => drop(lookups.spawn(judge)),
            // Nobody is asked for an address.
            false => mistakes.extend(judge.await),
        }
    }
    let looked_up = async {
        while let Some(found) = lookups.join_next().await {
            mistakes.extend(found.ok().flatten());
        }
    };
    if tokio::time::timeout(LOOKUPS_TIME, looked_up).await.is_err() {
        tracing::warn!(
            names = lookups.len(),
            "receivers' names are not resolved in time; each is looked up again when something is sent to it"
        );
    }
    if mistakes.is_empty() {
        return Ok(());
    }
    let told = mistakes.into_iter().map(|(number, mistake)| {
        let EndpointEntry { settings, line, .. } = &entries[number];
        format!("endpoint {} (line {line}): {mistake}", settings.name)
    });
    Err(AppError::Endpoints(told.collect()))
}

/// What is wrong with an endpoint, whoever may be asked.
pub(in crate::app) fn mistake(settings: &EndpointSettings, guard: &AddressGuard) -> Option<String> {
    match check(settings) {
        Ok(url) => guard.check_literal(&url).err().map(|it| it.to_string()),
        Err(mistake) => Some(mistake),
    }
}

/// What nobody has to be asked for.
fn check(settings: &EndpointSettings) -> Result<Url, String> {
    Profile::of(&settings.policy)
        .check_key(settings)
        .map_err(|error| error.to_string())?;
    Url::parse(&settings.url).map_err(|error| error.to_string())
}

/// The GET on save (ESP-07), in the background: it must not keep a broker from starting while its
/// receiver is down.
pub(super) fn warn_of_unanswered(courier: &Arc<Courier>, changed: Vec<EndpointSettings>) {
    let courier = courier.clone();
    tokio::spawn(async move {
        let mut under_way = JoinSet::new();
        for settings in changed {
            if under_way.len() >= CHECKS_AT_ONCE {
                under_way.join_next().await;
            }
            let courier = courier.clone();
            under_way.spawn(async move {
                if let Err(error) = courier.check(&settings).await {
                    tracing::warn!(endpoint = settings.name, %error, "the check of the endpoint failed");
                }
            });
        }
        under_way.join_all().await;
    });
}
