use super::*;
use crate::envelope::{Address, Domain};
use crate::message::{Field, FieldName};
use crate::rule::entry::Table;
use crate::rule::{Action, ActionError, Condition, Effect};

const MAIL: &str =
    "From: ann@example.com\nTo: kim@customer.example\nSubject: Minutes\nMessage-ID: <1@example.com>\n\nHi\n";
const SIGNED: &str = "From: ann@example.com\nSubject: Minutes\nMIME-Version: 1.0\nContent-Type: multipart/signed; \
                      protocol=\"application/pkcs7-signature\"; boundary=b\n\n--b\n\nCard 4111 1111 1111 1111\n--b\n\
                      Content-Type: application/pkcs7-signature\n\nx\n--b--\n";

fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn envelope(direction: Direction) -> Envelope {
    Envelope {
        direction,
        sender: Address::new("ann@example.com").ok(),
        recipients: Address::new("kim@customer.example").into_iter().collect(),
        message_id: "0-1".into(),
        truncated: false,
    }
}

fn field(name: &str) -> Field {
    Field::new(FieldName::new(name).unwrap(), "yes").unwrap()
}

/// Puts a field on top, then does as told.
#[derive(Debug)]
struct Stamp(&'static str, Then);

#[derive(Debug, Clone)]
enum Then {
    Done,
    Fail,
    Panic,
    /// With all of the message as its text.
    PanicWithMail,
    Unfit,
    Stop,
    Dispose(Disposition),
    /// An action on the body with this policy.
    Body(Protected),
}

impl Action for Stamp {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        scene.draft.add_field(field(self.0));
        match self.1.clone() {
            Then::Done | Then::Body(_) => Ok(Effect::Edited(1, "1 field".into())),
            Then::Fail => Err(ActionError::Template("on purpose".into())),
            Then::Panic => panic!("on purpose"),
            Then::PanicWithMail => panic!("{}", String::from_utf8_lossy(scene.draft.message().raw())),
            Then::Unfit => Ok(Effect::Unfit("there is no body".into())),
            Then::Stop => Ok(Effect::Stop),
            Then::Dispose(disposition) => Ok(Effect::Dispose(disposition)),
        }
    }
    fn kind(&self) -> &'static str {
        "stamp"
    }
    fn protected(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        scene.draft.protection().and(self.protected_policy())
    }
    fn run_wrapped(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        scene.draft.add_field(field("X-Wrapped"));
        Ok(Effect::Edited(1, "wrapped".into()))
    }
    fn disposition(&self) -> Option<Disposition> {
        match &self.1 {
            Then::Dispose(disposition) => Some(disposition.clone()),
            _ => None,
        }
    }
    fn protected_policy(&self) -> Option<Protected> {
        match self.1 {
            Then::Body(policy) => Some(policy),
            _ => None,
        }
    }
}

#[derive(Debug)]
struct Holds(bool);

impl Condition for Holds {
    fn holds(&self, _: &Scene<'_, '_>) -> bool {
        self.0
    }
    fn key(&self) -> &'static str {
        if self.0 { "yes" } else { "no" }
    }
}

fn rule(name: &str, actions: Vec<Stamp>) -> Rule {
    Rule {
        name: name.into(),
        description: String::new(),
        active: None,
        mode: Mode::Enforce,
        on_error: OnError::Skip,
        when: Table::default(),
        unless: Vec::new(),
        span: None,
        actions: actions.into_iter().map(|action| Box::new(action) as Box<dyn Action>).collect(),
    }
}

fn failing(name: &str, actions: Vec<Stamp>) -> Rule {
    Rule { on_error: OnError::Fail, ..rule(name, actions) }
}

fn pipeline(rules: Vec<Rule>) -> Pipeline {
    Pipeline {
        rules,
        digest: "0".repeat(16),
        organization: Organization::default(),
        book: Book::default(),
        tests: Vec::new(),
        warnings: Problems::default(),
        endings: Vec::new(),
        checks_all: false,
        key: None,
        needs: Needs::default(),
    }
}

