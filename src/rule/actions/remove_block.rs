//! `remove_block`: takes copies of a block out of bodies, as they stand in quoted text.
//!
//! Invariant: what is taken out is the block and the signs beside it; where anything else stands on its lines, or its
//! markup does not open and close, the copy stays.

mod pictures;

use std::ops::Range;
use std::sync::Arc;

use super::super::readable::{as_html, readable};
use super::super::section::{Holds, Section};
use super::super::template::{Context, Filled, Template};
use super::super::{Action, ActionError, ActionKind, Effect, OptionDoc, Protected, Scene, Takes};
use super::block::{Images, Print, blank_quoted};
use crate::directory::Need;
use crate::envelope::Direction;
use crate::message::{BodyKind, Image, PartId, TextEdit, html};
use crate::rule::problem::Code;
use pictures::Pictures;

/// `remove_block`.
pub const KIND: ActionKind = ActionKind {
    kind: "remove_block",
    doc: "Takes every copy of a block out of the bodies, such as a banner in what a reply quotes, however it is wrapped and \
          quoted. A copy with other text on its lines stays. A picture that came with the block goes with its last copy, where \
          nothing else shows it.",
    options: &[
        OptionDoc {
            key: "html",
            takes: Takes::Template,
            default: "made from `text`",
            doc: "The block, as the rule that puts it in has it. What its variables hold may be anything short.",
        },
        OptionDoc {
            key: "text",
            takes: Takes::Template,
            default: "made from `html`",
            doc: "The block for plain text bodies, as the rule that puts it in has it.",
        },
        OptionDoc {
            key: "images",
            takes: Takes::Entries("name", &Takes::Text("path or \"data:image/…;base64,…\"")),
            default: "none",
            doc: "The pictures of the block, as the rule that puts it in has them: they are known again where a mail program \
                  gave them another name.",
        },
    ],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"remove_block\"\n\
              text = \"This mail comes from outside ({{ sender.domain }}). Take care with links.\"\n",
    compile,
};

/// Elements that are taken out with the text which is all that they hold.
const MAX_ELEMENTS: usize = 20;

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let given = ["html", "text"].iter().any(|key| section.holds(key) != Holds::Nothing);
    let html = Template::read(section, "html", Context::Html);
    let text = Template::read(section, "text", Context::Text);
    if !given {
        let span = section.span();
        let help = "give one of them, or both: what is not given is made from the other";
        section.problem(&span, Code::Missing, "`html` or `text` is missing", help);
    }
    let has_images = section.holds("images") != Holds::Nothing;
    let source = html.as_ref().map(Template::source).filter(|_| has_images);
    let images = Images::read(section, source)?.list();
    (html.is_some() || text.is_some()).then(|| Box::new(RemoveBlock { html, text, images }) as Box<dyn Action>)
}

#[derive(Debug)]
struct RemoveBlock {
    html: Option<Template>,
    text: Option<Template>,
    images: Vec<Arc<Image>>,
}

impl RemoveBlock {
    /// What the block is known by in both forms.
    fn prints(&self, scene: &Scene<'_, '_>) -> Result<[Print; 2], ActionError> {
        let html = self.html.as_ref().map(|t| t.fill(scene)).transpose()?;
        let text = self.text.as_ref().map(|t| t.fill(scene)).transpose()?;
        let shown = match (&html, &text) {
            (Some(html), _) => html.map(|html| html::visible(html).text),
            (None, Some(text)) => text.map(|text| html::visible(&as_html(text)).text),
            (None, None) => Filled::fixed(""),
        };
        let text = text.or_else(|| html.map(|html| html.map(readable))).unwrap_or(Filled::fixed(""));
        Ok([Print::new(&text), Print::new(&shown)])
    }
}

