//! Texts that work and can hardly be meant: the name of a file in place of its text, variables as other systems write them.

/// What a text of a rule file seems to be, and what to write.
pub struct Mistaken {
    /// What is odd.
    pub what: String,
    /// What to write instead.
    pub help: String,
}

/// Variables of Exchange disclaimers, and what they are here.
const OF_EXCHANGE: &[(&str, &str)] = &[
    ("displayname", "sender.display_name"),
    ("firstname", "sender.first_name"),
    ("lastname", "sender.last_name"),
    ("initials", "sender.initials"),
    ("email", "sender.email"),
    ("title", "sender.job_title"),
    ("department", "sender.department"),
    ("company", "sender.company"),
    ("office", "sender.office"),
    ("phonenumber", "sender.telephone"),
    ("street", "sender.street"),
    ("city", "sender.city"),
    ("zipcode", "sender.zip_code"),
    ("countryorregion", "sender.country"),
];

/// What is odd about a text that stands in a rule file. `key` is its key.
pub fn mistaken(key: &str, text: &str) -> Option<Mistaken> {
    if is_file_name(text) {
        let text = text.trim();
        let what = format!("this is the text itself, not that of a file named `{}`", super::shown(text));
        return Some(Mistaken { what, help: format!("write `{key} = {{ file = \"{}\" }}`", super::shown(text)) });
    }
    let (written, meant) = of_exchange(text).or_else(|| in_single_braces(text))?;
    let help = match meant {
        Some(meant) => format!("write `{{{{ {meant} }}}}`"),
        None => "variables stand in `{{ … }}`; the reference of templates names them".to_owned(),
    };
    Some(Mistaken { what: format!("`{}` goes out as it is written: it is no variable", super::shown(&written)), help })
}

fn is_file_name(text: &str) -> bool {
    let text = text.trim();
    let endings = [".html", ".htm", ".txt", ".tmpl", ".j2"];
    !text.contains(char::is_whitespace)
        && !text.contains(['<', '{', '@'])
        && endings
            .iter()
            .any(|ending| text.to_ascii_lowercase().strip_suffix(ending).is_some_and(|stem| !stem.is_empty()))
        && !text.contains("://")
}

/// `%%DisplayName%%`.
fn of_exchange(text: &str) -> Option<(String, Option<&'static str>)> {
    let (_, rest) = text.split_once("%%")?;
    let (name, _) = rest.split_once("%%")?;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let meant = OF_EXCHANGE.iter().find(|(word, _)| word.eq_ignore_ascii_case(name)).map(|(_, meant)| *meant);
    Some((format!("%%{name}%%"), meant))
}

/// `{sender.name}`, `${sender.name}`: a variable of ours, not in two braces.
fn in_single_braces(text: &str) -> Option<(String, Option<&'static str>)> {
    let plain = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    plain.split('{').skip(1).find_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        let variable = super::VARIABLES.iter().find(|variable| variable.name == name.trim() && name.contains('.'))?;
        Some((format!("{{{name}}}"), Some(variable.name)))
    })
}

#[cfg(test)]
mod tests {
    use super::mistaken;

    #[test]
    fn names_of_files_and_variables_of_others() {
        for (text, wanted) in [
            ("footer.html", "write `html = { file = \"footer.html\" }`"),
            ("templates/a.txt", "write `html = { file = \"templates/a.txt\" }`"),
            ("Regards, %%DisplayName%%", "write `{{ sender.display_name }}`"),
            ("Regards, %%Whatever%%", "variables stand in `{{ … }}`"),
            ("Regards, {sender.name}", "write `{{ sender.name }}`"),
            ("Regards, ${ sender.name }", "write `{{ sender.name }}`"),
        ] {
            let help = mistaken("html", text).map(|mistaken| mistaken.help).unwrap_or_default();
            assert!(help.starts_with(wanted), "{text}: {help}");
        }
    }

    #[test]
    fn what_may_be_meant() {
        for text in [
            "See terms.html for more",
            "https://example.com/terms.html",
            "{{ sender.name }}",
            "{% if sender.name %}{{ sender.name }}{% endif %}",
            "100 %% sure, 20 %% off",
            "<style>p{color:red}</style>",
            "{subject to change}",
            ".txt",
        ] {
            assert!(mistaken("html", text).is_none(), "{text}");
        }
    }
}
