//! What `append` and `prepend` share: a block of text, in both forms, that knows itself again.
//!
//! Invariant: running a rule on its own output changes nothing, except with `once = "always"`. A block is known by a
//! mark on its HTML element (which clients may strip, and which names the message that it was written for) and by its
//! text, whatever the variables in it hold.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use super::super::problem::Code;
use super::super::readable::{as_html, readable};
use super::super::section::{Holds, Section};
use super::super::template::{Context, Filled, Template};
use super::super::{Action, ActionError, Effect, OptionDoc, Protected, Scene};
use crate::message::{Block, Body, BodyError, BodyKind, Draft, Inserted, Place, html, reply};

/// The attribute of the element round a block.
const MARK: &str = "data-mailwright";
/// Styles of that element, which no style sheet of the message can undo: a sender must not be able to hide a banner.
const SHOWN: &str = "display:block!important;visibility:visible!important;opacity:1!important";
/// Octets of text, white space aside, by which a block is known; a shorter one is compared as a whole.
const KNOWN_BY: usize = 12;

pub(super) const HTML: OptionDoc = OptionDoc {
    key: "html",
    takes: "a template, or { file = \"…\" }",
    default: "made from `text`",
    doc: "The block for HTML bodies: a fragment. Variables in it are escaped.",
};
pub(super) const TEXT: OptionDoc = OptionDoc {
    key: "text",
    takes: "a template, or { file = \"…\" }",
    default: "made from `html`",
    doc: "The block for plain text bodies.",
};
pub(super) const ONCE: OptionDoc = OptionDoc {
    key: "once",
    takes: "\"message\" | \"thread\" | \"always\"",
    default: "\"message\"",
    doc: "When the block is left out: it stands in the newest text already (`message`), or anywhere, quoted replies \
          included (`thread`), or never (`always`: for warnings on mail from outside, as a sender can write the same \
          text; a second try of the function still puts it in once).",
};
pub(super) const PROTECTED: OptionDoc = OptionDoc {
    key: "protected",
    takes: "\"skip\" | \"headers-only\" | \"wrap\" | \"bounce\"",
    default: "\"skip\"",
    doc: "What the rule does to a signed or encrypted message, a report or an invitation: nothing (`skip`), only its \
          other actions (`headers-only`), put it below a new part that holds the block (`wrap`), or send it back \
          (`bounce`).",
};

/// `fallback`: what is done where a body cannot be edited without doubt.
pub(super) const FALLBACK: OptionDoc = OptionDoc {
    key: "fallback",
    takes: "\"part\" | \"skip\"",
    default: "\"part\"",
    doc: "Where a body cannot be edited without doubt (bytes that are not valid, an unknown charset or transfer \
          encoding): put the block into a part of its own beside the message, or leave the message alone. A message of \
          kind `malformed` is left alone in any case.",
};

/// `no_body`: what is done where there is nothing to read, only files.
pub(super) const NO_BODY: OptionDoc = OptionDoc {
    key: "no_body",
    takes: "\"skip\" | \"part\"",
    default: "\"skip\"",
    doc: "Where a message has no text body, only attachments: leave it alone, or put the block into a part of its own.",
};

/// What is done where a body cannot be edited, or there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fallback {
    Part,
    Skip,
}

/// When a block is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Once {
    Message,
    Thread,
    Always,
}

/// `append` or `prepend`, compiled.
#[derive(Debug)]
pub(super) struct Insert {
    kind: &'static str,
    html: Option<Template>,
    text: Option<Template>,
    place: Place,
    once: Once,
    protected: Protected,
    fallback: Fallback,
    no_body: Fallback,
    /// The block, where no variable is in it.
    fixed: OnceLock<Arc<Ready>>,
}

/// A block for one message.
#[derive(Debug)]
struct Ready {
    html: String,
    text: String,
    /// Of the rule and its templates.
    mark: String,
    html_print: Print,
    text_print: Print,
}

/// What a text is known by.
#[derive(Debug)]
struct Print {
    /// In this order, without white space.
    pieces: Vec<String>,
    /// A word that stands in every form of the text: quick to look for.
    word: String,
}

/// Read `protected`.
pub(super) fn read_protected(section: &mut Section<'_>, default: Protected) -> Protected {
    let words = [
        ("skip", Protected::Skip),
        ("headers-only", Protected::HeadersOnly),
        ("wrap", Protected::Wrap),
        ("bounce", Protected::Bounce),
    ];
    section.choice("protected", &words).map_or(default, |found| found.value)
}

