//! The HTML of a mail, written out so that a browser can show it and nothing in it acts.
//!
//! Invariant: what comes out loads nothing, runs nothing, sends nothing and leads nowhere, and whatever stands open in it
//! ends with it. Tags and attributes are written anew from a list of those that only look like something; addresses are
//! dropped, but for images of the message itself. The sandbox of the frame and its policy say the same once more.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use mailwright::message::html::{Piece, pieces};
use regex::Regex;

use super::markup::{cut, reference};

/// What a frame may do: show text, its own styles, and images that stand in it.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";
/// Before the mail's own styles, so that they go before these.
const STYLE: &str = "html{color-scheme:light;scrollbar-width:thin;background:#fff;color:#1a1a1a}\
    body{font:15px/1.5 system-ui,sans-serif;margin:16px;overflow-wrap:break-word}\
    pre.mailwright-plain{font:13px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;margin:0}\
    a[title]{color:#0b57d0;text-decoration:underline;cursor:help}";
/// Most octets of images of a message that are shown, in base64; others are named.
const MAX_IMAGES: usize = 3 * 1024 * 1024;
/// Longest address that is shown where one was taken out.
const SHOWN: usize = 300;

/// Elements that are left out with their tags; what they hold is shown, unless it is raw.
const DROPPED: &[&str] = &[
    "applet",
    "base",
    "embed",
    "fencedframe",
    "form",
    "frame",
    "frameset",
    "iframe",
    "link",
    "math",
    "meta",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "param",
    "plaintext",
    "portal",
    "script",
    "source",
    "svg",
    "template",
    "textarea",
    "title",
    "track",
    "xmp",
    "audio",
    "video",
    "slot",
    "selectedcontent",
    "dialog",
    "isindex",
    "bgsound",
];

/// Attributes that only say how something looks.
const KEPT: &[&str] = &[
    "align",
    "alink",
    "alt",
    "bgcolor",
    "border",
    "bordercolor",
    "cellpadding",
    "cellspacing",
    "char",
    "checked",
    "class",
    "clear",
    "color",
    "cols",
    "colspan",
    "compact",
    "dir",
    "disabled",
    "face",
    "frame",
    "headers",
    "height",
    "hidden",
    "hspace",
    "id",
    "label",
    "lang",
    "link",
    "media",
    "noshade",
    "nowrap",
    "open",
    "placeholder",
    "reversed",
    "role",
    "rows",
    "rowspan",
    "rules",
    "scope",
    "selected",
    "size",
    "span",
    "start",
    "style",
    "summary",
    "text",
    "title",
    "type",
    "valign",
    "value",
    "vlink",
    "vspace",
    "width",
];

/// Images of a message by their Content-ID: the type, and the content in base64.
pub type Images = HashMap<String, (String, String)>;

/// A whole document for a frame.
pub fn document(body: &str) -> String {
    format!(
        "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"referrer\" content=\"no-referrer\"><style>{STYLE}</style>{body}"
    )
}

/// Plain text for a frame.
pub fn plain(text: &str) -> String {
    format!("<pre class=\"mailwright-plain\">{}</pre>", reference(text))
}

/// The HTML of a mail, inert.
pub fn html(source: &str, images: &Images) -> String {
    let mut writer = Writer { images, left: MAX_IMAGES, out: String::with_capacity(source.len() + 1024) };
    for piece in pieces(source) {
        match piece {
            // A `<` in it opens nothing there; here it could.
            Piece::Text(text) => writer.out.push_str(&text.replace('<', "&lt;").replace('\0', "\u{fffd}")),
            Piece::Raw { element, text } if element == "style" => writer.style(text),
            Piece::Raw { element, text } if matches!(element.as_str(), "textarea" | "xmp" | "plaintext") => {
                let shown = if element == "textarea" { text.replace('<', "&lt;") } else { reference(text) };
                let _ = write!(writer.out, "<pre>{shown}</pre>");
            }
            Piece::Raw { .. } | Piece::Doctype => {}
            Piece::Start { name, attributes } => writer.start(&name, &attributes),
            Piece::End { name } => {
                if is_kept(&name) {
                    let _ = write!(writer.out, "</{name}>");
                }
            }
        }
    }
    writer.out
}

/// A tag that may be written: a name like any other, and none that is left out.
fn is_kept(name: &str) -> bool {
    name != "style"
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-:_".contains(&b))
        && !DROPPED.contains(&name)
}

struct Writer<'i> {
    images: &'i Images,
    left: usize,
    out: String,
}

