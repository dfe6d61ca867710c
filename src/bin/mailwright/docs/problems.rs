//! What each problem of a rule set means, why it is one, and what to do about it.

use std::fmt::Write as _;

use mailwright::pipeline::Pipeline;
use mailwright::rule::problem::Code;

use super::example::fenced;

/// What is told of a code beside its one sentence.
struct Told {
    /// Why it is a problem, or how it comes about.
    cause: &'static str,
    /// A rule file that has it.
    example: &'static str,
    /// What to do.
    cure: &'static str,
}

/// Every code has an entry: one more does not compile without.
#[expect(clippy::too_many_lines, reason = "it is a table")]
const fn told(code: Code) -> Told {
    match code {
        Code::Syntax => Told {
            cause: "TOML could not be read to the end: most often a quote or a bracket is missing, or a string with a `\\` or \
                    a `\"` in it stands in double quotes. Nothing else of the file is looked at, because what is left of it \
                    would mislead.",
            example: "[[rule]]\nname = \"tag\nwhen = { direction = \"inbound\" }\naction = { kind = \"drop\" }\n",
            cure: "Mend it where the mark stands, or just before. Regular expressions are best in single quotes: \
                   `'\\d{4}'`.",
        },
        Code::UnknownKey => Told {
            cause: "A key is misspelt, or stands in the wrong table. It would do nothing, and nobody would notice.",
            example: "[[rule]]\nname = \"notice\"\n\n[[rule.action]]\nkind = \"append\"\ntext = \"Confidential\"\nplce = \
                      \"below-reply\"\n",
            cure: "Take the key that is proposed, or one of those listed. In TOML what stands below `[[rule.action]]` belongs \
                   to the action: keys of the rule stand above it.",
        },
        Code::WrongValue => Told {
            cause: "The key is known, and cannot have this value: it is of another type, out of range, or no word that the \
                    key knows.",
            example: "[[rule]]\nname = \"notice\"\n\n[[rule.action]]\nkind = \"append\"\ntext = \"Confidential\"\nplace = \
                      \"botom\"\n",
            cure: "Take one of the values that the help names, or look the key up in the reference.",
        },
        Code::Missing => Told {
            cause: "A table lacks a key without which it means nothing.",
            example: "[[rule]]\nname = \"notice\"\nwhen = { header = { contains = \"Bulk\" } }\naction = { kind = \"drop\" }\n",
            cure: "Give the key; the reference says which ones are required.",
        },
        Code::Pattern => Told {
            cause: "A regular expression or a glob does not compile, or would take too much memory. Patterns run in linear \
                    time whatever a message holds, so look-around and back-references are not there.",
            example: "[[rule]]\nname = \"order\"\nwhen = { subject = { matches = 'Order (?=\\d)' } }\naction = { kind = \
                      \"drop\" }\n",
            cure: "Write it without what the help names. Counted repetitions in each other, such as `(a{100}){100}`, \
                   multiply: write `+` or `*`.",
        },
        Code::HeaderField => Told {
            cause: "The name or the value of a header field would make the message unsafe or unreadable, or the field carries \
                    the mail: WorkMail or other servers do not let it be changed.",
            example: "[[rule]]\nname = \"reply\"\n\n[[rule.action]]\nkind = \"set_header\"\nname = \"Reply-To\"\nvalue = \
                      \"desk@example.com\"\n",
            cure: "Use a field of your own, such as `X-Department`.",
        },
        Code::Template => Told {
            cause: "A template names a variable or a filter that there is not, does not close what it opens, or stands in a \
                    file that cannot be read.",
            example: "[[rule]]\nname = \"notice\"\n\n[[rule.action]]\nkind = \"append\"\ntext = \"From {{ sender.nme }}\"\n",
            cure: "Take a variable of [the list](README.md#variables-of-templates); paths of files are relative to the folder \
                   of the rules.",
        },
        Code::Direction => Told {
            cause: "WorkMail knows some answers for inbound mail only, such as `junk`; and inbound mail can be sent on only \
                    to addresses of the organization.",
            example: "[[rule]]\nname = \"spam\"\nwhen = { subject = \"winner\" }\naction = { kind = \"junk\" }\n",
            cure: "Add `direction = \"inbound\"` to `when`.",
        },
        Code::Duplicate => Told {
            cause: "Reports and tests name rules, so a name belongs to one rule of all files; an address belongs to one \
                    person, a name to one constant or detector.",
            example: "[[rule]]\nname = \"spam\"\naction = { kind = \"drop\" }\n\n[[rule]]\nname = \"spam\"\naction = { kind = \
                      \"stop\" }\n",
            cure: "Rename one of them.",
        },
        Code::Unreadable => Told {
            cause: "A folder or a file is not there, may not be read, is too large or is not UTF-8; or the folder holds no \
                    rule.",
            example: "[[rule]]\nname = \"partners\"\nwhen = { sender = { file = \"lists/partners.txt\" } }\naction = { kind = \
                      \"stop\" }\n",
            cure: "Check the path: it is relative to the folder of the rules, and stays inside of it. A list is a text file \
                   with one entry a line.",
        },
        Code::FailOpen => Told {
            cause: "A rule with `redact` keeps data from leaving. Something lets mail past it: an option, a rule that stops \
                    before it, or mail that nobody can look into.",
            example: "[[rule]]\nname = \"cards\"\nwhen = { direction = \"outbound\" }\naction = { kind = \"redact\", detect = \
                      \"card\", protected = \"skip\" }\n",
            cure: "Do what the help says; or leave it so, where the rule is to help and not to guard. \
                   [Redaction](../redaction.md) says how to fail closed.",
        },
        Code::OneForAll => Told {
            cause: "A message has one content for all of its recipients. A rule that asks about `each` of them is about some, \
                    and can only answer for those.",
            example: "[[rule]]\nname = \"banner\"\nwhen = { recipients = { each = \"external\" } }\naction = { kind = \
                      \"append\", text = \"Confidential\" }\n",
            cure: "Say `any` or `all`, for the message as a whole; or bounce, drop or junk for those who match, in a rule of \
                   its own.",
        },
        Code::Over => Told {
            cause: "A rule or a condition ended before today. It never acts again.",
            example: "[[rule]]\nname = \"closed\"\nactive = { until = 2020-01-06, zone = \"Europe/Berlin\" }\naction = { kind = \
                      \"append\", text = \"We are closed.\" }\n",
            cure: "Take it out, or give it another date.",
        },
        Code::NeverActs => Told {
            cause: "Whatever the message, the rule does nothing: its conditions contradict each other, its exceptions are as \
                    wide as they are, or a rule before it always stops. Or a part of it has no effect: an exception that \
                    never applies, an alternative that adds nothing to the others, a field that is taken away again, a bounce \
                    of mail that is never answered.",
            example: "[[rule]]\nname = \"first\"\naction = { kind = \"stop\" }\n\n[[rule]]\nname = \"second\"\naction = { kind = \
                      \"tag_subject\", tag = \"[x]\" }\n",
            cure: "Reorder the rules, narrow the exception, or take out what has no effect.",
        },
        Code::ManyAnswers => Told {
            cause: "WorkMail takes ten different answers for one message. Of more, the bounces with the fewest recipients \
                    become one that holds all their texts.",
            example: MANY,
            cure: "Let several rules share one text.",
        },
        Code::Unescaped => Told {
            cause: "What a variable holds is escaped for the place where text stands in HTML. In a script, a style, the name \
                    of a tag or an attribute without quotes no escaping makes it safe.",
            example: "[[rule]]\nname = \"notice\"\n\n[[rule.action]]\nkind = \"append\"\nhtml = \"<p style=color:{{ subject \
                      }}>Confidential</p>\"\n",
            cure: "Put the value into text, or into an attribute in quotes.",
        },
    }
}

