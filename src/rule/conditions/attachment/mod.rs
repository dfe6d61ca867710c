//! `attachment`: names, types, sizes and number of attachments; by their content where a rule asks for it.

pub(in crate::rule) mod content;

use std::borrow::Cow;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::message::{Attachment, Draft};
use crate::rule::problem::Code;
use crate::rule::section::{At, Holds, Section};
use crate::rule::toml_value::{nearest_line, shown};
use crate::rule::{Condition, ConditionKind, OptionDoc, Scene, Takes};

use super::keys;
use super::range::{self, CountRange, SizeRange};
use content::GROUPS;

pub(in crate::rule) const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        key: "name",
        takes: Takes::Texts("glob"),
        default: "any name",
        doc: "Globs on the decoded file name, such as \"invoice*.pdf\"; upper and lower case are the same. Where an attachment \
              has several names, of which readers take one or the other, one must match.",
    },
    OptionDoc {
        key: "type",
        takes: Takes::Texts("glob"),
        default: "any type",
        doc: "Globs on the declared media type, such as \"image/*\" or \"application/pdf\".",
    },
    OptionDoc {
        key: "content",
        takes: Takes::WordsOr(&["executable", "archive", "office"], "glob"),
        default: "any content",
        doc: "What the attachment is by its first octets, whatever its name and declared type say: a word, or globs on a \
              media type such as \"application/pdf\".",
    },
    OptionDoc {
        key: "inside",
        takes: Takes::Texts("glob"),
        default: "not looked at",
        doc: "Globs on the names of the files in it, where it is a ZIP archive or built as one (Office, JAR), with or \
              without their folders, such as \"*.exe\". Archives in archives are not opened; of one that \
              lies in another uncompressed the names are seen.",
    },
    OptionDoc {
        key: "locked",
        takes: Takes::Boolean,
        default: "not tested",
        doc: "Whether it takes a password to read it: ZIP, PDF, Office, RAR, and 7-Zip where the names are encrypted too.",
    },
    OptionDoc {
        key: "extension",
        takes: Takes::Texts("string"),
        default: "any extension",
        doc: "What follows the last dot of the file name, such as \"exe\"; with or without the dot, in any case.",
    },
    OptionDoc {
        key: "size",
        takes: Takes::Table(range::OPTIONS),
        default: "any size",
        doc: "The size of the attachment, its transfer encoding undone; where that cannot be done, as it is written.",
    },
    OptionDoc {
        key: "total",
        takes: Takes::Table(range::OPTIONS),
        default: "any size",
        doc: "The sizes of all attachments that pass all other tests, added up.",
    },
    OptionDoc {
        key: "count",
        takes: Takes::Table(range::COUNT),
        default: "{ at_least = 1 }",
        doc: "How many attachments must pass all other tests; `at_most` alone also holds for none.",
    },
];

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "attachment",
    doc: "Tests attachments: holds when at least one, or as many as `count` says, pass all tests given. `{}` is any attachment. A file that \
          is uuencoded in a text is one; one in BinHex or yEnc is text (`uninspectable` knows them).",
    takes: Takes::Table(OPTIONS),
    example: "attachment = { extension = [\"exe\", \"js\", \"scr\"] }",
    compile,
};

/// Which attachments: compiled from the value of `attachment`, in a condition or an action.
#[derive(Debug)]
pub(in crate::rule) struct Attachments {
    name: Option<GlobSet>,
    media_type: Option<GlobSet>,
    extensions: Option<Vec<String>>,
    content: Option<GlobSet>,
    inside: Option<GlobSet>,
    locked: Option<bool>,
    size: Option<SizeRange>,
    total: Option<SizeRange>,
    at_least: u64,
    at_most: Option<u64>,
}

fn compile(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    read(section, key).map(|attachments| Box::new(attachments) as Box<dyn Condition>)
}

