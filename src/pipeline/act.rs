//! The actions of a rule that applies: what they did, and what they ask for in the answer.

use std::fmt::Write as _;

use super::report::Share;
use crate::answers::{NotAdded, add, stricter};
use crate::directory::Fact;
use crate::envelope::{Address, Direction};
use crate::rule::automatic::is_automatic;
use crate::rule::{Action, ActionError, Disposition, Effect, Find, Protected, Redacted, Rule, Scene, Unbounceable};

/// What the actions of a rule came to.
#[derive(Default)]
pub(super) struct Done {
    pub(super) effects: Vec<String>,
    pub(super) edits: usize,
    pub(super) disposition: Option<Disposition>,
    pub(super) finds: Vec<Find>,
    pub(super) added: Vec<Address>,
    pub(super) stop: bool,
    /// For how many recipients, where it is not for everybody.
    pub(super) share: Option<Share>,
    /// Why the message could not take it, in whole or in part.
    pub(super) unfit: Option<String>,
}

/// Do what a rule says.
pub(super) fn act(rule: &Rule, share: Option<Share>, mut scene: Scene<'_, '_>) -> Result<Done, ActionError> {
    let mut done = Done { share, ..Done::default() };
    let policies: Vec<Protected> = rule.actions.iter().filter_map(|action| action.protected(&scene)).collect();
    // What was not looked at in time says nothing of what a protected message holds.
    if !policies.is_empty() && scene.late.is_late() {
        return Err(ActionError::Late);
    }
    let protection = || scene.draft.protection().map_or("protected", |p| p.as_str());
    if policies.contains(&Protected::Bounce) {
        let why = protection();
        done.unfit = Some(why.to_owned());
        done.effects.push(format!("protected: {why}"));
        let asked = own_disposition(rule).unwrap_or_else(protected_bounce);
        let bouncing = rule.actions.iter().filter(|action| action.protected(&scene) == Some(Protected::Bounce));
        let otherwise = bouncing.map(|action| action.unbounceable()).max().unwrap_or(Unbounceable::Deliver);
        dispose(&mut done, "protected", asked, otherwise, &scene)?;
        return Ok(done);
    }
    if policies.contains(&Protected::Skip) {
        done.unfit = Some(protection().to_owned());
        return Ok(done);
    }
    for action in &rule.actions {
        let effect = match action.protected(&scene) {
            Some(Protected::Wrap) => action.run_wrapped(&mut scene),
            Some(_) => action.run_on_header(&mut scene),
            None => action.run(&mut scene),
        };
        record(&mut done, action.as_ref(), effect?, &scene)?;
    }
    Ok(done)
}

fn record(done: &mut Done, action: &dyn Action, effect: Effect, scene: &Scene<'_, '_>) -> Result<(), ActionError> {
    let kind = action.kind();
    match effect {
        Effect::Edited(count, note) => {
            done.edits += count;
            done.effects.push(format!("{kind}: {note}"));
        }
        Effect::Nothing(why) => done.effects.push(format!("{kind}: nothing to do, {why}")),
        Effect::Unfit(why) => {
            done.effects.push(format!("{kind}: left out, {why}"));
            done.unfit.get_or_insert(why);
        }
        Effect::Dispose(disposition) => dispose(done, kind, disposition, action.unbounceable(), scene)?,
        Effect::Add(addresses) => {
            let (mut there, mut external, mut over) = (0, 0, 0);
            let organization = match scene.who_is_internal() {
                Fact::Known(organization) => organization,
                Fact::Unknown(why) => return Err(ActionError::Directory(why)),
            };
            let known = done.added.len();
            for address in &addresses {
                match add(&mut done.added, address, scene.envelope, organization) {
                    Ok(()) => {}
                    Err(NotAdded::There) => there += 1,
                    Err(NotAdded::External) => external += 1,
                    Err(NotAdded::TooMany) => over += 1,
                }
            }
            done.effects.push(format!("{kind}: {}", added_note(done.added.len() - known, there, external, over)));
            if external > 0 {
                done.unfit.get_or_insert_with(|| "inbound mail goes to addresses of the organization only".to_owned());
            }
        }
        Effect::Stop => {
            done.effects.push(format!("{kind}: no later rule runs"));
            done.stop = true;
        }
        Effect::Redacted(Redacted { count, note, finds, disposition }) => {
            done.edits += count;
            done.effects.push(format!("{kind}: {note}"));
            done.finds.extend(finds);
            if let Some(disposition) = disposition {
                dispose(done, kind, disposition, action.unbounceable(), scene)?;
            }
        }
    }
    Ok(())
}

