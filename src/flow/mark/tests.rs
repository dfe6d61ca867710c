use super::*;
use crate::rule::Disposition;

impl Marker<'_> {
    /// What rules asked for, by a mark.
    fn says(&self, value: &str) -> Option<Vec<Asked>> {
        self.check(value).map(|marked| marked.asked)
    }
}

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn asked(rules: &[usize]) -> Vec<Asked> {
    rules
        .iter()
        .map(|rule| Asked {
            rule: *rule,
            whom: Some(Whom::Everybody),
            disposes: *rule != 4,
            disposition: None,
            adds: (3..5).contains(rule),
        })
        .collect()
}

const NAMES: [Option<&str>; 13] = [
    Some("r0"),
    Some("r1"),
    Some("r2"),
    Some("r3"),
    Some("r4"),
    Some("r5"),
    Some("r6"),
    Some("r7"),
    Some("r8"),
    Some("r9"),
    Some("r10"),
    None,
    Some("r12"),
];

fn value_and_check(rules: &[usize], change: impl Fn(&mut String), at: (&str, &str, Direction, &str)) -> bool {
    let id = MessageId::new("11111111-aaaa").unwrap();
    let key = StampKey::new(KEY).unwrap();
    let (direction, disposing) = (Direction::Inbound, asked(rules));
    let made = Marker { key: &key, id: &id, digest: "00112233aabbccdd", names: &NAMES, direction, recipients: &[] };
    let mut value = made.value(&disposing, None).unwrap();
    change(&mut value);
    let (key, id, direction, digest) = at;
    let (key, id) = (StampKey::new(key).unwrap(), MessageId::new(id).unwrap());
    let read = Marker { key: &key, id: &id, digest, names: &NAMES, direction, recipients: &[] }.says(&value);
    assert!(read.is_none() || read == Some(disposing));
    read.is_some()
}

#[test]
fn a_mark_holds_for_its_message_flow_and_key_alone_whatever_rules_are_in_force() {
    let good = (KEY, "11111111-aaaa", Direction::Inbound, "00112233aabbccdd");
    for disposing in [&[][..], &[0], &[0, 3, 4, 12]] {
        assert!(value_and_check(disposing, |_| {}, good));
    }
    let other_key = "0123456789abcdef0123456789abcdeF";
    assert!(!value_and_check(&[1], |_| {}, (other_key, good.1, good.2, good.3)));
    assert!(!value_and_check(&[1], |_| {}, (good.0, "11111111-aaab", good.2, good.3)));
    assert!(!value_and_check(&[1], |_| {}, (good.0, good.1, Direction::Outbound, good.3)));
    assert!(value_and_check(&[1], |_| {}, (good.0, good.1, good.2, "00112233aabbccde")));
    // That it is of these rules must be true.
    assert!(!value_and_check(&[1], |v| *v = v.replace("aabbccdd", "aabbccde"), good));
}

#[test]
fn a_mark_that_was_tampered_with_counts_for_nothing() {
    let good = (KEY, "11111111-aaaa", Direction::Inbound, "00112233aabbccdd");
    let changes: [&dyn Fn(&mut String); 10] = [
        &|v| *v = v.replace("did=", "did=0123456789abcdef, "),
        &|v| *v = v.replace("did=", "did=0"),
        &|v| *v = v.replace("did=", "did=; x="),
        &|v| *v = v.replace("v=3", "v=2"),
        &|v| *v = v.replace("; mac", "+; mac"),
        &|v| *v = v.replace("; mac", "; to=0000000000000000; mac"),
        &|v| v.truncate(v.len() - 2),
        &|v| v.push_str("; x=1"),
        &|v| v.replace_range(v.len() - 64.., &"0".repeat(64)),
        &|v| v.clear(),
    ];
    for change in changes {
        assert!(!value_and_check(&[1], change, good));
    }
    // White space may change on the way (RFC 5322 §2.2.3).
    assert!(value_and_check(&[1], |v| *v = v.replace("; ", ";\t "), good));
}

