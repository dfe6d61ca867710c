//! The page of a server: the list fills while it is looked at.
//!
//! Invariant: the page itself holds nothing of any message. Its script asks for each and puts in what the server has written
//! as markup; the policy, which goes with the page as a field of the answer, lets no other script run, nothing load, and the
//! script connect to where the page is from and nowhere else.

use super::markup;

/// What this page has besides.
const STYLE: &str = include_str!("live.css");
/// What comes and goes, rules, and the box for messages.
const SCRIPT: &str = include_str!("live.js");
const BODY: &str = include_str!("live.html");
/// A letter, so that no browser asks for another.
const ICON: &str = "<link rel=icon href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
    %3Crect width='32' height='32' rx='7' fill='%232f5fd0'/%3E%3Cpath d='M6 10h20v13H6zl10 8 10-8' fill='none' stroke='%23fff' \
    stroke-width='2.5' stroke-linejoin='round'/%3E%3C/svg%3E\">\n";

/// The page, and what has to go with it.
#[derive(Debug)]
pub struct Live {
    /// The document.
    pub html: String,
    /// Its `Content-Security-Policy`.
    pub policy: String,
}

impl Live {
    /// The page.
    pub fn new() -> Self {
        let script = format!("{}{SCRIPT}", super::SCRIPT);
        let head = super::head_of("Mailwright serve", &format!("{}{STYLE}", super::STYLE), ICON);
        Self {
            policy: format!(
                "default-src 'none'; {}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                super::sources(&script)
            ),
            html: format!("{head}{BODY}<script>{script}</script>\n</body>\n</html>\n"),
        }
    }
}

/// Problems as `check` shows them, in markup: with the colours that a terminal would show.
pub fn problems(plain: &str) -> String {
    let mut html = String::with_capacity(plain.len() * 2);
    for line in plain.lines() {
        let shown = markup::line(line);
        let start = line.trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        let title = ["error", "warning"].into_iter().find(|word| line.starts_with(word));
        let part = |class: &str, text: &str| format!("<span class={class}>{text}</span>");
        html.push_str(&match (title, shown.split_once(": ")) {
            (Some(word), Some((code, what))) => {
                let class = if word == "error" { "bad" } else { "odd" };
                format!("{}: {}", part(class, code), part("strong", what))
            }
            _ if start.starts_with("-->") => part("soft", &shown),
            _ if start.starts_with("= ") => part("good", &shown),
            _ if start.strip_prefix('|').is_some_and(|rest| rest.trim_start().starts_with(['^', '-'])) => {
                part("bad", &shown)
            }
            _ => shown,
        });
        html.push('\n');
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_text_with_colours() {
        let html = problems(
            "error[R002]: unknown key `<b>`\n --> rules/1.toml:4:1\n  |\n4 | <b> = 1\n  | ^^^\n  = help: none\n",
        );
        assert_eq!(
            html,
            "<span class=bad>error[R002]</span>: <span class=strong>unknown key `&lt;b&gt;`</span>\n\
             <span class=soft> --&gt; rules/1.toml:4:1</span>\n  |\n4 | &lt;b&gt; = 1\n<span class=bad>  | ^^^</span>\n\
             <span class=good>  = help: none</span>\n"
        );
    }

    #[test]
    fn the_page_allows_its_own_script_and_connections_and_nothing_else() {
        let live = Live::new();
        assert!(live.policy.starts_with("default-src 'none'; script-src 'sha256-"), "{}", live.policy);
        assert!(live.policy.contains("; connect-src 'self'; "), "{}", live.policy);
        // One style sheet, one script: nothing that they say ends them.
        assert_eq!((live.html.matches("</style").count(), live.html.matches("</script").count()), (1, 1));
        assert!(!live.html.contains("https://"), "nothing is loaded");
    }
}
