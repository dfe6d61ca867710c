//! The function's configuration: environment variables, all checked at start.
//!
//! | variable | meaning | without it |
//! |---|---|---|
//! | `MAILWRIGHT_BUCKET` | bucket for rewritten messages, in the function's Region and account | a problem |
//! | `MAILWRIGHT_STAMP_KEY` | secret that the processed mark is made with, at least 32 characters | a problem |
//! | `MAILWRIGHT_VALUE_KEY` | secret of pseudonyms and of the digests of finds, at least 32 characters | finds have no digest; rules that make pseudonyms are a problem |
//! | `MAILWRIGHT_PREFIX` | what stands before the keys of stored messages | nothing does |
//! | `MAILWRIGHT_ATTACHMENTS` | bucket for attachments that rules store | rules that store some are a problem |
//! | `MAILWRIGHT_RULES` | folder (or file) of the rule set | `/opt/rules` (a layer), else `rules` beside the program |
//! | `MAILWRIGHT_PUBLISHED_RULES` | `s3://bucket/key` of a packed rule set that takes their place while the function runs | there is none |
//! | `MAILWRIGHT_RULES_EVERY` | once in how many seconds it looks whether another is published | 60 |
//! | `MAILWRIGHT_CANDIDATE_RULES` | `s3://bucket/key` of a packed rule set that a share of the messages gets | there is none |
//! | `MAILWRIGHT_CANDIDATE_SHARE` | that share, in percent | 0 |
//! | `MAILWRIGHT_MODE` | `enforce`, `audit`, `shadow` or `off`: what is done with what the rules ask for ([`FlowMode`]) | `enforce` |
//! | `MAILWRIGHT_DOMAINS` | the organization's mail domains, parted by commas | those of `MAILWRIGHT_ORGANIZATION_ID`, else of `organization.toml` |
//! | `MAILWRIGHT_ORGANIZATION_ID` | WorkMail organization whose directory rules may ask | people and groups are those of `organization.toml` |
//! | `MAILWRIGHT_DIRECTORY_TTL` | for how many seconds an answer of the directory is used | 600 |
//! | `MAILWRIGHT_LOG` | from which level on it logs: `error`, `warn`, `info`, `debug` | `info` |
//! | `MAILWRIGHT_METRICS` | namespace in CloudWatch of the metrics that it writes to its log | none are written |
//! | `MAILWRIGHT_ON_ERROR` | `skip`: what is refused for good goes out as it came; `fail`: the invocation fails | `skip` |

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::aws::{Environment, Problem};
use super::directory::{Ages, FRESH_FOR};
use super::handler::Settings;
use super::key::{Bucket, KeyPrefix, OrganizationId, RulesObject};
use super::mark::StampKey;
use super::mode::FlowMode;
use super::provisions::Provisions;
use super::share::Share;
use crate::directory::Organization;
use crate::envelope::Domain;
use crate::rule::OnError;
use crate::rule::value_key::ValueKey;
use crate::stored::Links;

/// The longest that an answer of the directory, or a look for newer rules, may count, in seconds: a day.
const MAX_TTL: u64 = 86_400;

/// Once in how long it looks for newer rules.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// Where a layer puts the rules.
const LAYER_RULES: &str = "/opt/rules";

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where rewritten messages are stored.
    pub bucket: Bucket,
    /// Where attachments are stored that rules take out of messages.
    pub attachments: Option<Bucket>,
    /// Folder or file of the rule set.
    pub rules: PathBuf,
    /// Where newer ones are published, and those that a share of the messages gets.
    pub published: PublishedRules,
    /// Internal domains, where they are given here.
    pub organization: Option<Organization>,
    /// The directory that rules may ask, where there is one, and how old its answers may be.
    pub directory: Option<(OrganizationId, Ages)>,
    /// The secret of pseudonyms and digests.
    pub value_key: Option<ValueKey>,
    /// The namespace of metrics, where they are wanted.
    pub metrics: Option<String>,
    /// What the handler needs.
    pub settings: Settings,
    /// What the clients need.
    pub environment: Environment,
}

/// Rule sets that are published while the function runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedRules {
    /// Those that take the place of the ones that the function was deployed with.
    pub current: Option<RulesObject>,
    /// Those that a share of the messages gets.
    pub candidate: Option<(Share, RulesObject)>,
    /// Once in how long it is looked for newer ones.
    pub every: Duration,
}

