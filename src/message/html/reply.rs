//! The lines of an HTML reply, and the marks that mail programs put at a quote.

use std::borrow::Cow;

use super::element::Element;
use super::open::Walk;
use super::tokens::{Kind, Token, attributes};
use super::visible::Visible;
use crate::message::reply::{Line, MAX_LINE, MAX_LINES, Mark, Quote, cut, is_marked, newest_end, signature};

/// Where the newest text of a reply ends and the quoted message begins; `None` when it is no reply, when the replies
/// stand between the quotes, or in doubt. A place between two elements, never inside a table's structure. Linear.
pub fn reply_end(html: &str) -> Option<usize> {
    newest_end(&lines_of(html)?)
}

/// Where the signature of the newest text begins; `None` when there is none, nothing stands above it, or in doubt. A place
/// as that of [`reply_end`].
pub fn signature_start(html: &str) -> Option<usize> {
    signature::start(&lines_of(html)?)
}

fn lines_of(html: &str) -> Option<Vec<Line<'static>>> {
    let mut reader = Reader::new(html);
    while let Some(token) = reader.walk.next() {
        reader.read(&token);
        if reader.lines.len() >= MAX_LINES {
            return None;
        }
    }
    reader.end_line();
    Some(reader.lines)
}

struct Reader<'a> {
    html: &'a str,
    walk: Walk<'a>,
    lines: Vec<Line<'static>>,
    line: Visible,
    first: Line<'static>,
    /// Where the start tags begin that stand directly before what comes next.
    run: Option<usize>,
    /// Open `<blockquote>`s, the outermost first, and whether each is a quotation by a mail program.
    quotes: Vec<bool>,
    /// How many of these are.
    cited: usize,
    /// The element of the last wrapper, and how deep in elements of its name we are.
    wrapper: Option<(Element, usize)>,
    /// The element of a signature, and how deep in elements of its name we are.
    signature: Option<(Element, usize)>,
    /// An element that Gmail puts round the quote, with nothing seen in it yet.
    extra: Option<usize>,
    /// What the next line is marked as.
    mark: Option<Mark>,
}

impl<'a> Reader<'a> {
    fn new(html: &'a str) -> Self {
        Self {
            html,
            walk: Walk::new(html),
            lines: Vec::new(),
            line: Visible::default(),
            first: Line::default(),
            run: None,
            quotes: Vec::new(),
            cited: 0,
            wrapper: None,
            signature: None,
            extra: None,
            mark: None,
        }
    }

    fn read(&mut self, token: &Token) {
        match token.kind {
            Kind::Text => self.text(token),
            Kind::Start { element: Element::Br, .. } => {
                self.end_line();
                self.run = self.flow(token.span.end);
            }
            Kind::Start { element, .. } => self.start(element, token),
            Kind::End { element } => {
                if element.parts_lines() || matches!(element, Element::Td | Element::Th) {
                    self.end_line();
                }
                self.run = None;
                if element == Element::Blockquote && self.quotes.pop() == Some(true) {
                    self.cited -= 1;
                }
                for around in [&mut self.wrapper, &mut self.signature] {
                    if let Some((outer, depth)) = *around
                        && outer == element
                    {
                        *around = depth.checked_sub(1).filter(|depth| *depth > 0).map(|depth| (element, depth));
                    }
                }
                // One that is empty says nothing of what follows.
                if self.signature.is_none() && self.line.text.is_empty() && self.mark == Some(Mark::Signature) {
                    self.mark = None;
                }
            }
            Kind::Raw { .. } | Kind::Cdata { .. } | Kind::Comment { .. } | Kind::Doctype { .. } | Kind::Unfinished => {}
        }
    }

    fn quote(&self) -> Quote {
        match (self.cited, self.quotes.is_empty()) {
            (1.., _) => Quote::Cited,
            (0, false) => Quote::Indented,
            (0, true) => Quote::No,
        }
    }

