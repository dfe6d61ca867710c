//! One message on a page: what became of it, why, and how it looks before and after.
//!
//! Invariant: an entry stands alone. It needs the page's style sheet, and for the rendered view the script; its size is
//! bounded, as each view has its limits.

use std::fmt::Write as _;

use mailwright::flow::handler::{Fate, Handled};
use mailwright::message::{BodyKind, Draft, Message};
use mailwright::pipeline::RuleReport;

use super::frame::Shown;
use super::markup::{cut, size, text};
use super::{header, rules};
use crate::event::Event;
use crate::replay::shown;

/// Most characters of a subject, an address or a path that are shown.
const SHORT: usize = 200;
/// Lines around a difference in texts, and in the source.
const CONTEXT: (usize, usize) = (6, 3);

/// All that an entry shows.
pub struct Sight<'a> {
    /// Which one it is, from 1: no two of a page have the same.
    pub number: usize,
    /// Where the message is from, safe to print.
    pub path: &'a str,
    /// What the flow says; `None` when the message could not be read.
    pub event: Option<&'a Event>,
    /// What the handler made of it; `None` when the message could not be read, or a panic came.
    pub handled: Option<&'a Handled>,
    /// As it came in, or as it was.
    pub before: &'a [u8],
    /// As rewritten.
    pub after: Option<&'a [u8]>,
    /// What both are called.
    pub titles: &'a Titles,
    /// What else is to be said of it.
    pub notes: &'a [String],
    /// Why it counts as failed.
    pub failure: Option<&'a str>,
    /// What the flow made of the answer, where there is a flow.
    pub passage: Option<&'a Passage>,
}

/// What the flow made of the function's answer.
#[derive(Debug, Default)]
pub struct Passage {
    /// What became of the message, in a word.
    pub fate: &'static str,
    /// What is done with it, in the words of rule files.
    pub answer: &'static str,
    /// What is done for each recipient, where there is more to say than that all get it.
    pub recipients: Vec<String>,
    /// Why the tries before have failed, in order.
    pub tries: Vec<String>,
    /// Where its source is found: the part of an address before `before.eml` and `after.eml`.
    pub raw: String,
}

/// What the two sides of an entry are called.
#[derive(Debug)]
pub struct Titles {
    /// The first.
    pub before: &'static str,
    /// The second.
    pub after: &'static str,
    /// Both, where a reader sees the same.
    pub same: &'static str,
    /// The first, where there is no second.
    pub only: &'static str,
}

/// Of a run.
pub const RUN: Titles =
    Titles { before: "Before", after: "After", same: "Before and after: a reader sees the same", only: "As it came" };

/// Of a comparison of two rule sets.
pub const COMPARISON: Titles = Titles {
    before: "Under A",
    after: "Under B",
    same: "Under A and B: a reader sees the same",
    only: "Under A and B",
};

/// An entry in the list, and what it is found by.
#[derive(Debug)]
pub struct Row {
    /// Which one it is, from 1.
    pub number: usize,
    /// Where the message is from, safe to print.
    pub path: String,
    /// What is seen of it; markup.
    pub html: String,
    /// What became of the message: `rewritten`, `unchanged`, `original`, `failed`, `marked` or, in a flow, `waiting`.
    pub fate: &'static str,
    /// What is answered, in the words of rule files.
    pub answer: &'static str,
    /// The indexes of the rules that matched.
    pub rules: Vec<usize>,
}

impl Row {
    /// Make the row of an entry: cheap, whatever the message.
    pub fn of(sight: &Sight<'_>) -> Self {
        let met = reports(sight).iter().enumerate().filter(|(_, report)| rules::is_met(report));
        Self {
            number: sight.number,
            path: sight.path.to_owned(),
            html: About::of(sight, &Message::parse(sight.before)).row(),
            fate: fate(sight),
            answer: answer(sight),
            rules: met.map(|(index, _)| index).collect(),
        }
    }
}

/// All of an entry.
#[derive(Debug)]
pub struct Entry {
    /// In the list.
    pub row: Row,
    /// What is seen of it when it is open; markup.
    pub article: String,
}

impl Entry {
    /// Make an entry.
    pub fn of(sight: &Sight<'_>) -> Self {
        let before = Message::parse(sight.before);
        let after = sight.after.map(Message::parse);
        let mut html = About::of(sight, &before).head(sight);
        if sight.handled.is_some() {
            html.push_str("<section><h3>Rules</h3>");
            rules::write(reports(sight), &mut html);
            html.push_str("</section>");
        }
        if let Some(after) = &after {
            let differences = header::differences(&before, after);
            if !differences.is_empty() {
                let _ = write!(html, "<section class=header><h3>Header</h3>{differences}</section>");
            }
        }
        views(sight, &before, after.as_ref(), &mut html);
        Self { row: Row::of(sight), article: html }
    }

