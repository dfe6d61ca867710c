//! What `append` and `prepend` share: a block of text, in both forms, that knows itself again.
//!
//! Invariant: running a rule on its own output changes nothing, except with `once = "always"`, and nobody else's text
//! keeps a block away from where it would be seen, except with `once = "thread"`.

mod images;
mod once;
mod options;
#[cfg(test)]
mod pictures_tests;
mod print;
#[cfg(test)]
mod tests;
mod wrapper;
mod written;

use std::sync::{Arc, OnceLock};

use super::super::problem::Code;
use super::super::readable::{as_html, readable};
use super::super::section::{Holds, Section};
use super::super::template::{Context, Filled, Template};
use super::super::{Action, ActionError, Effect, Protected, Scene};
use crate::directory::Need;
use crate::message::{Block, Body, BodyError, Draft, Inserted, Message, Outside, Place, Target, html};
pub(super) use images::IMAGES;
pub(super) use images::Images;
use once::{Blocks, Where};
pub(super) use options::{FALLBACK, HTML, NO_BODY, ONCE, PROTECTED, TEXT, read_protected};
pub(super) use print::{Print, blank_quoted};
use wrapper::{digest, marked, message_mark, swallows};
pub use written::Written;
pub(super) use written::{ANY_END, ANY_NAME};

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
    images: Images,
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
    /// Variables that the directory leaves empty, for the report.
    missing: Vec<&'static str>,
    html_print: Print,
    text_print: Print,
    written: Arc<Written>,
    /// Nothing would be seen of it.
    is_blank: bool,
}

/// What is seen of HTML without any text.
const SEEN_WITHOUT_TEXT: &[&str] =
    &["<img", "<hr", "<svg", "<picture", "<video", "<object", "<iframe", "<input", "<button", "background", "border"];

/// True for HTML of which no reader sees anything, such as a table whose cells are empty for this message.
fn shows_nothing(html: &str) -> bool {
    let lower = html.to_ascii_lowercase();
    !SEEN_WITHOUT_TEXT.iter().any(|seen| lower.contains(seen)) && html::visible(html).text.trim().is_empty()
}

