//! What the pages show is taken.

use super::*;

/// Where a key of a certain length is wanted, one of that length.
fn given(name: &str) -> Option<String> {
    match name.strip_suffix("MASTER_KEY") {
        Some("OLD_") => Some("0a".repeat(32)),
        Some(_) => Some("0b".repeat(32)),
        None => environment(name),
    }
}

#[test]
fn the_samples_of_the_documentation_are_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let pages = pages.chain([root.join("README.md")]);
    let pages: Vec<String> = pages
        .map(|page| std::fs::read_to_string(page).unwrap())
        .collect();
    let samples = pages
        .iter()
        .flat_map(|page| page.split("```toml\n").skip(1));
    let samples = samples.map(|sample| sample.split_once("```").unwrap().0);
    for sample in samples {
        if sample.contains("[[fault]]") {
            parse_faults(sample, "faults.toml").unwrap();
            continue;
        }
        // What is commented out is offered, too.
        let offered = sample.replace("\n# ", "\n");
        for sample in [sample, &offered] {
            let file = Path::new("redeliver.toml");
            let config = parse(sample, file, &given, &policies());
            let config = config.unwrap_or_else(|errors| panic!("{errors}\n{sample}"));
            assert_eq!(config.warnings, [], "{sample}");
        }
    }
}
