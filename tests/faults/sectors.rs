//! Sectors that the disk does not give back: some of the database, or all of it.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use serde_json::json;

use crate::machine::skip;
use crate::process::broker::Site;
use crate::process::receiver::nobody;

const BLOCK: usize = 4096;

/// Stands between the process and the system: of one file, by its number, blocks from a list cannot
/// be read. As the system does, it gives what is before such a block first.
const UNREADABLE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef ssize_t (*reader)(int, void *, size_t, off_t);

static ssize_t reading(const char *name, int fd, void *to, size_t len, off_t at) {
    reader real = (reader)dlsym(RTLD_NEXT, name);
    const char *file = getenv("UNREADABLE_FILE"), *bad = getenv("UNREADABLE_BLOCKS");
    struct stat of;
    if (file && bad && !fstat(fd, &of) && of.st_ino == strtoull(file, 0, 10)) {
        char *rest = (char *)bad;
        while (*rest) {
            off_t from = strtoll(rest, &rest, 10), to = strtoll(rest + 1, &rest, 10);
            if (*rest) rest++;
            if (to <= at || from >= at + (off_t)len) continue;
            if (from <= at) { errno = EIO; return -1; }
            len = from - at;
        }
    }
    return real(fd, to, len, at);
}

ssize_t pread(int fd, void *to, size_t len, off_t at) { return reading("pread", fd, to, len, at); }
ssize_t pread64(int fd, void *to, size_t len, off_t at) { return reading("pread64", fd, to, len, at); }
"#;

/// Where the records are: in a volume, or, without a journal, in the database.
const PLACES: [(&str, &str); 2] = [
    ("data/records/00000001", ""),
    ("data/db", "[limits]\nstore_journal_bytes = 0\n"),
];

/// A store of three events, stopped, and the second one's places in `file`: blocks that hold its
/// body and no other event.
fn site(file: &str, limits: &str) -> (Site, Vec<Range<usize>>) {
    let site = Site::new();
    site.configure(&format!(
        "{limits}[[endpoint]]\nname = \"crm\"\nurl = \"{}\"\npolicy = \"mine\"\n\
         [policy.mine]\nschedule = [\"1h\"]\n",
        nobody()
    ));
    let broker = site.start(&[]);
    broker.event("small", &json!(1));
    broker.event("large", &json!("7".repeat(60_000)));
    broker.event("small", &json!(3));
    broker.stop();
    let bytes = fs::read(site.path(file)).unwrap();
    let blocks = bytes.chunks(BLOCK).enumerate();
    let blocks = blocks.filter(|(_, block)| is_of_the_large_one_alone(block));
    let blocks: Vec<_> = blocks
        .map(|(number, _)| number * BLOCK..(number + 1) * BLOCK)
        .collect();
    assert!(!blocks.is_empty(), "{file}");
    (site, blocks)
}

/// Every copy of a part of its body has such a block, wherever in the file it begins: the database
/// keeps older ones of a page, and a start makes do with any that is whole.
fn is_of_the_large_one_alone(block: &[u8]) -> bool {
    let sevens = block.iter().filter(|byte| **byte == b'7').count();
    let has_others = block.windows(5).any(|bytes| bytes == b"small");
    sevens > BLOCK * 3 / 4 && !has_others
}

/// From now on these blocks of the file as it is cannot be read, wherever it is moved.
fn make_unreadable(site: &mut Site, file: &str, blocks: &[Range<usize>]) -> bool {
    let (source, library) = (site.path("unreadable.c"), site.path("unreadable.so"));
    fs::write(&source, UNREADABLE).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]);
    compiler.arg(&library).arg(&source).arg("-ldl");
    if !compiler.status().is_ok_and(|status| status.success()) {
        skip("a C compiler, cc");
        return false;
    }
    let file = fs::metadata(site.path(file)).unwrap().ino();
    let blocks = blocks.iter().map(|at| format!("{}-{}", at.start, at.end));
    let blocks: Vec<String> = blocks.collect();
    site.set_env("LD_PRELOAD", library.to_str().unwrap());
    site.set_env("UNREADABLE_FILE", &file.to_string());
    site.set_env("UNREADABLE_BLOCKS", &blocks.join(","));
    true
}

#[test]
fn a_sector_that_cannot_be_read_costs_the_events_in_it_and_no_others() {
    for (file, limits) in PLACES {
        let (mut site, blocks) = site(file, limits);
        if !make_unreadable(&mut site, file, &blocks) {
            return;
        }
        site.let_be_damaged();
        let verified = site.verify();
        assert_eq!(verified.code, 1, "{file}: {}{}", verified.out, verified.err);
        let ran = site.start_in_vain(&[]);
        assert_eq!(ran.code, 3, "{file}: {}", ran.err);
        for told in ["events 2 to 2 are missing", "Input/output error"] {
            assert!(ran.err.contains(told), "{file}: {}", ran.err);
        }
        let broker = site.start(&["--accept-loss", "2-2"]);
        let kept = broker.list("/v1/events?limit=10");
        let mut kept: Vec<_> = kept.iter().map(|event| event["data"].clone()).collect();
        kept.sort_by_key(|data| data.as_u64());
        assert_eq!(kept, [1, 3], "{file}");
        broker.event("small", &json!(4));
        broker.stop();
        site.start(&[]).stop();
    }
}

#[test]
fn a_disk_that_gives_back_nothing_is_no_damage() {
    let (file, limits) = PLACES[1];
    let (mut site, _) = site(file, limits);
    let whole = 0..1 << 40;
    if !make_unreadable(&mut site, file, &[whole]) {
        return;
    }
    for ran in [site.start_in_vain(&[]), site.verify()] {
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains("Input/output error"), "{}", ran.err);
        for wrong in ["damaged", "choose a writable directory", "panicked"] {
            assert!(!ran.err.contains(wrong), "{}", ran.err);
        }
    }
    assert!(!site.path("data/damaged-1").exists());
}