/// Stands for the marks in [`Written`]: others of their form are taken for them.
const ANY_MARK: &str = "000000000000";

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
        let images = Images::read(section, html.as_ref().map(Template::source))?;
        let [had_html, had_text] = problems;
        let whole = (had_html == Holds::Nothing || html.is_some()) && (had_text == Holds::Nothing || text.is_some());
        (given && whole).then(|| Self {
            kind,
            html,
            text,
            images,
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
        let html = html.map(|html| html.map(|html| self.images.named_in(html)));
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
            missing: self.missing_values(scene),
            html_print: Print::new(&html.map(|html| html::visible(html).text)),
            text_print: Print::new(&text),
            written: Arc::new(written(&html, &text)),
            is_blank: text.text().trim().is_empty() && shows_nothing(&html.text()),
            text: text.text().trim_matches('\n').to_owned(),
            html: html::shielded(html.text().trim()),
        })
    }

    /// Variables that are empty though the directory is to tell them.
    fn missing_values(&self, scene: &Scene<'_, '_>) -> Vec<&'static str> {
        let mut names: Vec<_> = self.html.iter().chain(&self.text).flat_map(|t| t.missing(scene)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Tells the blocks of one action from those of others, whatever message they are in.
    fn mark(&self, rule: &str) -> String {
        let [html, text] = [&self.html, &self.text].map(|t| t.as_ref().map_or("", Template::source));
        digest(&[rule, self.kind, html, text])
    }

    /// The bodies in which the block is missing; `None` where it is there already.
    fn missing(&self, ready: &Ready, scene: &mut Scene<'_, '_>, at: Where) -> Option<Vec<Target>> {
        if self.is_in_thread(ready, scene) {
            return None;
        }
        let this = &ready.written;
        let looked_for = self.once == Once::Message && Blocks { this, others: &[] }.may_be_there(scene.draft);
        // At the edges other blocks do not matter until this one is found, or one stands beside the message.
        if !looked_for && at.place.is_edge() && scene.draft.beside().next().is_none() {
            let target = |body| Target::new(body, Vec::new(), at.place);
            return Some(scene.draft.targets(at.place).into_iter().map(target).collect());
        }
        self.look(ready, scene, at)
    }

    /// The same, told from what stands in the bodies.
    fn look(&self, ready: &Ready, scene: &mut Scene<'_, '_>, at: Where) -> Option<Vec<Target>> {
        let others = self.written_by_others(scene);
        let mut seen = Blocks { this: &ready.written, others: &others }.look(scene.draft, at);
        if self.once == Once::Message && !seen.is_empty() {
            seen.retain(|seen| !seen.is_there);
            if seen.is_empty() {
                return None;
            }
        }
        Some(seen.into_iter().filter_map(|seen| seen.target).collect())
    }

    fn written_by_others(&self, scene: &mut Scene<'_, '_>) -> Vec<Arc<Written>> {
        written_by(scene, |action| !std::ptr::addr_eq(action, self))
    }

    /// With `once = "thread"`: does the block stand anywhere?
    fn is_in_thread(&self, ready: &Ready, scene: &mut Scene<'_, '_>) -> bool {
        self.once == Once::Thread && {
            let ours = self.beside(ready, scene);
            ready.is_in_thread(scene.draft, &ours)
        }
    }

    /// The parts of the message that a run before has put beside it.
    fn beside(&self, ready: &Ready, scene: &mut Scene<'_, '_>) -> Vec<Body> {
        if scene.draft.beside().next().is_none() {
            return Vec::new();
        }
        let others = self.written_by_others(scene);
        let blocks = Blocks { this: &ready.written, others: &others };
        blocks.beside(scene.draft).into_iter().map(|beside| beside.body).collect()
    }

    /// Where the block goes in this message, where `ours` stand beside it.
    fn place(&self, draft: &Draft<'_>, ours: &[Body]) -> Where {
        if draft.protection().is_none() || self.protected != Protected::Wrap {
            return Where { place: self.place, or_above: false };
        }
        // A new part stands above the message in any case: below it, it would be taken for an attachment.
        let place = if draft.has_free_bodies(self.place, ours) { self.place } else { Place::Start };
        Where { place, or_above: true }
    }

    /// `may_stand_beside`: where a second run would not know the block in the text, it becomes a part of its own, so that
    /// nobody can write a text that keeps it away.
    fn put(
        &self,
        scene: &mut Scene<'_, '_>,
        may_stand_beside: bool,
        put: impl FnOnce(&mut Draft<'_>, &Block, &Missing<'_>) -> Result<Effect, BodyError>,
    ) -> Result<Effect, ActionError> {
        let ready = self.ready(scene)?;
        if ready.is_blank {
            return Ok(Effect::Nothing("its text is empty for this message"));
        }
        let ours = self.beside(&ready, scene);
        let at = self.place(scene.draft, &ours);
        let Some(targets) = self.missing(&ready, scene, at) else {
            return Ok(Effect::Nothing("it is there already"));
        };
        let here = format!("{}-{}", ready.mark, message_mark(scene.draft));
        let block = Block { text: ready.text.clone(), html: marked(&ready.html, &here), images: self.images.list() };
        let before = (may_stand_beside && self.once != Once::Always).then(|| scene.draft.clone());
        let mut effect = put(scene.draft, &block, &Missing { targets: &targets, ours: &ours, place: at.place })?;
        // Invariant 6, before the message leaves: what is not known again would be put in twice.
        let mut known =
            self.once == Once::Always || !matches!(effect, Effect::Edited(..)) || self.is_known(&ready, scene, at);
        if let (false, Some(before)) = (known, before) {
            *scene.draft = before;
            scene.draft.put_beside(&block, at.place)?;
            effect = Effect::Edited(1, "a part of its own, as a second run would not know it in the text".to_owned());
            known = self.is_known(&ready, scene, at);
        }
        match effect {
            _ if !known => Err(ActionError::Once),
            Effect::Edited(count, note) if !ready.missing.is_empty() => {
                Ok(Effect::Edited(count, format!("{note}, without {}", ready.missing.join(", "))))
            }
            effect => Ok(effect),
        }
    }

    /// Would a second run leave the block out?
    fn is_known(&self, ready: &Ready, scene: &mut Scene<'_, '_>, at: Where) -> bool {
        if !scene.draft.has_parts_beside() {
            return self.is_in_thread(ready, scene)
                || self.once != Once::Thread && self.look(ready, scene, at).is_none();
        }
        // Parts beside a message are in no draft of it: as a second run will see it. What does not hold up is not put back.
        let Ok(rendered) = scene.draft.render() else { return true };
        let raw = rendered.to_vec();
        let message = Message::parse(&raw);
        let mut draft = Draft::new(&message);
        let mut scene = Scene {
            late: crate::rule::Late::NEVER,
            draft: &mut draft,
            envelope: scene.envelope,
            facts: scene.facts,
            organization: scene.organization,
            rule: scene.rule,
            key: scene.key,
            rules: scene.rules,
        };
        let ours = self.beside(ready, &mut scene);
        let at = self.place(scene.draft, &ours);
        self.missing(ready, &mut scene, at).is_none()
    }
}

