//! The frame of a page: head, style, sections, figures.

use std::borrow::Cow;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::svg::drawing::escaped;
use crate::svg::{Plot, Table, theme};

/// Text from a report, which may be anything, as text.
pub fn safe(text: &str) -> PreEscaped<String> {
    PreEscaped(escaped(text))
}

/// A section: its id, its heading, what is in it.
pub struct Section {
    /// Its id.
    pub id: &'static str,
    /// Its heading.
    pub heading: &'static str,
    /// What is in it.
    pub body: Markup,
}

/// A page.
pub struct Page<'a> {
    /// What it is about.
    pub title: Cow<'a, str>,
    /// Of what kind.
    pub kind: &'a str,
    /// The figures that come first: what, and how much.
    pub headline: Vec<(String, String)>,
    /// The findings, in sentences.
    pub findings: Vec<String>,
    /// The rest.
    pub sections: Vec<Section>,
}

impl Page<'_> {
    /// The page as HTML, with ways to other pages.
    #[must_use]
    pub fn html(&self, ways: &[(&str, &str)]) -> String {
        let sections = || self.sections.iter().filter(|section| !section.body.0.is_empty());
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (safe(&self.title)) " – " (self.kind) }
                    style { (PreEscaped(theme::css(":root"))) (PreEscaped(STYLE)) }
                }
                body {
                    a class="skip" href="#summary" { "Skip to the summary" }
                    header {
                        @if !ways.is_empty() {
                            nav aria-label="Pages" { ul { @for (address, words) in ways { li { a href=(address) { (words) } } } } }
                        }
                        p class="kind" { (self.kind) }
                        h1 { (safe(&self.title)) }
                    }
                    main {
                        section id="summary" aria-labelledby="summary-heading" {
                            h2 id="summary-heading" { "Summary" }
                            @if !self.headline.is_empty() {
                                dl class="headline" {
                                    @for (what, value) in &self.headline { div { dt { (safe(what)) } dd { (safe(value)) } } }
                                }
                            }
                            @for finding in &self.findings { p { (safe(finding)) } }
                        }
                        nav aria-label="On this page" { ul {
                            @for section in sections() { li { a href=(format!("#{}", section.id)) { (section.heading) } } }
                        } }
                        @for section in sections() {
                            section id=(section.id) aria-labelledby=(format!("{}-heading", section.id)) {
                                h2 id=(format!("{}-heading", section.id)) { (section.heading) }
                                (section.body)
                            }
                        }
                    }
                    footer { p { "Written by dryroll " (env!("CARGO_PKG_VERSION")) ". This page needs nothing but itself." } }
                }
            }
        }
        .into_string()
    }
}

/// A plot with what it says and its numbers.
#[must_use]
pub fn figure(plot: &Plot) -> Markup {
    html! {
        figure id=(format!("figure-{}", plot.name)) {
            figcaption {
                h3 { (safe(&plot.title)) }
                p { (safe(&plot.reading)) }
            }
            div class="scroll plot" role="region" tabindex="0" aria-label=(safe(&plot.title)) { (plot.inline()) }
            (numbers(&plot.table))
        }
    }
}

/// A table that opens when it is wanted.
#[must_use]
pub fn numbers(table: &Table) -> Markup {
    html! { @if !table.rows.is_empty() { details { summary { "Numbers" } (table.html()) } } }
}

/// A table that is always open; nothing where it has no row.
#[must_use]
pub fn open(table: &Table) -> Markup {
    html! { @if !table.rows.is_empty() { (table.html()) } }
}

const STYLE: &str = "
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0 auto;padding:0 1.25rem 3rem;max-width:62.5rem;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,sans-serif}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;padding:.5rem .8rem;background:var(--ink);color:var(--paper);z-index:1}
header{padding:2.5rem 0 .5rem}
.kind{margin:0;color:var(--muted);font-size:.95rem}
h1{margin:.1rem 0 0;font-size:1.9rem;line-height:1.2;overflow-wrap:anywhere}
h2{margin:2.8rem 0 .6rem;padding-top:.9rem;border-top:1px solid var(--grid);font-size:1.35rem;line-height:1.25}
#summary h2{position:absolute;left:-99rem}
h3{margin:0 0 .2rem;font-size:1.05rem;line-height:1.3;overflow-wrap:anywhere}
p{margin:.5rem 0;max-width:46rem;overflow-wrap:anywhere}
a{color:var(--s1)}
:focus-visible{outline:2px solid var(--s1);outline-offset:2px}
.headline{display:flex;flex-wrap:wrap;gap:.9rem 2.6rem;margin:1rem 0 1.2rem}
.headline div{min-width:7rem}
.headline dt{color:var(--muted);font-size:.88rem}
.headline dd{margin:0;font-size:1.5rem;line-height:1.25;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;margin:1.2rem 0 0;padding:0;font-size:.95rem}
figure{margin:1.4rem 0 2.2rem}
figcaption p{color:var(--muted);font-size:.92rem;margin:.1rem 0 .7rem}
.scroll{overflow-x:auto;max-width:100%}
.plot svg{display:block;width:100%;min-width:44rem;height:auto}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--s1);font-size:.92rem;width:max-content}
table{border-collapse:collapse;font-size:.88rem;margin:.4rem 0 1rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);padding:.3rem 0}
th,td{padding:.28rem .8rem .28rem 0;border-bottom:1px solid var(--grid);vertical-align:top}
th{text-align:left;font-weight:600}
tbody th{font-weight:400;max-width:26rem;overflow-wrap:anywhere}
thead th{color:var(--muted);font-weight:500;vertical-align:bottom}
td,th.n{text-align:right}
tbody th{white-space:nowrap}
td{white-space:nowrap}
.text td{text-align:left;white-space:normal;min-width:8rem}
.text th.n{text-align:left}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{margin:.6rem 0;padding:.7rem .9rem;background:color-mix(in srgb,var(--grid) 45%,transparent);border-radius:3px;width:max-content;min-width:100%;line-height:1.45}
pre code{overflow-wrap:normal}
.replicates{padding-left:1.2rem}
.replicates li{margin:.5rem 0}
.replicates code{display:block;padding:.4rem .6rem;background:color-mix(in srgb,var(--grid) 45%,transparent);border-radius:3px}
.warnings{padding-left:1.2rem}
footer{margin-top:3rem;color:var(--muted);font-size:.88rem}
@media (max-width:40rem){body{padding:0 .9rem 2rem}header{padding-top:1.2rem}h1{font-size:1.5rem}.headline{gap:.7rem 1.6rem}.headline dd{font-size:1.2rem}}
@media print{
body{max-width:none;padding:0;font-size:10pt}
nav,.skip,details:not([open]){display:none}
.scroll{overflow:visible}
.plot svg{min-width:0;max-height:23cm}
figure,tr{break-inside:avoid}
h2,h3,figcaption{break-after:avoid}
a{color:inherit;text-decoration:none}
@page{margin:1.6cm}
}
";
