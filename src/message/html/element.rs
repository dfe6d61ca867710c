//! The elements that the rest of this folder has to tell apart.

/// Declares [`Element`] with its names, and the way from a name to it.
macro_rules! elements {
    ($($variant:ident $name:literal,)*) => {
        /// An element by its name; all that need not be told apart are [`Element::Other`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Element {
            $(#[doc = $name] $variant,)*
            /// Every other name.
            Other,
        }

        impl Element {
            /// How many there are, for tables indexed by `element as usize`.
            pub(super) const COUNT: usize = Self::Other as usize + 1;

            /// The element of a name in any case.
            pub(super) fn named(name: &str) -> Self {
                let mut lower = [0; LONGEST];
                let Some(lower) = lower.get_mut(..name.len()) else { return Self::Other };
                lower.copy_from_slice(name.as_bytes());
                lower.make_ascii_lowercase();
                match std::str::from_utf8(lower) {
                    $(Ok($name) => Self::$variant,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

/// Length of the longest name below.
const LONGEST: usize = 14;

elements! {
    A "a", Address "address", Applet "applet", Area "area", Article "article", Aside "aside", B "b", Base "base",
    Basefont "basefont", Bgsound "bgsound", Big "big", Blockquote "blockquote", Body "body", Br "br", Button "button",
    Caption "caption", Center "center", Code "code", Col "col", Colgroup "colgroup", Dd "dd", Desc "desc",
    Details "details", Dialog "dialog", Dir "dir", Div "div", Dl "dl", Dt "dt", Em "em", Embed "embed",
    Fieldset "fieldset", Figcaption "figcaption", Figure "figure", Font "font", Footer "footer",
    ForeignObject "foreignobject", Form "form", Frame "frame", Frameset "frameset", H1 "h1", H2 "h2", H3 "h3",
    H4 "h4", H5 "h5", H6 "h6", Head "head", Header "header", Hgroup "hgroup", Hr "hr", Html "html", I "i",
    Iframe "iframe", Image "image", Img "img", Input "input", Keygen "keygen", Li "li", Link "link",
    Listing "listing", Main "main", Marquee "marquee", Math "math", Menu "menu", Meta "meta", Mi "mi", Mn "mn",
    Mo "mo", Ms "ms", Mtext "mtext", Nav "nav", Nobr "nobr", Noembed "noembed", Noframes "noframes",
    Noscript "noscript", Object "object", Ol "ol", Optgroup "optgroup", Option "option", P "p", Param "param",
    Plaintext "plaintext", Pre "pre", Rb "rb", Rp "rp", Rt "rt", Rtc "rtc", Ruby "ruby", S "s", Script "script",
    Search "search", Section "section", Select "select", Small "small", Source "source", Span "span",
    Strike "strike", Strong "strong", Style "style", Sub "sub", Summary "summary", Sup "sup", Svg "svg",
    Table "table", Tbody "tbody", Td "td", Template "template", Textarea "textarea", Tfoot "tfoot", Th "th",
    Thead "thead", Title "title", Tr "tr", Track "track", Tt "tt", U "u", Ul "ul", Var "var", Wbr "wbr", Xmp "xmp",
}

impl Element {
    /// What it holds is no markup up to its own end tag (WHATWG "raw text", "RCDATA", "script data", "PLAINTEXT").
    pub(super) fn is_raw(self) -> bool {
        use Element::{Iframe, Noembed, Noframes, Plaintext, Script, Style, Textarea, Title, Xmp};
        matches!(self, Iframe | Noembed | Noframes | Plaintext | Script | Style | Textarea | Title | Xmp)
    }

    /// What it holds is raw and is shown.
    pub(super) fn is_shown_raw(self) -> bool {
        matches!(self, Self::Textarea | Self::Xmp | Self::Plaintext)
    }

    /// It has no end tag and holds nothing.
    pub(super) fn is_void(self) -> bool {
        use Element::{
            Area, Base, Basefont, Bgsound, Br, Col, Embed, Frame, Hr, Image, Img, Input, Keygen, Link, Meta, Param,
            Source, Track, Wbr,
        };
        matches!(
            self,
            Area | Base
                | Basefont
                | Bgsound
                | Br
                | Col
                | Embed
                | Frame
                | Hr
                | Image
                | Img
                | Input
                | Keygen
                | Link
                | Meta
                | Param
                | Source
                | Track
                | Wbr
        )
    }

    /// Belongs into the head wherever it stands, and shows nothing.
    pub(super) fn is_metadata(self) -> bool {
        use Element::{Base, Basefont, Bgsound, Link, Meta, Noframes, Script, Style, Title};
        matches!(self, Base | Basefont | Bgsound | Link | Meta | Noframes | Script | Style | Title)
    }

    /// WHATWG "formatting": opened again in the next block when left open in one.
    pub(super) fn is_formatting(self) -> bool {
        use Element::{A, B, Big, Code, Em, Font, I, Nobr, S, Small, Strike, Strong, Tt, U};
        matches!(self, A | B | Big | Code | Em | Font | I | Nobr | S | Small | Strike | Strong | Tt | U)
    }

    /// A heading.
    pub(super) fn is_heading(self) -> bool {
        matches!(self, Self::H1 | Self::H2 | Self::H3 | Self::H4 | Self::H5 | Self::H6)
    }

    /// Its start tag ends a paragraph, its end tag ends whatever is open in it.
    pub(super) fn is_block(self) -> bool {
        use Element::{
            Address, Article, Aside, Blockquote, Center, Details, Dialog, Dir, Div, Dl, Fieldset, Figcaption, Figure,
            Footer, Form, Header, Hgroup, Listing, Main, Menu, Nav, Ol, Pre, Search, Section, Summary, Ul,
        };
        self.is_heading()
            || matches!(
                self,
                Address
                    | Article
                    | Aside
                    | Blockquote
                    | Center
                    | Details
                    | Dialog
                    | Dir
                    | Div
                    | Dl
                    | Fieldset
                    | Figcaption
                    | Figure
                    | Footer
                    | Form
                    | Header
                    | Hgroup
                    | Listing
                    | Main
                    | Menu
                    | Nav
                    | Ol
                    | Pre
                    | Search
                    | Section
                    | Summary
                    | Ul
            )
    }

    /// Begins and ends a line of its own when it is shown.
    pub(super) fn parts_lines(self) -> bool {
        use Element::{
            Body, Caption, Dd, Dt, Hr, Html, Li, Optgroup, Option, P, Plaintext, Select, Table, Tbody, Textarea, Tfoot,
            Thead, Tr, Xmp,
        };
        self.is_block()
            || matches!(
                self,
                Body | Caption
                    | Dd
                    | Dt
                    | Hr
                    | Html
                    | Li
                    | Optgroup
                    | Option
                    | P
                    | Plaintext
                    | Select
                    | Table
                    | Tbody
                    | Textarea
                    | Tfoot
                    | Thead
                    | Tr
                    | Xmp
            )
    }

    /// WHATWG "special": an end tag of something ordinary does not reach past it.
    pub(super) fn is_special(self) -> bool {
        use Element::{
            Applet, Button, Caption, Colgroup, Dd, Desc, Dt, ForeignObject, Li, Marquee, Noscript, Object, P, Select,
            Table, Tbody, Td, Template, Tfoot, Th, Thead, Tr,
        };
        (self.is_block() && self != Self::Dialog && self != Self::Figure || self == Self::Figure)
            || matches!(
                self,
                Applet
                    | Button
                    | Caption
                    | Colgroup
                    | Dd
                    | Desc
                    | Dt
                    | ForeignObject
                    | Li
                    | Marquee
                    | Noscript
                    | Object
                    | P
                    | Select
                    | Table
                    | Tbody
                    | Td
                    | Template
                    | Tfoot
                    | Th
                    | Thead
                    | Tr
            )
    }

    /// Its end is implied by the end of what holds it (WHATWG "generate implied end tags").
    pub(super) fn is_implied(self) -> bool {
        use Element::{Dd, Dt, Li, Optgroup, Option, P, Rb, Rp, Rt, Rtc};
        matches!(self, Dd | Dt | Li | Optgroup | Option | P | Rb | Rp | Rt | Rtc)
    }

    /// WHATWG "has an element in scope" stops here.
    pub(super) fn is_scope(self) -> bool {
        use Element::{Applet, Caption, Marquee, Object, Table, Td, Template, Th};
        matches!(self, Applet | Caption | Marquee | Object | Table | Td | Template | Th)
    }

    /// Structure of a table that text cannot stand in.
    pub(super) fn is_table_structure(self) -> bool {
        use Element::{Colgroup, Table, Tbody, Tfoot, Thead, Tr};
        matches!(self, Colgroup | Table | Tbody | Tfoot | Thead | Tr)
    }

    /// Its start tag inside SVG or MathML leaves them (WHATWG 13.2.6.5).
    pub(super) fn breaks_out(self) -> bool {
        use Element::{
            B, Big, Blockquote, Body, Br, Center, Code, Dd, Div, Dl, Dt, Em, Embed, Head, Hr, I, Img, Li, Listing,
            Menu, Meta, Nobr, Ol, P, Pre, Ruby, S, Small, Span, Strike, Strong, Sub, Sup, Table, Tt, U, Ul, Var,
        };
        self.is_heading()
            || matches!(
                self,
                B | Big
                    | Blockquote
                    | Body
                    | Br
                    | Center
                    | Code
                    | Dd
                    | Div
                    | Dl
                    | Dt
                    | Em
                    | Embed
                    | Head
                    | Hr
                    | I
                    | Img
                    | Li
                    | Listing
                    | Menu
                    | Meta
                    | Nobr
                    | Ol
                    | P
                    | Pre
                    | Ruby
                    | S
                    | Small
                    | Span
                    | Strike
                    | Strong
                    | Sub
                    | Sup
                    | Table
                    | Tt
                    | U
                    | Ul
                    | Var
            )
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn names_are_found_in_any_case() {
        let cases = [
            ("BODY", Element::Body),
            ("td", Element::Td),
            ("foreignObject", Element::ForeignObject),
            ("o:p", Element::Other),
            ("blockquotes", Element::Other),
            ("a-name-longer-than-every-element", Element::Other),
            ("", Element::Other),
            ("é", Element::Other),
        ];
        for (name, element) in cases {
            assert_eq!(Element::named(name), element, "{name}");
        }
    }
}
