//! Pages and plots, as a parser reads them.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// Elements of HTML without an end tag.
const VOID: [&str; 3] = ["meta", "br", "hr"];

/// A start tag.
pub struct Tag {
    pub name: String,
    /// Names and values, in order.
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    fn of(start: &BytesStart<'_>) -> Self {
        let attributes = start.html_attributes().map(|attribute| {
            // An attribute that stands twice is an error here.
            let attribute = attribute.unwrap_or_else(|error| panic!("{error} in <{start:?}>"));
            let value = String::from_utf8_lossy(&attribute.value).into_owned();
            (text(attribute.key.as_ref()), unescape(&value).expect("known entities").into_owned())
        });
        Self { name: text(start.name().as_ref()), attributes: attributes.collect() }
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Calls `start`, `text` and `end` for the parts of a page; panics if a tag is not closed, or closed and not open.
fn walk(html: &str, mut part: impl FnMut(Part)) {
    let mut reader = Reader::from_str(html);
    // The reader knows no void elements, so their ends are checked here.
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut open = Vec::new();
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}")) {
            Event::Start(start) => {
                let tag = Tag::of(&start);
                if !VOID.contains(&tag.name.as_str()) {
                    open.push(tag.name.clone());
                }
                part(Part::Start(tag));
            }
            Event::Empty(start) => part(Part::Start(Tag::of(&start))),
            Event::End(end) => {
                let name = text(end.name().as_ref());
                assert_eq!(open.pop().as_deref(), Some(&*name), "closed, and not open");
                part(Part::End(name));
            }
            Event::Text(words) => part(Part::Text(text(&words))),
            Event::GeneralRef(name) => {
                let reference = format!("&{};", text(&name));
                part(Part::Text(unescape(&reference).expect("a known entity").into_owned()));
            }
            Event::Eof => break,
            Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

enum Part {
    Start(Tag),
    Text(String),
    End(String),
}

/// The tags of a page in order; panics if one is not closed, closed twice, or has an attribute twice.
pub fn tags(html: &str) -> Vec<Tag> {
    let mut all = Vec::new();
    walk(html, |part| {
        if let Part::Start(tag) = part {
            all.push(tag);
        }
    });
    all
}

/// The text of each element of a name; elements of one name do not nest.
pub fn texts(html: &str, name: &str) -> Vec<String> {
    let (mut all, mut open) = (Vec::<String>::new(), false);
    walk(html, |part| match part {
        Part::Start(tag) if tag.name == name => {
            all.push(String::new());
            open = true;
        }
        Part::End(ended) if ended == name => open = false,
        Part::Text(words) if open => all.last_mut().expect("an element").push_str(&words),
        _ => {}
    });
    all
}

/// The rows of all tables of a page: the text of each cell.
pub fn rows(html: &str) -> Vec<Vec<String>> {
    let (mut all, mut open) = (Vec::<Vec<String>>::new(), false);
    let is_cell = |name: &str| matches!(name, "td" | "th");
    walk(html, |part| match part {
        Part::Start(tag) if tag.name == "tr" => all.push(Vec::new()),
        Part::Start(tag) if is_cell(&tag.name) => {
            all.last_mut().expect("a row").push(String::new());
            open = true;
        }
        Part::End(ended) if is_cell(&ended) => open = false,
        Part::Text(words) if open => {
            all.last_mut().and_then(|row| row.last_mut()).expect("a cell").push_str(&words);
        }
        _ => {}
    });
    all
}
