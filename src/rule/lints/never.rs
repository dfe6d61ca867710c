//! Rules whose conditions no message passes.

use super::claims::Claim;
use super::formula::{Is, Node};
use super::proof::{Clash, Sign};
use super::{Lints, Written};
use crate::rule::problem::Code;
use crate::rule::section::Span;
use crate::rule::toml_value::shown;

impl<'p> Lints<'_, 'p> {
    /// Say why a rule never acts; the answer is whether that is so.
    pub(super) fn never(&self, rule: &Written<'p>) -> bool {
        let Is::All(parts) = &rule.formula.is else { return false };
        let (demands, exceptions) = parts.split_at(rule.demands.min(parts.len()));
        let demands: Vec<(Sign, &Node<'p>)> = demands.iter().map(|part| (Sign::Holds, part)).collect();
        let mut found = None;
        if let Some(clashes) = self.clashes(&demands) {
            found = Some(self.because(&clashes, &rule.formula.span));
        }
        for exception in exceptions {
            if found.is_some() {
                break;
            }
            let clashes = self.clashes(&[demands.as_slice(), &[(Sign::Holds, exception)]].concat());
            found = clashes.map(|clashes| {
                let taken = match clashes.as_slice() {
                    [clash] if clash.one.0 != clash.other.0 => format!(": {}", self.why(*clash)),
                    _ => String::new(),
                };
                (exception.span.clone(), format!("the exception holds wherever `when` does{taken}"))
            });
        }
        if found.is_none() && exceptions.len() > 1 && self.clashes(&[(Sign::Holds, &rule.formula)]).is_some() {
            let why = "its exceptions together take all that `when` lets in";
            found = Some((rule.section.span_of("unless"), why.to_owned()));
        }
        let Some((span, why)) = found else { return false };
        self.report(Code::NeverActs, span, format!("the rule `{}` never acts: {why}", shown(rule.name)), "");
        true
    }

    /// Where it is to be shown that parts cannot hold at once, and why.
    fn because(&self, clashes: &[Clash<'_, 'p>], whole: &Span) -> (Span, String) {
        match clashes {
            [clash] => (clash.other.1.span.clone(), self.why(*clash)),
            _ => (whole.clone(), "no message passes all of its conditions".to_owned()),
        }
    }

    /// Why two claims cannot be so at once.
    pub(super) fn why(&self, Clash { one: (sign, one), other: (other_sign, other) }: Clash<'_, 'p>) -> String {
        let ways = |claim: &Claim<'_>| matches!(claim.key, "direction" | "authentication" | "verdict");
        let held = |sign| matches!(sign, Sign::Holds | Sign::NotFails);
        if held(sign) && held(other_sign) {
            if ways(one) && ways(other) && (one.key == "direction" || other.key == "direction") {
                return "no message is inbound and outbound".to_owned();
            }
            if let ("recipients", "recipients", Some(one), Some(other)) = (one.key, other.key, one.word, other.word) {
                return format!("where all recipients are {one}, none is {other}");
            }
            let place = (self.place)(&one.span);
            return format!("no message passes both this `{}` and the `{}` at {place}", plain(other), plain(one));
        }
        let (demanded, refused) = if held(sign) { (one, other) } else { (other, one) };
        match (held(sign), held(other_sign)) {
            (false, false) => {
                format!(
                    "one of this `{}` and the `{}` at {} holds always",
                    plain(other),
                    plain(one),
                    (self.place)(&one.span)
                )
            }
            _ if demanded.span.range.start <= refused.span.range.start => {
                let (place, demanded) = ((self.place)(&demanded.span), plain(demanded));
                format!("this `{}` takes all that the `{demanded}` at {place} lets in", plain(refused))
            }
            _ => {
                let (place, refused) = ((self.place)(&refused.span), plain(refused));
                format!("the `{refused}` at {place} takes all that this `{}` lets in", plain(demanded))
            }
        }
    }
}

/// The key of a claim as it is written.
fn plain(claim: &Claim<'_>) -> &'static str {
    claim.key.split('.').next().unwrap_or(claim.key)
}
