//! How readers that take a charset's label at its word read bytes, where `encoding_rs` reads a superset: GB 2312 as GBK,
//! Shift_JIS with the rows of NEC and IBM, ISO 8859-1 as Windows-1252. Both kinds of readers are out there.
//!
//! Invariant: bytes that are [`Reading::Same`] mean the same to both. Only such text is ever written in another charset, and
//! only such bytes are written for new text. The tables hold what the mapping tables of the standards (as in Python's and
//! glibc's codecs) and those of the WHATWG have in common.

use std::ops::RangeInclusive;

/// How far readers agree on bytes, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Reading {
    /// All read the same.
    Same,
    /// All can read them, but some see other characters.
    Differs,
    /// Readers that take the label at its word cannot read them, or do not know the label.
    Narrow,
    /// They are not valid for anybody.
    Broken,
}

/// How a label is read by those that take it at its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strict {
    /// Just as `encoding_rs` reads it.
    Exact,
    /// As US-ASCII: also labels that some readers do not know.
    Ascii,
    /// One octet each; 0x80 to 0x9F are control characters.
    Iso,
    /// ISO 8859-8: as `Iso`, but letters are in visual order, which no other charset has.
    Visual,
    /// TIS-620: as `Iso`, and 0xA0 is nothing.
    Thai,
    /// One octet each; what Microsoft left undefined is nothing.
    Windows,
    /// Windows-1255, which has one more octet at the WHATWG.
    Hebrew,
    /// KOI8-U, in which the WHATWG has two letters of KOI8-RU.
    Koi8U,
    /// Two octets each, from this table.
    Pairs(&'static Pairs),
    /// As `Pairs`, with four octets besides.
    Gb18030,
    /// As `Pairs`, with half-width katakana in one octet.
    ShiftJis,
    /// As `Pairs`, with three octets for JIS X 0212.
    EucJp,
    /// ISO-2022-JP (RFC 1468).
    Iso2022Jp,
}

/// A row: its first octets, and the second octets that they have.
type Row = (RangeInclusive<u8>, &'static [RangeInclusive<u8>]);

/// Which pairs of octets readers agree on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pairs {
    /// All read these as the same character. Rows ascend.
    same: &'static [Row],
    /// These are read as two different characters. Ascending.
    differ: &'static [u16],
}

impl Pairs {
    fn reading(&self, first: u8, second: u8) -> Reading {
        let row = self.same.partition_point(|(rows, _)| *rows.end() < first);
        let row = self.same.get(row).filter(|(rows, _)| rows.contains(&first));
        if row.is_some_and(|(_, cells)| cells.iter().any(|cells| cells.contains(&second))) {
            Reading::Same
        } else if self.differ.binary_search(&u16::from_be_bytes([first, second])).is_ok() {
            Reading::Differs
        } else {
            Reading::Narrow
        }
    }
}

impl Strict {
    /// What those that take an ASCII-compatible label at its word make of it, in lower case. Labels that are not in common
    /// use are read as ASCII: some readers do not know them.
    pub(super) fn of(label: &str) -> Self {
        match label {
            "utf-8" | "utf8" | "unicode-1-1-utf-8" | "koi8-r" | "cskoi8r" | "macintosh" | "ibm866" | "cp866" => {
                Self::Exact
            }
            "koi8-u" => Self::Koi8U,
            "windows-1255" | "cp1255" => Self::Hebrew,
            "tis-620" => Self::Thai,
            "gb2312" | "chinese" | "csgb2312" | "iso-ir-58" | "csiso58gb231280" => Self::Pairs(&GB2312),
            "gbk" => Self::Pairs(&GBK),
            "gb18030" => Self::Gb18030,
            "shift_jis" | "shift-jis" | "sjis" | "csshiftjis" => Self::ShiftJis,
            "euc-jp" => Self::EucJp,
            "iso-2022-jp" | "csiso2022jp" => Self::Iso2022Jp,
            "euc-kr" | "ks_c_5601-1987" | "ksc5601" | "korean" => Self::Pairs(&EUC_KR),
            "big5" | "csbig5" | "big5-hkscs" => Self::Pairs(&BIG5),
            "iso-8859-8" | "iso8859-8" | "iso_8859-8" | "iso_8859-8:1988" | "iso-ir-138" | "csisolatinhebrew" => {
                Self::Visual
            }
            _ if is_iso_8859(label) => Self::Iso,
            _ if ["windows-125", "cp125"].iter().any(|start| label.starts_with(start)) => Self::Windows,
            _ => Self::Ascii,
        }
    }

