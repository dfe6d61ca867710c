//! Pictures of a block: files beside the rules that its HTML names as `cid:name`.
//!
//! Invariant: the same picture has the same Content-ID in every message, so a second run knows the block again.

use std::sync::Arc;

use encodify::base64;

use super::super::super::problem::Code;
use super::super::super::section::{At, Holds, Section};
use super::super::super::toml_value::{nearest_line, shown};
use super::super::super::{OptionDoc, Takes};
use crate::message::{Image, MAX_IMAGE};

/// Pictures of one block.
const MAX_IMAGES: usize = 10;
/// What a picture that stands in the rule file begins with.
const INLINE: &str = "data:image/";

pub(in crate::rule::actions) const IMAGES: OptionDoc = OptionDoc {
    key: "images",
    takes: Takes::Entries("name", &Takes::Text("path or \"data:image/…;base64,…\"")),
    default: "none",
    doc: "Pictures (PNG, JPEG or GIF, at most 256 KB each, ten of them) that go with the message, so that a mail program \
          shows them without asking anybody: `html` names one as `<img src=\"cid:name\" alt=\"…\">`. Paths are relative to \
          the folder of the rules. A message without an HTML body gets none.",
};

/// The pictures, by name.
#[derive(Debug, Default)]
pub(in crate::rule::actions) struct Images(Vec<(String, Arc<Image>)>);

impl Images {
    /// Read `images`; `html` is the source of the template that names them.
    pub fn read(section: &mut Section<'_>, html: Option<&str>) -> Option<Self> {
        let there = section.holds("images") != Holds::Nothing;
        let span = section.span_of("images");
        let mut images = Self::default();
        let mut sound = true;
        if there {
            let table = section.section("images")?;
            let entries = table.into_strings();
            if entries.len() > MAX_IMAGES {
                section.problem(&span, Code::WrongValue, format!("a block has at most {MAX_IMAGES} pictures"), "");
                return None;
            }
            for (name, value) in entries {
                match image(section, &name, value) {
                    Some(image) => images.0.push((name.value, Arc::new(image))),
                    None => sound = false,
                }
            }
        }
        let named = html.map(names).unwrap_or_default();
        for (name, _) in &images.0 {
            if !named.contains(&name.as_str()) {
                let what = format!("`html` shows no picture `{}`", shown(name));
                section.problem(
                    &span,
                    Code::WrongValue,
                    what,
                    format!("put `<img src=\"cid:{name}\" alt=\"\">` into it"),
                );
                sound = false;
            }
        }
        for name in named {
            if sound && !images.0.iter().any(|(own, _)| own == name) {
                let what = format!("`cid:{}` names no picture of `images`", shown(name));
                let help = nearest_line(name, images.0.iter().map(|(own, _)| own.as_str()));
                let span = section.span_of("html");
                section.problem(&span, Code::WrongValue, what, help);
                sound = false;
            }
        }
        sound.then_some(images)
    }

    /// HTML with the Content-IDs of the pictures in place of their names.
    pub fn named_in(&self, html: &str) -> String {
        let mut out = String::with_capacity(html.len());
        let mut rest = html;
        while let Some((before, name)) = next(rest) {
            let after = rest.get(before.len() + name.len()..).unwrap_or_default();
            let image = self.0.iter().find(|(own, _)| own == name);
            out.push_str(before);
            out.push_str(image.map_or(name, |(_, image)| image.content_id()));
            rest = after;
        }
        out.push_str(rest);
        out
    }

    pub fn list(&self) -> Vec<Arc<Image>> {
        self.0.iter().map(|(_, image)| Arc::clone(image)).collect()
    }
}

fn image(section: &mut Section<'_>, name: &At<String>, value: Option<At<String>>) -> Option<Image> {
    let Some(value) = value else {
        section.problem(&name.span, Code::WrongValue, "a picture is a path or a `data:` URL", "");
        return None;
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if name.value.is_empty() || name.value.len() > 40 || !name.value.bytes().all(plain) {
        section.problem(&name.span, Code::WrongValue, "a picture's name is 1 to 40 of a-z, A-Z, 0-9, - and _", "");
        return None;
    }
    let content = if value.value.starts_with(INLINE) {
        let data = value.value.split_once(";base64,").map(|(_, data)| data);
        if let Some(content) = data.and_then(|data| base64::MIME.decode(data.as_bytes()).ok()) {
            content
        } else {
            section.problem(&value.span, Code::WrongValue, "this `data:` URL is no base64", "");
            return None;
        }
    } else {
        match section.read_octets(&value.value, MAX_IMAGE as u64) {
            Ok(content) => content,
            Err(why) => {
                let what = format!("the picture `{}` cannot be read: {why}", shown(&value.value));
                section.problem(
                    &value.span,
                    Code::Template,
                    what,
                    "the path is relative to the folder of the rule files",
                );
                return None;
            }
        }
    };
    match Image::new(&name.value, content) {
        Ok(image) => Some(image),
        Err(why) => {
            let help = "mail programs show PNG, JPEG and GIF; make it as small as it is shown";
            section.problem(&value.span, Code::WrongValue, format!("this picture cannot be shown: {why}"), help);
            None
        }
    }
}

/// What stands before the next name of a picture, `cid:` included, and the name.
fn next(html: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let at = from + html.get(from..)?.find("cid:")?;
        let start = at + "cid:".len();
        let before = html.get(..at)?.chars().next_back();
        let rest = html.get(start..)?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.' | '@'));
        let name = rest.get(..end.unwrap_or(rest.len()))?;
        if matches!(before, Some('"' | '\'' | '=' | '(')) && !name.is_empty() {
            return Some((html.get(..start)?, name));
        }
        from = start;
    }
}

fn names(html: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = html;
    while let Some((before, name)) = next(rest) {
        names.push(name);
        rest = rest.get(before.len() + name.len()..).unwrap_or_default();
    }
    names
}