/// The outcome with the rewritten message as text.
struct Ran {
    verdicts: Vec<Verdict>,
    effects: Vec<Vec<String>>,
    text: Option<String>,
    disposition: Disposition,
    asked: Vec<Asked>,
}

impl Ran {
    fn has(&self, name: &str) -> bool {
        self.text.as_ref().is_some_and(|text| text.contains(&format!("{name}: yes\r\n")))
    }
}

fn run_on(pipeline: &Pipeline, mail: &str, envelope: &Envelope) -> Result<Ran, RunError> {
    let raw = crlf(mail);
    let message = Message::parse(&raw);
    let outcome = pipeline.run(&message, envelope, &Facts::default(), &|| false)?;
    Ok(Ran {
        verdicts: outcome.report.rules.iter().map(|rule| rule.verdict.clone()).collect(),
        effects: outcome.report.rules.iter().map(|rule| rule.effects.clone()).collect(),
        text: outcome.rewritten.map(|rewritten| String::from_utf8(rewritten.to_vec()).unwrap()),
        disposition: outcome.answers.strictest().clone(),
        asked: outcome.asked,
    })
}

fn run(rules: Vec<Rule>) -> Result<Ran, RunError> {
    run_on(&pipeline(rules), MAIL, &envelope(Direction::Outbound))
}

#[test]
fn no_rule_no_change() {
    let ran = run(Vec::new()).unwrap();
    assert_eq!(ran.text, None);
    assert_eq!(ran.disposition, Disposition::Deliver);
}

#[test]
fn rules_see_what_those_before_them_did_and_new_fields_go_on_top() {
    let ran = run(vec![rule("a", vec![Stamp("X-A", Then::Done)]), rule("b", vec![Stamp("X-B", Then::Done)])]).unwrap();
    assert_eq!(ran.verdicts, [Verdict::Matched, Verdict::Matched]);
    assert!(ran.text.unwrap().starts_with("X-B: yes\r\nX-A: yes\r\nFrom: "));
}

#[test]
fn all_of_when_must_hold_and_one_table_of_unless_is_enough() {
    let when =
        |holds: &[bool]| -> Table { holds.iter().map(|holds| Box::new(Holds(*holds)) as Box<dyn Condition>).collect() };
    let with = |holds: &[bool], unless: &[&[bool]]| Rule {
        when: when(holds),
        unless: unless.iter().map(|table| when(table)).collect(),
        ..rule("r", vec![Stamp("X-A", Then::Done)])
    };
    let verdict = |rule| run(vec![rule]).unwrap().verdicts.remove(0);
    assert_eq!(verdict(with(&[true, true], &[])), Verdict::Matched);
    assert_eq!(verdict(with(&[true, false], &[])), Verdict::NotMatched("no".into()));
    assert_eq!(verdict(with(&[], &[&[true, false], &[false]])), Verdict::Matched);
    assert_eq!(verdict(with(&[], &[&[false], &[true, true]])), Verdict::Excepted("yes, yes".into()));
}

#[test]
fn a_rule_that_fails_is_taken_back_and_the_others_go_on() {
    for then in [Then::Fail, Then::Panic] {
        let ran = run(vec![
            rule("a", vec![Stamp("X-A", Then::Done)]),
            rule("b", vec![Stamp("X-B", Then::Done), Stamp("X-C", then)]),
            rule("d", vec![Stamp("X-D", Then::Done)]),
        ])
        .unwrap();
        assert!(matches!(ran.verdicts.get(1), Some(Verdict::Failed(_))), "{:?}", ran.verdicts);
        assert!(ran.has("X-A") && !ran.has("X-B") && !ran.has("X-C") && ran.has("X-D"));
    }
}