/// Read the value of `key`. Reports its problems itself; `None` when there were any.
pub(in crate::rule) fn read(section: &mut Section<'_>, key: &'static str) -> Option<Attachments> {
    let mut table = section.section(key)?;
    let given = |table: &Section<'_>, key: &str| table.holds(key) != Holds::Nothing;
    let mut sound = true;
    let mut globs_of = |table: &mut Section<'_>, key: &'static str| {
        let there = given(table, key);
        let set = table.strings(key).and_then(|patterns| globs(table, &patterns));
        sound &= !there || set.is_some();
        set
    };
    let name = globs_of(&mut table, "name");
    let media_type = globs_of(&mut table, "type");
    let inside = globs_of(&mut table, "inside");
    let content_given = given(&table, "content");
    let content = table.strings("content").and_then(|list| {
        // Each that is none is a problem of its own.
        let unknown = list.iter().filter(|at| !is_type(&mut table, at)).count();
        globs(&mut table, &with_groups(list)).filter(|_| unknown == 0)
    });
    sound &= !content_given || content.is_some();
    let locked_given = given(&table, "locked");
    let locked = table.boolean("locked").map(|at| at.value);
    sound &= !locked_given || locked.is_some();
    let extension_given = given(&table, "extension");
    let extensions = table.strings("extension").and_then(|list| extensions(&mut table, &list));
    sound &= !extension_given || extensions.is_some();
    let size_given = given(&table, "size");
    let size = table.section("size").and_then(|size| SizeRange::read(size, "size"));
    sound &= !size_given || size.is_some();
    let total_given = given(&table, "total");
    let total = table.section("total").and_then(|total| SizeRange::read(total, "total"));
    sound &= !total_given || total.is_some();
    let count_given = given(&table, "count");
    let count = table.section("count").and_then(|below| CountRange::read(below, "count"));
    sound &= !count_given || count.is_some();
    let (at_least, at_most) = count.map_or((1, None), |count| (count.at_least, count.at_most));
    table.finish(key, &keys(OPTIONS));
    let all = Attachments { name, media_type, extensions, content, inside, locked, size, total, at_least, at_most };
    sound.then_some(all)
}

/// Could it be a type by content, or a word for several? What is neither would never hold, and no file would be found.
fn is_type(section: &mut Section<'_>, at: &At<String>) -> bool {
    let words = || GROUPS.iter().map(|(word, _)| *word);
    let could = at.value.contains(['/', '*', '?']) || words().any(|word| word == at.value);
    if !could {
        let what = format!("`{}` is no type, and no word for several", shown(&at.value));
        let help = format!(
            "{}write a type such as \"image/png\" or \"video/*\", or one of: {}",
            nearest_line(&at.value, words()),
            words().collect::<Vec<_>>().join(", ")
        );
        section.problem(&at.span, Code::WrongValue, what, help);
    }
    could
}

/// Words for groups of types become the globs of the group.
fn with_groups(list: Vec<At<String>>) -> Vec<At<String>> {
    let types = |at: At<String>| -> Vec<At<String>> {
        let group = GROUPS.iter().find(|(word, _)| *word == at.value);
        group.map_or_else(
            || vec![at.clone()],
            |(_, types)| types.iter().map(|glob| At { value: (*glob).to_owned(), span: at.span.clone() }).collect(),
        )
    };
    list.into_iter().flat_map(types).collect()
}

fn globs(section: &mut Section<'_>, patterns: &[At<String>]) -> Option<GlobSet> {
    let mut set = GlobSetBuilder::new();
    let mut sound = true;
    for pattern in patterns {
        match GlobBuilder::new(&pattern.value).case_insensitive(true).literal_separator(false).build() {
            Ok(glob) => {
                set.add(glob);
            }
            Err(why) => {
                sound = false;
                section.problem(
                    &pattern.span,
                    Code::Pattern,
                    format!("this glob does not compile: {}", why.kind()),
                    "",
                );
            }
        }
    }
    match sound.then(|| set.build())? {
        Ok(set) => Some(set),
        Err(why) => {
            let span = patterns.first().map_or_else(|| section.span(), |pattern| pattern.span.clone());
            section.problem(&span, Code::Pattern, format!("these globs are too many: {}", why.kind()), "");
            None
        }
    }
}

fn extensions(section: &mut Section<'_>, list: &[At<String>]) -> Option<Vec<String>> {
    let mut sound = true;
    let extensions = list
        .iter()
        .map(|at| {
            let extension = at.value.strip_prefix('.').unwrap_or(&at.value).to_lowercase();
            if extension.is_empty() || extension.contains(['.', '*', '/']) {
                sound = false;
                let help = "write it as \"pdf\"; for more than the last part of a name use `name = \"*.tar.gz\"`";
                section.problem(&at.span, Code::WrongValue, "this is no file name extension", help);
            }
            extension
        })
        .collect();
    sound.then_some(extensions)
}

