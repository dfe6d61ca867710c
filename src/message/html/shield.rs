//! Styles for the elements of a block that no style sheet of the message can undo: a sender must not be able to hide a
//! banner, and a news letter that sets its text in size 0 must not swallow a footer.
//!
//! Invariant: what the block's own author wrote stays and goes before ours; nothing but `style` attributes changes, and
//! parts of a table that are implied are written out. A
//! declaration in a `style` attribute that is `!important` beats every style sheet (CSS Cascade 5 §6.1). `all` takes off
//! whatever a style sheet says; clients that do not know it are told what they could be made to hide text with. What hides
//! an element round the block, such as a body that is not displayed, hides the message with it.

use std::fmt::Write as _;

use super::element::Element;
use super::entity::{self, Decoded};
use super::open::Walk;
use super::tokens::{Kind, Token, attributes};

/// The box round a block: in the flow of the document, above what is laid over it, in colours of its own.
const BOX: &[&str] = &[
    "all:initial",
    "display:block",
    "visibility:visible",
    "opacity:1",
    "position:relative",
    "z-index:2147483647",
    "clear:both",
    "flex:none",
    "width:auto",
    "height:auto",
    "max-height:none",
    "overflow:visible",
    "color:#202124",
    "background:#ffffff",
    "font:14px sans-serif",
    "line-height:normal",
    "text-indent:0",
    "unicode-bidi:isolate",
    "mso-hide:none",
];

/// What every element of a block gets.
const SHOWN: &[&str] = &[
    "all:revert",
    "visibility:visible",
    "opacity:1",
    "position:static",
    "max-height:none",
    "line-height:inherit",
    "text-indent:0",
    "mso-hide:none",
];

/// The block in an element that nothing in the message hides: `<div …>`. Lines parted by `\n`, short enough for mail where
/// those of the block are.
pub fn shielded(block: &str) -> String {
    let direction = if is_right_to_left(&super::visible(block).text) { "rtl" } else { "ltr" };
    let mut out = format!("<div dir=\"{direction}\"\nstyle=\"");
    declare(&mut out, BOX);
    let _ = write!(out, "direction:{direction}!important\">");
    let mut walk = Walk::new(block);
    let mut padding: Vec<Option<&str>> = Vec::new();
    let mut copied = 0;
    while let Some(token) = walk.next() {
        let element = match token.kind {
            Kind::Start { element, .. } if !walk.opened.is_foreign() => element,
            Kind::End { element: Element::Table } => {
                padding.pop();
                continue;
            }
            _ => continue,
        };
        let tag = Tag { html: block, token: &token };
        if element == Element::Table {
            padding.push(tag.number("cellpadding"));
        }
        // Elements that a browser puts in by itself have no tag to hold a style: they get one.
        let implied = implied(element, walk.opened.innermost());
        if !implied.is_empty() {
            out.push_str(block.get(copied..token.span.start).unwrap_or_default());
            copied = token.span.start;
            for (name, display) in implied {
                let _ = write!(out, "<{name}\nstyle=\"");
                declare(&mut out, SHOWN);
                declare(&mut out, &[display, INHERITED]);
                out.push_str("\">");
            }
        }
        let Some(look) = look(element, tag, padding.last().copied().flatten()) else { continue };
        let given = attributes(block, &token).find(|(name, _)| name.eq_ignore_ascii_case("style"));
        // First as its author wrote it: Word knows no `!important`.
        let mut style = given.map_or(String::new(), |(_, value)| value.trim().trim_end_matches(';').to_owned());
        if !style.is_empty() {
            style.push(';');
        }
        declare(&mut style, SHOWN);
        style.push('\n');
        declare(&mut style, &look.iter().map(String::as_str).collect::<Vec<_>>());
        let (cut, rest) = match given {
            Some((name, value)) => {
                style.push('\n');
                style.push_str(&important(value));
                let start = offset(block, name);
                let end = offset(block, value) + value.len();
                // Past the quote that closes it.
                let quoted = block.get(..offset(block, value)).is_some_and(|before| before.ends_with(['"', '\'']));
                (start, if value.is_empty() && !quoted { start + name.len() } else { end + usize::from(quoted) })
            }
            None => (token.name.end, token.name.end),
        };
        let style = style.trim_end_matches(';').replace('"', "&quot;");
        out.push_str(block.get(copied..cut).unwrap_or_default());
        let _ = write!(out, "{}style=\"{style}\"", if given.is_some() { "" } else { "\n" });
        copied = rest;
    }
    out.push_str(block.get(copied..).unwrap_or_default());
    out.push_str("</div>");
    out
}