    fn flow(&self, at: usize) -> Option<usize> {
        self.walk.opened.is_flow().then_some(at)
    }

    fn text(&mut self, token: &Token) {
        if self.walk.opened.is_hidden() {
            return;
        }
        let source = self.html.get(token.span.clone()).unwrap_or_default();
        if source.trim().is_empty() || is_only_spaces(source) {
            if !self.line.text.is_empty() {
                self.line.text.push(' ');
            }
            return;
        }
        if self.line.text.is_empty() {
            self.first = Line {
                text: Cow::Borrowed(""),
                place: self.run.or_else(|| self.flow(token.span.start)),
                quote: self.quote(),
                mark: self.mark.take(),
                wrapped: self.wrapper.is_some(),
                signed: self.signature.is_some(),
                apart: true,
            };
        }
        if self.line.text.len() < MAX_LINE {
            let from = token.span.start;
            let short = cut(source, MAX_LINE).len();
            self.line.escaped(self.html, from..from + short);
        }
        self.run = None;
        self.extra = None;
    }

    fn start(&mut self, element: Element, token: &Token) {
        if element.is_metadata() {
            return;
        }
        if matches!(element, Element::Html | Element::Head | Element::Body) {
            self.end_line();
            self.run = None;
            return;
        }
        if element.parts_lines() || matches!(element, Element::Td | Element::Th) {
            self.end_line();
        }
        if self.run.is_none() && self.line.text.is_empty() {
            self.run = self.flow(token.span.start);
        }
        for around in [&mut self.wrapper, &mut self.signature] {
            if let Some((outer, depth)) = around
                && *outer == element
            {
                *depth += 1;
            }
        }
        match sign(self.html, element, token) {
            Some(Sign::Quoted) => self.push_mark(Mark::Quoted),
            // Only the outermost counts; a quote inside a quote says nothing new.
            Some(Sign::Wrapper) if self.wrapper.is_none() && self.quotes.is_empty() => {
                self.run = self.extra.take().or(self.run);
                self.push_mark(Mark::Wrapper);
                self.wrapper = Some((element, 1));
            }
            Some(Sign::Extra) => self.extra = self.run,
            Some(Sign::Signature) => {
                self.mark = Some(Mark::Signature);
                self.signature = self.signature.or(Some((element, 1)));
            }
            Some(Sign::Attribution) => self.mark = Some(Mark::Attribution),
            Some(Sign::Wrapper) | None => {}
        }
        if element == Element::Hr {
            self.push_mark(Mark::Rule);
            self.run = None;
        }
        if element == Element::Blockquote {
            let cited = is_cite(self.html, token);
            self.quotes.push(cited);
            self.cited += usize::from(cited);
        }
    }

    fn push_mark(&mut self, mark: Mark) {
        self.end_line();
        let quote = self.quote();
        self.lines.push(Line {
            place: self.run,
            mark: Some(mark),
            quote,
            wrapped: self.wrapper.is_some(),
            ..Line::default()
        });
    }

    fn end_line(&mut self) {
        let text = std::mem::take(&mut self.line).text;
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let mut line = std::mem::take(&mut self.first);
        // Source lines are no lines here.
        line.text = Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "));
        if line.quote == Quote::No && is_marked(&line.text) {
            line.quote = Quote::Marked;
        }
        if line.text == "--" && line.mark.is_none() {
            line.mark = Some(Mark::Dashes);
        }
        self.lines.push(line);
    }
}

/// What a start tag says about what it holds.
enum Sign {
    Quoted,
    Wrapper,
    Extra,
    Signature,
    Attribution,
}

/// Ids at which everything that follows is quoted: Outlook, Outlook for Mac, Outlook mobile, Zimbra, Hotmail, QQ.
const QUOTED_IDS: &[&str] = &[
    "divrplyfwdmsg",
    "appendonsend",
    "mail-editor-reference-message-container",
    "olk_src_body_section",
    "isforwardcontent",
    "isreplycontent",
    "replysplit",
    "zwchr",
    "stopspelling",
];

