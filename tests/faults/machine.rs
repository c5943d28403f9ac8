//! What a test needs of the machine, and what it measures there.

/// Says what is missing for a test, which is then skipped; where everything must run, it fails.
pub fn skip(missing: &str) {
    let all = std::env::var("REDELIVER_TEST_ALL");
    assert_ne!(all.as_deref(), Ok("1"), "missing: {missing}");
    println!("skipped: needs {missing}");
}