    /// How far readers agree on `bytes`, which `encoding_rs` reads as `text` and finds valid.
    pub(super) fn reading(self, bytes: &[u8], text: &str) -> Reading {
        // What is odd in any of them has octets that are not ASCII, but for the escape sequences of ISO-2022-JP.
        if self != Self::Iso2022Jp && bytes.is_ascii() {
            return Reading::Same;
        }
        let any = |wanted: RangeInclusive<u8>| bytes.iter().any(|b| wanted.contains(b));
        let control = || text.chars().any(|c| ('\u{80}'..='\u{9F}').contains(&c));
        let worst = |bad: bool, reading| if bad { reading } else { Reading::Same };
        match self {
            Self::Exact => Reading::Same,
            Self::Ascii => worst(!bytes.is_ascii(), Reading::Narrow),
            Self::Iso => worst(any(0x80..=0x9F), Reading::Differs),
            Self::Visual => worst(any(0x80..=0x9F) || any(0xE0..=0xFA), Reading::Differs),
            Self::Thai => worst(any(0x80..=0x9F), Reading::Differs).max(worst(any(0xA0..=0xA0), Reading::Narrow)),
            Self::Windows => worst(control(), Reading::Narrow),
            Self::Hebrew => worst(control() || any(0xCA..=0xCA), Reading::Narrow),
            Self::Koi8U => worst(any(0xAE..=0xAE) || any(0xBE..=0xBE), Reading::Differs),
            Self::Pairs(pairs) => walk(bytes, |rest| pair(pairs, rest)),
            Self::Gb18030 => walk(bytes, |rest| match rest {
                [_, b'0'..=b'9', ..] => {
                    let moved = rest.starts_with(&[0x81, 0x35, 0xF4, 0x37]);
                    (4, worst(moved, Reading::Differs))
                }
                _ => pair(&GB18030, rest),
            }),
            Self::ShiftJis => walk(bytes, |rest| match rest {
                [0xA1..=0xDF, ..] => (1, Reading::Same),
                _ => pair(&SHIFT_JIS, rest),
            }),
            Self::EucJp => walk(bytes, |rest| match rest {
                [0x8F, first, second, ..] => (3, worst((*first, *second) == (0xA2, 0xB7), Reading::Differs)),
                _ => pair(&EUC_JP, rest),
            }),
            Self::Iso2022Jp => iso_2022_jp(bytes),
        }
    }
}

/// `iso-8859-1` and its kin, and the names that registries have for them.
fn is_iso_8859(label: &str) -> bool {
    let number = ["iso-8859-", "iso8859-", "iso_8859-"].iter().find_map(|start| label.strip_prefix(start));
    let number = number.map(|number| number.split_once(':').map_or(number, |(number, _year)| number));
    number.is_some_and(|number| number.parse::<u8>().is_ok_and(|n| (1..=16).contains(&n)))
        || ["latin", "csisolatin"].iter().any(|start| {
            label.strip_prefix(start).is_some_and(|number| number.parse::<u8>().is_ok_and(|n| (1..=6).contains(&n)))
        })
        || ["l1", "l2", "l3", "l4", "l5", "cp819", "ibm819", "iso-ir-100", "iso-ir-101"].contains(&label)
}

/// The worst reading of all characters; `step` says how long the next one is, whose first octet is not ASCII.
fn walk(bytes: &[u8], step: impl Fn(&[u8]) -> (usize, Reading)) -> Reading {
    let mut worst = Reading::Same;
    let mut at = 0;
    while let Some(skipped) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| !b.is_ascii())) {
        at += skipped;
        let (len, reading) = step(bytes.get(at..).unwrap_or_default());
        at += len;
        worst = worst.max(reading);
    }
    worst
}

