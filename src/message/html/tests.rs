//! Places, visible text and what must hold of them on any input.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{End, end, reply_end, start, visible};

const PLACE: &str = "‸";

/// The source without its label, and where the label was.
fn labelled(source: &str) -> (String, Option<usize>) {
    (source.replacen(PLACE, "", 1), source.find(PLACE))
}

#[test]
fn a_block_at_the_start_is_seen_first() {
    let cases = [
        "‸",
        "‸Hello",
        "‸<p>Hello</p>",
        "<html><body bgcolor='a>b'>‸<p>Hello</p></body></html>",
        "<!doctype html><html><head><title>x</title></head><body class=a>‸Hello",
        "<html>‸Hello</html>",
        "<html><head><style>p{}</style></head>‸<p>Hello</p></html>",
        "<html><head><meta charset=utf-8>‸<p>no body tag",
        "<meta charset=utf-8>‸<div>fragment</div>",
        "<style>p{}</style>‸<p>Hello",
        "<title><body></title>‸<p>Hello",
        "<!-- <body> --><html><body>‸Hello",
        "<script>'<body>'</script><body>‸Hello",
        "<?xml version='1.0'?><html><body>‸Hello",
        "<html><head></head>‸<!--[if mso]><table><tr><td><![endif]--><p>Hello",
        "<html><head><!--[if mso]><xml></xml><![endif]--></head><body>‸Hello",
        "<html><head><noscript><style>p{}</style></noscript></head><body>‸Hello",
        "‸Hello<html><head></head><body>again",
        "‸<div>banner</div><html><body>Hello</body></html>",
        "‸<style>never closed <body>Hello",
        "‸<!-- never closed <body>Hello",
        "‸<title>never closed",
        "‸<!doctype html public \"never closed",
        "‸<?xml never closed",
        "<html>‸<head",
        "<html><head><template><p>x</p></template></head><body>‸Hello",
        "‸</body>Hello",
        "<BODY\n  onload=\"a('<body>')\"\n>‸Hello",
        "<body>‸<div style='display:none'>preview</div>Hello",
    ];
    for case in cases {
        let (html, wanted) = labelled(case);
        assert_eq!(start(&html), wanted, "{case}");
    }
    for html in ["<html><frameset><frame></frameset></html>", "<body style=\"Display: none\">x", "<html hidden><body>x"]
    {
        assert_eq!((start(html), end_at(html)), (None, None), "{html}");
    }
}

#[test]
fn a_block_at_the_end_is_seen_last() {
    let cases = [
        "‸",
        "Hello‸",
        "<p>Hello</p>\n‸",
        "<html><body>Hello‸</body></html>\n",
        "<html><body>Hello‸</BODY\n></html>",
        "<html>Hello‸</html>",
        "<body>Hello‸</body></html><!-- </body> --> \n",
        "‸<!doctype html",
        "<p>Hello</p>‸<!DOCTYPE html public \"never closed",
        "<body>Hello<!-- </body> -->‸</body>",
        "<body>Hello<!-- </body> --!> x‸</body>",
        "<body>Hello<!--> x‸</body><!-- -->",
        "<body>Hello<script>'</body>'</script>‸</body>",
        "<body>Hello<script><!--<script></script></body>--></script>‸</body>",
        "<body>Hello<script><!--<script></script></body></script>‸</body>",
        "<body>Hello<style></body></style>‸</body>",
        "<body>Hello<textarea></body></textarea>‸</body>",
        "<body>Hello<a title='</body>'>x</a>‸</body>",
        "<body>Hello<iframe srcdoc=\"<body></body>\"></body></iframe>‸</body>",
        "<body>Hello<![CDATA[</body]]>‸</body>",
        "<body>Hello<!--[if mso]></td></tr></table></body><![endif]-->‸</body>",
        "<body>Hello<![if !mso]>x<![endif]>‸</body>",
        "<body><blockquote><html><body>quoted</body></html></blockquote>Hello‸</body></html>",
        "<body><blockquote><html><body>quoted</body></html></blockquote>‸</body></html>",
        "<html><body>one</body></html><html><body>two‸</body></html>",
        "<body>Hello</body></html>footer of a list‸",
        "<body>Hello</body></html><img src=x>‸",
        "<body>Hello‸</body></html></div>",
        "<body><div>Hello</body></html></div>‸",
        "<body><table><tr><td>Hello‸</body></html>",
        "Hello‸<!-- never closed </body>",
        "<p>Hello‸<style>never closed </body>",
        "<p>Hello‸<script>'</body>'",
        "<p>Hello‸<textarea>never closed </body>",
        "<p>Hello‸<title>never closed </body>",
        "<p>Hello‸<plaintext></body>",
        "<p>Hello‸<a href=\"never closed </body>",
        "<p>Hello‸</body><!-- never closed",
        "<p>Hello‸</",
        "<p>Hello <‸",
        "<body><svg><style></svg>Hello‸</body>",
        "<body><svg><![CDATA[</body>]]></svg>‸</body>",
        "<svg>x‸<![CDATA[never closed </body>",
        "<head><title>x</title></head>‸",
    ];
    for case in cases {
        let (html, wanted) = labelled(case);
        assert_eq!(end_at(&html), wanted, "{case}");
    }
    assert_eq!(end_at("<html><frameset><frame></frameset></html>"), None);
}

