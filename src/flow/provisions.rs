//! What the function has for rules: a directory, a key, a bucket for attachments. A rule set that needs more cannot be used.

use crate::directory::Organization;
use crate::pipeline::Pipeline;
use crate::rule::value_key::ValueKey;

/// What the function has for rules.
#[derive(Debug, Clone, Default)]
pub struct Provisions {
    /// Internal domains, in place of those of the rule set.
    pub organization: Option<Organization>,
    /// The secret of pseudonyms and digests.
    pub value_key: Option<ValueKey>,
    /// Whether there is a bucket for attachments.
    pub attachments: bool,
    /// Whether WorkMail's directory may be asked.
    pub directory: bool,
}

impl Provisions {
    /// Give a rule set what there is. The error says what it lacks, and what to set.
    pub fn equip(&self, mut pipeline: Pipeline) -> Result<Pipeline, &'static str> {
        if let Some(organization) = &self.organization {
            pipeline = pipeline.with_organization(organization.clone());
        }
        if pipeline.needs_value_key() && self.value_key.is_none() {
            return Err("set MAILWRIGHT_VALUE_KEY: a rule makes pseudonyms, and there is no key for them");
        }
        if pipeline.stores_attachments() && !self.attachments {
            return Err(
                "set MAILWRIGHT_ATTACHMENTS (StoreAttachments=on of the template): a rule stores attachments, and there is no bucket for them",
            );
        }
        if pipeline.needs_directory() && !self.directory {
            tracing::warn!(
                "rules ask for people and there is no directory: they will fail; set MAILWRIGHT_ORGANIZATION_ID"
            );
        }
        Ok(pipeline.with_value_key(self.value_key.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_set_that_needs_more_than_there_is_cannot_be_used() {
        let rules = |action: &str| {
            let text = format!("[[rule]]\nname = \"a\"\naction = {{ {action} }}\n");
            Pipeline::from_sources(vec![("r.toml".to_owned(), text)]).unwrap()
        };
        let pseudonyms = "kind = \"redact\", detect = \"card\", style = \"pseudonym\"";
        let stored = "kind = \"store_attachments\", attachment = { extension = \"exe\" }";
        let none = Provisions::default();
        assert!(none.equip(rules(pseudonyms)).unwrap_err().contains("MAILWRIGHT_VALUE_KEY"));
        assert!(none.equip(rules(stored)).unwrap_err().contains("MAILWRIGHT_ATTACHMENTS"));
        assert!(none.equip(rules("kind = \"drop\"")).is_ok());
        let value_key = Some(ValueKey::new(&"k".repeat(32)).unwrap());
        let all = Provisions { value_key, attachments: true, ..none };
        assert!(all.equip(rules(pseudonyms)).is_ok() && all.equip(rules(stored)).is_ok());
    }
}