fn pair(pairs: &Pairs, rest: &[u8]) -> (usize, Reading) {
    match rest {
        [first, second, ..] => (2, pairs.reading(*first, *second)),
        _ => (1, Reading::Narrow),
    }
}

/// ASCII, JIS X 0201 Roman and JIS X 0208 are what RFC 1468 knows.
fn iso_2022_jp(bytes: &[u8]) -> Reading {
    let mut worst = Reading::Same;
    let mut wide = false;
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return worst,
            [0x1B, b'(', b'B' | b'J', rest @ ..] => {
                wide = false;
                rest
            }
            [0x1B, b'$', b'@' | b'B', rest @ ..] => {
                wide = true;
                rest
            }
            [0x1B, rest @ ..] => {
                worst = worst.max(Reading::Narrow);
                rest
            }
            // The rows of EUC-JP are those of JIS X 0208 with the high bit set.
            [first @ 0x21..=0x7E, second @ 0x21..=0x7E, rest @ ..] if wide => {
                worst = worst.max(EUC_JP.reading(first | 0x80, second | 0x80));
                rest
            }
            [octet, rest @ ..] => {
                worst = worst.max(if octet.is_ascii() { Reading::Same } else { Reading::Narrow });
                rest
            }
        };
    }
}

/// GB 2312, which is read as GBK.
#[rustfmt::skip]
const GB2312: Pairs = Pairs {
    same: &[
        (0xA1..=0xA1, &[0xA1..=0xA3, 0xA5..=0xA9, 0xAB..=0xFE]),
        (0xA2..=0xA2, &[0xB1..=0xE2, 0xE5..=0xEE, 0xF1..=0xFC]),
        (0xA3..=0xA3, &[0xA1..=0xFE]),
        (0xA4..=0xA4, &[0xA1..=0xF3]),
        (0xA5..=0xA5, &[0xA1..=0xF6]),
        (0xA6..=0xA6, &[0xA1..=0xB8, 0xC1..=0xD8]),
        (0xA7..=0xA7, &[0xA1..=0xC1, 0xD1..=0xF1]),
        (0xA8..=0xA8, &[0xA1..=0xBA, 0xC5..=0xE9]),
        (0xA9..=0xA9, &[0xA4..=0xEF]),
        (0xB0..=0xD6, &[0xA1..=0xFE]),
        (0xD7..=0xD7, &[0xA1..=0xF9]),
        (0xD8..=0xF7, &[0xA1..=0xFE]),
    ],
    differ: &[
        0xA1A4, 0xA1AA,
    ],
};

/// GBK.
#[rustfmt::skip]
const GBK: Pairs = Pairs {
    same: &[
        (0x81..=0xA0, &[0x40..=0x7E, 0x80..=0xFE]),
        (0xA1..=0xA1, &[0xA1..=0xFE]),
        (0xA2..=0xA2, &[0xA1..=0xAA, 0xB1..=0xE2, 0xE5..=0xEE, 0xF1..=0xFC]),
        (0xA3..=0xA3, &[0xA1..=0xFE]),
        (0xA4..=0xA4, &[0xA1..=0xF3]),
        (0xA5..=0xA5, &[0xA1..=0xF6]),
        (0xA6..=0xA6, &[0xA1..=0xB8, 0xC1..=0xD8, 0xE0..=0xEB, 0xEE..=0xF2, 0xF4..=0xF5]),
        (0xA7..=0xA7, &[0xA1..=0xC1, 0xD1..=0xF1]),
        (0xA8..=0xA8, &[0x40..=0x7E, 0x80..=0x95, 0xA1..=0xBB, 0xBD..=0xBE, 0xC0..=0xC0, 0xC5..=0xE9]),
        (0xA9..=0xA9, &[0x40..=0x57, 0x59..=0x5A, 0x5C..=0x5C, 0x60..=0x7E, 0x80..=0x88, 0x96..=0x96, 0xA4..=0xEF]),
        (0xAA..=0xAF, &[0x40..=0x7E, 0x80..=0xA0]),
        (0xB0..=0xD6, &[0x40..=0x7E, 0x80..=0xFE]),
        (0xD7..=0xD7, &[0x40..=0x7E, 0x80..=0xF9]),
        (0xD8..=0xF7, &[0x40..=0x7E, 0x80..=0xFE]),
        (0xF8..=0xFD, &[0x40..=0x7E, 0x80..=0xA0]),
        (0xFE..=0xFE, &[0x40..=0x4F]),
    ],
    differ: &[
    ],
};