fn end_at(html: &str) -> Option<usize> {
    end(html).map(|end| end.at)
}

#[test]
fn what_is_left_open_is_closed_before_the_block() {
    let cases = [
        ("<html><body><p>Hello</p></body></html>", ""),
        ("<div>Hello", "</div>"),
        ("<table><tr><td>Hello</body>", "</td></tr></table>"),
        ("<table><tr><td><table><tbody><tr><th>Hello", "</th></tr></tbody></table></td></tr></table>"),
        ("<a href=x>Hello", "</a>"),
        ("<A HREF=x>Hello <b>you<p>there", "</p></b></A>"),
        ("<font color=red>Hello</p><div>x</div>", "</font>"),
        ("<div style='display:none'>Hello</body></html>", "</div>"),
        ("<p>Hello<div>x</div>", ""),
        ("<p>Hello", "</p>"),
        ("<ul><li>one<li>two", "</li></ul>"),
        ("<select><option>one", "</option></select>"),
        ("<svg><g><text>x", "</text></g></svg>"),
        ("<template><p>x", "</p></template>"),
        ("<b><p>x</b>", "</p>"),
        ("<p><b>one</p>", "</b>"),
        ("<b>one</b></b></i></p>", ""),
        ("<br><hr><img src=x><o:p></o:p><input>", ""),
        ("<o:p>Hello", "</o:p>"),
        ("<center><form>Hello", "</form></center>"),
        ("<p>Hello<textarea>never", "</p>"),
        ("<div><!-- never", "</div>"),
        ("<p>Hello<xmp>never", "</p>"),
        ("<h1>one<h2>two", "</h2>"),
        ("<table><tr><td><select><option>one<td>two", "</td></tr></table>"),
        ("<select><option>one<b>two", "</option></select>"),
        ("<svg><g><text>x</g>", "</svg>"),
        ("<div><ruby>a<rt>b", "</rt></ruby></div>"),
        ("<div><form><p>one</form>", "</div>"),
        ("<p><b>one</p>two<div>three", "</div></b>"),
        ("<!doctype html><p>one<table><tr><td>two", "</td></tr></table>"),
        ("<p>one<table><tr><td>two", "</td></tr></table></p>"),
        ("<div><div><!-- two --></body></html>\n", "</div></div>"),
        ("<div></body><svg></svg>", "</div>"),
        ("<svg></body><style>", "</svg>"),
        // The name of an end tag cannot be written with character references.
        ("<yé><b>one", "</b>"),
    ];
    for (html, wanted) in cases {
        assert_eq!(end(html).unwrap().closers, wanted, "{html}");
    }
}