impl Insert {
    /// Read the options. `places` are those that `place` may name, the default first.
    pub(super) fn read(
        section: &mut Section<'_>,
        kind: &'static str,
        places: &[(&'static str, Place)],
        default: Place,
    ) -> Option<Self> {
        let given = ["html", "text"].iter().any(|key| section.holds(key) != Holds::Nothing);
        let problems = [section.holds("html"), section.holds("text")];
        let html = Template::read(section, "html", Context::Html);
        let text = Template::read(section, "text", Context::Text);
        if !given {
            let span = section.span();
            section.problem(
                &span,
                Code::Missing,
                "`html` or `text` is missing",
                "give one of them, or both: what is not given is made from the other",
            );
        }
        let place = if places.is_empty() { None } else { section.choice("place", places) };
        let words = [("message", Once::Message), ("thread", Once::Thread), ("always", Once::Always)];
        let once = section.choice("once", &words).map_or(Once::Message, |found| found.value);
        let protected = read_protected(section, Protected::Skip);
        let words = [("part", Fallback::Part), ("skip", Fallback::Skip)];
        let fallback = section.choice("fallback", &words).map_or(Fallback::Part, |found| found.value);
        let no_body = section.choice("no_body", &words).map_or(Fallback::Skip, |found| found.value);
        for (template, key) in [(&html, "html"), (&text, "text")] {
            if template.as_ref().and_then(Template::as_fixed).is_some_and(|text| text.trim().is_empty()) {
                let span = section.span_of(key);
                section.problem(&span, Code::WrongValue, format!("`{key}` is empty"), "");
                return None;
            }
        }
        if html.as_ref().and_then(Template::as_fixed).is_some_and(swallows) {
            let span = section.span_of("html");
            let help = "close every quote, tag, comment, style and script in it";
            section.problem(&span, Code::WrongValue, "`html` would swallow the text that stands behind it", help);
            return None;
        }
        let [had_html, had_text] = problems;
        let whole = (had_html == Holds::Nothing || html.is_some()) && (had_text == Holds::Nothing || text.is_some());
        (given && whole).then(|| Self {
            kind,
            html,
            text,
            place: place.map_or(default, |place| place.value),
            once,
            protected,
            fallback,
            no_body,
            fixed: OnceLock::new(),
        })
    }

    /// The block for this message.
    fn ready(&self, scene: &Scene<'_, '_>) -> Result<Arc<Ready>, ActionError> {
        let is_fixed = |t: &Option<Template>| t.as_ref().is_none_or(|t| t.as_fixed().is_some());
        if !is_fixed(&self.html) || !is_fixed(&self.text) {
            return self.fill(scene).map(Arc::new);
        }
        if let Some(ready) = self.fixed.get() {
            return Ok(Arc::clone(ready));
        }
        let ready = Arc::new(self.fill(scene)?);
        Ok(Arc::clone(self.fixed.get_or_init(|| ready)))
    }

    fn fill(&self, scene: &Scene<'_, '_>) -> Result<Ready, ActionError> {
        let html = self.html.as_ref().map(|t| t.fill(scene)).transpose()?;
        let text = self.text.as_ref().map(|t| t.fill(scene)).transpose()?;
        let (html, text) = match (html, text) {
            (Some(html), Some(text)) => (html, text),
            (Some(html), None) => {
                let text = html.map(readable);
                (html, text)
            }
            (None, Some(text)) => (text.map(as_html), text),
            (None, None) => (Filled::fixed(""), Filled::fixed("")),
        };
        Ok(Ready {
            mark: self.mark(scene.rule),
            html_print: Print::new(&html.map(|html| html::visible(html).text)),
            text_print: Print::new(&text),
            text: text.text().trim_matches('\n').to_owned(),
            html: html.text().trim().to_owned(),
        })
    }

    /// Tells the blocks of one action from those of others, whatever message they are in.
    fn mark(&self, rule: &str) -> String {
        let [html, text] = [&self.html, &self.text].map(|t| t.as_ref().map_or("", Template::source));
        digest(&[rule, self.kind, html, text])
    }

    /// Does the block stand where it must not be put in again?
    fn is_there(&self, ready: &Ready, here: &str, bodies: &[Body], draft: &Draft<'_>) -> bool {
        if self.once == Once::Always {
            return false;
        }
        // What an HTML body says goes before its plain alternative: what is quoted is easier to tell in HTML.
        let has_html = bodies.iter().any(|body| body.kind == BodyKind::Html);
        let deciding = bodies.iter().filter(|body| !has_html || body.kind == BodyKind::Html);
        deciding.filter_map(|body| Some((body.kind, draft.text(body.part).ok()?))).any(|(kind, text)| match kind {
            BodyKind::Html => {
                let newest = self.newest(text, html::reply_end);
                // Put in by us for this very message, or by a rule before it was quoted.
                text.contains(here)
                    || newest.contains(&format!("{MARK}=\"{}", ready.mark))
                    || (ready.html_print.may_be_in(newest) && ready.html_print.is_in(&html::visible(newest).text))
            }
            BodyKind::Plain => {
                if !ready.text_print.may_be_in(text) {
                    return false;
                }
                if looks_quoted(&ready.text) && stands_in(&ready.text, text) {
                    return true;
                }
                // Put at the end of a reply it stands behind what is quoted; that is quick to tell.
                ready.text_print.is_in(unquoted_end(text))
                    || ready.text_print.is_in(self.newest(text, reply::reply_end))
            }
        })
    }

    /// The text in which the block counts as there.
    fn newest<'t>(&self, text: &'t str, reply_end: fn(&str) -> Option<usize>) -> &'t str {
        if self.once == Once::Thread {
            return text;
        }
        reply_end(text).and_then(|end| text.get(..end)).unwrap_or(text)
    }

