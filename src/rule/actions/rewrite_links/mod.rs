//! `rewrite_links`: links lead through a gateway, or straight again, or without what tracks who follows them.
//!
//! `url.rs` reads URLs, `text.rs` finds them in text, `html::links` in HTML; `gateway.rs`, `tracking.rs` and `hosts.rs` are
//! the options. Every change is a splice of one link: nothing else of a body is touched.
//!
//! Invariant: a second run changes nothing, and the same link becomes the same in text and HTML. What a reader sees of a
//! link in HTML stays, so that it still says where it leads. Blocks of rules stay as they are written.
//!
//! Left alone: forms, whose data would not survive a redirection; pictures; other schemes; links within the message;
//! relative links, unless the HTML says what they are relative to.

mod gateway;
mod hosts;
mod options;
#[cfg(test)]
mod tests;
mod text;
mod tracking;
mod url;

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::Arc;

use super::super::late::{Late, Steps, TimeUp};
use super::super::section::Section;
use super::super::template::escape_html;
use super::super::{Action, ActionError, ActionKind, Effect, Protected, Scene};
use super::Written;
use super::block::written_by_rules;
use crate::directory::{Fact, Need, Organization};
use crate::envelope::Direction;
use crate::message::html::{Link, LinkTarget, LinkText, base, each_link};
use crate::message::{BodyError, BodyKind, FileKind, PartId, Spelled, TextEdit, TextEdits};
use gateway::Gateway;
use hosts::Hosts;
use tracking::{Tracking, without};
use url::Sort;

/// `rewrite_links`.
pub const KIND: ActionKind = ActionKind {
    kind: "rewrite_links",
    doc: "Rewrites the links of texts and HTML: through a gateway, back from one, without tracking parameters.",
    options: options::OPTIONS,
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"rewrite_links\"\ngateway = \"https://gate.example.com/?u={{ url }}\"\ntracking = \"known\"\nallow = \
              [\"internal\", \"*.example.net\"]\n",
    compile: |section: &mut Section<'_>| options::read(section).map(|links| Box::new(links) as Box<dyn Action>),
};

/// What becomes of a URL in HTML that is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bare {
    Link,
    Keep,
}

#[derive(Debug)]
struct RewriteLinks {
    gateway: Option<Gateway>,
    unwrap: Vec<Gateway>,
    tracking: Tracking,
    allow: Hosts,
    bare: Bare,
    protected: Protected,
}

/// What a URL becomes.
#[derive(Debug, PartialEq, Eq)]
struct New {
    url: String,
    unwrapped: bool,
    tracked: bool,
    through: bool,
}

/// So many links were changed, for the report.
#[derive(Debug, Default)]
struct Tally {
    links: usize,
    unwrapped: usize,
    tracked: usize,
    through: usize,
    texts: usize,
}

impl Tally {
    fn add(&mut self, new: &New) {
        self.links += 1;
        self.unwrapped += usize::from(new.unwrapped);
        self.tracked += usize::from(new.tracked);
        self.through += usize::from(new.through);
    }

    fn merge(&mut self, other: &Self) {
        self.links += other.links;
        self.unwrapped += other.unwrapped;
        self.tracked += other.tracked;
        self.through += other.through;
        self.texts += 1;
    }

    fn note(&self) -> String {
        let what =
            [(self.through, "through the gateway"), (self.unwrapped, "unwrapped"), (self.tracked, "without tracking")];
        let done: Vec<String> =
            what.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let texts = if self.texts == 1 { "text" } else { "texts" };
        let links = if self.links == 1 { "link" } else { "links" };
        format!("{} {links} in {} {texts}: {}", self.links, self.texts, done.join(", "))
    }
}

/// A change of a text: its edits, and what becomes of the link; `None` where only what a reader sees of it changes.
type Change = (Vec<TextEdit>, Option<New>);

/// Takes the changes of links one by one, `None` for a link that stays: all at once they would be many times as large as the
/// text. Says whether there is any use in going on.
type Add<'a> = dyn FnMut(Option<Change>) -> bool + 'a;

