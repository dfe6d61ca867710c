//! Templates: what they may say, and what values may not do.

use super::*;

fn fault(text: &str) -> Fault {
    Template::compile(text, Context::Html).expect_err("the template has a fault")
}

fn filled(text: &str, context: Context, values: &[(&'static str, &str)]) -> String {
    let template = Template::compile(text, context).unwrap();
    let Source::Filled { environment, .. } = &template.source else { panic!("nothing to fill in") };
    let values = Names::new(values.iter().map(|(name, value)| (*name, Value::from(*value))));
    let text = render(environment, values).unwrap();
    let text = if context == Context::Html { without_scripts(&text).into_owned() } else { text };
    let text = optional::settled(&text);
    let filled = Filled(if context == Context::Header { one_line(text.into()) } else { text.into() });
    filled.text().into_owned()
}

#[test]
fn a_template_without_variables_is_a_plain_string() {
    let template = Template::compile("<p>5 { 6</p>", Context::Html).unwrap();
    assert_eq!(template.as_fixed(), Some("<p>5 { 6</p>"));
}

#[test]
fn values_are_escaped_by_context_and_templates_are_not() {
    let values = [("subject", "<b>\"&'\r\nBcc: x")];
    let html = filled("<p>{{ subject }}</p>", Context::Html, &values);
    assert_eq!(html, "<p>&lt;b&gt;&quot;&amp;&#39;\r\nBcc: x</p>");
    assert_eq!(filled("{{ subject }}", Context::Text, &values), "<b>\"&'\r\nBcc: x");
    assert_eq!(filled("a {{ subject }}", Context::Header, &values), "a <b>\"&'  Bcc: x");
}

#[test]
fn no_filter_or_block_lets_markup_of_a_value_through() {
    let values = [("subject", "<b>")];
    for text in [
        "{% autoescape false %}{{ subject }}{% endautoescape %}",
        "{% autoescape false %}{% set x %}{{ subject }}{% endset %}{{ x }}{% endautoescape %}",
        "{% set x = subject ~ '' %}{{ x }}",
        "{{ subject | upper }}",
        "{{ [subject] | join(', ') }}",
        "{{ subject | replace('x', 'y') }}",
        "{{ subject | escape }}",
        "{{ '%s' | format(subject) }}",
        "{% filter lower %}{{ subject }}{% endfilter %}",
    ] {
        let html = filled(text, Context::Html, &values).to_lowercase();
        assert!(!html.contains("<b>"), "{text}: {html}");
    }
    assert!(fault("{{ subject | safe }}").what.contains("unknown filter"));
}

#[test]
fn what_it_names_must_exist() {
    let fault = fault("{{ sender.adress }}");
    assert_eq!(fault.what, "unknown variable `sender.adress`");
    assert!(fault.help.starts_with("did you mean `sender.address`?"), "{}", fault.help);
    for text in ["{{ sender }}", "{{ subject.x }}", "{{ nothing }}", "{{ sender['domain'] }}{{ x }}"] {
        assert!(self::fault(text).what.contains("unknown variable"), "{text}");
    }
}

#[test]
fn faults_name_their_line() {
    assert_eq!(fault("a\n{% if subject %}\nb").line, Some(2));
    assert!(Template::compile("{{ recipients.count + 1 }}", Context::Text).is_ok());
    assert!(fault("{{ subject | shout }}").what.contains("unknown filter"));
    assert!(fault("{% for x in range(1000000) %}{{ x }}{% endfor %}").what.contains("template does not work"));
}

#[test]
fn the_fixed_pieces_are_what_no_variable_changes() {
    let template = Template::compile("to {{ subject }}, x{% if subject %}!{% endif %}", Context::Text).unwrap();
    let Source::Filled { environment, .. } = &template.source else { panic!("nothing to fill in") };
    let text = render(environment, Names::new([("subject", Value::from("you"))].into_iter())).unwrap();
    let filled = Filled(text.into());
    assert_eq!(filled.text(), "to you, x!");
    assert_eq!(filled.fixed_pieces(), ["to ", ", x!"]);
}

#[test]
fn variables_are_sorted_and_documented() {
    assert!(VARIABLES.is_sorted_by_key(|v| v.name));
    assert!(VARIABLES.iter().all(|v| !v.doc.is_empty() && !v.sample.is_empty()));
}

#[test]
fn values_begin_no_script_in_a_link() {
    let values = |subject| [("subject", subject), ("to.name", "script:x")];
    for (text, subject, expected) in [
        ("<a href=\"{{ subject }}\">x</a>", "JavaScript:x", "<a href=\"\">x</a>"),
        ("<a HREF = '{{ subject }}'>x</a>", " java\tscript:x", "<a HREF = ''>x</a>"),
        ("<a href={{ subject }}>x</a>", "data:text/html,x", "<a href=>x</a>"),
        ("<a href=\"{{ subject }}{{ to.name }}\">x</a>", "java", "<a href=\"\">x</a>"),
        (
            "<a href=\"{{ subject }}\">x</a>",
            "https://a.example/",
            "<a href=\"https:&#x2f;&#x2f;a.example&#x2f;\">x</a>",
        ),
        ("<a href=\"/{{ subject }}\">{{ subject }}</a>", "javascript:x", "<a href=\"/javascript:x\">javascript:x</a>"),
        ("<a href=\"mailto:?subject={{ subject | urlencode }}\">", "a&b c", "<a href=\"mailto:?subject=a%26b%20c\">"),
    ] {
        let filled = filled(text, Context::Html, &values(subject)).replace("&#x2f;", "/");
        assert_eq!(filled, expected.replace("&#x2f;", "/"), "{text}");
    }
}

#[test]
fn dates_are_written_in_a_zone() {
    let now = [("now", "2026-10-05T22:30:00Z")];
    let text = |template: &str| filled(template, Context::Text, &now);
    assert_eq!(text("{{ now | date(\"%d.%m.%Y\", zone=\"Europe/Berlin\") }}"), "06.10.2026");
    assert_eq!(text("{{ now | date('%Y-%m-%d %H:%M') }}"), "2026-10-05 22:30");
    assert_eq!(filled("{{ now | date('%Y') }}", Context::Text, &[("now", "")]), "");
    for (wrong, what) in [
        ("{{ now | date('%d', zone='Europe/Atlantis') }}", "no time zone is named `Europe/Atlantis`"),
        ("{{ now | date('%!') }}", "no time is written as"),
        ("{{ subject | date('%d') }}", "this is no time"),
        ("{{ now | date }}", "a filter with the wrong options"),
        ("{{ now | date('%d', place='x') }}", "a filter with the wrong options"),
    ] {
        assert!(fault(wrong).what.contains(what), "{wrong}: {}", fault(wrong).what);
    }
}

#[test]
fn what_drops_out_is_told_where_it_does_not_close() {
    assert_eq!(fault("a\n{% optional %}{{ subject }}").line, Some(2));
    assert!(fault("{% endoptional %}{{ subject }}").what.contains("without `{% optional %}`"));
    let template = Template::compile("{% optional %}Tel {{ subject }}{% endoptional %}\nb", Context::Text).unwrap();
    let Source::Filled { required, used, .. } = &template.source else { panic!("nothing to fill in") };
    assert!(required.is_empty() && used.len() == 1);
}

#[test]
fn a_block_is_known_again_where_an_optional_line_has_come_or_gone() {
    use crate::envelope::{Address, Direction, Envelope};
    use crate::message::Message;
    let rules = |options: &str| {
        let block = "html = \"\"\"<table><tr><td>Confidential mail of Example Ltd</td></tr>\n\
                     {% optional %}<tr><td>For <b>{{ to.name }}</b></td></tr>{% endoptional %}\n\
                     <tr><td>Do not pass it on.</td></tr></table>\"\"\"\n";
        let text = format!("[[rule]]\nname = \"r\"\n[[rule.action]]\nkind = \"append\"\n{block}{options}");
        crate::pipeline::Pipeline::from_sources(vec![("r.toml".into(), text)]).unwrap()
    };
    let run = |options: &str, raw: &str| {
        let envelope = Envelope {
            direction: Direction::Outbound,
            sender: Address::new("ann@example.com").ok(),
            recipients: vec![],
            message_id: "1".into(),
            truncated: false,
        };
        let raw = raw.replace('\n', "\r\n");
        let message = Message::parse(raw.as_bytes());
        let outcome = rules(options).run(&message, &envelope, &crate::facts::Facts::default(), &|| false).unwrap();
        let out = outcome.rewritten.map_or_else(|| raw.clone(), |r| String::from_utf8(r.to_vec()).unwrap());
        out.replace("\r\n", "\n")
    };
    let (named, bare) = ("To: Kim <kim@example.net>", "To: kim@example.net");
    for (first, then) in [(named, bare), (bare, named), (named, named)] {
        for kind in ["plain", "html"] {
            let head = format!("Message-ID: <1@example.com>\nContent-Type: text/{kind}\n\n");
            let out = run("", &format!("{first}\n{head}Hi\n"));
            assert_eq!(out.contains("Kim") && out.contains("For"), first == named, "{out}");
            assert_eq!(run("", &out), out, "a second run changes nothing");
            let (_, body) = out.split_once("\n\n").unwrap();
            let body =
                if kind == "plain" { body.replace('\n', "\n> ") } else { format!("<blockquote>{body}</blockquote>") };
            let reply = format!("{then}\n{head}Yes\n\n> {body}\n");
            assert_eq!(run("once = \"thread\"\n", &reply), reply, "{kind}: it is in the thread");
        }
    }
}