impl Action for RemoveBlock {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let [plain, shown] = self.prints(scene)?;
        let mut count = 0;
        let mut pictures = None;
        let mut gone: Vec<PartId> = Vec::new();
        for body in scene.draft.bodies() {
            // A body that cannot be read holds no copy that is known.
            let Ok(text) = scene.draft.text(body.part) else { continue };
            let edits = match body.kind {
                BodyKind::Plain if plain.may_be_in(text) => in_text(text, &plain),
                BodyKind::Html if shown.may_be_in(text) => {
                    let pictures = pictures.get_or_insert_with(|| Pictures::of(scene.draft, &self.images));
                    let ranges = in_html(text, &shown, pictures);
                    let tags = ranges.iter().flat_map(|range| tags(text.get(range.clone()).unwrap_or_default()));
                    gone.extend(tags.filter_map(|tag| pictures.shown_by(tag)));
                    ranges
                }
                _ => Vec::new(),
            };
            let edits: Vec<TextEdit> = edits.into_iter().map(|range| TextEdit { range, text: String::new() }).collect();
            count += edits.len();
            scene.draft.edit(body.part, &edits)?;
        }
        let pictures = pictures.map_or(0, |pictures| pictures.take_out(scene.draft, &gone));
        let pictures = match pictures {
            0 => String::new(),
            1 => ", 1 picture".to_owned(),
            _ => format!(", {pictures} pictures"),
        };
        Ok(match count {
            0 => Effect::Nothing("it is not there"),
            1 => Effect::Edited(1, format!("1 copy{pictures}")),
            _ => Effect::Edited(count, format!("{count} copies{pictures}")),
        })
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn protected(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        (scene.draft.protection().is_some() && scene.draft.bodies().is_empty()).then_some(Protected::HeadersOnly)
    }
    fn need(&self) -> Need {
        let mut need = Need::default();
        self.html.iter().chain(&self.text).for_each(|template| need.add(template.need()));
        need
    }
    fn edits_body(&self) -> bool {
        true
    }
    fn protected_policy(&self) -> Option<Protected> {
        Some(Protected::HeadersOnly)
    }
}

/// The lines of each copy, with one empty line beside it.
fn in_text(text: &str, print: &Print) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for found in print.find(text) {
        let start = text.get(..found.start).and_then(|above| above.rfind('\n')).map_or(0, |at| at + 1);
        let rest = text.get(found.end..).unwrap_or_default();
        let end = rest.find('\n').map_or(text.len(), |at| found.end + at + 1);
        let alone = |range: Range<usize>| text.get(range).is_some_and(|beside| print.is_blank(beside));
        if !alone(start..found.start) || !alone(found.end..end) {
            continue;
        }
        // The empty line that parted it from the next.
        let below = text.get(end..).and_then(|below| below.split_inclusive('\n').next());
        let end = below.filter(|below| blank_quoted(below)).map_or(end, |below| end + below.len());
        if ranges.last().is_none_or(|last| last.end <= start) {
            ranges.push(start..end);
        }
    }
    ranges
}

/// The text of each copy with the elements that hold nothing else.
fn in_html(source: &str, print: &Print, pictures: &Pictures) -> Vec<Range<usize>> {
    let visible = html::visible(source);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for found in print.find(&visible.text) {
        let start = visible.text.get(..found.start).and_then(|above| above.rfind('\n')).map_or(0, |at| at + 1);
        let rest = visible.text.get(found.end..).unwrap_or_default();
        let end = rest.find('\n').map_or(visible.text.len(), |at| found.end + at);
        let alone = |range: Range<usize>| visible.text.get(range).is_some_and(|beside| print.is_blank(beside));
        if !alone(start..found.start) || !alone(found.end..end) {
            continue;
        }
        let shown = visible.source_ranges(start..end);
        let (Some(first), Some(last)) = (shown.first(), shown.last()) else { continue };
        let Some(range) = whole_elements(source, first.start..last.end, pictures) else { continue };
        if ranges.last().is_none_or(|last| last.end <= range.start) {
            ranges.push(range);
        }
    }
    ranges
}

/// The tags of a fragment.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.match_indices('<').filter_map(|(at, _)| html.get(at..at + html.get(at..)?.find('>')? + 1))
}

/// The range with the tags round it, as far as these hold nothing else but pictures of ours; `None` where its own tags do not
/// match.
fn whole_elements(source: &str, mut range: Range<usize>, pictures: &Pictures) -> Option<Range<usize>> {
    let mut balanced = is_balanced(source.get(range.clone())?);
    for _ in 0..MAX_ELEMENTS {
        let above = source.get(..range.start)?.trim_end();
        let below = source.get(range.end..)?;
        if let Some(length) = pictures.above(source.get(..range.start)?) {
            range.start -= length;
            continue;
        }
        if let Some(length) = pictures.below(below) {
            range.end += length;
            continue;
        }
        // What opened in the range and closes right behind it.
        if !balanced
            && let Some(last) = unclosed(source.get(range.clone())?).as_ref().and_then(|open| open.last())
            && let Some(length) = closer(below, last)
        {
            range.end += length;
            balanced = is_balanced(source.get(range.clone())?);
            continue;
        }
        let Some(open) = above.ends_with('>').then(|| above.rfind('<')).flatten() else { break };
        let tag = above.get(open + 1..)?;
        let name = tag.get(..tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len()))?;
        let is_flow = ["div", "p", "span", "b", "i", "em", "strong", "font", "a", "u", "small", "center", "blockquote"];
        let is_table = ["td", "tr", "tbody", "table"];
        if !is_flow.iter().chain(&is_table).any(|known| name.eq_ignore_ascii_case(known)) {
            break;
        }
        let closes = closer(below, name);
        let inside = source.get(open..range.end)?;
        if !balanced && is_balanced(inside) {
            range.start = open;
            balanced = true;
        } else if let Some(length) = closes {
            range = open..range.end + length;
            balanced = is_balanced(source.get(range.clone())?);
        } else if !balanced {
            range.start = open;
        } else {
            break;
        }
    }
    balanced.then_some(range)
}