/// Everything that is wrong with the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<Problem>);

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("set these environment variables of the function:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {} {}", problem.variable, problem.what))
    }
}

impl Config {
    /// From the environment of the process.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// From variables; every problem is found.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let set = |name: &str| variable(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let bucket = set("MAILWRIGHT_BUCKET")
            .ok_or_else(|| "is not set: a bucket in the function's Region that WorkMail may read".to_owned())
            .and_then(|name| Bucket::new(&name).map_err(|error| format!("cannot be used: {error}")));
        let attachments = set("MAILWRIGHT_ATTACHMENTS")
            .map(|name| Bucket::new(&name).map_err(|error| format!("cannot be used: {error}")))
            .transpose();
        let attachments = keep(attachments, "MAILWRIGHT_ATTACHMENTS", &mut problems).flatten();
        let stamp_key = set("MAILWRIGHT_STAMP_KEY")
            .ok_or_else(|| "is not set: a secret; `openssl rand -hex 32` makes one".to_owned())
            .and_then(|key| StampKey::new(&key).map_err(|error| format!("cannot be used: {error}")));
        let value_key = set("MAILWRIGHT_VALUE_KEY").map(|key| ValueKey::new(&key)).transpose();
        let value_key = value_key.map_err(|error| format!("cannot be used: {error}"));
        let prefix = KeyPrefix::new(&set("MAILWRIGHT_PREFIX").unwrap_or_default())
            .map_err(|error| format!("cannot be used: {error}"));
        let on_error = match set("MAILWRIGHT_ON_ERROR").as_deref() {
            None | Some("skip") => Ok(OnError::Skip),
            Some("fail") => Ok(OnError::Fail),
            Some(_) => Err("is neither `skip` nor `fail`".to_owned()),
        };
        let log = match set("MAILWRIGHT_LOG").as_deref() {
            None | Some("error" | "warn" | "info" | "debug") => Ok(()),
            Some(_) => Err("is none of `error`, `warn`, `info`, `debug`".to_owned()),
        };
        keep(log, "MAILWRIGHT_LOG", &mut problems);
        let mode = keep(mode(set("MAILWRIGHT_MODE").as_deref()), "MAILWRIGHT_MODE", &mut problems).unwrap_or_default();
        let metrics = set("MAILWRIGHT_METRICS").map(namespace).transpose();
        let metrics = keep(metrics, "MAILWRIGHT_METRICS", &mut problems).flatten();
        let organization = set("MAILWRIGHT_DOMAINS").map(|list| domains(&list)).transpose();
        let directory = set("MAILWRIGHT_ORGANIZATION_ID").map(|id| OrganizationId::new(&id)).transpose();
        let directory = directory.map_err(|error| format!("cannot be used: {error}"));
        let fresh = set("MAILWRIGHT_DIRECTORY_TTL").map_or(Ok(FRESH_FOR), |text| seconds(&text));
        let rules = set("MAILWRIGHT_RULES").map_or_else(|| default_rules(variable), |path| Ok(PathBuf::from(path)));

        let published = PublishedRules::read(&set, &mut problems);
        let bucket = keep(bucket, "MAILWRIGHT_BUCKET", &mut problems);
        let stamp_key = keep(stamp_key, "MAILWRIGHT_STAMP_KEY", &mut problems);
        let value_key = keep(value_key, "MAILWRIGHT_VALUE_KEY", &mut problems);
        let prefix = keep(prefix, "MAILWRIGHT_PREFIX", &mut problems);
        let rules = keep(rules, "MAILWRIGHT_RULES", &mut problems);
        let organization = keep(organization, "MAILWRIGHT_DOMAINS", &mut problems);
        let on_error = keep(on_error, "MAILWRIGHT_ON_ERROR", &mut problems);
        let directory = keep(directory, "MAILWRIGHT_ORGANIZATION_ID", &mut problems);
        let fresh = keep(fresh, "MAILWRIGHT_DIRECTORY_TTL", &mut problems);
        let directory = directory.zip(fresh).map(|(id, fresh)| id.map(|id| (id, Ages::fresh_for(fresh))));
        let environment = Environment::read(variable).map_err(|found| problems.extend(found)).ok();
        if !problems.is_empty() {
            return Err(ConfigError(problems));
        }
        match (bucket, stamp_key, value_key, prefix, rules, organization, on_error, directory, environment) {
            (
                Some(bucket),
                Some(key),
                Some(value_key),
                Some(prefix),
                Some(rules),
                Some(organization),
                Some(on_error),
                Some(directory),
                Some(environment),
            ) => {
                let links = attachments.as_ref().map(|bucket| Links::signed(environment.signer(bucket)));
                let links = links.unwrap_or_default();
                let settings = Settings { mode, prefix, stamp_key: Some(key), on_error, links, ..Settings::default() };
                Ok(Self {
                    bucket,
                    attachments,
                    rules,
                    published,
                    organization,
                    directory,
                    value_key,
                    metrics,
                    settings,
                    environment,
                })
            }
            _ => Err(ConfigError(problems)),
        }
    }

    /// What there is for rules.
    pub fn provisions(&self) -> Provisions {
        Provisions {
            organization: self.organization.clone(),
            value_key: self.value_key.clone(),
            attachments: self.attachments.is_some(),
            directory: self.directory.is_some(),
        }
    }
}