/// The look of elements without one of their own.
const INHERITED: &str =
    "font-size:inherit!important;color:inherit!important;background:transparent!important;height:auto";

/// The parts of a table that the start tag of `element` opens besides its own.
fn implied(element: Element, inside: Option<Element>) -> &'static [(&'static str, &'static str)] {
    use Element::{Table, Tbody, Td, Tfoot, Th, Thead, Tr};
    const BODY: (&str, &str) = ("tbody", "display:table-row-group");
    const ROW: (&str, &str) = ("tr", "display:table-row");
    match (element, inside) {
        (Tr, Some(Table)) => &[BODY],
        (Td | Th, Some(Table)) => &[BODY, ROW],
        (Td | Th, Some(Tbody | Thead | Tfoot)) => &[ROW],
        _ => &[],
    }
}

/// A start tag of a block.
#[derive(Clone, Copy)]
struct Tag<'h, 't> {
    html: &'h str,
    token: &'t Token,
}

impl<'h> Tag<'h, '_> {
    fn attribute(self, wanted: &str) -> Option<&'h str> {
        let found = attributes(self.html, self.token).find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A word or a colour.
    fn word(self, wanted: &str) -> Option<&'h str> {
        self.attribute(wanted).filter(|value| value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#'))
    }

    /// Digits.
    fn number(self, wanted: &str) -> Option<&'h str> {
        let value = self.attribute(wanted).map(|value| value.trim_end_matches("px"));
        value.filter(|value| value.bytes().all(|b| b.is_ascii_digit()))
    }

    /// Digits, as pixels, or a percentage.
    fn length(self, wanted: &str) -> Option<String> {
        let value = self.attribute(wanted)?;
        let percent = value.strip_suffix('%').filter(|value| value.bytes().all(|b| b.is_ascii_digit()));
        percent.map(|_| value.to_owned()).or_else(|| self.number(wanted).map(|value| format!("{value}px")))
    }
}

/// Where a piece of `html` begins in it.
fn offset(html: &str, piece: &str) -> usize {
    (piece.as_ptr() as usize).saturating_sub(html.as_ptr() as usize)
}

fn declare(out: &mut String, declarations: &[&str]) {
    for declaration in declarations {
        let _ = write!(out, "{declaration}!important;");
    }
}

