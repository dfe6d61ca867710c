//! File names that say something else than they seem to, and what they are made into.
//!
//! Invariant: taming a name twice is taming it once, and what comes of it is no longer than [`MAX_NAME`] characters.

use std::ops::Range;

use super::super::TextEdit;

/// Characters of the longest name: file systems take 255 octets.
pub const MAX_NAME: usize = 120;

/// Extensions that Windows or a shell runs, so that a document's extension before them deceives.
const PROGRAMS: &[&str] = &[
    "exe",
    "com",
    "scr",
    "pif",
    "cpl",
    "msi",
    "msp",
    "mst",
    "bat",
    "cmd",
    "ps1",
    "psm1",
    "vbs",
    "vbe",
    "vb",
    "js",
    "jse",
    "wsf",
    "wsh",
    "wsc",
    "sct",
    "hta",
    "lnk",
    "url",
    "inf",
    "reg",
    "jar",
    "jnlp",
    "chm",
    "hlp",
    "msc",
    "gadget",
    "application",
    "appref-ms",
    "scf",
    "iso",
    "img",
    "vhd",
    "vhdx",
    "one",
    "xll",
    "dll",
    "sys",
    "sh",
    "command",
    "desktop",
    "app",
    "dmg",
    "pkg",
    "apk",
    "html",
    "htm",
    "xhtml",
    "shtml",
    "svg",
];

/// A name without what deceives: direction and other format characters, controls, path separators, other dots, runs of
/// white space, dots and blanks at its ends, an extension of a document before that of a program, more than
/// [`MAX_NAME`] characters.
pub fn tame(name: &str) -> String {
    let mut tame = name.to_owned();
    for edit in tamed(name).into_iter().rev() {
        tame.replace_range(edit.range, &edit.text);
    }
    tame
}

/// The edits of a name that [`tame`] comes to, in order and apart.
pub fn tamed(name: &str) -> Vec<TextEdit> {
    let chars: Vec<(usize, char)> = name.char_indices().collect();
    // What each character becomes.
    let mut new: Vec<Option<char>> = chars.iter().map(|(_, c)| Some(*c)).collect();
    for (slot, (_, c)) in new.iter_mut().zip(&chars) {
        *slot = match *c {
            c if is_invisible(c) => None,
            c if is_dot(c) => Some('.'),
            c if is_separator(c) => Some('_'),
            c if c.is_whitespace() && c != ' ' => Some(' '),
            c => Some(c),
        };
    }
    let mut before = None;
    for slot in &mut new {
        if *slot == Some(' ') && before == Some(' ') {
            *slot = None;
        }
        before = slot.or(before);
    }
    trim(&mut new);
    show_the_program(&mut new);
    cut(&mut new);
    edits(&chars, &new)
}

/// Blanks at its beginning; dots and blanks at its end, which Windows drops (so `a.exe. ` runs).
fn trim(new: &mut [Option<char>]) {
    for slot in new.iter_mut() {
        match slot {
            Some(' ') | None => *slot = None,
            Some(_) => break,
        }
    }
    for slot in new.iter_mut().rev() {
        match slot {
            Some(' ' | '.') | None => *slot = None,
            Some(_) => break,
        }
    }
    // A blank before the extension says that there is more of the name than there is.
    let mut dot = false;
    for slot in new.iter_mut().rev() {
        match slot {
            Some('.') if !dot => dot = true,
            Some(' ') if dot => *slot = None,
            Some(_) if dot => break,
            None | Some(_) => {}
        }
    }
}

/// `invoice.pdf.exe` becomes `invoice_pdf.exe`.
fn show_the_program(new: &mut [Option<char>]) {
    let Some(last) = new.iter().rposition(|slot| *slot == Some('.')) else { return };
    let extension: String = new.iter().skip(last + 1).flatten().collect::<String>().to_lowercase();
    if !PROGRAMS.contains(&extension.as_str()) {
        return;
    }
    for slot in new.iter_mut().take(last).skip_while(|slot| matches!(slot, None | Some('.'))) {
        if *slot == Some('.') {
            *slot = Some('_');
        }
    }
}

/// The end of the stem goes, the extension stays.
fn cut(new: &mut [Option<char>]) {
    let mut over = new.iter().flatten().count().saturating_sub(MAX_NAME);
    if over == 0 {
        return;
    }
    let end = new.len();
    let dot = new.iter().rposition(|slot| *slot == Some('.')).filter(|dot| end - dot <= MAX_NAME / 2).unwrap_or(end);
    for slot in new.iter_mut().take(dot).rev() {
        if over > 0 && slot.take().is_some() {
            over -= 1;
        }
    }
    // No blank or dot is left to stand at the cut.
    for slot in new.iter_mut().take(dot).rev() {
        match slot {
            Some(' ' | '.') | None => *slot = None,
            Some(_) => break,
        }
    }
}

fn edits(chars: &[(usize, char)], new: &[Option<char>]) -> Vec<TextEdit> {
    let mut edits: Vec<TextEdit> = Vec::new();
    for ((at, old), new) in chars.iter().zip(new) {
        if *new == Some(*old) {
            continue;
        }
        let range: Range<usize> = *at..at + old.len_utf8();
        let text: String = new.iter().collect();
        match edits.last_mut() {
            Some(last) if last.range.end == range.start => {
                last.range.end = range.end;
                last.text.push_str(&text);
            }
            _ => edits.push(TextEdit { range, text }),
        }
    }
    edits
}

/// Nothing is seen of it, but for what it does to others: controls, directions (RTLO), joiners, tags, variation selectors.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Looks like the dot before an extension, and is none.
fn is_dot(c: char) -> bool {
    matches!(c, '\u{2024}' | '\u{FE52}' | '\u{FF0E}' | '\u{FF61}' | '\u{3002}' | '\u{A4F8}')
}

/// Parts folders from names, or looks so: what a program that saves the file may follow. A quote is no part of a name either.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        '"' | '/'
            | '\\'
            | ':'
            | '\u{2044}'
            | '\u{2215}'
            | '\u{29F8}'
            | '\u{FF0F}'
            | '\u{FF3C}'
            | '\u{FE68}'
            | '\u{FF1A}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_deceive_are_tamed() {
        for (name, want) in [
            ("report.pdf", "report.pdf"),
            ("Größe 2.tar.gz", "Größe 2.tar.gz"),
            (".gitignore", ".gitignore"),
            ("invoice\u{202E}fdp.exe", "invoicefdp.exe"),
            ("invoice.pdf.exe", "invoice_pdf.exe"),
            ("a.b.c.JS", "a_b_c.JS"),
            ("photo.jpg                         .scr", "photo_jpg.scr"),
            ("run.exe. . ", "run.exe"),
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("C:\\Users\\a.doc", "C__Users_a.doc"),
            ("a\u{2024}exe", "a.exe"),
            ("a\u{0}b\u{200B}c\n.txt", "abc.txt"),
            ("  a.txt", "a.txt"),
            ("\u{202E}", ""),
            ("...", ""),
            ("", ""),
        ] {
            assert_eq!(tame(name), want, "{name:?}");
            assert_eq!(tame(want), want, "{name:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension() {
        let long = tame(&format!("{}.pdf", "x".repeat(500)));
        assert_eq!((long.len(), long.ends_with("x.pdf")), (MAX_NAME, true));
        assert_eq!(tame(&long), long);
        assert_eq!(tame(&"é".repeat(500)).chars().count(), MAX_NAME);
        let odd = tame(&format!("a.{}", "b c".repeat(300)));
        assert!(odd.chars().count() <= MAX_NAME && tame(&odd) == odd, "{odd}");
    }
}