/// More bounces than WorkMail takes.
const MANY: &str = "";

/// The page of problems.
pub fn page() -> String {
    let mut out = String::from(
        "# Problems of rule sets\n\n`mailwright check` shows every problem of a rule set at its place, and every other command \
         refuses a rule set with errors. A code stays with its meaning for good. Errors keep the rules from being used; \
         warnings do not.\n\n",
    );
    for code in Code::ALL {
        let _ = writeln!(out, "- [{code}](#{}): {}", code.as_str().to_lowercase(), code.doc());
    }
    for code in Code::ALL {
        let told = told(*code);
        let _ = write!(out, "\n## {code}\n\n{}\n\n{}\n", code.doc(), told.cause);
        let many;
        let example = if told.example.is_empty() {
            many = many_answers();
            let _ = write!(out, "\nEleven rules such as this one, each with a text of its own:\n");
            &many
        } else {
            told.example
        };
        let first = example.split("\n\n[[rule]]").next().unwrap_or_default();
        let source = if told.example.is_empty() { first } else { example };
        let _ = write!(out, "\n{}\n{}", fenced("toml", source), fenced("text", &shown(example, *code)));
        let _ = write!(out, "\n{}\n", told.cure);
    }
    out
}

/// What `check` shows of a rule file, of this code.
fn shown(example: &str, code: Code) -> String {
    let organization = ("organization.toml".to_owned(), "domains = [\"example.com\"]\n".to_owned());
    let sources = vec![("rules.toml".to_owned(), example.to_owned()), organization];
    let problems = match Pipeline::from_sources(sources) {
        Ok(pipeline) => pipeline.warnings_at(mailwright::facts::Clock::System.now()),
        Err(problems) => problems,
    };
    let text = problems.to_string();
    let with = format!("[{code}]");
    let blocks = text.split("\n\n").filter(|block| block.contains(&with));
    blocks.take(1).collect::<Vec<_>>().join("\n\n")
}

fn many_answers() -> String {
    let rule = |nth: usize| {
        format!(
            "[[rule]]\nname = \"closed-{nth}\"\nwhen = {{ recipients = {{ each = \"team{nth}@example.com\" }} }}\naction = {{ kind \
             = \"bounce\", message = \"Team {nth} is closed.\" }}\n"
        )
    };
    (1..=11).map(rule).collect::<Vec<_>>().join("\n")
}
