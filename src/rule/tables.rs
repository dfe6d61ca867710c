//! The tables of a rule set, key by key: of rule files, and of `organization.toml`.
//!
//! The readers of these tables know their keys from here, and so do the reference and the schema.

use super::period;
use super::takes::{OptionDoc, Takes};

/// A key that must be given.
const fn needed(key: &'static str, takes: Takes, doc: &'static str) -> OptionDoc {
    OptionDoc { key, takes, default: "", doc }
}

/// A key that may be left out, and what happens then.
const fn key(key: &'static str, takes: Takes, default: &'static str, doc: &'static str) -> OptionDoc {
    OptionDoc { key, takes, default, doc }
}

/// A rule file.
pub const FILE: &[OptionDoc] = &[
    key(
        "rule",
        Takes::Tables(RULE),
        "none",
        "The rules, in the order in which they run. Each sees what those before it did.",
    ),
    key("test", Takes::Tables(TEST), "none", "Tests of the rules, which `mailwright test` runs."),
    key(
        "constants",
        Takes::Entries("name", &Takes::Either(&[Takes::Text("string"), Takes::Array("strings")])),
        "none",
        "Names for texts that stand in several places: `\"$name\"` stands for one where a string is taken, and \
         `{{ const.name }}` in a template. All files of a rule set share them. A name has small letters, digits and `_`.",
    ),
    key("detector", Takes::Tables(DETECTOR), "none", "Detectors of your own, for `detect` in the rules of all files."),
];

/// `[[rule]]`.
pub const RULE: &[OptionDoc] = &[
    needed(
        "name",
        Takes::Text("1 to 100 characters"),
        "The name of the rule in reports and logs; no other rule has it.",
    ),
    key("description", Takes::Text("string"), "none", "What it is for, for people."),
    key(
        "mode",
        Takes::Word(&["enforce", "audit", "off"]),
        "\"enforce\"",
        "Whether it acts: it does, it reports what it would do and changes nothing (`audit`), or it is not looked at.",
    ),
    key("active", Takes::Table(period::OPTIONS), "always", "When the rule begins and ends."),
    key(
        "on_error",
        Takes::Word(&["skip", "fail"]),
        "\"skip\", with `redact` \"fail\"",
        "What happens when the rule fails: the message goes on without it, or the invocation fails and WorkMail tries again.",
    ),
    key("when", Takes::Conditions { several: false }, "it always matches", "The conditions; all must hold."),
    key(
        "unless",
        Takes::Conditions { several: true },
        "no exception",
        "Exceptions: the rule does not match where all conditions of such a table hold; of several tables one is enough.",
    ),
    needed("action", Takes::Actions, "What the rule does, in this order."),
];

/// `[[detector]]`.
pub const DETECTOR: &[OptionDoc] = &[
    needed("name", Takes::Text("small letters, digits and `-`"), "What `detect` calls it."),
    key("label", Takes::Text("up to 40 characters of ASCII"), "the name in upper case", "What a mask shows."),
    key(
        "pattern",
        Takes::Texts("regular expression"),
        "`phrases` is needed",
        "What to look for: the group named `value`, else the whole match.",
    ),
    key(
        "phrases",
        Takes::Texts("phrase"),
        "`pattern` is needed",
        "Whole words to look for, in any case; in a file, one a line, up to 200,000.",
    ),
    key(
        "check",
        Takes::Texts(
            "`luhn`, `mod97`, `mod11_10`, `verhoeff`, `mod11(weights)`, `mod10(weights)`, `date`, `entropy>n`, `not_in(a, b)`",
        ),
        "nothing is checked",
        "What a find must pass to be one; all must hold.",
    ),
    key("keywords", Takes::Texts("string"), "none is needed", "What vouches for a find when it stands near."),
    key(
        "confidence",
        Takes::Word(&["low", "medium", "high"]),
        "\"high\", with `keywords` \"low\"",
        "How sure a find is by itself.",
    ),
    key("near", Takes::Word(&["low", "medium", "high"]), "\"high\"", "How sure it is with a keyword near."),
];