impl Attachments {
    /// Every attachment.
    pub(in crate::rule) fn any() -> Self {
        Self {
            name: None,
            media_type: None,
            extensions: None,
            content: None,
            inside: None,
            locked: None,
            size: None,
            total: None,
            at_least: 1,
            at_most: None,
        }
    }

    /// Those that pass all tests, in order; `None` where they are not as many, or not as large, as is asked for.
    pub(in crate::rule) fn passing(&self, draft: &Draft<'_>) -> Option<Vec<Attachment>> {
        let mut passing = draft.attachments();
        passing.retain(|attachment| {
            self.passes_by_name(draft, attachment)
                && self.passes_by_size(draft, attachment)
                && self.passes_by_content(|| draft.octets(attachment))
        });
        let count = passing.len() as u64;
        let holds = count >= self.at_least
            && self.at_most.is_none_or(|most| count <= most)
            && self.passes_by_total(draft, &passing);
        holds.then_some(passing)
    }

    /// Octets are counted where the length of what is written does not say enough.
    fn passes_by_size(&self, draft: &Draft<'_>, attachment: &Attachment) -> bool {
        let Some(size) = self.size else { return true };
        let bounds = draft.size_bounds(attachment);
        size.holds_for_all(&bounds).unwrap_or_else(|| size.holds(draft.size(attachment)))
    }

    fn passes_by_total(&self, draft: &Draft<'_>, passing: &[Attachment]) -> bool {
        let Some(total) = self.total else { return true };
        let bounds = passing.iter().map(|attachment| draft.size_bounds(attachment)).fold(0..=0_u64, |sum, one| {
            sum.start().saturating_add(*one.start())..=sum.end().saturating_add(*one.end())
        });
        let counted = || passing.iter().fold(0_u64, |sum, one| sum.saturating_add(draft.size(one)));
        total.holds_for_all(&bounds).unwrap_or_else(|| total.holds(counted()))
    }

    fn passes_by_content<'o>(&self, octets: impl FnOnce() -> Option<Cow<'o, [u8]>>) -> bool {
        if self.content.is_none() && self.inside.is_none() && self.locked.is_none() {
            return true;
        }
        // What cannot be decoded has no content that could be looked at.
        let octets = octets().unwrap_or_default();
        self.content
            .as_ref()
            .is_none_or(|globs| content::media_type(&octets).is_some_and(|found| globs.is_match(found)))
            && self.locked.is_none_or(|locked| content::is_locked(&octets) == locked)
            && self.inside.as_ref().is_none_or(|globs| content::holds_name(&content::names(&octets), globs))
    }

    fn passes_by_name(&self, draft: &Draft<'_>, attachment: &Attachment) -> bool {
        self.media_type.as_ref().is_none_or(|globs| globs.is_match(&attachment.media_type))
            && (self.name.is_none() && self.extensions.is_none()
                || draft.names(attachment).iter().any(|name| self.is_named(name)))
    }

    fn is_named(&self, name: &str) -> bool {
        self.name.as_ref().is_none_or(|globs| globs.is_match(name))
            && self.extensions.as_ref().is_none_or(|list| {
                // QUIRK: Windows drops dots and blanks at the end of a name, so `a.exe. ` runs.
                let name = name.trim_end_matches(['.', ' ']);
                name.rsplit_once('.').is_some_and(|(_, extension)| {
                    let extension = extension.to_lowercase();
                    list.contains(&extension)
                })
            })
    }
}

