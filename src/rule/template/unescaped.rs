//! Where escaping does not make a value safe: in a script or a style sheet, in an attribute without quotes, in one that is
//! code.
//!
//! Values are always escaped for HTML text and quoted attributes, and make no link that is a program. Whoever can choose a
//! value, such as the sender of a mail, could still write a style or an attribute. This looks at the template as it comes out with sample values.

/// Where in HTML the reader of a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Text,
    Comment,
    /// In a tag, outside of values.
    Tag,
    /// Behind the `=` of an attribute.
    Equals,
    /// In a value without quotes.
    Bare,
    /// In a value with these quotes.
    Quoted(char),
}

/// Why a value of a variable is not safe where it stands. `pieces`: all of the text, each with whether it came from a
/// variable.
pub(super) fn why(pieces: &[(bool, &str)]) -> Option<&'static str> {
    let mut reader = Reader { at: At::Text, tag: String::new(), attribute: String::new(), raw: None };
    for (variable, text) in pieces {
        if *variable {
            if let Some(why) = reader.risk() {
                return Some(why);
            }
            if reader.at == At::Equals {
                reader.at = At::Bare;
            }
        } else {
            text.chars().for_each(|c| reader.read(c));
        }
    }
    None
}

struct Reader {
    at: At,
    /// The tag from its `<`, lower case; also the end of a text, for the end of a script.
    tag: String,
    /// The name of the attribute.
    attribute: String,
    /// The element whose text is no HTML.
    raw: Option<&'static str>,
}

impl Reader {
    fn risk(&self) -> Option<&'static str> {
        match self.at {
            At::Text => self.raw.map(|_| "in a script or a style sheet"),
            At::Comment => None,
            At::Tag => Some("in a tag"),
            At::Equals | At::Bare => Some("in an attribute without quotes"),
            At::Quoted(_) => match self.attribute.as_str() {
                "style" => Some("in a `style`"),
                name if name.starts_with("on") => Some("in an attribute that is a program"),
                _ => None,
            },
        }
    }

    fn read(&mut self, c: char) {
        match self.at {
            At::Text => self.text(c),
            At::Comment => {
                self.tag.push(c);
                if self.tag.ends_with("-->") {
                    self.at = At::Text;
                    self.tag.clear();
                }
            }
            At::Tag => match c {
                '>' => self.close(),
                '=' => self.at = At::Equals,
                c if c.is_whitespace() || c == '/' => {
                    self.tag.push(' ');
                    self.attribute.clear();
                }
                c => {
                    self.tag.extend(c.to_lowercase());
                    self.attribute.extend(c.to_lowercase());
                    if self.tag == "<!--" {
                        self.at = At::Comment;
                    }
                }
            },
            At::Equals => match c {
                '"' | '\'' => self.at = At::Quoted(c),
                '>' => self.close(),
                c if c.is_whitespace() => {}
                _ => self.at = At::Bare,
            },
            At::Bare => match c {
                '>' => self.close(),
                c if c.is_whitespace() => self.end_value(),
                _ => {}
            },
            At::Quoted(quote) if c == quote => self.end_value(),
            At::Quoted(_) => {}
        }
    }

    fn end_value(&mut self) {
        self.at = At::Tag;
        self.attribute.clear();
    }

    fn text(&mut self, c: char) {
        if c == '<' {
            self.tag.clear();
        }
        self.tag.extend(c.to_lowercase());
        match self.raw {
            Some(element) if self.tag == format!("</{element}") => {
                self.raw = None;
                self.at = At::Tag;
            }
            None if self.tag.len() == 2
                && self.tag.starts_with('<')
                && (c.is_ascii_alphabetic() || "/!?".contains(c)) =>
            {
                self.at = At::Tag;
                self.attribute.clear();
            }
            _ if self.tag.len() > 16 => self.tag.clear(),
            _ => {}
        }
    }

    fn close(&mut self) {
        let name = self.tag.split([' ', '>']).next().unwrap_or_default();
        self.raw = match name {
            "<script" => Some("script"),
            "<style" => Some("style"),
            _ => None,
        };
        self.at = At::Text;
        self.tag.clear();
        self.attribute.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::why;

    /// `§` stands for a variable.
    fn of(html: &str) -> Option<&'static str> {
        let mut pieces = Vec::new();
        for (nth, text) in html.split('§').enumerate() {
            if nth > 0 {
                pieces.push((true, "value"));
            }
            pieces.push((false, text));
        }
        why(&pieces)
    }

    #[test]
    fn where_escaping_is_enough() {
        for html in [
            "<p>§</p>",
            "§",
            "<p title=\"§\">x</p>",
            "<a href=\"mailto:§\">§</a>",
            "<A HREF = '§'>x</A>",
            "<a href='https://example.com/?from=§'>x</a>",
            "<!-- § --><p>§</p>",
            "<style>p { color: red }</style><p>§</p>",
            "<script>if (a < b) x()</script>§",
            "a < b §",
            "<p style=\"color: red\">§</p>",
            "<img src=\"x.png\" alt='§'>",
            "<td width=10>§</td>",
        ] {
            assert_eq!(of(html), None, "{html}");
        }
    }

    #[test]
    fn where_it_is_not() {
        for (html, part) in [
            ("<p title=§>x</p>", "without quotes"),
            ("<p title= x§>x</p>", "without quotes"),
            ("<p §>x</p>", "in a tag"),
            ("<p style=\"color: §\">x</p>", "`style`"),
            ("<p onclick=\"say('§')\">x</p>", "a program"),
            ("<style>p { color: § }</style>", "style sheet"),
            ("<SCRIPT type=x>§</SCRIPT>", "script"),
            ("<script>a</scrip>§</script>", "script"),
        ] {
            assert!(of(html).is_some_and(|why| why.contains(part)), "{html}: {:?}", of(html));
        }
    }
}