/// So many links are rewritten in one text. More are no letter that anybody wrote; a rule fails by its `on_error` then.
const MAX_LINKS: usize = 4_000_000;
/// What stands in place of the links of one text is so long at most, in octets: no larger message goes out.
const MAX_WRITTEN: usize = 48_000_000;
/// So many tags, texts and links are gone through between two looks at the clock.
const EVERY: usize = 1_024;

/// The changes of one text.
#[derive(Debug, Default)]
struct Changes {
    edits: TextEdits,
    tally: Tally,
}

impl RewriteLinks {
    /// What a web page's URL becomes; `None` where it stays.
    fn new_url(&self, url: &str, organization: Fact<&Organization>) -> Option<New> {
        let unwrapped = Gateway::unwrapped(&self.unwrap, url);
        let mut new = New {
            unwrapped: unwrapped.is_some(),
            url: unwrapped.unwrap_or_else(|| url.to_owned()),
            tracked: false,
            through: false,
        };
        let Sort::Web(host) = url::sort(&new.url) else { return None };
        let is_there = self.gateway.as_ref().is_some_and(|gateway| gateway.leads(&new.url));
        if is_there || host.is_some_and(|host| self.allow.hold(&host, organization)) {
            return new.unwrapped.then_some(new);
        }
        let ranges = self.tracking.ranges(&new.url);
        if !ranges.is_empty() {
            new.url = without(&new.url, &ranges);
            new.tracked = true;
        }
        if let Some(gateway) = &self.gateway {
            new.url = gateway.through(&new.url);
            new.through = true;
        }
        (new.unwrapped || new.tracked || new.through).then_some(new)
    }

    /// The target of a link in HTML.
    fn target(&self, target: &LinkTarget, base: Option<&str>, organization: Fact<&Organization>) -> Option<Change> {
        let text = target.url.text();
        let url = url::cleaned(text);
        let absolute = match url::sort(&url) {
            Sort::Web(_) => url.into_owned(),
            Sort::SchemeRelative => format!("https:{url}"),
            Sort::Bare if base.is_none() => format!("http://{url}"),
            Sort::Bare | Sort::Relative => url::joined(base?, &url)?,
            Sort::Fragment | Sort::Other => return None,
        };
        let new = self.new_url(&absolute, organization)?;
        let edits = if new.through || new.unwrapped {
            vec![TextEdit { range: target.value.clone(), text: in_attribute(&new.url) }]
        } else {
            self.tracking.ranges(text).into_iter().flat_map(|range| removed(&target.url, range)).collect()
        };
        (!edits.is_empty()).then_some((edits, Some(new)))
    }

    /// The URLs of a text in HTML.
    fn html_text(&self, piece: &LinkText, organization: Fact<&Organization>, add: &mut Add<'_>) {
        let change = |found: &text::Found| -> Option<Change> {
            let new = self.new_url(&text::with_scheme(&found.url), organization)?;
            let source = source_of(&piece.text, found.range.clone())?;
            if piece.in_link {
                // The text of a link says where it leads: not through what the link does not lead through any more.
                let unwrapped = Gateway::unwrapped(&self.unwrap, &found.url);
                let url = unwrapped.filter(|_| !new.through)?;
                return Some((vec![TextEdit { range: source, text: escape_html(&url) }], None));
            }
            if !new.through {
                return Some((self.replaced(&piece.text, found, &new, source, escape_html), Some(new)));
            }
            let tag = format!("<a href=\"{}\">", in_attribute(&new.url));
            let edits = vec![
                TextEdit { range: source.start..source.start, text: tag },
                TextEdit { range: source.end..source.end, text: "</a>".to_owned() },
            ];
            (self.bare == Bare::Link).then_some((edits, Some(new)))
        };
        text::each_url(piece.text.text(), &mut |found| add(change(&found)));
    }

    /// The URLs of plain text.
    fn plain_text(&self, text: &Spelled, organization: Fact<&Organization>, add: &mut Add<'_>) {
        let change = |found: &text::Found| -> Option<Change> {
            let new = self.new_url(&text::with_scheme(&found.url), organization)?;
            let source = source_of(text, found.range.clone())?;
            Some((self.replaced(text, found, &new, source, str::to_owned), Some(new)))
        };
        text::each_url(text.text(), &mut |found| add(change(&found)));
    }