    fn put(
        &self,
        scene: &mut Scene<'_, '_>,
        bodies: &[Body],
        put: impl FnOnce(&mut Draft<'_>, &Block) -> Result<Effect, BodyError>,
    ) -> Result<Effect, ActionError> {
        let ready = self.ready(scene)?;
        let here = format!("{}-{}", ready.mark, message_mark(scene.draft));
        if self.is_there(&ready, &here, bodies, scene.draft) {
            return Ok(Effect::Nothing("it is there already"));
        }
        let block = Block {
            text: ready.text.clone(),
            html: format!("<div {MARK}=\"{here}\" style=\"{SHOWN}\">{}</div>", ready.html),
        };
        let effect = put(scene.draft, &block)?;
        // Invariant 6, before the message leaves: what is not known again would be put in twice.
        let known = self.once == Once::Always
            || !matches!(effect, Effect::Edited(..))
            || scene.draft.has_parts_beside()
            || self.is_there(&ready, &here, &scene.draft.bodies(), scene.draft);
        if known { Ok(effect) } else { Err(ActionError::Once) }
    }
}

impl Action for Insert {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let bodies = scene.draft.bodies();
        let (place, fallback, no_body) = (self.place, self.fallback, self.no_body);
        self.put(scene, &bodies, |draft, block| {
            let inserted = match fallback {
                Fallback::Part => draft.insert_or_put_beside(block, place)?,
                Fallback::Skip => Inserted::Into(draft.insert(block, place)?),
            };
            Ok(match inserted {
                Inserted::Into(0) if no_body == Fallback::Part => {
                    draft.put_beside(block, place)?;
                    Effect::Edited(1, "a part of its own, as there is no body".to_owned())
                }
                Inserted::Into(0) => Effect::Unfit("there is no body".to_owned()),
                Inserted::Into(1) => Effect::Edited(1, "1 body".to_owned()),
                Inserted::Into(count) => Effect::Edited(count, format!("{count} bodies")),
                Inserted::Beside(why) => {
                    Effect::Edited(1, format!("a part of its own, as a body cannot be edited: {why}"))
                }
            })
        })
    }
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn protected(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        (scene.draft.protection().is_some() && scene.draft.bodies().is_empty()).then_some(self.protected)
    }
    fn run_wrapped(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let bodies = scene.draft.readable();
        let place = Place::Start;
        self.put(scene, &bodies, |draft, block| {
            draft.put_beside(block, place)?;
            Ok(Effect::Edited(1, "the message is wrapped".to_owned()))
        })
    }
    fn edits_body(&self) -> bool {
        true
    }
    fn protected_policy(&self) -> Option<Protected> {
        Some(self.protected)
    }
}