/// The length of an end tag of that name and the white space before it, where it comes first.
fn closer(html: &str, name: &str) -> Option<usize> {
    let tag = html.trim_start().strip_prefix("</")?;
    let is_name = tag.get(..name.len()).is_some_and(|closed| closed.eq_ignore_ascii_case(name));
    let rest = tag.get(name.len()..).filter(|rest| is_name && rest.trim_start().starts_with('>'))?;
    Some(html.len() - rest.len() + rest.find('>')? + 1)
}

/// True for HTML in which every element that opens closes, and the other way round.
fn is_balanced(fragment: &str) -> bool {
    unclosed(fragment).is_some_and(|open| open.is_empty())
}

/// The elements that open and do not close; `None` where one closes that is not open.
fn unclosed(fragment: &str) -> Option<Vec<String>> {
    let mut open: Vec<String> = Vec::new();
    let mut rest = fragment;
    while let Some((_, behind)) = rest.split_once('<') {
        let (tag, after) = behind.split_once('>')?;
        rest = after;
        let name = |tag: &str| tag.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        if let Some(closed) = tag.strip_prefix('/') {
            if open.pop() != Some(name(closed)) {
                return None;
            }
        } else if tag.starts_with(['!', '?']) {
            return None;
        } else if !tag.ends_with('/') && !matches!(name(tag).as_str(), "br" | "img" | "hr" | "wbr" | "") {
            open.push(name(tag));
        }
    }
    Some(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print() -> Print {
        Print::new(&Filled::fixed("[Outside] This mail comes from outside. Take care with links."))
    }

    fn without(text: &str, find: impl Fn(&str, &Print) -> Vec<Range<usize>>) -> String {
        let mut text = text.to_owned();
        for range in find(&text.clone(), &print()).into_iter().rev() {
            text.replace_range(range, "");
        }
        text
    }

    #[test]
    fn quoted_copies_go_with_their_lines() {
        for (text, rest) in [
            (
                "Yes.\n\nKim wrote:\n> [Outside] This mail comes from\n> outside. Take care with links.\n>\n> Shall we?\n",
                "Yes.\n\nKim wrote:\n> Shall we?\n",
            ),
            (
                "Yes.\n>> [Outside] This mail comes\n>> from outside.\n>> Take care with *links*.\n>> Shall we?\n",
                "Yes.\n>> Shall we?\n",
            ),
            ("[Outside] This mail comes from outside. Take care with links.\r\n\r\nHi\r\n", "Hi\r\n"),
            ("Hi\n\n[Outside] This mail comes from outside. Take care with links.", "Hi\n\n"),
        ] {
            assert_eq!(without(text, in_text), rest);
        }
    }

    #[test]
    fn copies_with_other_text_on_their_lines_stay() {
        for text in [
            "> Note: [Outside] This mail comes from outside. Take care with links.\n",
            "> [Outside] This mail comes from outside. Take care with links. And money.\n",
            "> This mail comes from inside. Take care with links.\n",
        ] {
            assert_eq!(without(text, in_text), text);
        }
    }

    #[test]
    fn copies_in_html_go_with_their_elements() {
        let block = "<div data-x=\"1\" style=\"a\"><p>[Outside] This mail comes from <b>outside</b>.<br>\nTake care with \
                     <a href=\"https://x.example/\">links</a>.</p></div>";
        for (html, rest) in [
            (format!("<p>Yes.</p><blockquote>{block}<p>Shall we?</p></blockquote>"), "<p>Yes.</p><blockquote><p>Shall we?</p></blockquote>"),
            (
                "<p>Yes.</p><table><tr><td>[Outside] This mail comes from outside. Take care with <b>links</b>.</td></tr></table>\
                 <p>Shall we?</p>".to_owned(),
                "<p>Yes.</p><p>Shall we?</p>",
            ),
            (
                "<p>Yes.</p><div><b>[Outside]</b> This mail comes from outside. <i>Take care with links.</i></div>Hi".to_owned(),
                "<p>Yes.</p>Hi",
            ),
        ] {
            assert_eq!(without(&html, |text, print| in_html(text, print, &Pictures::default())), rest);
        }
        for html in [
            format!("<p>Note: {}</p>", &block[block.find("[O").unwrap()..block.find("</p>").unwrap()]),
            "<p>[Outside] This mail comes from <b>outside.</p><p>Take care</b> with links.</p>".to_owned(),
        ] {
            assert_eq!(without(&html, |text, print| in_html(text, print, &Pictures::default())), html);
        }
    }
}