/// Where a block is missing.
struct Missing<'m> {
    targets: &'m [Target],
    /// Parts of ours beside the message.
    ours: &'m [Body],
    place: Place,
}

/// The blocks of all rules, as they would be written into this message.
pub(super) fn written_by_rules(scene: &mut Scene<'_, '_>) -> Vec<Arc<Written>> {
    written_by(scene, |_| true)
}

/// The blocks of those actions.
fn written_by(scene: &mut Scene<'_, '_>, which: impl Fn(&dyn Action) -> bool) -> Vec<Arc<Written>> {
    let running = scene.rule;
    let mut written = Vec::new();
    for rule in scene.rules {
        scene.rule = &rule.name;
        let actions = rule.actions.iter().map(Box::as_ref).filter(|action| which(*action));
        written.extend(actions.filter_map(|action| action.block(scene)));
    }
    scene.rule = running;
    written
}

/// Both forms as they will stand in a text, with the places of variables and marks kept.
fn written(html: &Filled<'_>, text: &Filled<'_>) -> Written {
    let any = Filled::value(ANY_MARK);
    Written::new(text, &html.map(|html| marked(&html::shielded(html.trim()), &format!("{any}-{any}"))))
}

impl Action for Insert {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let (fallback, no_body) = (self.fallback, self.no_body);
        self.put(scene, fallback == Fallback::Part, |draft, block, &Missing { targets, place, .. }| {
            let inserted = match fallback {
                Fallback::Part => draft.insert_or_put_beside(targets, block, place)?,
                Fallback::Skip => Inserted::Into(draft.insert_into(targets, block)?),
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
        self.put(scene, false, |draft, block, &Missing { targets, ours, place }| {
            Ok(match draft.insert_outside(targets, ours, block, place)? {
                Outside::Into(1) => Effect::Edited(1, "1 body that nothing protects".to_owned()),
                Outside::Into(count) => Effect::Edited(count, format!("{count} bodies that nothing protects")),
                Outside::Above => Effect::Edited(1, "the message is wrapped".to_owned()),
                Outside::Nowhere(what) => {
                    Effect::Unfit(format!("{}, which would lose its meaning inside another part", what.as_str()))
                }
            })
        })
    }
    fn block(&self, scene: &Scene<'_, '_>) -> Option<Arc<Written>> {
        self.ready(scene).ok().map(|ready| Arc::clone(&ready.written))
    }
    fn edits_body(&self) -> bool {
        true
    }
    fn need(&self) -> Need {
        let mut need = Need::default();
        self.html.iter().chain(&self.text).for_each(|template| need.add(template.need()));
        need
    }
    fn protected_policy(&self) -> Option<Protected> {
        Some(self.protected)
    }
}