    /// The whole of it, for a page that holds all of its entries.
    pub fn html(&self) -> String {
        let row = &self.row;
        let indexes: Vec<String> = row.rules.iter().map(ToString::to_string).collect();
        format!(
            "<details class=message name=message id=m{} data-path=\"{}\" data-fate=\"{}\" data-answer=\"{}\" \
             data-rules=\"{}\"><summary>{}</summary><article>{}</article></details>\n",
            row.number,
            text(&row.path),
            row.fate,
            text(row.answer),
            indexes.join(" "),
            row.html,
            self.article
        )
    }
}

fn fate(sight: &Sight<'_>) -> &'static str {
    if let Some(passage) = sight.passage {
        return passage.fate;
    }
    match sight.handled.map(|handled| &handled.report.fate) {
        Some(Fate::Rewritten) => "rewritten",
        Some(Fate::Marked) => "marked",
        Some(Fate::Original { .. }) => "original",
        Some(Fate::Unchanged | Fate::Off | Fate::Observed { .. }) => "unchanged",
        Some(Fate::Undecodable | Fate::Failed) | None => "failed",
    }
}

fn answer(sight: &Sight<'_>) -> &'static str {
    match sight.passage {
        Some(passage) => passage.answer,
        None => sight.handled.map_or("try again", shown::answer),
    }
}

fn reports<'a>(sight: &Sight<'a>) -> &'a [RuleReport] {
    let report = sight.handled.and_then(|handled| handled.report.rules.as_ref());
    report.map(|report| report.rules.as_slice()).unwrap_or_default()
}

/// What the row and the head of an entry say; markup.
struct About {
    subject: String,
    from: String,
    direction: &'static str,
    badges: String,
}

impl About {
    fn of(sight: &Sight<'_>, before: &Message<'_>) -> Self {
        let (fate, answer) = (fate(sight), answer(sight));
        let short = |what: &str| match cut(what.trim(), SHORT) {
            (shown, true) => text(shown),
            (shown, false) => format!("{}…", text(shown)),
        };
        let draft = Draft::new(before);
        let subject = draft.subject().filter(|subject| !subject.trim().is_empty());
        let from = draft.values("From").first().cloned().unwrap_or_default();
        let edits: usize = reports(sight).iter().map(|report| report.edits).sum();
        let mut badges = format!("<mark class=\"{fate}\">{}</mark>", fate.replace('_', " "));
        if edits > 0 && sight.after.is_some() {
            let _ = write!(badges, "<mark>{}</mark>", crate::check::count(edits, "edit"));
        }
        if answer != "deliver" && !answer.is_empty() {
            let answers = match (sight.passage, sight.handled) {
                (None, Some(handled)) => shown::answers(handled),
                _ => answer.to_owned(),
            };
            let _ = write!(badges, "<mark class=answer>{}</mark>", text(&answers.replace('_', " ")));
        }
        Self {
            subject: subject.map_or_else(|| "<i>no subject</i>".to_owned(), |subject| short(&subject)),
            from: short(&from),
            direction: sight.event.map_or("", |event| event.direction.as_str()),
            badges,
        }
    }

    fn row(&self) -> String {
        let Self { subject, from, direction, badges } = self;
        format!(
            "<strong>{subject}</strong><span class=who>{from}</span><span class=badges>{badges}<small>{direction}</small></span>"
        )
    }