impl Print {
    fn new(filled: &Filled<'_>) -> Self {
        let squeezed = |pieces: Vec<&str>| -> Vec<String> {
            pieces.into_iter().map(squeeze).filter(|piece| !piece.is_empty()).collect()
        };
        let mut pieces = squeezed(filled.fixed_pieces());
        let mut words = filled.fixed_pieces().join("\n");
        if pieces.iter().map(String::len).sum::<usize>() < KNOWN_BY {
            let whole = filled.text();
            pieces = squeezed(vec![&whole]);
            words = whole.into_owned();
        }
        // Words in ASCII stand in HTML as they are: no client writes references for letters.
        let word = words.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|word| word.len()).unwrap_or_default();
        Self { pieces, word: word.to_owned() }
    }
    /// A quick look: false means that [`Print::is_in`] is false.
    fn may_be_in(&self, text: &str) -> bool {
        memchr::memmem::find(text.as_bytes(), self.word.as_bytes()).is_some()
    }
    /// All pieces, in order; white space and quote marks do not count.
    fn is_in(&self, text: &str) -> bool {
        let text = squeeze(text);
        let mut rest = text.as_str();
        for piece in &self.pieces {
            let Some(at) = memchr::memmem::find(rest.as_bytes(), piece.as_bytes()) else { return false };
            rest = rest.get(at + piece.len()..).unwrap_or_default();
        }
        !self.pieces.is_empty()
    }
}

/// Without white space and quote marks: clients wrap lines anew, and put `>` in front of them.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '>').collect()
}

/// True for HTML that hides what stands behind it: a quote, comment, style or script in it is not closed.
fn swallows(html: &str) -> bool {
    const BEHIND: &str = "mailwright";
    !html::visible(&format!("<div>{html}</div>{BEHIND}")).text.trim_end().ends_with(BEHIND)
}

/// True for a block of which lines look as if they were quoted.
fn looks_quoted(block: &str) -> bool {
    block.lines().any(|line| line.trim_start().starts_with('>'))
}

/// True where the lines of a block stand as they are: quoted, each would have a mark before it.
fn stands_in(block: &str, text: &str) -> bool {
    let lines = |text: &str| text.trim().lines().fold(String::new(), |out, line| out + "\n" + line.trim());
    lines(text).contains(&lines(block))
}

/// The lines behind the last quoted one.
fn unquoted_end(text: &str) -> &str {
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if line.trim_start().starts_with('>') {
            start = at;
        }
    }
    text.get(start..).unwrap_or_default()
}

/// Tells this message from those that quote it: the block of another message is no reason to leave ours out.
fn message_mark(draft: &Draft<'_>) -> String {
    let id = draft.values("Message-ID").into_iter().next();
    digest(&[&id.or_else(|| draft.values("Date").into_iter().next()).unwrap_or_default()])
}

/// 12 hex digits.
fn digest(pieces: &[&str]) -> String {
    let mut digest = Sha256::new();
    for piece in pieces {
        digest.update((piece.len() as u64).to_be_bytes());
        digest.update(piece.as_bytes());
    }
    digest.finalize().iter().take(6).fold(String::new(), |mut hex, octet| {
        let _ = write!(hex, "{octet:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_again_wrapped_and_quoted() {
        let print = Print::new(&Filled::fixed("This mail is confidential. Delete it if it is not for you."));
        for text in [
            "Hi\n\nThis mail is\nconfidential. Delete it if\nit is not for you.\n",
            "> > This mail is confidential. Delete it\n> > if it is not for you.",
            "This\u{a0}mail is confidential. Delete it if it is not for you.",
        ] {
            assert!(print.may_be_in(text) && print.is_in(text), "{text}");
        }
        assert!(!print.is_in("This mail is confidential."));
        assert!(!print.may_be_in("nothing of it"));
    }

    #[test]
    fn a_footer_with_a_line_like_a_quote_is_known_again() {
        let block = "Example Ltd\n> Reg. no. 1\nHigh Street";
        assert!(looks_quoted(block) && !looks_quoted("Example Ltd -> High Street"));
        assert!(stands_in(block, "Hi\r\n\r\nExample Ltd\r\n > Reg. no. 1\r\nHigh Street\r\n"));
        assert!(!stands_in(block, "Hi\n\n> Example Ltd\n> > Reg. no. 1\n> High Street\n"));
    }

    #[test]
    fn the_end_behind_the_quote() {
        assert_eq!(unquoted_end("a\n> b\nc\n"), "c\n");
        assert_eq!(unquoted_end("a\nb"), "a\nb");
        assert_eq!(unquoted_end("a\n> b"), "");
    }
}