/// `[[test]]`.
pub const TEST: &[OptionDoc] = &[
    needed("name", Takes::Text("string"), "What must be so, in a sentence."),
    needed(
        "message",
        Takes::Either(&[Takes::Text("path of a file beside the rules"), Takes::Table(MESSAGE)]),
        "The message: a file, or what one is made of.",
    ),
    key("envelope", Takes::Table(ENVELOPE), "as in the message's header", "What the flow says about the message."),
    key(
        "at",
        Takes::Date,
        "now",
        "When the message passes: a date and a time with its offset, such as 2026-12-24T10:00:00+01:00.",
    ),
    key(
        "directory",
        Takes::Either(&[Takes::Word(&["unavailable"]), Takes::Table(DIRECTORY)]),
        "what `organization.toml` says",
        "People that take the place of those in `organization.toml`; or no directory answers.",
    ),
    needed("expect", Takes::Table(EXPECT), "What must come of the message."),
];

/// `message` of a test.
pub(super) const MESSAGE: &[OptionDoc] = &[
    key("raw", Takes::Text("string"), "made of the others", "The whole message, header and all; it stands alone."),
    key("from", Takes::Text("address, with a name or not"), "ann@example.com", "The From field."),
    key("to", Takes::Text("addresses"), "kim@customer.example", "The To field."),
    key("subject", Takes::Text("string"), "none", "The Subject field."),
    key("text", Takes::Text("string"), "none", "The body as plain text; with `html`, an alternative to it."),
    key("html", Takes::Text("string"), "none", "The body as HTML."),
    key(
        "header",
        Takes::Entries("field name", &Takes::Text("value")),
        "none",
        "More header fields, as they are written.",
    ),
    key(
        "attachments",
        Takes::Either(&[Takes::Text("file name"), Takes::Array("file names"), Takes::Tables(MADE_ATTACHMENT)]),
        "none",
        "Attachments, by their names.",
    ),
];

/// An attachment of such a message.
pub(super) const MADE_ATTACHMENT: &[OptionDoc] =
    &[needed("name", Takes::Text("file name"), "Its name."), key("size", Takes::Size, "10 octets", "How large it is.")];

/// `envelope` of a test.
pub(super) const ENVELOPE: &[OptionDoc] = &[
    key(
        "direction",
        Takes::Word(&["inbound", "outbound"]),
        "outbound where the sender is internal",
        "Which way the message goes.",
    ),
    key(
        "from",
        Takes::Text("address"),
        "the From field",
        "The sender by the flow; `\"\"` is the null sender of bounces.",
    ),
    key("to", Takes::Texts("address"), "the To and Cc fields", "The recipients by the flow."),
];

/// `directory` of a test.
pub(super) const DIRECTORY: &[OptionDoc] =
    &[needed("person", Takes::Tables(PERSON_OF_TEST), "People, each in place of the one at that address.")];

/// `expect` of a test.
pub const EXPECT: &[OptionDoc] = &[
    key(
        "matched",
        Takes::Texts("name of a rule"),
        "not looked at",
        "The conditions of these rules held, and they acted.",
    ),
    key("not_matched", Takes::Texts("name of a rule"), "not looked at", "The conditions of these rules did not hold."),
    key(
        "answer",
        Takes::Word(&["deliver", "bounce", "drop", "junk", "bypass_spam_check", "fail"]),
        "not looked at",
        "What is answered for everybody; `fail`: the invocation fails.",
    ),
    key(
        "answers",
        Takes::Entries("address", &Takes::Word(&["deliver", "bounce", "drop", "junk", "bypass_spam_check"])),
        "not looked at",
        "What is answered for some: `{ \"kim@customer.example\" = \"bounce\" }`.",
    ),
    key("added", Takes::TextsOrNone("address"), "not looked at", "The recipients that rules add."),
    key(
        "unchanged",
        Takes::Boolean,
        "not looked at",
        "Whether the message comes out as it went in, to the last octet.",
    ),
    key("subject", Takes::Text("string"), "not looked at", "The decoded subject that comes out."),
    key("header", Takes::Tables(FIELD), "not looked at", "Header fields that come out."),
    key("body", TEXT, "not looked at", "What a reader sees, in every body: a bare string or array is `contains`."),
    key("text", TEXT, "not looked at", "The same in every body of plain text."),
    key("html", TEXT, "not looked at", "The same in every body of HTML, without its markup."),
    key("links", TEXT, "not looked at", "The same of where the links of the HTML lead."),
    key(
        "attachments",
        Takes::TextsOrNone("file name"),
        "not looked at",
        "The names of all attachments, in their order.",
    ),
    key(
        "snapshot",
        Takes::Text("path of a file beside the rules"),
        "not looked at",
        "The whole message that comes out, octet by octet; `mailwright test --bless` writes the file.",
    ),
];

