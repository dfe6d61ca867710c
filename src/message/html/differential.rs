//! Our tokens held against those of html5gum, a tokeniser of all states of the WHATWG that passes html5lib's tests: the same
//! tags, comments and doctypes at the same places, so that what is text is the same too.

use html5gum::{DefaultEmitter, Span, State, Token, Tokenizer};
use proptest::prelude::*;

use super::element::Element;
use super::tokens::{Kind, Tokens};

/// What a token is and where it begins and ends; a tag with its name.
type Seen = (char, usize, usize, String);

fn ours(html: &str) -> Vec<Seen> {
    let mut tokens = Tokens::new(html);
    let mut seen = Vec::new();
    while let Some(token) = tokens.next(false) {
        let (kind, name) = match token.kind {
            Kind::Start { .. } => ('<', &html[token.name.clone()]),
            Kind::End { .. } => ('/', &html[token.name.clone()]),
            // No token at all to the WHATWG; nothing is shown of it either way.
            Kind::Comment { .. } if html.get(token.span.clone()) == Some("</>") => continue,
            Kind::Comment { .. } => ('!', ""),
            Kind::Doctype { .. } => ('d', ""),
            Kind::Text | Kind::Cdata { .. } | Kind::Raw { .. } | Kind::Unfinished => continue,
        };
        seen.push((kind, token.span.start, token.span.end, name.to_ascii_lowercase().replace('\0', "\u{FFFD}")));
    }
    seen
}

fn theirs(html: &str) -> Vec<Seen> {
    let mut tokenizer = Tokenizer::new_with_emitter(html, DefaultEmitter::<usize>::new_with_span());
    let mut seen = Vec::new();
    while let Some(Ok(token)) = tokenizer.next() {
        let mut see = |kind, Span { start, end }: Span<usize>, name: &[u8]| {
            seen.push((kind, start, end, String::from_utf8_lossy(name).into_owned()));
        };
        match token {
            Token::StartTag(tag) => {
                see('<', tag.span, &tag.name);
                // What the tree construction would say.
                let state = match Element::named(&String::from_utf8_lossy(&tag.name)) {
                    Element::Textarea | Element::Title => State::RcData,
                    Element::Plaintext => State::PlainText,
                    Element::Script => State::ScriptData,
                    element if element.is_raw() => State::RawText,
                    _ => continue,
                };
                tokenizer.set_state(state);
            }
            Token::EndTag(tag) => see('/', tag.span, &tag.name),
            Token::Comment(comment) => see('!', comment.span, b""),
            Token::Doctype(doctype) => see('d', doctype.span, b""),
            Token::String(_) | Token::Error(_) => {}
        }
    }
    seen
}

/// Pieces in which tokenisers go wrong.
const PIECES: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "<!",
    "<!-",
    "<!--",
    "-->",
    "--!>",
    "--",
    "-",
    "!",
    "->",
    "<?",
    "?>",
    "=",
    "\"",
    "'",
    " ",
    "\n",
    "/",
    "x",
    "é",
    "&lt;",
    "&",
    "\0",
    "\r\n",
    "\t",
    "<p>",
    "</p>",
    "<P",
    "<a href=",
    "<a href='",
    "<a href=\"x\"",
    "<br/>",
    "<br / >",
    "</br >",
    "<b =c>",
    "<i a=b/c>",
    "<td a b = c d>",
    "<!doctype html>",
    "<!DOCTYPE",
    "<![CDATA[",
    "]]>",
    "<!--[if mso]>",
    "<![endif]-->",
    "<script>",
    "</script>",
    "</script ",
    "</scriptx>",
    "<!--<script>",
    "<script",
    "--></script>",
    "<style>",
    "</style>",
    "</STYLE/>",
    "<title>",
    "</title>",
    "<textarea>",
    "</textarea\n>",
    "<xmp>",
    "</xmp>",
    "<iframe>",
    "</iframe>",
    "<noframes>",
    "</noframes>",
    "<noembed>",
    "</noembed>",
    "<plaintext>",
    "<body>",
    "</body>",
    "</html>",
    "<o:p>",
    "</o:p>",
    "<a'b>",
    "<a<b>",
    "</ a>",
    "</>",
    "<1>",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tokens_are_those_of_the_whatwg(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24)) {
        let html = pieces.concat();
        prop_assert_eq!(ours(&html), theirs(&html), "{}", html);
    }
}

#[test]
fn the_pieces_are_all_read_in_pairs() {
    for first in PIECES {
        for second in PIECES {
            let html = format!("<p>{first}{second}</p><!-- x --></body>");
            assert_eq!(ours(&html), theirs(&html), "{html}");
        }
    }
}