/// What an element of a block gets besides [`SHOWN`]: the look that it has of itself, and what its attributes say, which
/// `all` takes off with the rest. `padding` is that of the table round it. `None` for elements that show nothing.
fn look(element: Element, tag: Tag<'_, '_>, padding: Option<&str>) -> Option<Vec<String>> {
    use Element::{
        A, B, Big, Body, Br, Code, Dd, Dt, Em, Font, H1, H2, H3, H4, H5, H6, Head, Hr, Html, I, Img, Li, P, Pre, S,
        Small, Span, Strike, Strong, Sub, Sup, Table, Tbody, Td, Tfoot, Th, Thead, Tr, Tt, U,
    };
    let display = match element {
        Html | Head | Body | Br => return None,
        _ if element.is_metadata() || element.is_void() && !matches!(element, Img | Hr) => return None,
        A | B | Big | Code | Em | Font | I | S | Small | Span | Strike | Strong | Sub | Sup | Tt | U => "inline",
        Table => "table",
        Thead => "table-header-group",
        Tbody => "table-row-group",
        Tfoot => "table-footer-group",
        Tr => "table-row",
        Td | Th => "table-cell",
        Li => "list-item",
        Img => "inline-block",
        _ if element.is_block() || matches!(element, P | Hr | Dd | Dt) => "block",
        _ => "inline",
    };
    let mut look = vec![format!("display:{display}")];
    let mut add = |name: &str, value: &str| look.push(format!("{name}:{value}"));
    let is_text = !matches!(element, Img | Hr);
    if is_text {
        let font_size = match element {
            H1 => "2em",
            H2 => "1.5em",
            H3 => "1.17em",
            H5 => ".83em",
            H6 => ".67em",
            Small | Sub | Sup => "smaller",
            Big => "larger",
            Font => match tag.word("size") {
                Some("1") => "x-small",
                Some("2") => "small",
                Some("4") => "large",
                Some("5") => "x-large",
                Some("6" | "7") => "xx-large",
                _ => "inherit",
            },
            _ => "inherit",
        };
        add("font-size", font_size);
        let of_font = |name| tag.word(name).filter(|_| element == Font);
        add("color", if element == A { "#0b57d0" } else { of_font("color").unwrap_or("inherit") });
        add("background", tag.word("bgcolor").unwrap_or("transparent"));
        if !matches!(element, Code | Pre | Tt | H4) {
            add("font-family", of_font("face").unwrap_or("inherit"));
        }
        add("height", tag.length("height").as_deref().unwrap_or("auto"));
    } else if let Some(height) = tag.length("height") {
        add("height", &height);
    }
    if matches!(element, Table | Td | Th | Img | Hr)
        && let Some(width) = tag.length("width")
    {
        add("width", &width);
    }
    match (element, tag.word("align").map(str::to_ascii_lowercase).as_deref()) {
        (Table, Some("center")) => add("margin", "0 auto"),
        (Table | Img, _) | (_, None) => {}
        (_, Some(align @ ("left" | "right" | "center" | "justify"))) => add("text-align", align),
        _ => {}
    }
    if let (Td | Th | Tr, Some(align @ ("top" | "middle" | "bottom" | "baseline"))) =
        (element, tag.word("valign").map(str::to_ascii_lowercase).as_deref())
    {
        add("vertical-align", align);
    }
    if element == Table
        && let Some(spacing) = tag.number("cellspacing")
    {
        add("border-spacing", &format!("{spacing}px"));
    }
    if let (Td | Th, Some(padding)) = (element, padding) {
        add("padding", &format!("{padding}px"));
    }
    Some(look)
}

/// The declarations of a `style` attribute, as it stands in the source, each of them important.
fn important(style: &str) -> String {
    let mut out = String::with_capacity(style.len() + 64);
    let mut rest = style;
    while !rest.is_empty() {
        let (declaration, behind) = rest.split_at(declaration_end(rest));
        let declaration = declaration.trim();
        if declaration.contains(':') {
            out.push_str(declaration);
            let squeezed: String = declaration.chars().filter(|c| !c.is_whitespace()).collect();
            out.push_str(if squeezed.to_ascii_lowercase().ends_with("!important") { ";" } else { "!important;" });
        }
        rest = behind.get(1..).unwrap_or_default();
    }
    out
}

