//! The options of `rewrite_links`, and what is wrong with them.

use super::super::super::problem::Code;
use super::super::super::section::{At, Holds, Section};
use super::super::super::toml_value::shown;
use super::super::super::{OptionDoc, Takes};
use super::super::attachments::read_protected;
use super::gateway::Gateway;
use super::hosts::Hosts;
use super::tracking::Tracking;
use super::{Bare, RewriteLinks};

pub(super) const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        key: "gateway",
        takes: Takes::Text("a URL with `{{ url }}`"),
        default: "links lead where they led",
        doc: "Lead links through a gateway: `https://gate.example.com/?u={{ url }}`, where `{{ url }}` is the link, encoded. \
              Links that lead there already stay as they are.",
    },
    OptionDoc {
        key: "unwrap",
        takes: Takes::Texts("a URL with `{{ url }}`"),
        default: "nothing is unwrapped",
        doc: "Gateways whose links lead straight to their target again, for replies that quote them.",
    },
    OptionDoc {
        key: "tracking",
        takes: Takes::WordsOr(&["known"], "name | name*"),
        default: "parameters stay",
        doc: "Take parameters out of links that only tell who followed them: those of well-known services (`known`: `utm_*`, \
              `gclid`, `fbclid`, `mc_eid` and the like; not in links to unsubscribe), and others by name.",
    },
    OptionDoc {
        key: "allow",
        takes: Takes::WordsOr(&["internal"], "domain | *.domain"),
        default: "none",
        doc: "Links to these hosts stay as they are. A domain is that host alone, `*.example.com` all below it.",
    },
    OptionDoc {
        key: "bare",
        takes: Takes::Word(&["link", "keep"]),
        default: "\"link\"",
        doc: "With `gateway`: a URL in HTML that is text and no link, of which mail programs make one, becomes a link through \
              the gateway (`link`), or stays (`keep`). The text stays in either case, as does that of links.",
    },
    OptionDoc {
        key: "protected",
        takes: Takes::Word(&["beside", "skip", "headers-only", "bounce"]),
        default: "\"beside\"",
        doc: "What the rule does to a message of which a part is signed or encrypted, a report, an invitation or TNEF: links \
              in the text beside that part are rewritten, and without such a text the rule does nothing (`beside`); it does \
              nothing (`skip`); its other actions are done (`headers-only`); the message is sent back (`bounce`).",
    },
];

pub(super) fn read(section: &mut Section<'_>) -> Option<RewriteLinks> {
    let given = |section: &Section<'_>, key: &str| section.holds(key) != Holds::Nothing;
    let mut sound = true;
    if !["gateway", "unwrap", "tracking"].iter().any(|key| given(section, key)) {
        let span = section.span();
        let help = "give at least one of them";
        section.problem(&span, Code::Missing, "`gateway`, `unwrap` or `tracking` is missing", help);
        sound = false;
    }
    let there = given(section, "gateway");
    let gateway = section.string("gateway").and_then(|text| read_gateway(section, &text));
    sound &= !there || gateway.is_some();

    let there = given(section, "unwrap");
    let texts = section.strings("unwrap");
    sound &= !there || texts.is_some();
    let mut unwrap = Vec::new();
    for text in texts.unwrap_or_default() {
        let found = read_gateway(section, &text);
        sound &= found.is_some();
        if found.is_some() && found == gateway {
            let what = "links would be led through the gateway and out of it again";
            section.problem(&text.span, Code::WrongValue, what, "name it in `gateway` or in `unwrap`");
            sound = false;
        }
        unwrap.extend(found);
    }

    let there = given(section, "tracking");
    let names = section.strings("tracking");
    sound &= !there || names.is_some();
    let mut tracking = names.is_some().then(Tracking::default);
    for name in names.unwrap_or_default() {
        let Some(tracking) = &mut tracking else { break };
        if name.value.trim() == "known" {
            tracking.add_known();
        } else if let Err(why) = tracking.add(&name.value) {
            let what = format!("\"{}\": {why}", shown(&name.value));
            section.problem(&name.span, Code::WrongValue, what, "write \"known\", \"ref_src\" or \"pk_*\"");
            sound = false;
        }
    }

    let there = given(section, "allow");
    let names = section.strings("allow");
    sound &= !there || names.is_some();
    let mut allow = Hosts::default();
    for name in names.unwrap_or_default() {
        if let Err(why) = allow.add(&name.value) {
            let what = format!("\"{}\": {why}", shown(&name.value));
            let help = "write \"internal\", a host such as \"www.example.com\", or \"*.example.com\"";
            section.problem(&name.span, Code::WrongValue, what, help);
            sound = false;
        }
    }

    let (there, span) = (given(section, "bare"), section.span_of("bare"));
    let bare = section.choice("bare", &[("link", Bare::Link), ("keep", Bare::Keep)]);
    sound &= !there || bare.is_some();
    if there && !given(section, "gateway") {
        section.problem(&span, Code::WrongValue, "`bare` goes with `gateway` only", "leave `bare` out");
        sound = false;
    }
    let protected = read_protected(section);
    sound.then(|| RewriteLinks {
        gateway,
        unwrap,
        tracking: tracking.unwrap_or_default(),
        allow,
        bare: bare.map_or(Bare::Link, |bare| bare.value),
        protected,
    })
}

fn read_gateway(section: &mut Section<'_>, text: &At<String>) -> Option<Gateway> {
    match Gateway::read(&text.value) {
        Ok(gateway) => Some(gateway),
        Err(why) => {
            let what = format!("this is no URL of a gateway: {why}");
            section.problem(&text.span, Code::WrongValue, what, "write it as `https://gate.example.com/?u={{ url }}`");
            None
        }
    }
}