#[test]
fn a_rule_that_must_not_fail_ends_the_run_and_its_panic_is_not_told() {
    for then in [Then::Fail, Then::Panic] {
        let error = run(vec![failing("guard", vec![Stamp("X-A", then.clone())])]).err().unwrap().to_string();
        assert!(error.starts_with("rule `guard` failed"), "{error}");
        assert!(matches!(then, Then::Fail) == error.contains("on purpose"), "{error}");
    }
}

#[test]
fn what_a_rule_panics_on_is_not_told() {
    const SECRET: &str = "4111 1111 1111 1111";
    let raw = crlf(&MAIL.replace("Hi", SECRET));
    let message = Message::parse(&raw);
    let stamps = || vec![Stamp("X-A", Then::PanicWithMail)];
    let audit = Rule { mode: Mode::Audit, ..rule("audit", stamps()) };
    for (rule, is_kept) in [(rule("skip", stamps()), true), (audit, true), (failing("fail", stamps()), false)] {
        let ran = pipeline(vec![rule]).run(&message, &envelope(Direction::Outbound), &Facts::default(), &|| false);
        assert_eq!(ran.is_ok(), is_kept);
        let told = match ran {
            Ok(outcome) => {
                let json = serde_json::to_string(&outcome.report).unwrap();
                format!("{:?} {json} {:?} {:?}", outcome.report, outcome.answers, outcome.asked)
            }
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(told.contains("panicked"), "{told}");
        assert!(!told.contains(SECRET) && !told.contains("4111"), "{told}");
    }
}

#[test]
fn audit_reports_and_changes_nothing() {
    let audit = |then| Rule { mode: Mode::Audit, ..failing("audit", vec![Stamp("X-A", then)]) };
    let ran = run(vec![
        audit(Then::Done),
        audit(Then::Stop),
        audit(Then::Dispose(Disposition::Drop)),
        audit(Then::Panic),
        rule("b", vec![Stamp("X-B", Then::Done)]),
    ])
    .unwrap();
    assert_eq!(ran.verdicts.first(), Some(&Verdict::Audited));
    assert_eq!(ran.verdicts.get(2), Some(&Verdict::Audited));
    assert!(matches!(ran.verdicts.get(3), Some(Verdict::Failed(_))));
    assert_eq!(ran.verdicts.get(4), Some(&Verdict::Matched));
    assert_eq!((ran.disposition.clone(), ran.asked.len()), (Disposition::Deliver, 0));
    assert!(!ran.has("X-A") && ran.has("X-B"));
}

#[test]
fn stop_and_off() {
    let off = Rule { mode: Mode::Off, ..rule("off", vec![Stamp("X-A", Then::Done)]) };
    let last = rule("last", vec![Stamp("X-B", Then::Done)]);
    let ran = run(vec![off, rule("stop", vec![Stamp("X-S", Then::Stop)]), last]).unwrap();
    assert_eq!(ran.verdicts, [Verdict::Off, Verdict::Matched, Verdict::Stopped]);
    assert!(ran.has("X-S") && !ran.has("X-A") && !ran.has("X-B"));
}

/// What a second try of the message answers.
fn again(pipeline: &Pipeline, asked: &[Asked], raw: &str) -> Disposition {
    let raw = raw.replace('\n', "\r\n");
    let message = Message::parse(raw.as_bytes());
    let answers = pipeline.answers_of(asked, &message, &envelope(Direction::Inbound), &Facts::default());
    answers.strictest().clone()
}

/// As a mark says it.
fn as_marked(asked: &[Asked]) -> Vec<Asked> {
    asked.iter().map(|one| Asked { disposition: None, ..one.clone() }).collect()
}

/// Rules that asked for something for everybody.
fn asked(rules: &[usize]) -> Vec<Asked> {
    let whom = Some(Whom::Everybody);
    let asked =
        |rule: &usize| Asked { rule: *rule, whom: whom.clone(), disposes: true, disposition: None, adds: false };
    rules.iter().map(asked).collect()
}

#[test]
fn the_strictest_disposition_wins_and_a_second_try_answers_the_same() {
    let ask = |name: &str, disposition| rule(name, vec![Stamp("X-A", Then::Dispose(disposition))]);
    let pipeline = pipeline(vec![
        ask("bypass", Disposition::BypassSpamCheck),
        ask("first", Disposition::Bounce("first".into())),
        rule("nothing", vec![Stamp("X-B", Then::Done)]),
        ask("second", Disposition::Bounce("second".into())),
        ask("junk", Disposition::Junk),
    ]);
    let ran = run_on(&pipeline, MAIL, &envelope(Direction::Inbound)).unwrap();
    assert_eq!(ran.disposition, Disposition::Bounce("first".into()));
    assert_eq!(as_marked(&ran.asked), asked(&[0, 1, 3, 4]));
    assert_eq!(again(&pipeline, &ran.asked, MAIL), ran.disposition);
    assert_eq!(again(&pipeline, &asked(&[0]), MAIL), Disposition::BypassSpamCheck);
    assert_eq!(again(&pipeline, &asked(&[2, 99]), MAIL), Disposition::Deliver);
}

#[test]
fn nobody_is_bounced_who_did_not_write() {
    let bounce = || rule("b", vec![Stamp("X-A", Then::Dispose(Disposition::Bounce("no".into())))]);
    let null = Envelope { sender: None, ..envelope(Direction::Inbound) };
    let ran = run_on(&pipeline(vec![bounce()]), MAIL, &null).unwrap();
    assert_eq!((ran.disposition, ran.asked.len()), (Disposition::Deliver, 0));
    assert!(ran.effects.concat().concat().contains("no sender to bounce to"));
    for (header, delivered) in [
        ("Auto-Submitted: auto-replied (vacation)", true),
        ("auto-submitted: AUTO-GENERATED; owner-email=\"x\"", true),
        ("Auto-Submitted: no", false),
        ("Precedence: Bulk", true),
        ("Precedence: list", true),
        ("Precedence: first-class", false),
    ] {
        let mail = format!("{header}\n{MAIL}");
        let ran = run_on(&pipeline(vec![bounce()]), &mail, &envelope(Direction::Inbound)).unwrap();
        assert_eq!(ran.disposition == Disposition::Deliver, delivered, "{header}");
    }
}

#[test]
fn junk_is_for_inbound_mail() {
    for disposition in [Disposition::Junk, Disposition::BypassSpamCheck] {
        let rules = || pipeline(vec![rule("j", vec![Stamp("X-A", Then::Dispose(disposition.clone()))])]);
        let ran = run_on(&rules(), MAIL, &envelope(Direction::Outbound)).unwrap();
        assert_eq!(ran.disposition, Disposition::Deliver);
        let ran = run_on(&rules(), MAIL, &envelope(Direction::Inbound)).unwrap();
        assert_eq!(ran.disposition, disposition);
    }
}

#[test]
fn out_of_time_is_as_if_each_rule_left_had_failed() {
    let raw = crlf(MAIL);
    let message = Message::parse(&raw);
    let asked = std::cell::Cell::new(0);
    let late = || asked.replace(asked.get() + 1) > 0;
    let rules = || vec![rule("a", vec![Stamp("X-A", Then::Done)]), rule("b", vec![Stamp("X-B", Then::Done)])];
    let pipe = pipeline(rules());
    let outcome = pipe.run(&message, &envelope(Direction::Outbound), &Facts::default(), &late).unwrap();
    let verdicts: Vec<Verdict> = outcome.report.rules.into_iter().map(|rule| rule.verdict).collect();
    assert_eq!(verdicts, [Verdict::Matched, Verdict::OutOfTime]);
    let mut guarded = rules();
    guarded.push(failing("guard", vec![Stamp("X-C", Then::Done)]));
    asked.set(0);
    let error = pipeline(guarded).run(&message, &envelope(Direction::Outbound), &Facts::default(), &late).unwrap_err();
    assert_eq!(error.to_string(), "rule `guard` failed and its on_error is fail: time ran out");
}

#[test]
fn what_a_message_cannot_take_is_left_out_and_the_rest_of_the_rule_goes_on() {
    let ran = run(vec![failing("a", vec![Stamp("X-A", Then::Unfit), Stamp("X-B", Then::Done)])]).unwrap();
    assert_eq!(ran.verdicts, [Verdict::Matched]);
    assert!(ran.has("X-B"));
    let ran = run(vec![rule("a", vec![Stamp("X-A", Then::Unfit)])]).unwrap();
    assert_eq!(ran.verdicts, [Verdict::Skipped("there is no body".into())]);
}

#[test]
fn protected_messages_go_by_the_policy_of_the_rule() {
    let on_signed = |policy, own: Option<Disposition>| {
        let mut actions = vec![Stamp("X-Body", Then::Body(policy)), Stamp("X-Header", Then::Done)];
        actions.extend(own.map(|own| Stamp("X-Own", Then::Dispose(own))));
        let pipeline = pipeline(vec![rule("r", actions)]);
        let ran = run_on(&pipeline, SIGNED, &envelope(Direction::Inbound)).unwrap();
        assert_eq!(again(&pipeline, &ran.asked, SIGNED), ran.disposition, "a second try answers the same");
        ran
    };
    let ran = on_signed(Protected::Skip, None);
    assert_eq!(ran.verdicts, [Verdict::Skipped("signed".into())]);
    assert_eq!(ran.text, None);
    let ran = on_signed(Protected::HeadersOnly, None);
    assert!(!ran.has("X-Body") && ran.has("X-Header"));
    let ran = on_signed(Protected::Wrap, None);
    assert!(!ran.has("X-Body") && ran.has("X-Wrapped") && ran.has("X-Header"));
    let ran = on_signed(Protected::Bounce, None);
    assert!(matches!(&ran.disposition, Disposition::Bounce(text) if text.contains("protected")));
    assert_eq!(ran.text, None);
    assert_eq!(on_signed(Protected::Bounce, Some(Disposition::Drop)).disposition, Disposition::Drop);
    let ran = run_on(
        &pipeline(vec![rule("r", vec![Stamp("X-Body", Then::Body(Protected::Bounce))])]),
        MAIL,
        &envelope(Direction::Inbound),
    );
    assert!(ran.unwrap().has("X-Body"), "a message that nothing protects is edited");
}

#[test]
fn the_flow_has_the_last_word_and_hears_who_asked_for_what() {
    let raw = crlf(MAIL);
    let message = Message::parse(&raw);
    let pipeline = pipeline(vec![rule("d", vec![Stamp("X-A", Then::Dispose(Disposition::Drop))])]);
    let heard = std::cell::RefCell::new(Vec::new());
    let outcome = pipeline
        .run_then(&message, &envelope(Direction::Outbound), &Facts::default(), &|| false, &|draft, asked, _| {
            heard.borrow_mut().push(as_marked(asked));
            draft.add_field(field("X-Last"));
        })
        .unwrap();
    assert_eq!(heard.into_inner(), [asked(&[0])]);
    assert!(outcome.rewritten.unwrap().to_vec().starts_with(b"X-Last: yes\r\nX-A: yes\r\n"));
}

fn sources(files: &[(&str, &str)]) -> Pipeline {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Pipeline::from_sources(files).unwrap()
}

#[test]
fn the_digest_is_of_all_files_that_count() {
    let rules = "[[rule]]\nname = \"a\"\naction = { kind = \"append\", html = { file = \"t.html\" } }\n";
    let organization = "domains = [\"example.com\"]\n";
    let one = sources(&[("a.toml", rules), ("t.html", "<p>x</p>"), ("unused.html", "1")]);
    assert_eq!(one.digest().len(), 16);
    assert!(one.digest().bytes().all(|b| b.is_ascii_hexdigit()));
    let same = sources(&[("t.html", "<p>x</p>"), ("unused.html", "2"), ("a.toml", rules)]);
    assert_eq!(one.digest(), same.digest());
    for other in [
        sources(&[("b.toml", rules), ("t.html", "<p>x</p>")]),
        sources(&[("a.toml", rules), ("t.html", "<p>y</p>")]),
        sources(&[("a.toml", rules), ("t.html", "<p>x</p>"), ("organization.toml", organization)]),
    ] {
        assert_ne!(one.digest(), other.digest());
    }
}

#[test]
fn who_is_internal_comes_from_the_organization_file() {
    let rules = "[[rule]]\nname = \"a\"\naction = { kind = \"drop\" }\n";
    let pipeline = sources(&[("a.toml", rules), ("organization.toml", "domains = \"Example.COM.\"\n")]);
    assert!(pipeline.organization().is_internal(&Domain::new("example.com").unwrap()));
    assert_eq!(pipeline.rules().len(), 1);
}

#[test]
fn files_run_in_the_order_of_their_names_and_redact_must_not_fail() {
    let rule = |name: &str, rest: &str| format!("[[rule]]\nname = \"{name}\"\n{rest}\n");
    let pipeline = sources(&[
        ("20.toml", &rule("second", "action = { kind = \"drop\" }")),
        ("10.toml", &rule("first", "action = { kind = \"redact\", detect = \"card\" }")),
        ("30.toml", &rule("third", "on_error = \"skip\"\naction = { kind = \"redact\", detect = \"card\" }")),
    ]);
    let rules: Vec<_> = pipeline.rules().iter().map(|rule| (rule.name.as_str(), rule.on_error)).collect();
    assert_eq!(rules, [("first", OnError::Fail), ("second", OnError::Skip), ("third", OnError::Skip)]);
}

/// Bob is internal, Kim and Lee are not.
fn to_three(direction: Direction, truncated: bool) -> Envelope {
    let recipients = ["bob@example.com", "kim@customer.example", "lee@other.example"];
    let recipients = recipients.iter().map(|one| Address::new(one).unwrap()).collect();
    Envelope { recipients, truncated, ..envelope(direction) }
}

const EACH: &str = r#"
[[rule]]
name = "confidential"
when = { subject = "Minutes", recipients = { each = "external" } }
unless = { recipients = { each = "lee@other.example" } }
action = { kind = "bounce", message = "Minutes stay inside." }

[[rule]]
name = "stamp"
action = { kind = "set_header", name = "Subject", value = "changed" }

[[rule]]
name = "bob"
when = { not = { recipients = { each = "external" } } }
action = { kind = "drop" }

[[rule]]
name = "copy"
action = { kind = "add_recipients", addresses = ["archive@example.com", "BOB@example.com"] }
"#;

fn with_organization(rules: &str) -> Pipeline {
    sources(&[("r.toml", rules), ("organization.toml", "domains = \"example.com\"\n")])
}

#[test]
fn a_rule_about_each_recipient_answers_for_those_alone() {
    let pipeline = with_organization(EACH);
    let raw = crlf(MAIL);
    let message = Message::parse(&raw);
    let envelope = to_three(Direction::Outbound, false);
    let outcome = pipeline.run(&message, &envelope, &Facts::default(), &|| false).unwrap();
    let bounce = Disposition::Bounce("Minutes stay inside.".into());
    assert_eq!(outcome.answers.named(), [Disposition::Drop, bounce, Disposition::Deliver]);
    assert_eq!(outcome.answers.added(), [Address::new("archive@example.com").unwrap()]);
    let effects: Vec<_> = outcome.report.rules.iter().flat_map(|rule| rule.effects.clone()).collect();
    assert_eq!(effects.first().unwrap(), "bounce: bounced, for 1 of 3 recipients");
    assert_eq!(effects.last().unwrap(), "add_recipients: 1 recipient; left out: 1 there already");
    let shares: Vec<_> = outcome.report.rules.iter().map(|rule| rule.recipients.map(|share| share.matched)).collect();
    assert_eq!(shares, [Some(1), None, Some(1), None]);
    // A second try of what the rules have changed, subject and all, answers the same.
    let changed = outcome.rewritten.unwrap().to_vec();
    let second = Message::parse(&changed);
    let again = pipeline.answers_of(&outcome.asked, &second, &envelope, &Facts::default());
    assert_eq!(again, outcome.answers);
}

#[test]
fn nobody_who_was_cut_off_is_meant_by_each() {
    let pipeline = with_organization(EACH);
    let raw = crlf(MAIL);
    let message = Message::parse(&raw);
    let envelope = to_three(Direction::Outbound, true);
    let outcome = pipeline.run(&message, &envelope, &Facts::default(), &|| false).unwrap();
    assert_eq!(outcome.answers.others(), &Disposition::Deliver);
    assert_eq!(outcome.answers.named().first(), Some(&Disposition::Drop));
    assert!(format!("{:?}", outcome.report.rules).contains("the list of recipients is cut"));
}

#[test]
fn automatic_mail_is_bounced_for_nobody() {
    let pipeline = with_organization(EACH);
    let raw = crlf(&format!("Auto-Submitted: auto-replied\n{MAIL}"));
    let message = Message::parse(&raw);
    let envelope = to_three(Direction::Outbound, false);
    let outcome = pipeline.run(&message, &envelope, &Facts::default(), &|| false).unwrap();
    assert_eq!(outcome.answers.named(), [Disposition::Drop, Disposition::Deliver, Disposition::Deliver]);
    let again = pipeline.answers_of(&outcome.asked, &message, &envelope, &Facts::default());
    assert_eq!(again, outcome.answers);
}

#[test]
fn inbound_mail_is_not_sent_outside() {
    let rules = "[[rule]]\nname = \"a\"\naction = { kind = \"add_recipients\", addresses = [\"x@other.example\", \
                 \"eve@example.com\"] }\n";
    let raw = crlf(MAIL);
    let message = Message::parse(&raw);
    for (direction, added) in [(Direction::Inbound, 1), (Direction::Outbound, 2)] {
        let outcome =
            with_organization(rules).run(&message, &to_three(direction, false), &Facts::default(), &|| false).unwrap();
        assert_eq!(outcome.answers.added().len(), added);
    }
}

/// Rules that take long with the text that stands beside them.
fn slow() -> Vec<(&'static str, &'static str, String)> {
    let mut state = 1_u32;
    let mut disorder = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 31 == 0 { 'a' } else { 'b' }
    };
    let letters: String = (0..150_000).map(|_| disorder()).collect();
    let links = "www.a.example\n".repeat(8_000);
    let rewrite = "action = { kind = \"rewrite_links\", gateway = \"https://g.example/?{{ url }}\" }";
    let words = "Acme Ltd ".repeat(8_000);
    let costly = "a[ab]{600}[c-z]";
    let stamp = "action = { kind = \"set_header\", name = \"X-A\", value = \"b\" }";
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    vec![
        ("plain", leak(format!("when = {{ body = {{ matches = '{costly}' }} }}\n{stamp}")), letters.clone()),
        ("plain", leak(format!("unless = {{ body = {{ matches = '{costly}' }} }}\n{stamp}")), letters.clone()),
        (
            "html",
            leak(format!("when = {{ body = {{ contains = {{ pattern = '{costly}' }} }} }}\n{stamp}")),
            letters.clone(),
        ),
        ("plain", leak(format!("action = {{ kind = \"redact\", pattern = '{costly}' }}")), letters.clone()),
        ("plain", leak(format!("action = {{ kind = \"replace\", pattern = '{costly}', with = \"x\" }}")), letters),
        ("plain", "action = { kind = \"replace\", words = \"Acme\", with = \"Acme Ltd\" }", words),
        ("html", rewrite, format!("<p>{links}")),
        ("html", rewrite, "<a href=www.a.example>a</a>".repeat(10_000)),
        ("html", rewrite, "<b>a</b>".repeat(10_000)),
        ("plain", rewrite, links),
    ]
}

