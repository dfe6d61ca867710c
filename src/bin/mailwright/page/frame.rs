//! A message as its reader sees it: its bodies in frames, its attachments by name.
//!
//! Invariant: what comes from the message stands in sandboxed frames, or is text.

use std::fmt::Write as _;

use encodify::base64;
use mailwright::message::{Body, BodyKind, Draft, Message, PartId};

use super::inert::{self, Images};
use super::markup::{cut, size, text};

/// Most characters of a body that are rendered.
const MAX_BODY: usize = 400_000;
/// Most bodies of a message that are rendered, each in a frame.
const MAX_BODIES: usize = 6;
/// Most octets of an image that is shown.
const MAX_IMAGE: usize = 1_500_000;
/// Most images that are looked at.
const MAX_IMAGES: usize = 100;
/// Most attachments that are named.
const MAX_ATTACHMENTS: usize = 20;
/// Lowest and highest frame, in pixels, before the reader makes it taller.
const HEIGHT: std::ops::RangeInclusive<usize> = 200..=640;
/// Characters of a line of text in a frame, and its height in pixels.
const LINE: (usize, usize) = (52, 24);
/// What a block adds to its lines, in pixels.
const BLOCK: usize = 14;

/// What of a message is shown.
pub struct Shown {
    /// One document for each body.
    documents: Vec<String>,
    /// In pixels.
    heights: Vec<usize>,
    /// What is not shown of it, in words.
    missing: Vec<String>,
    attachments: String,
}

impl Shown {
    /// Render a message.
    pub fn of(message: &Message<'_>) -> Self {
        let draft = Draft::new(message);
        let images = images(message);
        let mut shown =
            Self { documents: Vec::new(), heights: Vec::new(), missing: Vec::new(), attachments: attachments(message) };
        let bodies = bodies(message, draft.readable());
        for body in bodies.iter().take(MAX_BODIES) {
            let Ok(source) = draft.text(body.part) else {
                shown.missing.push("a text that cannot be decoded".to_owned());
                continue;
            };
            let (source, all) = cut(source, MAX_BODY);
            if !all {
                shown.missing.push(format!("all after {MAX_BODY} characters of a text"));
            }
            let inner = match body.kind {
                BodyKind::Plain => inert::plain(source),
                BodyKind::Html => inert::html(source, &images),
            };
            shown.heights.push(height(&draft, *body, &inner));
            shown.documents.push(inert::document(&inner));
        }
        if let more @ 1.. = bodies.len().saturating_sub(MAX_BODIES) {
            shown.missing.push(format!("{more} more texts"));
        }
        shown
    }

    /// True where a reader sees the same.
    pub fn is_as(&self, other: &Self) -> bool {
        self.documents == other.documents && self.attachments == other.attachments
    }

    /// The frames, under a title; each in a template, as a browser starts a process for each: the script takes them out
    /// while their message is open; as high as those of `other`, so that both are seen side by side.
    pub fn write(&self, title: &str, other: Option<&Self>, out: &mut String) {
        let _ = write!(out, "<figure class=side><figcaption>{}</figcaption>", text(title));
        if self.documents.is_empty() {
            out.push_str("<p class=none>no text that can be shown</p>");
        }
        for (nth, document) in self.documents.iter().enumerate() {
            let height = |shown: &Self| shown.heights.get(nth).copied().unwrap_or(0);
            let height = height(self).max(other.map_or(0, height));
            let _ = write!(
                out,
                "<template><iframe sandbox title=\"{}\" style=\"height:{height}px\" srcdoc=\"{}\"></iframe></template>",
                text(title),
                super::markup::reference(document)
            );
        }
        for missing in &self.missing {
            let _ = write!(out, "<p class=none>not shown: {}</p>", text(missing));
        }
        out.push_str(&self.attachments);
        out.push_str("</figure>");
    }
}

/// Those that are shown: of alternatives, the HTML.
fn bodies(message: &Message<'_>, readable: Vec<Body>) -> Vec<Body> {
    let parts = message.parts();
    let around = |id: PartId| {
        let up = |id: &PartId| parts.get(id.0).and_then(|part| part.parent);
        std::iter::successors(up(&id), up)
    };
    let alternative =
        |id: PartId| around(id).find(|id| parts.get(id.0).is_some_and(|p| p.media_type == "multipart/alternative"));
    let richer: Vec<PartId> =
        readable.iter().filter(|b| b.kind == BodyKind::Html).filter_map(|b| alternative(b.part)).collect();
    let hidden = |body: &Body| {
        body.kind == BodyKind::Plain && alternative(body.part).is_some_and(|around| richer.contains(&around))
    };
    readable.into_iter().filter(|body| !hidden(body)).collect()
}

/// A guess at how high the text is: a frame that runs no script cannot say.
fn height(draft: &Draft<'_>, body: Body, inner: &str) -> usize {
    let visible = draft.visible(body).unwrap_or_default();
    let lines: usize = visible.lines().take(200).map(|line| line.len() / LINE.0 + 1).sum();
    let blocks: usize = ["<p", "<h", "<td", "<hr", "<li"].iter().map(|tag| inner.matches(tag).take(40).count()).sum();
    let pictures = if inner.contains("<img") { 140 } else { 0 };
    (80 + lines * LINE.1 + blocks * BLOCK + pictures).clamp(*HEIGHT.start(), *HEIGHT.end())
}

/// The images that HTML can name.
fn images(message: &Message<'_>) -> Images {
    let parts = message.parts().iter().enumerate();
    let pictures = parts.filter(|(_, part)| part.media_type.starts_with("image/") && part.body.len() <= MAX_IMAGE);
    let named = pictures.take(MAX_IMAGES).filter_map(|(id, part)| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/.+-".contains(&b);
        let field = part.fields.iter().find(|f| message.bytes(&f.name).eq_ignore_ascii_case(b"content-id"))?;
        let name = String::from_utf8_lossy(message.bytes(&field.value)).trim().trim_matches(['<', '>']).to_owned();
        let content = message.content(PartId(id))?;
        part.media_type.bytes().all(plain).then(|| (name, (part.media_type.clone(), base64::STANDARD.encode(&content))))
    });
    named.collect()
}

fn attachments(message: &Message<'_>) -> String {
    let draft = Draft::new(message);
    let all = draft.attachments();
    if all.is_empty() {
        return String::new();
    }
    let mut out = "<ul class=files>".to_owned();
    for file in all.iter().take(MAX_ATTACHMENTS) {
        let name = file.name.as_deref().map_or_else(|| text(&file.media_type), |name| text(cut(name, 100).0));
        let octets = size(usize::try_from(draft.size(file)).unwrap_or(usize::MAX));
        let _ = write!(out, "<li title=\"{}\">{name} <small>{octets}</small></li>", text(&file.media_type));
    }
    if let more @ 1.. = all.len().saturating_sub(MAX_ATTACHMENTS) {
        let _ = write!(out, "<li>{more} more</li>");
    }
    out.push_str("</ul>");
    out
}