#[test]
fn for_whom_is_kept_and_told_to_nobody() {
    let (key, id) = (StampKey::new(KEY).unwrap(), MessageId::new("11111111-aaaa").unwrap());
    let addresses = |list: &[&str]| list.iter().map(|one| Address::new(one).unwrap()).collect::<Vec<_>>();
    let marker = |recipients| Marker {
        key: &key,
        id: &id,
        digest: "00",
        names: &NAMES,
        direction: Direction::Outbound,
        recipients,
    };
    let some = |named: &[bool]| {
        vec![Asked { rule: 7, whom: Some(Whom::Some(named.to_vec())), disposes: true, disposition: None, adds: true }]
    };
    let these = addresses(&["kim@x.example", "lee@x.example", "Ann@x.example"]);
    let value = marker(&these).value(&some(&[true, false, true]), None).unwrap();
    assert_eq!(marker(&these).says(&value), Some(some(&[true, false, true])));
    // To another rule set as well.
    assert_eq!(Marker { digest: "11", ..marker(&these) }.says(&value), Some(some(&[true, false, true])));
    // In any order and spelling.
    let mixed = addresses(&["LEE@X.example", "ann@x.example", "kim@x.example"]);
    assert_eq!(marker(&mixed).says(&value), Some(some(&[false, true, true])));
    // Of others, a rule is to be asked again.
    let others = addresses(&["kim@x.example", "lee@x.example"]);
    assert_eq!(
        marker(&others).says(&value),
        Some(vec![Asked { rule: 7, whom: None, disposes: true, disposition: None, adds: true }])
    );
    // Nothing in it tells how many they are.
    let many: Vec<String> = (0..500).map(|n| format!("r{n}@x.example")).collect();
    let many = addresses(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let every_other: Vec<bool> = (0..500).map(|n| n % 2 == 0).collect();
    let long = marker(&many).value(&some(&every_other), None).unwrap();
    assert_eq!(long.len(), value.len());
    assert_eq!(marker(&many).says(&long), Some(some(&every_other)));
    assert!(!value.contains(&"0".repeat(16)), "{value}");
}

/// Rules that each ask for something, as they are asked of a message: `(whom, disposition)`.
fn many(asked: &[(Whom, Disposition)]) -> Vec<Asked> {
    let one = |(rule, (whom, disposition)): (usize, &(Whom, Disposition))| Asked {
        rule,
        whom: Some(whom.clone()),
        disposes: true,
        disposition: Some(disposition.clone()),
        adds: false,
    };
    asked.iter().enumerate().map(one).collect()
}

#[test]
fn of_more_rules_than_are_named_those_are_kept_that_decide_and_for_whom() {
    let (key, id) = (StampKey::new(KEY).unwrap(), MessageId::new("11111111-aaaa").unwrap());
    let names: Vec<String> = (0..600).map(|n| format!("r{n}")).collect();
    let names: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
    let recipients: Vec<Address> =
        (0..500).map(|n| Address::new(&format!("r{}@x.example", n * 7 % 500)).unwrap()).collect();
    let marker = Marker {
        key: &key,
        id: &id,
        digest: "00",
        names: &names,
        direction: Direction::Inbound,
        recipients: &recipients,
    };
    let only = |at: usize| Whom::Some((0..500).map(|n| n == at).collect());
    let bounce = |n: usize| Disposition::Bounce(n.to_string());

    // A hundred for everybody: the first of the strictest is what counts.
    let mut asked = many(&(0..100).map(|n| (Whom::Everybody, bounce(n))).collect::<Vec<_>>());
    (asked[7].disposition, asked[90].adds) = (Some(Disposition::Drop), true);
    assert_eq!(marker.value(&asked, None), None);
    let value = marker.tabled(&asked, None).unwrap();
    let of = |rule, disposes, adds| Asked { rule, whom: Some(Whom::Everybody), disposes, disposition: None, adds };
    assert_eq!(marker.says(&value), Some(vec![of(7, true, false), of(90, false, true)]));
    // Of any recipients, as of those that are cut off.
    assert_eq!(Marker { recipients: &recipients[1..], ..marker }.says(&value), marker.says(&value));
    assert_eq!(Marker { digest: "11", ..marker }.says(&value), marker.says(&value), "to another rule set");

    // One for each recipient, and one for everybody that is stricter than some of them.
    let mut each: Vec<(Whom, Disposition)> = (0..500).map(|n| (only(n), bounce(n))).collect();
    each.push((Whom::Everybody, Disposition::Junk));
    each[3].1 = Disposition::Deliver;
    let asked = many(&each);
    let value = marker.tabled(&asked, None).unwrap();
    let read = marker.says(&value).unwrap();
    assert_eq!(read.len(), 500);
    assert!(read.iter().all(|one| one.rule == 500 || one.whom == Some(only(one.rule))));
    assert_eq!(read[499].whom, Some(Whom::Everybody));
    assert!(read.iter().all(|one| one.rule != 3));
    // Of other recipients, each is asked again but for the one for everybody.
    let others = Marker { recipients: &recipients[1..], ..marker }.says(&value).unwrap();
    assert_eq!(others.iter().filter(|one| one.whom.is_none()).count(), 499);

    // Nothing tells how many recipients there are, or rules that decide; and it can be folded.
    let few = marker.tabled(&many(&each[..1]), None).unwrap();
    assert_eq!(few.len(), marker.tabled(&many(&each[..30]), None).unwrap().len());
    assert!(Field::new(FieldName::new(NAME).unwrap(), &value).is_ok() && value.len() < MAX_VALUE);
    // White space may change on the way; nothing else may.
    assert_eq!(marker.says(&value.replace(' ', "\r\n ")), Some(read));
    let digit = value.len() / 2;
    for with in ["0", "1"] {
        let mut changed = value.clone();
        changed.replace_range(digit..=digit, with);
        assert!(changed == value || marker.says(&changed).is_none());
    }
    for changed in [value.replace("v=4", "v=3"), value.replace("to=", "to=0"), value.replace("rules=00", "rules=01")] {
        assert_eq!(marker.says(&changed), None);
    }
    let elsewhere = MessageId::new("22222222-aaaa").unwrap();
    assert_eq!(Marker { id: &elsewhere, ..marker }.says(&value), None);
}

#[test]
fn a_rule_is_known_again_by_its_name() {
    let (key, id) = (StampKey::new(KEY).unwrap(), MessageId::new("11111111-aaaa").unwrap());
    let marker = |digest, names| {
        let (key, id, recipients, direction) = (&key, &id, &[][..], Direction::Outbound);
        Marker { key, id, digest, names, direction, recipients }
    };
    let made = marker("00", &[Some("bounced"), Some("copied"), Some("cards")]);
    let value = made.value(&asked(&[0, 2]), None).unwrap();
    assert!(!value.contains("bounced") && !value.contains("cards"), "{value}");
    let of = |names| marker("11", names).says(&value).map(|asked| asked.iter().map(|a| a.rule).collect::<Vec<_>>());
    assert_eq!(of(&[Some("bounced"), Some("copied"), Some("cards")]), Some(vec![0, 2]));
    assert_eq!(of(&[Some("cards"), Some("new"), Some("bounced")]), Some(vec![2, 0]), "in another order");
    assert_eq!(of(&[Some("new"), None, Some("cards")]), Some(vec![2]), "one is gone");
    assert_eq!(of(&[]), Some(vec![]), "none is left, and yet they have run");
    // A rule that is not enforced asks for nothing.
    assert_eq!(marker("00", &[None]).value(&asked(&[0]), None), None);
}

#[test]
fn the_answer_is_told_to_whoever_has_the_key_whatever_rules_there_are_and_to_nobody_else() {
    let (key, id) = (StampKey::new(KEY).unwrap(), MessageId::new("11111111-aaaa").unwrap());
    let addresses = |list: &[&str]| list.iter().map(|one| Address::new(one).unwrap()).collect::<Vec<_>>();
    let these = addresses(&["kim@x.example", "lee@x.example"]);
    let marker = |digest, names, recipients| {
        let (key, id, direction) = (&key, &id, Direction::Outbound);
        Marker { key, id, digest, names, direction, recipients }
    };
    let some = vec![Asked {
        rule: 0,
        whom: Some(Whom::Some(vec![false, true])),
        disposes: true,
        disposition: Some(Disposition::Bounce("Not to Lee".into())),
        adds: true,
    }];
    let bounced = vec![Disposition::Deliver, Disposition::Bounce("Not to Lee".into())];
    let added = addresses(&["archive@x.example"]);
    let answers = Answers::carried(bounced.clone(), Disposition::Deliver, added.clone());
    let value = marker("00", &NAMES, &these).marked(&some, &answers).unwrap();
    for told in ["Lee", "lee", "archive", &hex(b"Not to"), &hex(b"archive")] {
        assert!(!value.contains(told), "{told}: {value}");
    }
    // To a rule set that has none of these rules, in another order of recipients, folded.
    let read = |recipients, value: &str| marker("11", &[], recipients).check(value);
    let mixed = addresses(&["Lee@x.example", "kim@x.example"]);
    let folded = value.replace(' ', "\r\n\t");
    assert_eq!(read(&these, &folded).unwrap().answers, Some(answers));
    let turned = Answers::carried(bounced.into_iter().rev().collect(), Disposition::Deliver, added);
    let known = read(&mixed, &value).unwrap();
    assert_eq!((known.answers, known.digest.as_str(), known.asked), (Some(turned), "00", vec![]));
    // Of others, rules are to be asked.
    let others = marker("00", &NAMES, &these[1..]).check(&value).unwrap();
    assert_eq!((others.answers, others.asked.len()), (None, 1));
    // No digit of it can be changed, left out, or taken from another mark.
    let other = Answers::carried(vec![Disposition::Drop; 2], Disposition::Drop, Vec::new());
    let other = marker("00", &NAMES, &these).marked(&some, &other).unwrap();
    let part = |value: &str| value.split("; ").find(|part| part.starts_with("answer=")).unwrap().to_owned();
    for changed in [
        value.replace(&part(&value), &part(&other)),
        value.replace(&format!("{}; ", part(&value)), ""),
        value.replacen("answer=", "answer=0", 1),
        value.replace("answer=", "answer= 00 "),
    ] {
        assert!(changed != value && read(&these, &changed).is_none(), "{changed}");
    }
    // Nothing is asked, nothing is carried.
    let nothing = Answers::carried(vec![Disposition::Deliver; 2], Disposition::Deliver, Vec::new());
    assert!(!marker("00", &NAMES, &these).marked(&[], &nothing).unwrap().contains("answer="));
    // What is too long leaves it to the rules.
    let long = vec![Disposition::Bounce("x".repeat(20_000)); 2];
    let long = Answers::carried(long, Disposition::Deliver, Vec::new());
    let value = marker("00", &NAMES, &these).marked(&some, &long).unwrap();
    assert!(!value.contains("answer=") && marker("00", &NAMES, &these).says(&value).is_some());
}

#[test]
fn of_more_rules_than_any_mark_has_room_for_the_answer_stands_alone() {
    let (key, id) = (StampKey::new(KEY).unwrap(), MessageId::new("11111111-aaaa").unwrap());
    let names: Vec<String> = (0..3_000).map(|n| format!("r{n}")).collect();
    let names: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
    let recipients = [Address::new("kim@x.example").unwrap()];
    let (direction, digest) = (Direction::Outbound, "00");
    let marker = Marker { key: &key, id: &id, digest, names: &names, direction, recipients: &recipients };
    let adds = |rule| Asked { rule, whom: Some(Whom::Everybody), disposes: false, disposition: None, adds: true };
    let asked: Vec<Asked> = (0..3_000).map(adds).collect();
    let added = vec![Address::new("archive@x.example").unwrap()];
    let answers = Answers::carried(vec![Disposition::Deliver], Disposition::Deliver, added);
    let value = marker.marked(&asked, &answers).unwrap();
    assert!(value.len() < MAX_VALUE && Field::new(FieldName::new(NAME).unwrap(), &value).is_ok());
    assert_eq!(marker.check(&value).unwrap().answers, Some(answers));
}

#[test]
fn a_short_key_is_refused_and_no_key_is_shown() {
    assert!(StampKey::new("short").is_err());
    assert!(StampKey::new(&format!("  {}  ", "k".repeat(31))).is_err());
    assert_eq!(format!("{:?}", StampKey::new(KEY).unwrap()), "StampKey(…)");
}