#[test]
fn a_rule_that_takes_long_learns_that_its_time_is_up_and_nothing_of_it_is_done() {
    for (kind, rest, text) in slow() {
        let raw = format!("From: ann@example.com\r\nContent-Type: text/{kind}\r\n\r\n{text}\r\n");
        let message = Message::parse(raw.as_bytes());
        let ran = |on_error: &str| {
            let rule = format!("[[rule]]\nname = \"r\"\non_error = \"{on_error}\"\n{rest}\n");
            let pipe = Pipeline::from_sources(vec![("r.toml".into(), rule)]).unwrap_or_else(|p| panic!("{p}"));
            let asked = std::cell::Cell::new(0);
            // Long enough to begin.
            let late = || asked.replace(asked.get() + 1) > 3;
            pipe.run(&message, &envelope(Direction::Outbound), &Facts::default(), &late)
        };
        let outcome = ran("skip").unwrap();
        assert_eq!(outcome.report.rules[0].verdict, Verdict::OutOfTime, "{rest}");
        assert!(outcome.rewritten.is_none(), "{rest}");
        assert_eq!(ran("fail").unwrap_err().to_string(), "rule `r` failed and its on_error is fail: time ran out");
    }
}

#[test]
fn more_links_than_any_message_could_take_are_not_rewritten() {
    let gateway = format!("https://g.example/?{}={{{{ url }}}}", "x".repeat(450));
    let rule = format!("[[rule]]\nname = \"r\"\naction = {{ kind = \"rewrite_links\", gateway = \"{gateway}\" }}\n");
    let pipe = Pipeline::from_sources(vec![("r.toml".into(), rule)]).unwrap_or_else(|p| panic!("{p}"));
    let raw = format!("From: ann@example.com\r\n\r\n{}", "www.a.example\r\n".repeat(110_000));
    let message = Message::parse(raw.as_bytes());
    let outcome = pipe.run(&message, &envelope(Direction::Outbound), &Facts::default(), &|| false).unwrap();
    let Verdict::Failed(why) = &outcome.report.rules[0].verdict else { panic!("{:?}", outcome.report) };
    assert_eq!(why, "the message has more octets of rewritten links in one text than the 48000000 that a rule takes");
    assert!(outcome.rewritten.is_none());
}

#[test]
fn what_a_later_rule_undoes_is_no_change() {
    let rules = [
        ("tag_subject", "tag = \"[A]\""),
        ("untag_subject", "tag = \"[A]\""),
        ("replace", "words = \"apples\", with = \"pears\""),
        ("replace", "words = \"pears\", with = \"apples\""),
    ];
    let rule = |(at, (kind, rest)): (usize, &(&str, &str))| {
        format!("[[rule]]\nname = \"r{at}\"\naction = {{ kind = \"{kind}\", {rest} }}\n")
    };
    let text: String = rules.iter().enumerate().map(rule).collect();
    let pipe = Pipeline::from_sources(vec![("r.toml".into(), text)]).unwrap_or_else(|p| panic!("{p}"));
    let message = Message::parse(b"From: ann@example.com\r\nSubject: plan\r\n\r\nThe apples.\r\n");
    let outcome = pipe.run(&message, &envelope(Direction::Outbound), &Facts::default(), &|| false).unwrap();
    assert!(outcome.rewritten.is_none(), "{:?}", outcome.report);
    assert!(outcome.report.rules.iter().all(|rule| rule.verdict == Verdict::Matched && rule.edits == 1));
}