impl PublishedRules {
    fn read(set: &dyn Fn(&str) -> Option<String>, problems: &mut Vec<Problem>) -> Self {
        let mut object = |variable| {
            let read = set(variable).map(|url| RulesObject::new(&url)).transpose();
            keep(read.map_err(|error| format!("cannot be used: {error}")), variable, problems).flatten()
        };
        let (current, candidate) = (object("MAILWRIGHT_PUBLISHED_RULES"), object("MAILWRIGHT_CANDIDATE_RULES"));
        let every = set("MAILWRIGHT_RULES_EVERY").map_or(Ok(LOOK_EVERY), |text| seconds(&text));
        let every = keep(every, "MAILWRIGHT_RULES_EVERY", problems).unwrap_or(LOOK_EVERY);
        let share = match (set("MAILWRIGHT_CANDIDATE_SHARE"), &candidate) {
            (Some(text), _) => match Share::percent(&text) {
                Ok(share) if share > Share::NONE && set("MAILWRIGHT_CANDIDATE_RULES").is_none() => Err(format!(
                    "is {share} of nothing: MAILWRIGHT_CANDIDATE_RULES says where the candidate is published"
                )),
                read => read.map_err(|error| format!("cannot be used: {error}")),
            },
            (None, Some(_)) => {
                Err("is not set: the percentage of messages that get the candidate; 0 for none".to_owned())
            }
            (None, None) => Ok(Share::NONE),
        };
        let share = keep(share, "MAILWRIGHT_CANDIDATE_SHARE", problems).filter(|share| *share > Share::NONE);
        Self { current, candidate: share.zip(candidate), every }
    }
}

fn keep<T>(read: Result<T, String>, variable: &'static str, problems: &mut Vec<Problem>) -> Option<T> {
    read.map_err(|what| problems.push(Problem { variable, what })).ok()
}

/// A number of seconds from 1 to a day.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(seconds) if (1..=MAX_TTL).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("is no number of seconds from 1 to {MAX_TTL}")),
    }
}

fn mode(word: Option<&str>) -> Result<FlowMode, String> {
    let word = word.unwrap_or(FlowMode::Enforce.as_str());
    FlowMode::of(word).ok_or_else(|| "is none of `enforce`, `audit`, `shadow`, `off`".to_owned())
}

/// Whether the function is switched off (`MAILWRIGHT_MODE=off`), and the namespace of its metrics: to be asked before
/// anything else, as it holds whatever is wrong with the other variables or with the rules.
pub fn switched_off(variable: &dyn Fn(&str) -> Option<String>) -> Option<SwitchedOff> {
    let set = |name: &str| variable(name).map(|value| value.trim().to_owned());
    let off = set("MAILWRIGHT_MODE").is_some_and(|word| word == FlowMode::Off.as_str());
    off.then(|| SwitchedOff { metrics: set("MAILWRIGHT_METRICS").and_then(|name| namespace(name).ok()) })
}

/// What a function that is switched off needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchedOff {
    /// The namespace of metrics, where they are wanted and it is one.
    pub metrics: Option<String>,
}