/// Classes of elements that hold attribution and quote: Gmail, Yahoo, Proton, Thunderbird's forwards, Zoho, and
/// help desks.
const WRAPPER_CLASSES: &[&str] = &[
    "gmail_quote",
    "gmail_quote_container",
    "yahoo_quoted",
    "protonmail_quote",
    "moz-forward-container",
    "zmail_extra",
    "freshdesk_quote",
    "front-blockquote",
    "outlookmessageheader",
];

fn sign(html: &str, element: Element, token: &Token) -> Option<Sign> {
    use Element::{A, Blockquote, Div, Hr, Other, P, Pre, Section, Span, Table, Td};
    if !matches!(element, A | Blockquote | Div | Hr | Other | P | Pre | Section | Span | Table | Td) {
        return None;
    }
    let mut found = None;
    for (name, value) in attributes(html, token) {
        if name.eq_ignore_ascii_case("id") {
            let value = cut(value, 100).to_ascii_lowercase();
            // Webmail puts `x_` or `m_123` in front of ids.
            if QUOTED_IDS.iter().any(|id| value.ends_with(id)) {
                return Some(Sign::Quoted);
            }
            if value.contains("signature") || value.ends_with("_rc_sig") {
                found = Some(Sign::Signature);
            }
        } else if name.eq_ignore_ascii_case("class") {
            for class in cut(value, 200).split_ascii_whitespace() {
                let class = class.to_ascii_lowercase();
                let class = class.strip_prefix("x_").unwrap_or(&class);
                if class == "outlookmessageheader" {
                    return Some(Sign::Quoted);
                }
                // A citation by itself is seen by its type.
                if WRAPPER_CLASSES.contains(&class) && element != Blockquote {
                    return Some(Sign::Wrapper);
                }
                found = match class {
                    "gmail_extra" => Some(Sign::Extra),
                    "moz-cite-prefix" | "gmail_attr" => Some(Sign::Attribution),
                    _ if is_signature_class(class) => Some(Sign::Signature),
                    _ => found,
                };
            }
        } else if name.eq_ignore_ascii_case("data-marker") && matches!(value, "__DIVIDER__" | "__HEADERS__")
            || name.eq_ignore_ascii_case("name") && value == "messageReplySection"
        {
            return Some(Sign::Quoted);
        }
    }
    found
}

/// Thunderbird, Gmail, Outlook mobile, Proton, K-9, Evolution, Open-Xchange, Twake and those that use no name of their own.
fn is_signature_class(class: &str) -> bool {
    matches!(
        class,
        "moz-signature"
            | "gmail_signature"
            | "acompli_signature"
            | "protonmail_signature_block"
            | "k9mail-signature"
            | "-x-evo-signature"
            | "-x-evo-signature-wrapper"
            | "io-ox-signature"
            | "tmail-signature"
            | "openpaas-signature"
            | "ms-outlook-ios-signature"
            | "ms-outlook-mobile-signature"
            | "email-signature"
            | "signature"
    )
}

/// A quotation by a mail program, not just something indented.
fn is_cite(html: &str, token: &Token) -> bool {
    attributes(html, token).any(|(name, value)| {
        (name.eq_ignore_ascii_case("type") && value.eq_ignore_ascii_case("cite"))
            || (name.eq_ignore_ascii_case("cite") && value.starts_with("mid:"))
            || (name.eq_ignore_ascii_case("class") && (value.contains("gmail_quote") || value.contains("_quote")))
    })
}

/// White space and the references that mail programs fill empty lines with.
fn is_only_spaces(source: &str) -> bool {
    source.len() <= 200
        && source.split(|c: char| c.is_whitespace()).all(|word| {
            word.split_inclusive(';').all(|reference| {
                matches!(reference, "&nbsp;" | "&#160;" | "&#xa0;" | "&#xA0;" | "&zwnj;" | "&#8203;" | "&shy;")
            })
        })
}