/// GB 18030: the edition of 2022 moved some characters out of the private use area.
#[rustfmt::skip]
const GB18030: Pairs = Pairs {
    same: &[
        (0x81..=0xA2, &[0x40..=0x7E, 0x80..=0xFE]),
        (0xA3..=0xA3, &[0x40..=0x7E, 0x80..=0x9F, 0xA1..=0xFE]),
        (0xA4..=0xA5, &[0x40..=0x7E, 0x80..=0xFE]),
        (0xA6..=0xA6, &[0x40..=0x7E, 0x80..=0xD8, 0xE0..=0xEB, 0xEE..=0xF2, 0xF4..=0xFE]),
        (0xA7..=0xA7, &[0x40..=0x7E, 0x80..=0xFE]),
        (0xA8..=0xA8, &[0x40..=0x7E, 0x80..=0xBB, 0xBD..=0xFE]),
        (0xA9..=0xFD, &[0x40..=0x7E, 0x80..=0xFE]),
        (0xFE..=0xFE, &[0x40..=0x58, 0x5A..=0x60, 0x62..=0x65, 0x68..=0x6C, 0x6E..=0x7D, 0x80..=0x8F, 0x91..=0x9F, 0xA1..=0xFE]),
    ],
    differ: &[
        0xA3A0, 0xA6D9, 0xA6DA, 0xA6DB, 0xA6DC, 0xA6DD, 0xA6DE, 0xA6DF, 0xA6EC, 0xA6ED, 0xA6F3, 0xA8BC, 0xFE59, 0xFE61,
        0xFE66, 0xFE67, 0xFE6D, 0xFE7E, 0xFE90, 0xFEA0,
    ],
};

/// Shift_JIS, which is read with the rows of NEC and IBM; wave dash and kin are mapped in two ways.
#[rustfmt::skip]
const SHIFT_JIS: Pairs = Pairs {
    same: &[
        (0x81..=0x81, &[0x40..=0x5F, 0x62..=0x7B, 0x7D..=0x7E, 0x80..=0x90, 0x93..=0xAC, 0xB8..=0xBF, 0xC8..=0xC9, 0xCB..=0xCE, 0xDA..=0xE8, 0xF0..=0xF7, 0xFC..=0xFC]),
        (0x82..=0x82, &[0x4F..=0x58, 0x60..=0x79, 0x81..=0x9A, 0x9F..=0xF1]),
        (0x83..=0x83, &[0x40..=0x7E, 0x80..=0x96, 0x9F..=0xB6, 0xBF..=0xD6]),
        (0x84..=0x84, &[0x40..=0x60, 0x70..=0x7E, 0x80..=0x91, 0x9F..=0xBE]),
        (0x88..=0x88, &[0x9F..=0xFC]),
        (0x89..=0x97, &[0x40..=0x7E, 0x80..=0xFC]),
        (0x98..=0x98, &[0x40..=0x72, 0x9F..=0xFC]),
        (0x99..=0x9F, &[0x40..=0x7E, 0x80..=0xFC]),
        (0xE0..=0xE9, &[0x40..=0x7E, 0x80..=0xFC]),
        (0xEA..=0xEA, &[0x40..=0x7E, 0x80..=0xA4]),
    ],
    differ: &[
        0x8160, 0x8161, 0x817C, 0x8191, 0x8192, 0x81CA,
    ],
};

