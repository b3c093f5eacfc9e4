//! Every relative link of the pages at the root, in docs/ and in docs/commands/ leads to a file that is there, and its
//! anchor to a heading.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::common::markdown::{headings, links};

/// The anchors of a page's headings, as GitHub makes them: lower case, spaces as hyphens, everything else that is no
/// letter, digit, hyphen or underscore left out, and a number where one comes again.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for heading in headings(page) {
        let anchor: String = heading
            .to_lowercase()
            .chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect();
        let again = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone()).chain(again).find(|anchor| !found.contains(anchor));
        found.extend(free);
    }
    found
}

fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = ["docs", "docs/commands"]
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| root.join(name)));
    pages.sort();
    pages
}

/// What is wrong with a page's links.
fn wrong(page: &Path, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for link in links(text) {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let target = if file.is_empty() { page.to_owned() } else { page.parent().unwrap().join(file) };
        if !target.exists() {
            wrong.push(format!("{}: {link} leads nowhere", page.display()));
        } else if !anchor.is_empty() && !anchors(&std::fs::read_to_string(&target).unwrap()).contains(anchor) {
            wrong.push(format!("{}: {link}: no such heading", page.display()));
        }
    }
    wrong
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut links_there = 0;
    for page in pages(root) {
        let text = std::fs::read_to_string(&page).unwrap();
        links_there += links(&text).len();
        found.extend(wrong(&page, &text));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(links_there > 50, "{links_there} links");
}

#[test]
fn every_page_is_in_the_index() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let index = links(&std::fs::read_to_string(root.join("docs/README.md")).unwrap());
    for page in pages(root).iter().filter_map(|page| page.strip_prefix(root.join("docs")).ok()) {
        let name = page.to_str().unwrap();
        assert!(name == "README.md" || index.iter().any(|link| link == name), "{name} is not in docs/README.md");
    }
    let readme = links(&std::fs::read_to_string(root.join("README.md")).unwrap());
    assert!(readme.iter().any(|link| link == "docs/README.md"), "README.md does not lead to the index");
}

#[test]
fn a_wrong_link_would_be_noticed() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = "# A `b` [c]: d\n\n[x](no.md) [y](#no) [z](#a-b-c-d) [w](https://example.org)\n`[v](no.md)`\n```\n[u](no.md)\n```\n";
    assert_eq!(links(text), ["no.md", "#no", "#a-b-c-d", "https://example.org"]);
    assert!(anchors(text).contains("a-b-c-d"));
    assert_eq!(wrong(&page, "[x](no.md) [y](README.md#no) [z](docs/README.md)").len(), 2);
    assert_eq!(
        anchors("# §5 Breaker\n## Two\n## Two\n").into_iter().collect::<Vec<_>>(),
        ["5-breaker", "two", "two-1"]
    );
}
