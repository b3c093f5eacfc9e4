use super::*;
use proptest::prelude::*;

fn one(title: &str) -> Learning {
    Learning { title: title.into(), category: "fact".into(), content: "c\nd".into(), tags: vec!["t".into()] }
}

#[test]
fn a_record_is_added_once_after_whatever_the_last_line_ends_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.ndjson");
    assert_eq!(add(&path, &one("a")).unwrap(), Added::Appended(1));
    assert_eq!(add(&path, &one("a")).unwrap(), Added::Already(1));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("\n{}", text.trim_end())).unwrap();
    assert_eq!(add(&path, &one("b")).unwrap(), Added::Appended(2));
    let store = Store::read(&std::fs::read(&path).unwrap());
    assert_eq!(store.lines, [2, 3]);
    assert_eq!(store.records, [one("a"), one("b")]);
    assert!(store.damaged.is_empty());
}

#[test]
fn a_damaged_line_is_said_and_nothing_is_added() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.ndjson");
    for (line, says) in [
        ("{\"title\": \"half", "line 2: it is not JSON: EOF while parsing a string (column 15)"),
        ("[1]", "line 2: it is a list, no object"),
        ("{\"title\": 1}", "line 2: `title` is a number, no text"),
        ("{\"title\": \"a\", \"category\": \"b\", \"content\": \"c\"}", "line 2: it has no `tags`"),
        (
            "{\"title\": \"a\", \"category\": \"b\", \"content\": \"c\", \"tags\": [null]}",
            "line 2: a tag is null, no text",
        ),
    ] {
        let text = format!("{}\n{line}\n", serde_json::to_string(&one("a")).unwrap());
        std::fs::write(&path, &text).unwrap();
        let error = add(&path, &one("b")).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn what_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &Path| match add(path, &one("a")).unwrap_err() {
        LearningError::Store { source, .. } => source.to_string(),
        other => panic!("{other}"),
    };
    assert!(said(folder.path()).contains("directory"));
    assert!(said(&folder.path().join("no/store")).contains("there is no folder"));
    assert!(said(Path::new("-")).contains("a store is a file"));
    #[cfg(unix)]
    assert!(said(Path::new("/dev/null")).contains("not a regular file"));
}

#[test]
fn many_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.ndjson");
    thread::scope(|scope| {
        for i in 0..8 {
            let path = &path;
            scope.spawn(move || add(path, &one(&format!("{}", i % 4))).unwrap());
        }
    });
    let store = Store::read(&std::fs::read(&path).unwrap());
    assert_eq!((store.records.len(), store.damaged.len()), (4, 0));
}

proptest! {
    #[test]
    fn any_bytes_are_a_store_or_damage(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let store = Store::read(&bytes);
        prop_assert_eq!(store.records.len(), store.lines.len());
    }
}
