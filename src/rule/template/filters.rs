//! Filters of templates beside those of minijinja.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind};

use crate::percent::{self, RESERVED};

/// `{{ now | date("%d.%m.%Y", zone="Europe/Berlin") }}`: a time in the format of strftime and in a zone of the time zone
/// database, else in UTC. Names of months and days are English. No time stays empty.
// minijinja hands arguments over.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn date(value: &str, format: &str, options: Kwargs) -> Result<String, Error> {
    let zone: Option<String> = options.get("zone")?;
    options.assert_all_used()?;
    let wrong = |what: String| Error::new(ErrorKind::InvalidOperation, what);
    let zone = match zone.as_deref() {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name).map_err(|_| wrong(format!("no time zone is named `{name}`")))?,
    };
    // Told wrong without a time too, so that it is told when rules are loaded.
    let time = if value.is_empty() {
        Timestamp::UNIX_EPOCH
    } else {
        value.parse().map_err(|_| wrong("this is no time".into()))?
    };
    let text = strtime::format(format, &time.to_zoned(zone))
        .map_err(|_| wrong(format!("no time is written as `{format}`")))?;
    Ok(if value.is_empty() { String::new() } else { text })
}

/// `{{ subject | urlencode }}`: for a part of a URL; everything but RFC 3986 §2.3 as percent signs.
pub(super) fn urlencode(value: &str) -> String {
    percent::encoded(value, RESERVED).to_string()
}
