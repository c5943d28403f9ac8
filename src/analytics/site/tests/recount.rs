//! The figures against a dumb recount of all events.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::*;
use super::START;
use crate::analytics::facts::Who;
use crate::analytics::figures::date;
use crate::vendor::zenovay::Range;

/// An event, as a test makes it up.
#[derive(Clone, Debug)]
struct Made {
    at: Timestamp,
    who: Option<(u8, bool)>,
    /// The page, if it is a page view.
    page: Option<u8>,
    country: Option<u8>,
    browser: Option<u8>,
    score: Option<u8>,
}

fn facts(made: &Made) -> Facts<'static> {
    let text = |number: Option<u8>| number.map(|number| number.to_string().into());
    Facts {
        at: made.at,
        who: made.who.map(|(name, known)| Who {
            name: name.to_string().into(),
            known,
        }),
        what: match made.page {
            None => What::Activity,
            Some(page) => What::View(Box::new(Page {
                url: text(Some(page)),
                country: text(made.country),
                browser: text(made.browser),
                score: made.score.map(f32::from),
                ..Page::default()
            })),
        },
    }
}

/// Gaps from a blink to some days, with many round the borders of a visit and of the live count.
fn gap() -> impl Strategy<Value = i64> {
    let minute = 60_000;
    prop_oneof![
        4 => 0..2 * minute,
        2 => (0i64..3).prop_map(move |off| 5 * minute - 1 + off),
        2 => (0i64..3).prop_map(move |off| 30 * minute - 1 + off),
        2 => 0..10 * HOUR_MS,
        1 => (0i64..3).prop_map(|off| DAY_MS - 1 + off),
        1 => 0..4 * DAY_MS,
    ]
}

fn history() -> impl Strategy<Value = Vec<Made>> {
    let few = || proptest::option::weighted(0.8, 0u8..4);
    let one = (
        gap(),
        proptest::option::weighted(0.9, (0u8..4, any::<bool>())),
        proptest::option::weighted(0.8, 0u8..5),
        few(),
        few(),
        few(),
    );
    proptest::collection::vec(one, 1..60).prop_map(|all| {
        let mut at = START;
        all.into_iter()
            .map(|(gap, who, page, country, browser, score)| {
                at += gap;
                Made {
                    at: Timestamp::from_millis(at),
                    who,
                    page,
                    country,
                    browser,
                    score,
                }
            })
            .collect()
    })
}

/// What a page view comes to, found by looking at all events before it.
struct Counted<'a> {
    made: &'a Made,
    begins: bool,
    country: Option<u8>,
}

fn recount(all: &[Made]) -> Vec<Counted<'_>> {
    let mut counted: Vec<Counted<'_>> = Vec::new();
    for made in all.iter().filter(|made| made.page.is_some()) {
        let before = counted
            .iter()
            .rev()
            .find(|before| made.who.is_some() && before.made.who == made.who);
        let goes_on = before
            .filter(|before| made.at.as_millis() - before.made.at.as_millis() < 30 * 60 * 1000);
        // A visit's country is that of its first page view.
        let of_visit = goes_on.and_then(|_| {
            let mut views = counted.iter().rev();
            let first = views.find(|view| view.begins && view.made.who == made.who);
            first.and_then(|first| first.made.country)
        });
        counted.push(Counted {
            made,
            begins: made.who.is_some() && goes_on.is_none(),
            country: made.country.or(of_visit),
        });
    }
    counted
}