    fn head(&self, sight: &Sight<'_>) -> String {
        let mut html = format!("<header><h2>{}</h2><p class=badges>{}</p><dl>", self.subject, self.badges);
        let mut pair = |name: &str, value: &str| {
            if !value.is_empty() {
                let class = if name == "From" { " class=from" } else { "" };
                let _ = write!(html, "<div{class}><dt>{name}</dt><dd>{value}</dd></div>");
            }
        };
        pair("From", &self.from);
        if let Some(event) = sight.event {
            let sender = event.json.pointer("/envelope/mailFrom/address").and_then(|a| a.as_str()).unwrap_or_default();
            let to = event.json.pointer("/envelope/recipients").and_then(|to| to.as_array());
            let to: Vec<&str> = to.into_iter().flatten().filter_map(|one| one.pointer("/address")?.as_str()).collect();
            let more = to.len().saturating_sub(3);
            let mut first = to.iter().take(3).map(|one| text(one)).collect::<Vec<_>>().join(", ");
            if more > 0 {
                let _ = write!(first, " and {more} more");
            }
            let sender = if sender.is_empty() { "nobody".to_owned() } else { text(sender) };
            let first = if to.is_empty() { "nobody".to_owned() } else { first };
            pair("Envelope", &format!("{}: {sender} → {first}", event.direction.as_str()));
        }
        pair(if sight.passage.is_some() { "Came by" } else { "File" }, &text(sight.path));
        let came = size(sight.before.len());
        pair("Size", &sight.after.map_or_else(|| came.clone(), |after| format!("{came} → {}", size(after.len()))));
        if let Some(passage) = sight.passage.filter(|passage| !passage.raw.is_empty()) {
            let link = |side: &str| {
                let place = format!("{}{side}", text(&passage.raw));
                format!(
                    "{side}: <a href=\"{place}.txt\" target=_blank>source</a>, <a href=\"{place}.eml\" download>.eml</a>"
                )
            };
            let after = sight.after.map(|_| format!("<span>{}</span>", link("after"))).unwrap_or_default();
            pair("Raw", &format!("<span class=raw><span>{}</span>{after}</span>", link("before")));
        }
        html.push_str("</dl>");
        if let Some(failure) = sight.failure {
            let _ = write!(html, "<p class=failure>{}</p>", text(failure));
        }
        if let Some(passage) = sight.passage {
            list("ol class=tries", "ol", &passage.tries, &mut html);
            list("ul class=notes", "ul", &passage.recipients, &mut html);
        }
        let mut all = sight.notes.to_vec();
        if let Some(Handled { report, .. }) = sight.handled {
            all.extend(shown::put_lines(report));
            all.extend(report.rules.iter().flat_map(|rules| &rules.notes).cloned());
            all.extend(report.rules.iter().flat_map(|rules| &rules.signatures).map(ToString::to_string));
        }
        list("ul class=notes", "ul", &all, &mut html);
        html.push_str("</header>");
        html
    }
}

fn list(open: &str, close: &str, lines: &[String], html: &mut String) {
    if lines.is_empty() {
        return;
    }
    let _ = write!(html, "<{open}>");
    for line in lines {
        let _ = write!(html, "<li>{}</li>", text(line));
    }
    let _ = write!(html, "</{close}>");
}

/// Rendered, text and source, of which one is shown at a time.
fn views(sight: &Sight<'_>, before: &Message<'_>, after: Option<&Message<'_>>, html: &mut String) {
    let tabs = [("rendered", "Rendered"), ("text", "Text"), ("source", "Source")];
    html.push_str("<section class=views>");
    for (nth, (key, title)) in tabs.iter().enumerate() {
        let checked = if nth == 0 { " checked" } else { "" };
        let _ = write!(
            html,
            "<input type=radio name=v{0} id=v{0}{key} value={key}{checked}><label for=v{0}{key}>{title}</label>",
            sight.number
        );
    }
    html.push_str(
        "<div class=\"view rendered\"><noscript><p class=none>Without scripts there are text and source only; the page's \
         own script makes the frames.</p></noscript>",
    );
    let old = Shown::of(before);
    match after.map(Shown::of) {
        Some(new) if !new.is_as(&old) => {
            old.write(sight.titles.before, Some(&new), html);
            new.write(sight.titles.after, Some(&old), html);
        }
        Some(_) => old.write(sight.titles.same, None, html),
        None => old.write(sight.titles.only, None, html),
    }
    html.push_str("</div><div class=\"view text\">");
    let (old, new) = (texts(before), texts(after.unwrap_or(before)));
    for index in 0..old.len().max(new.len()) {
        let at = |texts: &[(&'static str, String)]| texts.get(index).cloned().unwrap_or_default();
        let ((title, old), (new_title, new)) = (at(&old), at(&new));
        let _ = write!(html, "<h4>{}</h4>", if title.is_empty() { new_title } else { title });
        html.push_str(&super::marked::marked(&old, &new, CONTEXT.0));
    }
    html.push_str("</div><div class=\"view source\">");
    let old = String::from_utf8_lossy(sight.before);
    let new = sight.after.map_or_else(|| old.clone(), String::from_utf8_lossy);
    html.push_str(&super::marked::marked(&old, &new, CONTEXT.1));
    html.push_str("</div></section>");
}

/// What a reader sees of each body.
fn texts(message: &Message<'_>) -> Vec<(&'static str, String)> {
    let draft = Draft::new(message);
    let texts = draft.readable().into_iter().filter_map(|body| {
        let title = match body.kind {
            BodyKind::Plain => "Plain text",
            BodyKind::Html => "Text of the HTML",
        };
        Some((title, draft.visible(body).ok()?.into_owned()))
    });
    texts.collect()
}