/// PutMetricData, `Namespace`: 1 to 255 characters of these, and AWS keeps some for itself.
fn namespace(name: String) -> Result<String, String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || "._-/# ".contains(c);
    if (1..=255).contains(&name.len()) && name.chars().all(sound) && !name.starts_with("AWS/") {
        Ok(name)
    } else {
        Err("is no namespace: up to 255 of A-Z a-z 0-9 . _ - / # and blank, and not AWS/…".to_owned())
    }
}

fn domains(list: &str) -> Result<Organization, String> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    let domains = names.map(|name| Domain::new(name).map_err(|_| format!("holds `{name}`, which is no mail domain")));
    Ok(Organization { domains: domains.collect::<Result<_, _>>()? })
}

fn default_rules(variable: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, String> {
    let beside = Path::new(&variable("LAMBDA_TASK_ROOT").unwrap_or_default()).join("rules");
    let places = [PathBuf::from(LAYER_RULES), beside];
    let found = places.iter().find(|place| place.is_dir()).cloned();
    found.ok_or_else(|| format!("is not set, and there is neither {} nor {}", places[0].display(), places[1].display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 8] = [
        ("MAILWRIGHT_BUCKET", "my-bucket"),
        ("MAILWRIGHT_STAMP_KEY", "0123456789abcdef0123456789abcdef"),
        ("MAILWRIGHT_PREFIX", "/rewritten"),
        ("MAILWRIGHT_RULES", "my-rules"),
        ("MAILWRIGHT_DOMAINS", "example.com, Example.NET ,"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];

    fn read(changes: &[(&str, Option<&str>)]) -> Result<Config, ConfigError> {
        Config::read(&|name| {
            let other = changes.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
            other.unwrap_or_else(|| GOOD.iter().find(|(key, _)| *key == name).map(|(_, v)| *v)).map(str::to_owned)
        })
    }

    #[test]
    fn a_good_environment_is_read() {
        let config = read(&[]).unwrap();
        assert_eq!(config.bucket.as_str(), "my-bucket");
        assert_eq!(config.settings.prefix.as_str(), "rewritten/");
        assert_eq!(config.rules, Path::new("my-rules"));
        assert_eq!(config.settings.on_error, OnError::Skip);
        let organization = config.organization.unwrap();
        assert!(organization.is_internal(&Domain::new("example.net").unwrap()));
        assert_eq!(organization.domains.len(), 2);
        assert_eq!(read(&[("MAILWRIGHT_ON_ERROR", Some("fail"))]).unwrap().settings.on_error, OnError::Fail);
        assert!(read(&[("MAILWRIGHT_DOMAINS", None)]).unwrap().organization.is_none());
        assert!(config.directory.is_none());
        let id = "m-0123456789abcdef0123456789abcdef";
        let with = read(&[("MAILWRIGHT_ORGANIZATION_ID", Some(id)), ("MAILWRIGHT_DIRECTORY_TTL", Some("60"))]);
        let (organization, ages) = with.unwrap().directory.unwrap();
        assert_eq!(
            (organization.as_str(), ages.fresh, ages.missing),
            (id, Duration::from_mins(1), Duration::from_mins(1))
        );
        assert!(config.attachments.is_none());
        let config = read(&[("MAILWRIGHT_ATTACHMENTS", Some("my-files"))]).unwrap();
        let link = config.settings.links.link("attachments/ab", Some(jiff::Timestamp::UNIX_EPOCH), 60);
        assert!(link.starts_with("https://my-files.s3.eu-west-1.amazonaws.com/attachments/ab?X-Amz-"), "{link}");
    }

    #[test]
    fn published_rules_and_a_share_of_the_messages_are_read() {
        let none = read(&[]).unwrap().published;
        assert_eq!(none, PublishedRules { current: None, candidate: None, every: Duration::from_mins(1) });
        let both = [
            ("MAILWRIGHT_PUBLISHED_RULES", Some("s3://rules/current.json")),
            ("MAILWRIGHT_CANDIDATE_RULES", Some("s3://rules/candidate.json")),
            ("MAILWRIGHT_CANDIDATE_SHARE", Some("2.5")),
            ("MAILWRIGHT_RULES_EVERY", Some("5")),
        ];
        let published = read(&both).unwrap().published;
        assert_eq!(published.current.unwrap().key, "current.json");
        let (share, object) = published.candidate.unwrap();
        assert_eq!((share.to_string().as_str(), object.key.as_str()), ("2.50 %", "candidate.json"));
        assert_eq!(published.every, Duration::from_secs(5));
        let none = read(&[both[1], ("MAILWRIGHT_CANDIDATE_SHARE", Some("0"))]).unwrap().published;
        assert_eq!(none.candidate, None);
        for (changes, said) in [
            (&both[1..2], "MAILWRIGHT_CANDIDATE_SHARE is not set"),
            (&both[2..3], "MAILWRIGHT_CANDIDATE_SHARE is 2.50 % of nothing: MAILWRIGHT_CANDIDATE_RULES says"),
            (
                &[("MAILWRIGHT_RULES_EVERY", Some("0"))],
                "MAILWRIGHT_RULES_EVERY is no number of seconds from 1 to 86400",
            ),
            (
                &[("MAILWRIGHT_PUBLISHED_RULES", Some("rules/"))],
                "MAILWRIGHT_PUBLISHED_RULES cannot be used: a published",
            ),
        ] {
            let error = read(changes).unwrap_err().to_string();
            assert!(error.lines().count() == 2 && error.contains(said), "{error}");
        }
    }

    #[test]
    fn the_switch_works_whatever_else_is_wrong() {
        assert_eq!(read(&[]).unwrap().settings.mode, FlowMode::Enforce);
        for mode in FlowMode::ALL {
            let config = read(&[("MAILWRIGHT_MODE", Some(mode.as_str()))]).unwrap();
            assert_eq!(config.settings.mode, mode);
        }
        let off = |metrics: &'static str| {
            switched_off(&|name| match name {
                "MAILWRIGHT_MODE" => Some(" off\n".to_owned()),
                "MAILWRIGHT_METRICS" => Some(metrics.to_owned()),
                _ => None,
            })
        };
        assert_eq!(off("mail"), Some(SwitchedOff { metrics: Some("mail".to_owned()) }));
        assert_eq!(off("AWS/mail"), Some(SwitchedOff { metrics: None }));
        assert_eq!(off(""), Some(SwitchedOff { metrics: None }));
        for not in [None, Some("OFF"), Some("audit")] {
            assert_eq!(switched_off(&|name| not.filter(|_| name == "MAILWRIGHT_MODE").map(str::to_owned)), None);
        }
    }

    #[test]
    fn all_problems_are_said_in_one_message_without_the_secret() {
        let error = read(&[
            ("MAILWRIGHT_BUCKET", Some("my.bucket")),
            ("MAILWRIGHT_STAMP_KEY", Some("hunter2")),
            ("MAILWRIGHT_VALUE_KEY", Some("hunter3")),
            ("MAILWRIGHT_PREFIX", Some("a_b")),
            ("MAILWRIGHT_DOMAINS", Some("example.com,a b")),
            ("MAILWRIGHT_ON_ERROR", Some("maybe")),
            ("MAILWRIGHT_ORGANIZATION_ID", Some("m-0123")),
            ("MAILWRIGHT_DIRECTORY_TTL", Some("0")),
            ("MAILWRIGHT_LOG", Some("loud")),
            ("MAILWRIGHT_MODE", Some("on")),
            ("MAILWRIGHT_METRICS", Some("AWS/Lambda")),
            ("MAILWRIGHT_ATTACHMENTS", Some("my.files")),
            ("AWS_REGION", None),
        ]);
        let text = error.unwrap_err().to_string();
        assert_eq!(text.lines().count(), 14, "{text}");
        for name in [
            "_BUCKET",
            "_STAMP_KEY",
            "_VALUE_KEY",
            "_ORGANIZATION_ID",
            "_DIRECTORY_TTL",
            "_PREFIX",
            "_DOMAINS",
            "_ON_ERROR",
            "_METRICS",
            "_LOG",
            "_MODE",
            "_ATTACHMENTS",
            "AWS_REGION",
        ] {
            assert!(text.contains(name), "{text}");
        }
        assert!(!text.contains("hunter"));
        let none = Config::read(&|_| None).unwrap_err().to_string();
        assert!(none.contains("MAILWRIGHT_BUCKET is not set") && none.contains("MAILWRIGHT_STAMP_KEY is not set"));
        assert!(!none.contains("MAILWRIGHT_DOMAINS"));
    }
}