#[test]
fn text_reads_as_a_reader_sees_it() {
    let cases = [
        ("", ""),
        ("Hello", "Hello"),
        ("4111 <b>1111</b> <span>11</span>11<wbr>1<font>111</font>", "4111 1111 11111111"),
        ("a&amp;b &lt;c&gt; &eacute;&nbsp;&#8364;", "a&b <c> é\u{a0}€"),
        ("a & b &unknown; <3", "a & b &unknown; <3"),
        ("<head><title>x</title><style>y</style></head><p>Hello</p>", "Hello"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<div>one</div>\n  <div>two</div>", "one\ntwo"),
        ("one<br>two<br><br>three", "one\ntwo\n\nthree"),
        ("<table><tr><td>a</td> <td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\nc"),
        ("one<!-- two -->one<script>two</script>", "oneone"),
        ("a<![if !mso]>b<![endif]>c", "abc"),
        ("<!--[if mso]>a<![endif]-->b", "b"),
        ("<textarea>a &lt; <b></textarea>", "a < <b>"),
        ("<svg><title>x</title><text>a</text></svg><template>b</template>", "a"),
        ("<noscript>a</noscript><noembed>b</noembed><iframe>c</iframe>", "a"),
        ("<div style='display:none'>preview</div>Hello", "preview\nHello"),
        ("one <a href='never closed", "one "),
        ("<pre>a\n  b</pre>", "a\n  b"),
    ];
    for (html, wanted) in cases {
        assert_eq!(visible(html).text, wanted, "{html}");
    }
}

#[test]
fn text_leads_back_to_the_bytes_that_show_it() {
    let cases = [
        ("a 4111 <b>1111</b> z", "4111 1111", vec!["4111 ", "1111"]),
        ("x&#52;111&nbsp;1<wbr>111y", "4111\u{a0}1111", vec!["&#52;111&nbsp;1", "111"]),
        ("<td>41</td><td>11</td>", "41\t11", vec!["41", "11"]),
        ("a<br>b", "a\nb", vec!["a", "b"]),
        ("fj: &fjlig;ord", "f", vec!["f"]),
        ("<p>é<!-- x -->è</p>", "éè", vec!["é", "è"]),
    ];
    for (html, text, wanted) in cases {
        let visible = visible(html);
        let at = visible.text.find(text).unwrap();
        let ranges = visible.source_ranges(at..at + text.len());
        let found: Vec<&str> = ranges.into_iter().map(|range| html.get(range).unwrap()).collect();
        assert_eq!(found, wanted, "{html}");
    }
    // A reference that stands for two letters is not divided.
    let visible = visible("&fjlig;");
    assert_eq!(visible.text, "fj");
    assert_eq!(visible.source_ranges(1..2), vec![0.."&fjlig;".len()]);
    assert!(visible.source_ranges(0..0).is_empty());
}

/// Documents made of what is hard.
fn documents() -> impl Strategy<Value = String> {
    let bits = prop::sample::select(vec![
        "<",
        ">",
        "</",
        "<!--",
        "-->",
        "<!-->",
        "--!>",
        "<!doctype html>",
        "<![CDATA[",
        "]]>",
        "<?x",
        "\"",
        "'",
        "=",
        "&",
        "&amp;",
        "&#x",
        "é",
        "日本",
        " ",
        "\n",
        "word",
        "<html>",
        "<head>",
        "</head>",
        "<body>",
        "</body>",
        "</html>",
        "<title>",
        "</title>",
        "<style>",
        "</style>",
        "<script>",
        "</script>",
        "<textarea>",
        "</textarea>",
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<a href=\"",
        "<a href='x'>",
        "</a>",
        "<table>",
        "<tr>",
        "<td>",
        "</td>",
        "</table>",
        "<select>",
        "<option>",
        "<svg>",
        "</svg>",
        "<template>",
        "</template>",
        "<blockquote type=cite>",
        "</blockquote>",
        "<div>",
        "</div>",
        "<plaintext>",
        "<br>",
        "<o:p>",
        "On 7 May 2024, Kim wrote:",
        "From: kim@example.com<br>",
        "<div class=\"gmail_quote\">",
        "<hr>",
    ]);
    prop::collection::vec(bits, 0..40).prop_map(|bits| bits.concat())
}

/// Whether `at` is in a comment, a tag, or the text of an element that is raw: a plain reading of the states, one byte
/// after the other, on its own.
fn is_swallowed(html: &str, at: usize) -> bool {
    let lower = html.to_ascii_lowercase();
    let mut rest = 0;
    while rest < at {
        let Some(open) = lower[rest..].find('<').map(|found| rest + found) else { return false };
        let tail = &lower[open..];
        let after =
            |needle: &str, from: usize| tail.get(from..)?.find(needle).map(|found| open + from + found + needle.len());
        let close = if tail.starts_with("<!--") {
            if tail.starts_with("<!-->") {
                Some(open + 5)
            } else if tail.starts_with("<!--->") {
                Some(open + 6)
            } else {
                [after("-->", 4), after("--!>", 4)].into_iter().flatten().min()
            }
        } else if tail[1..].starts_with(['!', '?'])
            || (tail.starts_with("</") && !tail[2..].starts_with(|c: char| c.is_ascii_alphabetic()) && tail.len() > 2)
        {
            after(">", 1)
        } else if tail[1..].starts_with(|c: char| c.is_ascii_alphabetic()) || (tail.starts_with("</") && tail.len() > 2)
        {
            tag_length(tail).map(|length| open + length)
        } else {
            rest = open + 1;
            continue;
        };
        let Some(mut close) = close else { return at > open };
        let name: String = tail[1..].chars().take_while(char::is_ascii_alphanumeric).collect();
        if ["title", "style", "script", "textarea"].contains(&name.as_str()) {
            match lower[close..].find(&format!("</{name}")) {
                Some(found) => close += found,
                None => return at > open,
            }
        }
        if name == "plaintext" {
            return at > open;
        }
        if at > open && at < close {
            return true;
        }
        rest = close;
    }
    false
}

fn tag_length(tag: &str) -> Option<usize> {
    let mut quote = None;
    let mut value = false;
    for (at, char) in tag.char_indices() {
        match (quote, char) {
            (Some(open), _) if open == char => quote = None,
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') if value => quote = Some(char),
            _ => {}
        }
        value = char == '=' || (value && char.is_whitespace());
    }
    None
}

proptest! {
    #[test]
    fn places_are_inside_the_document_and_shown(html in documents()) {
        // Drawings and nested scripts have states of their own, which the plain reading above does not know.
        let simple = !["<svg", "<script", "="].iter().any(|hard| html.contains(hard));
        for at in [start(&html), end_at(&html), reply_end(&html)].into_iter().flatten() {
            prop_assert!(html.is_char_boundary(at));
            prop_assert!(!simple || !is_swallowed(&html, at), "{at} in {html:?}");
        }
        prop_assert!(start(&html) <= end_at(&html), "{html:?}");
    }

    #[test]
    fn visible_text_maps_back(html in documents()) {
        let visible = visible(&html);
        let all = visible.source_ranges(0..visible.text.len());
        for pair in all.windows(2) {
            prop_assert!(pair[0].end < pair[1].start);
        }
        for (at, char) in visible.text.char_indices() {
            let ranges = visible.source_ranges(at..at + char.len_utf8());
            let source: String = ranges.iter().map(|range| &html[range.clone()]).collect();
            let same = source == char.to_string();
            prop_assert!(same || source.starts_with('&') || (source.is_empty() && matches!(char, '\n' | '\t')));
        }
    }

    #[test]
    fn a_block_at_the_end_is_the_last_visible_text(html in documents()) {
        // These swallow what follows, and the place is before them; or their text is moved by browsers.
        prop_assume!(!["<textarea", "<plaintext", "<table", "<select", "<svg"].iter().any(|hard| html.ends_with(hard)));
        let End { at, closers } = end(&html).unwrap();
        let mut new = html[..at].to_owned();
        write!(new, "{closers}<div>QQQQ</div>{}", &html[at..]).unwrap();
        let text = visible(&new).text;
        prop_assert!(text.contains("QQQQ"), "{new:?}");
        let swallows = ["<textarea", "<plaintext", "<![CDATA[", "</"].iter().any(|hard| html[at..].starts_with(hard));
        prop_assert!(swallows || text.trim_end().ends_with("QQQQ"), "{new:?} shows {text:?}");
    }
}

#[test]
fn hostile_documents_take_no_longer_than_others() {
    /// Enough to notice what is not linear, little enough for a build without optimisation.
    const SIZE: usize = 1 << 17;
    let units = [
        "<",
        "</",
        "<!",
        "<!--",
        "<!-",
        "<!-- -",
        "--!",
        "<a \"",
        "<a '",
        "<a b=\"",
        "<a b=c ",
        "<a/",
        "<b>",
        "</b>",
        "<p>",
        "</p>",
        "<div>",
        "</div>",
        "<b><p>",
        "<p></b>",
        "<a><div>",
        "<table>",
        "<table><tr><td>",
        "<td>",
        "<svg>",
        "<svg><desc>",
        "<select>",
        "<option>",
        "<template>",
        "<blockquote>x",
        "<blockquote type=cite>",
        "<script>",
        "<script><!--",
        "<script></scrip",
        "<title></titl",
        "<![CDATA[",
        "<svg><![CDATA[",
        "&",
        "&#",
        "&#1",
        "&amp",
        "&a",
        "&nbsp;",
        "<li>",
        "<form>",
        "<font a=1><p>",
        "<nobr>",
        "<ruby><rt>",
        "<h1>",
        "<button>",
        "</body>",
        "<html><body>",
        "</html>x",
        "<x>",
        "<x></y>",
        "On 1.1.2024 x@y wrote:<br>",
        "From: a@b<br>",
        "<div id=appendonsend>",
        "<div class=gmail_quote>",
        "<hr>",
        "&gt; a<br>",
        "-----Original Message-----<p>",
        "<b x=1>a</p>",
        "____________<br>",
    ];
    let mut slowest = (Duration::ZERO, "");
    for unit in units {
        let html = unit.repeat(SIZE / unit.len());
        let before = Instant::now();
        let end = end(&html).unwrap();
        let all = (start(&html), end.closers.len(), reply_end(&html), visible(&html).text.len());
        slowest = slowest.max((before.elapsed(), unit));
        assert!(all.0 <= Some(end.at), "{unit}");
    }
    // Printed, not asserted: the time of a machine is no property of the code.
    println!("slowest: {slowest:?}");
}