impl Writer<'_> {
    /// No `<` comes through: wherever a browser does not take `<style>` for a raw element, there is no markup in it. An
    /// import is refused by the policy.
    fn style(&mut self, css: &str) {
        let css = self.css(css).replace('<', " ");
        let _ = write!(self.out, "<style>{css}</style>");
    }

    fn start(&mut self, name: &str, attributes: &[(String, std::borrow::Cow<'_, str>)]) {
        if !is_kept(name) {
            return;
        }
        let name = if name == "image" { "img" } else { name };
        let _ = write!(self.out, "<{name}");
        let mut titled = false;
        let mut note = None;
        for (key, value) in attributes {
            match key.as_str() {
                "src" | "background" => {
                    let (address, said) = self.image(value, key == "src");
                    if let Some(address) = address {
                        let _ = write!(self.out, " {key}=\"{}\"", reference(&address));
                    }
                    note = said.or(note);
                }
                "href" if !value.trim().is_empty() => note = Some(format!("leads to {}", shown(value))),
                "style" => {
                    let css = self.css(value);
                    let _ = write!(self.out, " style=\"{}\"", reference(&css));
                }
                key if KEPT.contains(&key) || is_data(key) => {
                    titled |= key == "title";
                    let _ = write!(self.out, " {key}=\"{}\"", reference(value));
                }
                _ => {}
            }
        }
        if let Some(note) = note.filter(|_| !titled) {
            let _ = write!(self.out, " title=\"{}\"", super::markup::text(&note));
        }
        self.out.push('>');
    }

    /// The address that is written instead, and what to say of it.
    fn image(&mut self, address: &str, seen: bool) -> (Option<String>, Option<String>) {
        let trimmed = address.trim();
        if let Some(id) = trimmed.get(..4).filter(|s| s.eq_ignore_ascii_case("cid:")).and_then(|_| trimmed.get(4..)) {
            return match self.cid(id) {
                Some(data) => (Some(data), None),
                None => {
                    (seen.then(|| placeholder("image")), Some("an image of this message that is not shown".to_owned()))
                }
            };
        }
        if is_image_data(trimmed) && trimmed.len() <= self.left {
            self.left -= trimmed.len();
            return (Some(trimmed.to_owned()), None);
        }
        if !seen || trimmed.is_empty() {
            return (None, None);
        }
        (Some(placeholder("remote image")), Some(format!("not loaded: {}", shown(trimmed))))
    }

    fn cid(&mut self, id: &str) -> Option<String> {
        let found = self.images.get(id).or_else(|| {
            // Some write the id as a URL, with `%40` for `@` (RFC 2392 §2).
            self.images.get(&id.replace("%40", "@"))
        });
        let (media_type, content) = found.filter(|(_, content)| content.len() <= self.left)?;
        self.left -= content.len();
        Some(format!("data:{media_type};base64,{content}"))
    }

    /// Style sheets name images of the message as well, and places elsewhere.
    fn css(&mut self, css: &str) -> String {
        let mut out = String::with_capacity(css.len());
        let mut rest = css;
        while let Some(at) = rest.find("cid:") {
            let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
            out.push_str(&without_places(before));
            let id = from.get(4..).unwrap_or_default();
            let end = id.find(|c: char| c.is_whitespace() || "\"')<>".contains(c)).unwrap_or(id.len());
            let (id, after) = id.split_at_checked(end).unwrap_or((id, ""));
            out.push_str(&self.cid(id).unwrap_or_else(|| "data:,".to_owned()));
            rest = after;
        }
        out.push_str(&without_places(rest));
        out
    }
}

/// A piece of a style sheet in which what would lead elsewhere is text that nobody asks for. What is written with escapes the
/// frame's policy stops.
fn without_places(css: &str) -> Cow<'_, str> {
    /// A scheme that needs no slashes, any other with them, or an address without a scheme. In base64 no colon stands, nor
    /// what stands before the slashes here.
    static PLACE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?i)\bhttps?:/*|\b[a-z][a-z0-9+.-]*://|([\s("'])/{2,}"#).expect("a pattern"));
    PLACE.replace_all(css, "${1}data:,")
}

fn is_data(key: &str) -> bool {
    (key.starts_with("data-") || key.starts_with("aria-"))
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// `data:` URIs of pictures; an SVG as an image runs and loads nothing (SVG 2 §2.2.2, secure static mode).
fn is_image_data(address: &str) -> bool {
    address.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("data:image/"))
}

fn shown(address: &str) -> String {
    let (shown, all) = cut(address.trim(), SHOWN);
    if all { shown.to_owned() } else { format!("{shown}…") }
}

/// A box that says what is not there; it takes the size that the mail gives it.
fn placeholder(words: &str) -> String {
    let words = words.replace(' ', "%20");
    format!(
        "data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20width='150'%20height='56'%20viewBox='0%200%20150%2056'%3E%3Crect%20x='.5'%20\
         y='.5'%20width='149'%20height='55'%20rx='4'%20fill='%23f4f5f7'%20stroke='%23b8bec8'%20stroke-dasharray='4%203'/%3E\
         %3Ctext%20x='75'%20y='33'%20font-family='sans-serif'%20font-size='12'%20fill='%23667085'%20\
         text-anchor='middle'%3E{words}%3C/text%3E%3C/svg%3E"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inert(source: &str) -> String {
        let image = ("image/png".to_owned(), "AAAA".to_owned());
        html(source, &Images::from([("logo@example.com".to_owned(), image)]))
    }

    #[test]
    fn style_sheets_lead_nowhere() {
        for (css, expected) in [
            ("a{background:url(https://x.example/y)}", "a{background:url(data:,x.example/y)}"),
            ("a{background:url( 'HTTP:x.example' )}", "a{background:url( 'data:,x.example' )}"),
            ("@import \"//x.example/y\";", "@import \"data:,x.example/y\";"),
            ("a{content:image-set('ftp://x.example' 1x)}", "a{content:image-set('data:,x.example' 1x)}"),
            ("a{background:url(data:image/png;base64,//8A//==)}", "a{background:url(data:image/png;base64,//8A//==)}"),
            ("a:hover{color:red} /* a // b */", "a:hover{color:red} /* a data:, b */"),
        ] {
            assert_eq!(inert(&format!("<style>{css}</style>")), format!("<style>{expected}</style>"));
        }
    }

    #[test]
    fn the_look_stays() {
        let source = "<table width=\"600\" bgcolor=#fff><tr><td style=\"color:red\" class=x>a &lt; b</td></tr></table>";
        assert_eq!(
            inert(source),
            "<table width=\"600\" bgcolor=\"#fff\"><tr><td style=\"color:red\" class=\"x\">a &lt; b</td></tr></table>"
        );
        assert_eq!(inert("<style>p { color: red }</style>"), "<style>p { color: red }</style>");
    }

    #[test]
    fn what_acts_goes() {
        for source in [
            "<script>alert(1)</script>",
            "<ScRiPt src=//x.example/a.js></sCrIpT>",
            "<meta http-equiv=refresh content=\"0;url=http://x.example/\">",
            "<base href=http://x.example/>",
            "<link rel=preconnect href=http://x.example/>",
            "<form action=http://x.example/></form>",
            "<iframe srcdoc=\"<script>x</script>\"></iframe>",
            "<object data=x.swf></object><embed src=x.swf>",
            "<svg onload=alert(1)></svg>",
            "<script>never closed",
            "<a href=javascript:alert(1)",
        ] {
            assert_eq!(inert(source), "", "{source}");
        }
        assert_eq!(inert("<p onclick=x onerror='y'>t</p>"), "<p>t</p>");
        assert_eq!(
            inert("<a href=\"javascript:x\" target=_top ping=//y>t</a>"),
            "<a title=\"leads to javascript:x\">t</a>"
        );
        assert_eq!(inert("<a\"b<c onload=x>"), "");
    }

    #[test]
    fn no_markup_hides_in_raw_text() {
        assert_eq!(
            inert("<svg><style><img src=http://x.example/></style></svg>"),
            "<style> img src=data:,x.example/></style>"
        );
        assert_eq!(inert("<title><img src=x></title>"), "");
        assert_eq!(
            inert("<noscript><p title=\"</noscript><img src=x>\">"),
            "<p title=\"&lt;/noscript&gt;&lt;img src=x&gt;\">"
        );
    }

    #[test]
    fn images_of_the_message_are_shown_and_no_others() {
        let shown = "<img src=\"data:image/png;base64,AAAA\">";
        assert_eq!(inert("<img src=cid:logo@example.com>"), shown);
        assert_eq!(inert("<img src=CID:logo%40example.com>"), shown);
        assert_eq!(
            inert("<td style=\"background:url(cid:logo@example.com)\">"),
            "<td style=\"background:url(data:image/png;base64,AAAA)\">"
        );
        let remote = inert("<img src=\"http://x.example/p.gif?id=1\" srcset=y width=1>");
        assert!(remote.starts_with("<img src=\"data:image/svg+xml,"), "{remote}");
        assert!(remote.contains(" width=\"1\" title=\"not loaded: http://x.example/p.gif?id=1\">"), "{remote}");
        assert!(!remote.contains("srcset"));
        assert_eq!(inert("<body background=//x.example/b.png>"), "<body>");
    }
}