/// What `body`, `text`, `html` and `links` of `expect` take.
const TEXT: Takes = Takes::Either(&[Takes::Texts("string"), Takes::Table(BODY)]);

/// `body` and the like of `expect`.
pub(super) const BODY: &[OptionDoc] = &[
    key("contains", Takes::Texts("string"), "not looked at", "These stand in it; a run of white space is one blank."),
    key("lacks", Takes::Texts("string"), "not looked at", "None of these stands in it."),
    key("once", Takes::Texts("string"), "not looked at", "Each of these stands in it exactly once."),
];

/// `header` of `expect`.
pub(super) const FIELD: &[OptionDoc] = &[
    needed("name", Takes::Text("field name"), "Which field; upper and lower case are the same."),
    key("is", Takes::Text("string"), "not looked at", "A field of that name has this decoded value."),
    key("contains", Takes::Text("string"), "not looked at", "A field of that name has a value that holds this."),
    key("absent", Takes::Boolean, "false", "There is no such field."),
    key("count", Takes::Number(0, u64::MAX), "not looked at", "So many fields have that name."),
];

/// `organization.toml`.
pub const ORGANIZATION: &[OptionDoc] = &[
    needed(
        "domains",
        Takes::Texts("domain"),
        "The mail domains of the organization: who has an address in one is internal.",
    ),
    key("person", Takes::Tables(PERSON), "none", "People, where no directory of WorkMail is asked."),
    key("group", Takes::Tables(GROUP), "none", "Groups of them."),
];

/// `[[group]]`.
pub(super) const GROUP: &[OptionDoc] = &[
    key("address", Takes::Text("address"), "`name` is needed", "The address of the group."),
    key("name", Takes::Text("string without `@`"), "`address` is needed", "The name of the group."),
    key("members", Takes::TextsOrNone("address"), "none", "People and groups of this file, by their addresses."),
];

/// A value that WorkMail keeps.
const fn value(name: &'static str, doc: &'static str) -> OptionDoc {
    key(name, Takes::Text("string"), "not known", doc)
}

/// `[[person]]`. The attributes are those of [`crate::directory::Attribute`], without the address.
pub(super) const PERSON: &[OptionDoc] = &[
    needed("address", Takes::Text("address"), "The first address of the person."),
    key("aliases", Takes::Texts("address"), "none", "Other addresses of the same person."),
    value("name", "The user name."),
    value("display_name", "The name as the directory shows it."),
    value("first_name", "The first name."),
    value("last_name", "The last name."),
    value("initials", "The initials."),
    value("job_title", "The job title."),
    value("department", "The department."),
    value("company", "The company."),
    value("office", "The office."),
    value("telephone", "The telephone number."),
    value("street", "The street."),
    value("city", "The city."),
    value("zip_code", "The postal code."),
    value("country", "The country."),
    key("state", Takes::Word(&["enabled", "disabled", "deleted"]), "not known", "Whether the person can use WorkMail."),
    key(
        "role",
        Takes::Word(&["user", "resource", "system_user", "remote_user"]),
        "not known",
        "What WorkMail calls the role: a person, a room or the like, a user of the system, somebody elsewhere.",
    ),
    key("hidden", Takes::Boolean, "not known", "Whether the address book leaves the person out."),
];

/// A person of a test, with the groups.
pub(super) const PERSON_OF_TEST: &[OptionDoc; PERSON.len() + 1] = &{
    let groups = key("groups", Takes::Texts("address or name of a group"), "none", "Groups that the person is in.");
    let mut all = [groups; PERSON.len() + 1];
    let mut nth = 0;
    while nth < PERSON.len() {
        all[nth] = PERSON[nth];
        nth += 1;
    }
    all
};