/// EUC-JP.
#[rustfmt::skip]
const EUC_JP: Pairs = Pairs {
    same: &[
        (0x8E..=0x8E, &[0xA1..=0xDF]),
        (0xA1..=0xA1, &[0xA1..=0xC0, 0xC3..=0xDC, 0xDE..=0xF0, 0xF3..=0xFE]),
        (0xA2..=0xA2, &[0xA1..=0xAE, 0xBA..=0xC1, 0xCA..=0xCB, 0xCD..=0xD0, 0xDC..=0xEA, 0xF2..=0xF9, 0xFE..=0xFE]),
        (0xA3..=0xA3, &[0xB0..=0xB9, 0xC1..=0xDA, 0xE1..=0xFA]),
        (0xA4..=0xA4, &[0xA1..=0xF3]),
        (0xA5..=0xA5, &[0xA1..=0xF6]),
        (0xA6..=0xA6, &[0xA1..=0xB8, 0xC1..=0xD8]),
        (0xA7..=0xA7, &[0xA1..=0xC1, 0xD1..=0xF1]),
        (0xA8..=0xA8, &[0xA1..=0xC0]),
        (0xB0..=0xCE, &[0xA1..=0xFE]),
        (0xCF..=0xCF, &[0xA1..=0xD3]),
        (0xD0..=0xF3, &[0xA1..=0xFE]),
        (0xF4..=0xF4, &[0xA1..=0xA6]),
    ],
    differ: &[
        0xA1C1, 0xA1C2, 0xA1DD, 0xA1F1, 0xA1F2, 0xA2CC,
    ],
};

/// EUC-KR, which is read as the Unified Hangul Code.
#[rustfmt::skip]
const EUC_KR: Pairs = Pairs {
    same: &[
        (0xA1..=0xA1, &[0xA1..=0xFE]),
        (0xA2..=0xA2, &[0xA1..=0xE7]),
        (0xA3..=0xA3, &[0xA1..=0xFE]),
        (0xA4..=0xA4, &[0xA1..=0xD3, 0xD5..=0xFE]),
        (0xA5..=0xA5, &[0xA1..=0xAA, 0xB0..=0xB9, 0xC1..=0xD8, 0xE1..=0xF8]),
        (0xA6..=0xA6, &[0xA1..=0xE4]),
        (0xA7..=0xA7, &[0xA1..=0xEF]),
        (0xA8..=0xA8, &[0xA1..=0xA4, 0xA6..=0xA6, 0xA8..=0xAF, 0xB1..=0xFE]),
        (0xA9..=0xA9, &[0xA1..=0xFE]),
        (0xAA..=0xAA, &[0xA1..=0xF3]),
        (0xAB..=0xAB, &[0xA1..=0xF6]),
        (0xAC..=0xAC, &[0xA1..=0xC1, 0xD1..=0xF1]),
        (0xB0..=0xC8, &[0xA1..=0xFE]),
        (0xCA..=0xFD, &[0xA1..=0xFE]),
    ],
    differ: &[
    ],
};

/// Big5, which is read with the Hong Kong characters.
#[rustfmt::skip]
const BIG5: Pairs = Pairs {
    same: &[
        (0xA1..=0xA1, &[0x40..=0x44, 0x46..=0x4D, 0x4F..=0x7E, 0xA1..=0xC1, 0xC3..=0xE2, 0xE4..=0xF1, 0xF4..=0xFE]),
        (0xA2..=0xA2, &[0x40..=0x40, 0x43..=0x43, 0x45..=0x45, 0x48..=0x7E, 0xA1..=0xFE]),
        (0xA3..=0xA3, &[0x40..=0x7E, 0xA1..=0xBF]),
        (0xA4..=0xC5, &[0x40..=0x7E, 0xA1..=0xFE]),
        (0xC6..=0xC6, &[0x40..=0x7E]),
        (0xC9..=0xF8, &[0x40..=0x7E, 0xA1..=0xFE]),
        (0xF9..=0xF9, &[0x40..=0x7E, 0xA1..=0xD5]),
    ],
    differ: &[
        0xA145, 0xA14E, 0xA1C2, 0xA1E3, 0xA1F2, 0xA1F3, 0xA241, 0xA242, 0xA244, 0xA246, 0xA247,
    ],
};

#[cfg(test)]
mod tests {
    use encoding_rs::{
        BIG5 as WHATWG_BIG5, EUC_JP as WHATWG_EUC_JP, EUC_KR as WHATWG_EUC_KR, Encoding, GB18030 as WHATWG_GB18030,
        GBK as WHATWG_GBK, SHIFT_JIS as WHATWG_SHIFT_JIS,
    };