/// Take a disposition down, unless this message must not be answered that way: then what is to be done instead.
fn dispose(
    done: &mut Done,
    kind: &str,
    disposition: Disposition,
    otherwise: Unbounceable,
    scene: &Scene<'_, '_>,
) -> Result<(), ActionError> {
    let refused = match &disposition {
        Disposition::Bounce(_) => unanswerable(scene),
        Disposition::Junk | Disposition::BypassSpamCheck if scene.envelope.direction != Direction::Inbound => {
            Some("inbound only")
        }
        _ => None,
    };
    let disposition = match (refused, otherwise, disposition) {
        (None, _, disposition) => disposition,
        (Some(why), Unbounceable::Fail, Disposition::Bounce(_)) => return Err(ActionError::Unbounceable(why)),
        (Some(_), Unbounceable::Drop, Disposition::Bounce(_)) => Disposition::Drop,
        (Some(why), ..) => {
            done.effects.push(format!("{kind}: delivered, {why}"));
            done.unfit.get_or_insert_with(|| why.to_owned());
            return Ok(());
        }
    };
    let name = match &disposition {
        Disposition::BypassSpamCheck => "delivered without the spam check",
        Disposition::Deliver => "delivered",
        Disposition::Junk => "to the junk folder",
        Disposition::Bounce(_) => "bounced",
        Disposition::Drop => "dropped",
    };
    let share = done.share.filter(|share| share.matched < share.of);
    let share = share.map(|share| format!(", for {} of {} recipients", share.matched, share.of)).unwrap_or_default();
    done.effects.push(format!("{kind}: {name}{share}"));
    done.disposition = stricter(done.disposition.take(), Some(disposition));
    Ok(())
}

/// Why a message must not be answered (RFC 3834 §2, RFC 5321 §4.5.5): that makes a loop, or hits somebody who did not
/// write.
pub(super) fn unanswerable(scene: &Scene<'_, '_>) -> Option<&'static str> {
    if scene.envelope.sender.is_none() {
        return Some("there is no sender to bounce to");
    }
    is_automatic(scene).then_some("an automatic message is not bounced")
}

/// What the actions of a rule answer to the flow, whatever the message.
pub(super) fn own_disposition(rule: &Rule) -> Option<Disposition> {
    rule.actions.iter().map(|action| action.disposition()).fold(None, stricter)
}

/// What a sender is told whose message a rule must change and cannot.
pub(super) fn protected_bounce() -> Disposition {
    Disposition::Bounce(
        "Your message was not delivered: it is signed, encrypted or otherwise protected from changes, and a mail rule \
         has to change it. Please send it without protection, or ask your mail administrator."
            .to_owned(),
    )
}

/// What became of addresses to add, in numbers.
fn added_note(added: usize, there: usize, external: usize, over: usize) -> String {
    let mut note = match added {
        0 => "nobody is added".to_owned(),
        1 => "1 recipient".to_owned(),
        n => format!("{n} recipients"),
    };
    for (count, why) in [
        (there, "there already"),
        (external, "outside of the organization, where inbound mail does not go"),
        (over, "over what the flow takes"),
    ] {
        if count > 0 {
            let _ = write!(note, "; left out: {count} {why}");
        }
    }
    note
}
