//! The elements that the rest of this folder has to tell apart.

/// Declares [`Element`] with its names, and the way from a name to it.
macro_rules! elements {
    ($($variant:ident $name:literal,)*) => {
        /// An element by its name; all that need not be told apart are [`Element::Other`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Element {
            $(#[doc = stringify!($variant)] $variant,)*
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
                // Matched octet by octet, where strings would be compared one after the other.
                match &*lower {
                    $($name => Self::$variant,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

/// Length of the longest name below.
const LONGEST: usize = 14;

elements! {
    A b"a", Address b"address", Applet b"applet", Area b"area", Article b"article", Aside b"aside", B b"b",
    Base b"base", Basefont b"basefont", Bgsound b"bgsound", Big b"big", Blockquote b"blockquote", Body b"body",
    Br b"br", Button b"button", Caption b"caption", Center b"center", Code b"code", Col b"col", Colgroup b"colgroup",
    Dd b"dd", Desc b"desc", Details b"details", Dialog b"dialog", Dir b"dir", Div b"div", Dl b"dl", Dt b"dt",
    Em b"em", Embed b"embed", Fieldset b"fieldset", Figcaption b"figcaption", Figure b"figure", Font b"font",
    Footer b"footer", ForeignObject b"foreignobject", Form b"form", Frame b"frame", Frameset b"frameset", H1 b"h1",
    H2 b"h2", H3 b"h3", H4 b"h4", H5 b"h5", H6 b"h6", Head b"head", Header b"header", Hgroup b"hgroup", Hr b"hr",
    Html b"html", I b"i", Iframe b"iframe", Image b"image", Img b"img", Input b"input", Keygen b"keygen", Li b"li",
    Link b"link", Listing b"listing", Main b"main", Marquee b"marquee", Math b"math", Menu b"menu", Meta b"meta",
    Mi b"mi", Mn b"mn", Mo b"mo", Ms b"ms", Mtext b"mtext", Nav b"nav", Nobr b"nobr", Noembed b"noembed",
    Noframes b"noframes", Noscript b"noscript", Object b"object", Ol b"ol", Optgroup b"optgroup", Option b"option",
    P b"p", Param b"param", Plaintext b"plaintext", Pre b"pre", Rb b"rb", Rp b"rp", Rt b"rt", Rtc b"rtc",
    Ruby b"ruby", S b"s", Script b"script", Search b"search", Section b"section", Select b"select", Small b"small",
    Source b"source", Span b"span", Strike b"strike", Strong b"strong", Style b"style", Sub b"sub",
    Summary b"summary", Sup b"sup", Svg b"svg", Table b"table", Tbody b"tbody", Td b"td", Template b"template",
    Textarea b"textarea", Tfoot b"tfoot", Th b"th", Thead b"thead", Title b"title", Tr b"tr", Track b"track",
    Tt b"tt", U b"u", Ul b"ul", Var b"var", Wbr b"wbr", Xmp b"xmp",
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
