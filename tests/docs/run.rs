//! Each section of each page, run from its beginning.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::document::{Block, Section, sections};
use crate::stage::Stage;
use crate::{pages, root, skip};

/// What the text has in the place of a name that only the run gives, and where that is found.
const PLACEHOLDERS: &[(&str, &str)] = &[
    (
        "dlv_…",
        "$(redeliver delivery list --json | grep -o 'dlv_[0-9A-Z]*' | head -n 1)",
    ),
    (
        "evt_…",
        "$(redeliver event list --json | grep -o 'evt_[0-9A-Z]*' | head -n 1)",
    ),
    (
        "tsk_…",
        "$(redeliver task list --json | grep -o 'tsk_[0-9A-Z]*' | head -n 1)",
    ),
    (
        "TRACK_ID",
        "$(grep -o '\"trackID\":\"[^\"]*' said | cut -d '\"' -f 4)",
    ),
];

fn runs(block: &Block) -> bool {
    block.language() == "sh" && !block.info.contains("elsewhere")
}

/// What the pages count on without saying it.
#[track_caller]
fn given(stage: &Stage) {
    let given = stage.shell(include_str!("given.sh"));
    assert_eq!(given.code, 0, "{}", given.said);
}

/// A section that has a configuration is about a server that runs on it.
fn prepare(stage: &Stage, section: &Section) {
    given(stage);
    let starts = section
        .blocks_in("sh")
        .any(|block| block.text.contains("redeliver serve"));
    let config: Vec<&str> = section
        .blocks_in("toml")
        .filter(|block| !block.info.contains("elsewhere"))
        .map(|block| &*block.text)
        .take(1)
        .collect();
    if let [config] = config[..] {
        fs::write(stage.path("redeliver.toml"), stage.here(config)).unwrap();
    }
    let says = |port| {
        section
            .blocks_in("sh")
            .any(|block| block.text.contains(port))
    };
    let has_backups = says("backups/monday");
    if has_backups {
        // No other route asks for a token where there need be none.
        let guarded = "[server]\nadmin_token = \"env:REDELIVER_TOKEN\"\n";
        fs::write(stage.path("redeliver.toml"), guarded).unwrap();
    }
    let has_a_receiver = says("redeliver listen") || section.blocks_in("python").next().is_some();
    if (says(":9000") || says(":9001")) && !has_a_receiver {
        let script = "redeliver listen; aside \"$BINARY\" listen --listen 127.0.0.1:$RECEIVER_2";
        assert_eq!(stage.shell(script).code, 0);
    }
    if !starts {
        let started = stage.shell("redeliver serve");
        assert_eq!(started.code, 0, "{}: {}", section.title, started.said);
    }
    if has_backups && !says("store backup backups/monday") {
        let copied = stage.shell("redeliver store backup backups/monday");
        assert_eq!(copied.code, 0, "{}", copied.said);
    }
    if says("\"crm\"") {
        let add = "redeliver endpoint add crm --policy standard --url http://127.0.0.1:$RECEIVER/";
        let added = stage.shell(add);
        assert_eq!(added.code, 0, "{}", added.said);
    }
    if says("--source surveys") {
        let sent = stage.shell(
            "redeliver mock hotjar --to http://127.0.0.1:$BROKER/in/surveys --key-file key.txt",
        );
        assert_eq!(sent.code, 0, "{}", sent.said);
    }
}

fn with_names(block: &Block) -> Block {
    let named = |text: String, (name, found): &(&str, &str)| text.replace(name, found);
    Block {
        text: PLACEHOLDERS.iter().fold(block.text.clone(), named),
        ..block.clone()
    }
}

#[track_caller]
fn run(page: &Path, section: &Section, stage: &Stage) {
    for block in section.blocks.iter().filter(|block| runs(block)) {
        let wanted = block
            .info
            .split("exit=")
            .nth(1)
            .map_or(0, |code| code.parse().unwrap());
        let ended = stage.run(&with_names(block));
        assert_eq!(
            ended.code,
            wanted,
            "{}:{}\n{}\n{}",
            page.display(),
            block.line,
            block.text,
            ended.said
        );
    }
}

#[track_caller]
fn run_all(page: &Path) {
    for section in sections(page) {
        if section.blocks.iter().any(runs) {
            let stage = Stage::new();
            prepare(&stage, &section);
            run(page, &section, &stage);
        }
    }
}

/// The section in which a receiver is written, and mended when the check has failed.
const STORY: &str = "Five minutes as a receiver's author";

#[test]
fn every_shell_block_of_the_readme_runs() {
    let page = root().join("README.md");
    for section in sections(&page) {
        if section.title != STORY && section.blocks.iter().any(runs) {
            let stage = Stage::new();
            prepare(&stage, &section);
            run(&page, &section, &stage);
        }
    }
}

#[test]
fn every_shell_block_of_the_other_pages_runs() {
    for page in pages() {
        if !page.ends_with("README.md") {
            run_all(&page);
        }
    }
}

#[test]
fn the_receiver_of_the_readme_fails_its_check_until_it_is_mended_as_it_says() {
    if Command::new("python3").arg("--version").output().is_err() {
        return skip("python3");
    }
    let page = root().join("README.md");
    let all = sections(&page);
    let story = all.iter().find(|section| section.title == STORY).unwrap();
    let [naive, top, verified] = &story.blocks_in("python").collect::<Vec<_>>()[..] else {
        panic!("the receiver, what stands at its top, and what verifies");
    };
    let stage = Stage::new();
    given(&stage);
    let start = |text: &str| {
        fs::write(stage.path("hook.py"), stage.here(text)).unwrap();
        let started = stage.shell(
            "python3 hook.py >hook 2>&1 & echo $! | tee -a pids >hook.pid\n\
             for _ in $(seq 200); do (: </dev/tcp/127.0.0.1/$RECEIVER) 2>/dev/null && exit 0; sleep 0.05; done; exit 1",
        );
        assert_eq!(started.code, 0, "{}", started.said);
    };
    start(&naive.text);
    let blocks: Vec<_> = story.blocks.iter().filter(|block| runs(block)).collect();
    let checked = stage.run(blocks[0]);
    assert_eq!(checked.code, 1, "{}", checked.said);
    let ended = stage.shell(
        "kill $(cat hook.pid)\n\
         for _ in $(seq 200); do (: </dev/tcp/127.0.0.1/$RECEIVER) 2>/dev/null || exit 0; sleep 0.05; done; exit 1",
    );
    assert_eq!(ended.code, 0, "it listens still");
    let (before, rest) = naive.text.split_once("    def do_POST").unwrap();
    let (_, after) = rest.split_once("\n\n\n").unwrap();
    start(&format!("{}{before}{}\n\n{after}", top.text, verified.text));
    for block in blocks {
        let ended = stage.run(block);
        assert_eq!(
            ended.code,
            0,
            "{}:{}\n{}",
            page.display(),
            block.line,
            ended.said
        );
    }
}
