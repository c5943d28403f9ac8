//! The bounds of what is kept.

mod recount;

use super::*;
use crate::analytics::facts::Who;
use crate::analytics::names::OTHER_TEXT;
use crate::vendor::zenovay::Range;

const START: i64 = 1_700_000_000_000;

fn view(seconds: i64, who: u64, page: &str) -> Facts<'static> {
    Facts {
        at: Timestamp::from_millis(START + seconds * 1000),
        who: Some(Who {
            name: who.to_string().into(),
            known: true,
        }),
        what: What::View(Box::new(Page {
            url: Some(page.to_owned().into()),
            ..Page::default()
        })),
    }
}

#[test]
fn of_more_views_than_are_kept_the_last_day_is_off_by_the_hour_it_begins_in_at_most() {
    let mut site = Site::new("w", 100);
    // One every minute for two days, each by somebody else.
    let (minutes, now) = (2 * 24 * 60, |minute: i64| {
        Timestamp::from_millis(START + minute * 60_000)
    });
    for minute in 0..minutes {
        site.fold(view(minute * 60, minute as u64, "/"), now(minute));
    }
    assert_eq!((site.recent.len(), site.visits.iter().count()), (100, 100));
    assert!(site.hours.len() <= HOURS_MAX);
    let summary = site.summary(Range::LastDay, now(minutes - 1));
    let right = 24 * 60 + 1;
    assert!(
        (right..right + 60).contains(&summary.total_page_views),
        "{summary:?}"
    );
    assert_eq!(summary.unique_visitors, summary.total_page_views);
    assert_eq!(summary.total_visitors, summary.total_page_views);
    assert_eq!(
        site.summary(Range::Week, now(minutes)).total_page_views,
        2 * 24 * 60
    );
}

#[test]
fn no_more_than_a_year_of_days_is_kept() {
    let mut site = Site::new("w", 100);
    for day in 0..500 {
        let facts = view(day * 86_400, 1, "/");
        let at = facts.at;
        site.fold(facts, at);
    }
    assert_eq!(site.days.len(), DAYS_MAX);
    let now = Timestamp::from_millis(START + 499 * DAY_MS);
    assert_eq!(site.summary(Range::Year, now).total_page_views, 365);
    assert_eq!(site.daily_stats("w", Range::Year, now).len(), 365);
}

#[test]
fn made_up_pages_take_a_bounded_memory_and_the_real_ones_are_counted_on() {
    let mut site = Site::new("w", 1000);
    for number in 0..200_000 {
        // Some nine days.
        let facts = view(number * 4, number as u64 / 4, &format!("/made-up/{number}"));
        let at = facts.at;
        site.fold(facts, at);
        let facts = view(number * 4, number as u64 / 4, "/");
        site.fold(facts, at);
    }
    let now = Timestamp::from_millis(START + 200_000 * 4000);
    let pages = site.pages(Range::Month, now, 1000);
    assert_eq!((&*pages[0].url, pages[0].views), ("/", 200_000));
    let all = site.pages(Range::Month, now, usize::MAX);
    assert_eq!(all.iter().map(|page| page.views).sum::<u64>(), 400_000);
    assert_eq!(all.last().map(|page| &*page.url), Some(OTHER_TEXT));
}

#[test]
fn a_clock_that_was_set_back_breaks_nothing() {
    let mut site = Site::new("w", 1000);
    for seconds in [0, 100_000, 60, -80_000, 100_001] {
        let facts = view(seconds, 1, "/");
        let at = facts.at;
        site.fold(facts, at);
    }
    let at = |seconds: i64| Timestamp::from_millis(START + seconds * 1000);
    assert_eq!(site.summary(Range::LastDay, at(60)).total_page_views, 3);
    assert_eq!(site.live(at(100_001)), 1);
    let (visitors, _) = site.visitors(Range::Week, at(100_001), 0, 10);
    assert!(visitors.is_sorted_by(|a, b| a.visited_at >= b.visited_at));
}
