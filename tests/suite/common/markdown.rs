//! Pages in Markdown, as a parser reads them.

use std::collections::BTreeMap;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

fn parsed(page: &str) -> Parser<'_> {
    Parser::new_ext(page, Options::ENABLE_TABLES)
}

/// The targets of a page's links and pictures.
pub fn links(page: &str) -> Vec<String> {
    let target = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    };
    parsed(page).filter_map(target).collect()
}

/// The text of a page's headings.
pub fn headings(page: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), false);
    for event in parsed(page) {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                found.push(String::new());
                open = true;
            }
            Event::End(TagEnd::Heading(_)) => open = false,
            Event::Text(text) | Event::Code(text) if open => {
                if let Some(heading) = found.last_mut() {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    found
}

/// The fenced blocks of a language.
pub fn blocks(page: &str, language: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), false);
    for event in parsed(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if &*info == language => {
                found.push(String::new());
                open = true;
            }
            Event::End(TagEnd::CodeBlock) => open = false,
            Event::Text(text) if open => {
                if let Some(block) = found.last_mut() {
                    block.push_str(&text);
                }
            }
            _ => {}
        }
    }
    found
}

/// The text of a page without code, by line: its number, from 1, and its text.
pub fn prose(page: &str) -> BTreeMap<usize, String> {
    let (mut found, mut in_block) = (BTreeMap::<usize, String>::new(), false);
    for (event, range) in parsed(page).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_block = true,
            Event::End(TagEnd::CodeBlock) => in_block = false,
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) if !in_block => {
                let line = page[..range.start].matches('\n').count() + 1;
                let words = found.entry(line).or_default();
                words.push(' ');
                words.push_str(&text);
            }
            _ => {}
        }
    }
    found
}