/// Where the `;` is that ends a declaration: not in quotes, parentheses, comments or a character reference.
fn declaration_end(style: &str) -> usize {
    let bytes = style.as_bytes();
    let (mut at, mut depth, mut quote) = (0, 0_usize, None);
    while let Some(&octet) = bytes.get(at) {
        let reference = if octet == b'&' { style.get(at..).and_then(entity::decode) } else { None };
        let (meant, len) = match reference {
            Some((Decoded::Char(c), len)) => (u8::try_from(c).unwrap_or_default(), len),
            Some((Decoded::Text(text), len)) => (text.bytes().next().unwrap_or_default(), len),
            None => (octet, if octet == b'\\' { 2 } else { 1 }),
        };
        match meant {
            b'\'' | b'"' => quote = if quote == Some(meant) { None } else { quote.or(Some(meant)) },
            _ if quote.is_some() => {}
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b';' if depth == 0 && octet == b';' => return at,
            _ => {}
        }
        at += len;
    }
    style.len()
}

/// True where the first letter of a text is one that is written from right to left (UAX #9, rules P2 and P3).
fn is_right_to_left(text: &str) -> bool {
    let from_right = |c: char| {
        matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}' | '\u{10800}'..='\u{10FFF}'
            | '\u{1E800}'..='\u{1EFFF}')
    };
    text.chars().find(|c| c.is_alphabetic()).is_some_and(from_right)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The styles of the elements inside, without those that all have.
    fn styles(block: &str) -> Vec<String> {
        let mut shown = String::new();
        declare(&mut shown, SHOWN);
        let out = shielded(block).replace(&shown, "…").replace('\n', "");
        out.split("style=\"").skip(2).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_the_author_wrote_goes_before_ours() {
        let styles = styles("<p style=\"color:red; margin:0 !IMPORTANT\">x</p><b>y</b>");
        assert!(styles[0].starts_with("color:red; margin:0 !IMPORTANT;…display:block!important;"), "{styles:?}");
        assert!(styles[0].contains("color:inherit!important;"), "{styles:?}");
        assert!(styles[0].ends_with(";color:red!important;margin:0 !IMPORTANT"), "{styles:?}");
        assert!(styles[1].starts_with("…display:inline!important;"), "{styles:?}");
    }

    #[test]
    fn nothing_but_styles_changes() {
        let block = "<TABLE width=100% cellpadding=0 style='font-family:&quot;A;B&quot;;color:#123'><tr><td \
                     bgcolor=#fff>a<br>&lt;<img src=x style=width:1px alt=y></TABLE><!-- <p> --><a href=\"x?a;b\" style>z</a>";
        let out = shielded(block).replace('\n', "");
        assert!(out.starts_with("<div dir=\"ltr\"style=\"all:initial!important;"), "{out}");
        assert_eq!(super::super::visible(&out).text, super::super::visible(block).text);
        assert!(out.contains("font-family:&quot;A;B&quot;!important;color:#123!important\"><tbodystyle="), "{out}");
        assert!(out.contains("width:100%!important;"), "{out}");
        assert!(out.contains("background:#fff!important;"), "{out}");
        assert!(out.contains("padding:0px!important\" bgcolor=#fff>"), "{out}");
        assert!(out.contains(" src=x style=\"width:1px;all:revert!important;"), "{out}");
        assert!(
            out.contains("width:1px!important\" alt=y></TABLE><!-- <p> --><a href=\"x?a;b\" style=\"all:"),
            "{out}"
        );
        assert!(out.ends_with("\">z</a></div>"), "{out}");
    }

    #[test]
    fn the_direction_is_that_of_the_first_letter() {
        let direction = |block: &str| shielded(block).contains("dir=\"rtl\"");
        assert!(direction("<p>1. \u{5E9}\u{5DC}\u{5D5}\u{5DD} Kim</p>") && direction("<b>مرحبا</b>"));
        assert!(!direction("<p>Hello \u{5E9}</p>") && !direction("<p>1</p>"));
    }

    #[test]
    fn a_semicolon_in_a_value_ends_no_declaration() {
        assert_eq!(important("a:url(x;y);b:'p;q'"), "a:url(x;y)!important;b:'p;q'!important;");
        assert_eq!(important("a:\\;b;;c"), "a:\\;b!important;");
        assert_eq!(important(""), "");
    }
}