    /// A URL that gives way to a new one as a whole, or that only loses parameters.
    fn replaced(
        &self,
        text: &Spelled,
        found: &text::Found,
        new: &New,
        source: Range<usize>,
        write: impl Fn(&str) -> String,
    ) -> Vec<TextEdit> {
        let stands = text.text().get(found.range.clone()).unwrap_or_default();
        if new.through || new.unwrapped || stands != found.url {
            return vec![TextEdit { range: source, text: write(&new.url) }];
        }
        let ranges = self.tracking.ranges(stands).into_iter();
        let shifted = ranges.map(|range| range.start + found.range.start..range.end + found.range.start);
        shifted.flat_map(|range| removed(text, range)).collect()
    }

    /// What becomes of the links of a text. In HTML that is no body, nobody makes links of URLs.
    fn changes(
        &self,
        text: &str,
        (kind, reading): (BodyKind, Reading),
        organization: Fact<&Organization>,
        late: Late<'_>,
        add: &mut Add<'_>,
    ) -> Result<(), TimeUp> {
        late.in_time()?;
        // Two at once: one asks with every tag, the other with every change.
        let steps = RefCell::new(Steps::new(late, EVERY));
        let (late, ended) = (Cell::new(Ok(())), Cell::new(false));
        let goes_on = || {
            if late.get().is_ok() {
                late.set(steps.borrow_mut().took(1));
            }
            late.get().is_ok() && !ended.get()
        };
        let mut add = |change: Option<Change>| {
            if goes_on() && !add(change) {
                ended.set(true);
            }
            goes_on()
        };
        match kind {
            BodyKind::Html => {
                let base = base(text);
                each_link(text, &mut || goes_on(), &mut |link| match link {
                    Link::Target(target) => {
                        add(self.target(&target, base.as_deref(), organization));
                    }
                    Link::Text(piece) if reading.is_body => self.html_text(&piece, organization, &mut add),
                    Link::Text(_) => {}
                });
            }
            BodyKind::Plain if reading.delsp => {
                self.plain_text(&text::without_soft_breaks(text), organization, &mut add);
            }
            BodyKind::Plain => self.plain_text(&Spelled::plain(text, 0), organization, &mut add),
        }
        late.get()
    }

    /// What to put in place of the links of one text. Links in blocks of rules stay.
    fn edits(
        &self,
        scene: &mut Scene<'_, '_>,
        (part, kind, reading): (PartId, BodyKind, Reading),
        written: &mut Option<Vec<Arc<Written>>>,
    ) -> Result<Changes, ActionError> {
        let (late, mut any) = (scene.late, false);
        self.changes(current(scene, part, reading)?, (kind, reading), scene.who_is_internal(), late, &mut |change| {
            any |= change.is_some();
            !any
        })?;
        let mut all = Changes::default();
        if !any {
            return Ok(all);
        }
        let written = written.get_or_insert_with(|| written_by_rules(scene));
        let text = current(scene, part, reading)?;
        let blocks: Vec<Range<usize>> = written.iter().flat_map(|block| block.find(kind, text)).collect();
        let is_ours = |edit: &TextEdit| {
            blocks.iter().any(|block| block.start <= edit.range.start && edit.range.start < block.end)
        };
        let mut result = Ok(());
        self.changes(text, (kind, reading), scene.who_is_internal(), late, &mut |change| {
            let Some((edits, new)) = change.filter(|(edits, _)| !edits.iter().any(is_ours)) else { return true };
            if let Some(new) = &new {
                all.tally.add(new);
            }
            for edit in &edits {
                all.edits.push(edit.range.clone(), &edit.text);
            }
            if all.edits.text_len() > MAX_WRITTEN {
                result = Err(ActionError::TooMany("octets of rewritten links in one text", MAX_WRITTEN));
            } else if all.edits.len() > MAX_LINKS {
                result = Err(ActionError::TooMany("links to rewrite in one text", MAX_LINKS));
            }
            result.is_ok()
        })?;
        result?;
        all.edits.part();
        Ok(all)
    }