    use super::*;

    #[test]
    fn the_tables_hold_as_many_characters_as_the_standards_and_the_whatwg_share() {
        let count = |pairs: &Pairs, encoding: &'static Encoding| {
            let all = (0x80..=0xFF_u8).flat_map(|first| (0x21..=0xFE_u8).map(move |second| [first, second]));
            let valid = |pair: &[u8; 2]| !encoding.decode_without_bom_handling(pair).1;
            for pair in all.clone().filter(|pair| !valid(pair)) {
                assert_eq!(pairs.reading(pair[0], pair[1]), Reading::Narrow, "{pair:02X?} in {}", encoding.name());
            }
            let of = |reading| all.clone().filter(|pair| pairs.reading(pair[0], pair[1]) == reading).count();
            (of(Reading::Same), of(Reading::Differs))
        };
        assert_eq!(count(&GB2312, WHATWG_GBK), (7_443, 2));
        assert_eq!(count(&GBK, WHATWG_GBK), (21_791, 0));
        assert_eq!(count(&GB18030, WHATWG_GB18030), (23_920, 20));
        assert_eq!(count(&SHIFT_JIS, WHATWG_SHIFT_JIS), (6_873, 6));
        assert_eq!(count(&EUC_JP, WHATWG_EUC_JP), (6_936, 6));
        assert_eq!(count(&EUC_KR, WHATWG_EUC_KR), (8_225, 0));
        assert_eq!(count(&BIG5, WHATWG_BIG5), (13_450, 11));
    }

    #[test]
    fn readers_agree_on_some_bytes_and_not_on_others() {
        use Reading::{Differs, Narrow, Same};
        for (label, bytes, reading) in [
            ("gb2312", &b"a\xC4\xE3\xBA\xC3"[..], Same),
            ("gb2312", b"\xA1\xAA", Differs),
            ("gb2312", b"\xE9F", Narrow),
            ("gbk", b"\xE9F", Same),
            ("gbk", b"\x80", Narrow),
            ("gb18030", b"\x81\x30\x81\x30\xA8\xBC", Differs),
            ("shift_jis", b"\xB1\x82\xA0", Same),
            ("shift_jis", b"\x81\x60", Differs),
            ("shift_jis", b"\x87\x40", Narrow),
            ("windows-31j", b"\x82\xA0", Narrow),
            ("euc-jp", b"\x8F\xB0\xA1\xA4\xA2\x8E\xB1", Same),
            ("iso-2022-jp", b"\x1B$B$\"\x1B(B", Same),
            ("iso-2022-jp", b"\x1B$B!A\x1B(B", Differs),
            ("iso-2022-jp", b"\x1B$B-!\x1B(B", Narrow),
            ("iso-2022-jp", b"\x1B(I1\x1B(B", Narrow),
            ("ks_c_5601-1987", b"\xC7\xD1", Same),
            ("euc-kr", b"\x8Cc", Narrow),
            ("big5", b"\xA4\xA4", Same),
            ("big5-hkscs", b"\x87@", Narrow),
            ("iso-8859-1", b"\xE9", Same),
            ("iso-8859-1", b"\x93", Differs),
            ("iso_8859-9:1989", b"\xFE", Same),
            ("latin2", b"\xE9", Same),
            ("iso-8859-8", b"\xE0", Differs),
            ("iso-8859-8-i", b"\xE0", Narrow),
            ("windows-874", b"\xA1", Narrow),
            ("tis-620", b"\xA1", Same),
            ("tis-620", b"\xA0", Narrow),
            ("windows-1252", b"\x80", Same),
            ("windows-1252", b"\x81", Narrow),
            ("koi8-u", b"\xAE", Differs),
            ("us-ascii", b"a", Same),
            ("x-sjis", b"a", Same),
        ] {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            let text = encoding.decode_without_bom_handling(bytes).0;
            assert_eq!(Strict::of(label).reading(bytes, &text), reading, "{label} {}", bytes.escape_ascii());
        }
    }
}