fn check(site: &Site, all: &[Made], now: Timestamp) -> Result<(), TestCaseError> {
    let counted = recount(all);
    let ms = now.as_millis();
    let today = ms.div_euclid(DAY_MS);
    let live: BTreeSet<_> = all
        .iter()
        .filter(|made| made.at.as_millis() >= ms - 300_000)
        .filter_map(|made| made.who)
        .collect();
    prop_assert_eq!(site.live(now), live.len() as u64);
    for (range, days) in [
        (Range::LastDay, None),
        (Range::Week, Some(7)),
        (Range::Month, Some(30)),
        (Range::Year, Some(365)),
    ] {
        let from = days.map_or(ms - DAY_MS, |days| (today - days + 1) * DAY_MS);
        let views: Vec<_> = counted
            .iter()
            .filter(|view| view.made.at.as_millis() >= from)
            .collect();
        let visits: Vec<_> = views.iter().filter(|view| view.begins).collect();
        let who: BTreeSet<_> = views.iter().filter_map(|view| view.made.who).collect();
        let summary = site.summary(range, now);
        prop_assert_eq!(summary.total_page_views, views.len() as u64);
        prop_assert_eq!(summary.total_visitors, visits.len() as u64);
        prop_assert_eq!(summary.unique_visitors, who.len() as u64);
        let known = who.iter().filter(|(_, known)| *known).count();
        prop_assert_eq!(summary.known_visitors, known as u64);
        prop_assert_eq!(summary.anonymous_visitors, (who.len() - known) as u64);

        let mut pages: BTreeMap<String, u64> = BTreeMap::new();
        for view in &views {
            let page = view.made.page.map(|page| page.to_string());
            *pages.entry(page.unwrap_or_default()).or_default() += 1;
        }
        let mut pages: Vec<_> = pages.into_iter().collect();
        pages.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let found = site.pages(range, now, 100).into_iter();
        prop_assert_eq!(
            found.map(|page| (page.url, page.views)).collect::<Vec<_>>(),
            pages
        );

        for country in site.countries(range, now, 100) {
            let code = country.country_code.map(|code| code.parse().unwrap());
            let visits = visits.iter().filter(|visit| visit.country == code).count();
            prop_assert_eq!(country.visitors, visits as u64);
            let scores = views.iter().filter(|view| view.country == code);
            let scores: Vec<_> = scores.filter_map(|view| view.made.score).collect();
            let sum: f64 = scores.iter().copied().map(f64::from).sum();
            let mean = (!scores.is_empty()).then(|| sum / scores.len() as f64);
            prop_assert_eq!(country.avg_value_score.map(|score| score.0), mean);
        }
        for share in site.technology(range, now).browsers {
            let browser = share.name.parse().ok();
            let count = visits.iter().filter(|visit| visit.made.browser == browser);
            prop_assert_eq!(share.visitors, count.count() as u64);
        }
        let (listed, more) = site.visitors(range, now, 0, 1000);
        let began = visits.iter().rev().map(|visit| visit.made.at);
        prop_assert!(!more);
        prop_assert_eq!(
            listed
                .iter()
                .map(|visit| visit.visited_at)
                .collect::<Vec<_>>(),
            began.collect::<Vec<_>>()
        );
        for stat in site.daily_stats("w", range, now) {
            let views = counted
                .iter()
                .filter(|view| date(view.made.at) == stat.date);
            let who: BTreeSet<_> = views.clone().filter_map(|view| view.made.who).collect();
            let visits = views.clone().filter(|view| view.begins).count() as u64;
            prop_assert_eq!(stat.page_views, views.count() as u64);
            prop_assert_eq!(stat.unique_visitors, who.len() as u64);
            prop_assert_eq!(stat.total_visitors, visits);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_figure_equals_a_dumb_recount_of_all_events(all in history(), later in gap()) {
        let mut site = Site::new("w", 10_000);
        for (place, made) in all.iter().enumerate() {
            site.fold(facts(made), made.at);
            if place % 20 == 19 {
                check(&site, &all[..=place], made.at)?;
            }
        }
        let now = all.last().map_or(Timestamp::default(), |made| made.at).moved(later);
        check(&site, &all, now)?;
        // Read again at once, after a restart, all of it is old.
        let mut again = Site::new("w", 10_000);
        for made in &all {
            again.fold(facts(made), now);
        }
        check(&again, &all, now)?;
    }
}