    /// Rewrite the links of one text; says how many.
    fn rewrite(
        &self,
        scene: &mut Scene<'_, '_>,
        (part, kind, reading): (PartId, BodyKind, Reading),
        written: &mut Option<Vec<Arc<Written>>>,
    ) -> Result<Tally, ActionError> {
        let Changes { edits, tally } = self.edits(scene, (part, kind, reading), written)?;
        scene.late.in_time()?;
        if reading.is_body {
            scene.draft.edit(part, edits)?;
        } else {
            scene.draft.edit_file(part, edits)?;
        }
        Ok(tally)
    }
}

/// How a text is read.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// It is a body, and no other alternative of one.
    is_body: bool,
    /// `delsp=yes` (RFC 3676).
    delsp: bool,
}

fn current<'d>(scene: &'d Scene<'_, '_>, part: PartId, reading: Reading) -> Result<&'d str, BodyError> {
    if reading.is_body { scene.draft.text(part) } else { scene.draft.file_text(part) }
}

/// The bodies, and other alternatives of them such as AMP.
fn texts(scene: &Scene<'_, '_>) -> Vec<(PartId, BodyKind, Reading)> {
    let delsp = |part| scene.draft.message().part(part).is_some_and(|part| part.flowed && part.delsp);
    let bodies = scene.draft.free_bodies().into_iter();
    let bodies = bodies.map(|body| (body.part, body.kind, Reading { is_body: true, delsp: delsp(body.part) }));
    let files = if scene.draft.protection().is_none() { scene.draft.files() } else { Vec::new() };
    let alternatives = files.into_iter().filter(|file| file.is_alternative && !file.is_calendar);
    let others = alternatives.filter_map(|file| {
        let kind = match file.kind {
            FileKind::Html => BodyKind::Html,
            FileKind::Plain => BodyKind::Plain,
            _ => return None,
        };
        Some((file.part, kind, Reading { is_body: false, delsp: false }))
    });
    bodies.chain(others).collect()
}

/// A URL as the value of an attribute, whatever its quotes, and inside of a comment.
fn in_attribute(url: &str) -> String {
    url.replace('&', "&amp;").replace('\'', "&#39;").replace('"', "&#34;").replace('`', "&#96;")
}

/// From the first to the last byte that spells a range.
fn source_of(text: &Spelled, range: Range<usize>) -> Option<Range<usize>> {
    let mut pieces = text.pieces(range);
    let first = pieces.next()?.source;
    Some(first.start..pieces.last().map_or(first.end, |last| last.source.end))
}

/// The edits that take a range out.
fn removed(text: &Spelled, range: Range<usize>) -> Vec<TextEdit> {
    text.pieces(range).map(|run| TextEdit { range: run.source, text: String::new() }).collect()
}

impl Action for RewriteLinks {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let mut all = Tally::default();
        let mut failed: Vec<BodyError> = Vec::new();
        let mut written = None;
        for text in texts(scene) {
            match self.rewrite(scene, text, &mut written) {
                Ok(tally) if tally.links > 0 => all.merge(&tally),
                Ok(_) => {}
                Err(ActionError::Body(why)) => failed.push(why),
                Err(error) => return Err(error),
            }
        }
        Ok(match (all.texts, failed.first()) {
            (0, None) => Effect::Nothing("there is no such link"),
            (0, Some(why)) => Effect::Unfit(format!("a text could not be edited: {why}")),
            (_, None) => Effect::Edited(all.links, all.note()),
            (_, Some(why)) => {
                Effect::Edited(all.links, format!("{}; {} could not be edited: {why}", all.note(), failed.len()))
            }
        })
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn protected(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        scene.draft.protection()?;
        match self.protected {
            Protected::Wrap => scene.draft.free_bodies().is_empty().then_some(Protected::Skip),
            policy => Some(policy),
        }
    }
    fn edits_body(&self) -> bool {
        true
    }
    fn need(&self) -> Need {
        if self.allow.ask_who_is_internal() { Need::domains() } else { Need::default() }
    }
    fn protected_policy(&self) -> Option<Protected> {
        Some(self.protected)
    }
}