impl Condition for Attachments {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.passing(scene.draft).is_some()
    }
    fn key(&self) -> &'static str {
        KIND.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let shown = |attachment: &Attachment| {
            let octets = scene.draft.octets(attachment).unwrap_or_default();
            let is = content::media_type(&octets).map(|found| format!(", is {found}")).unwrap_or_default();
            let names = scene.draft.names(attachment);
            let name = if names.is_empty() { "without a name".to_owned() } else { names.join(" or ") };
            format!("{name} ({}{is}, {} octets)", attachment.media_type, scene.draft.size(attachment))
        };
        let all: Vec<String> = scene.draft.attachments().iter().map(shown).collect();
        Some(if all.is_empty() { "no attachment".to_owned() } else { all.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use crate::rule::conditions::testing::{holds, problems};

    const NONE: &str = "Subject: x\n\nhello";
    /// A PDF of some 12 octets, and a program whose name is encoded.
    const TWO: &str = "Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\n\
                       Content-Type: application/pdf; name=\"Invoice 7.PDF\"\nContent-Transfer-Encoding: base64\n\
                       Content-Disposition: attachment; filename=\"Invoice 7.PDF\"\n\naGVsbG8gd29ybGQh\n--m\n\
                       Content-Type: application/octet-stream\n\
                       Content-Disposition: attachment; filename*=utf-8''%C3%BCber.exe\n\nMZ\n--m--\n";

    #[track_caller]
    fn check(test: &str, want: bool) {
        assert_eq!(holds(&format!("attachment = {test}"), TWO), want, "{test}");
    }

    #[test]
    fn any() {
        check("{}", true);
        assert!(!holds("attachment = {}", NONE));
    }

    #[test]
    fn names_types_and_extensions() {
        check("{ name = \"invoice*.pdf\" }", true);
        check("{ name = [\"*.zip\", \"über.*\"] }", true);
        check("{ name = \"invoice\" }", false);
        check("{ type = \"application/*\" }", true);
        check("{ type = \"image/*\" }", false);
        check("{ extension = \"pdf\" }", true);
        check("{ extension = [\".EXE\"] }", true);
        check("{ extension = \"zip\" }", false);
    }

    #[test]
    fn all_tests_must_pass_for_the_same_attachment() {
        check("{ extension = \"exe\", type = \"application/octet-stream\" }", true);
        check("{ extension = \"exe\", type = \"application/pdf\" }", false);
    }

    #[test]
    fn each_name_counts_where_there_are_several() {
        for fields in [
            "Content-Type: text/plain; name=run.exe\nContent-Disposition: attachment; filename=a.txt",
            "Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt; filename*=utf-8''run.exe",
            "Content-Type: text/plain\nContent-Disposition: attachment; filename*0=ru; filename*1=n.exe; filename=a.txt",
            "Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt; filename=run.exe",
        ] {
            for mail in [format!("{fields}\n\nMZ"), {
                format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\n{fields}\n\nMZ\n--m--\n")
            }] {
                assert!(holds("attachment = { extension = \"exe\" }", &mail), "{mail}");
                assert!(holds("attachment = { name = \"a.*\", extension = \"txt\" }", &mail), "{mail}");
                assert!(!holds("attachment = { name = \"a.*\", extension = \"exe\" }", &mail), "{mail}");
            }
        }
    }

    #[test]
    fn sizes() {
        check("{ extension = \"pdf\", size = { over = 5, under = 20 } }", true);
        check("{ size = { over = \"1 KB\" } }", false);
    }

    #[test]
    fn sizes_are_of_what_is_attached_however_it_is_written() {
        // Each is `hello world!`: 12 octets.
        for (encoding, lines) in [
            ("base64", "aGVsbG8gd29ybGQh"),
            ("base64", "aG\nVs\n\n\nbG\n8g\n  d2\n9y\nbG\nQh\n\n\n\n\n\n\n\n\n\n\n"),
            ("quoted-printable", "=68=65=6C=6C=6F=20=77=6F=72=6C=64=21"),
            ("quoted-printable", "hello =\n=\n=\n=\n=\n=\n=\nworld!"),
            ("x-uuencode", "begin 644 a\n,:&5L;&\\@=V]R;&0A\n`\nend"),
            ("7bit", "hello world!"),
        ] {
            let mail = format!(
                "Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\nContent-Type: image/png\n\
                 Content-Transfer-Encoding: {encoding}\nContent-Disposition: attachment; filename=a\n\n{lines}\n--m--\n"
            );
            for (test, want) in [
                ("{ size = { over = 11, under = 13 } }", true),
                ("{ size = { over = 12 } }", false),
                ("{ size = { under = 12 } }", false),
                ("{ total = { over = 11, under = 13 } }", true),
                ("{ total = { over = 12 } }", false),
            ] {
                assert_eq!(holds(&format!("attachment = {test}"), &mail), want, "{encoding}: {test}");
            }
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_as_large_as_it_is_written() {
        let mail =
            "Content-Type: image/png\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nYQ=b!!!!";
        assert!(holds("attachment = { size = { over = 7, under = 9 } }", mail));
    }

    /// A message with one attachment, in base64 at 76 octets a line.
    fn with(name: &str, octets: &[u8]) -> String {
        let lines = encodify::base64::MIME.encode(octets).replace("\r\n", "\n");
        format!(
            "Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\nContent-Type: image/png\n\
             Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename={name}\n\n{lines}\n--m--\n"
        )
    }

    #[test]
    fn content_whatever_the_name_says() {
        let program = with("picture.png", b"MZ\x90\0\x03\0\0\0");
        assert!(holds("attachment = { content = \"executable\" }", &program));
        assert!(holds("attachment = { content = [\"office\", \"application/x-dos*\"] }", &program));
        assert!(!holds("attachment = { content = [\"archive\", \"image/*\"] }", &program));
        assert!(!holds("attachment = { content = \"*\" }", &with("a.txt", b"just text")));
    }

    #[test]
    fn names_in_archives_and_passwords() {
        let archive = with("a.zip", &super::content::tests::zip(&["docs/readme.txt", "docs/Run.EXE"], 0));
        assert!(holds("attachment = { inside = \"*.exe\" }", &archive));
        assert!(holds("attachment = { inside = \"readme.txt\" }", &archive));
        assert!(holds("attachment = { inside = \"docs/*\", locked = false }", &archive));
        assert!(!holds("attachment = { inside = \"*.js\" }", &archive));
        assert!(!holds("attachment = { locked = true }", &archive));
        let locked = with("a.zip", &super::content::tests::zip(&["a.txt"], 1));
        assert!(holds("attachment = { locked = true, content = \"archive\" }", &locked));
    }

    #[test]
    fn uuencoded_files_in_a_text() {
        // `MZ`, and what a DOS program has behind it.
        let mail = "Subject: x\n\nHi\nbegin 644 Holiday.JPG\n&35J0  ,`\n`\nend\n";
        for (test, want) in [
            ("{}", true),
            ("{ name = \"holiday*\", extension = \"jpg\" }", true),
            ("{ content = \"executable\" }", true),
            ("{ content = \"image/*\" }", false),
            ("{ size = { over = 5, under = 7 } }", true),
            ("{ total = { over = 6 } }", false),
            ("{ type = \"application/octet-stream\", count = { at_least = 1, at_most = 1 } }", true),
        ] {
            assert_eq!(holds(&format!("attachment = {test}"), mail), want, "{test}");
        }
    }

    #[test]
    fn sizes_added_up() {
        check("{ total = { over = 12, under = 40 } }", true);
        check("{ extension = \"exe\", total = { over = 12 } }", false);
        check("{ total = { over = \"1 KB\" } }", false);
    }

    #[test]
    fn counts() {
        check("{ count = { at_least = 2 } }", true);
        check("{ count = { at_least = 3 } }", false);
        check("{ count = { at_most = 1 } }", false);
        check("{ extension = \"pdf\", count = { at_least = 1, at_most = 1 } }", true);
        check("{ extension = \"zip\", count = { at_most = 0 } }", true);
        assert!(holds("attachment = { count = { at_most = 2 } }", NONE));
    }

    #[test]
    fn what_cannot_be_meant() {
        assert!(problems("attachment = { name = \"[a\" }").contains("R005"));
        assert!(problems("attachment = { extension = \"tar.gz\" }").contains("name = \"*.tar.gz\""));
        assert!(problems("attachment = { count = { at_least = 2, at_most = 1 } }").contains("no number"));
        assert!(problems("attachment = { count = {} }").contains("neither"));
        assert!(problems("attachment = { count = 2 }").contains("R003"));
        assert!(problems("attachment = { size = {} }").contains("neither"));
        assert!(problems("attachment = { count = { atleast = 2 } }").contains("did you mean `at_least`"));
    }
}
