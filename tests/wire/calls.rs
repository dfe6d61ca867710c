//! The calls of the function, and what can become of each.

use std::time::Duration;

use crate::gate::{Fault, Which};
use crate::world::Port;

/// A call of the function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Call {
    Fetch,
    LookUp,
    Keep,
    Store,
    PutBack,
    /// Reading the rules that are published, or a version of them.
    Rules,
    /// Asking which versions there are.
    Versions,
}

impl Call {
    pub const fn port(self) -> Port {
        match self {
            Self::Fetch | Self::PutBack => Port::Flow,
            Self::Store | Self::Keep | Self::Rules | Self::Versions => Port::S3,
            Self::LookUp => Port::Directory,
        }
    }
    pub fn which(self) -> Which {
        match self {
            Self::Fetch => |head| head.method == "GET",
            Self::PutBack => |head| head.method == "POST",
            Self::Store => |head| head.method == "PUT" && head.path.starts_with("/rewritten-mail/"),
            Self::Keep => |head| head.method == "PUT" && head.path.starts_with("/attachments-of-mail/"),
            Self::LookUp => |_| true,
            Self::Rules => |head| head.method == "GET" && head.path.starts_with("/mail-rules/rules.json"),
            Self::Versions => |head| head.method == "GET" && head.path.contains("?versions"),
        }
    }
}

/// How a fault ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sort {
    /// It may be over the next time.
    Passing,
    /// It will be the same the next time.
    ForGood,
    /// The function need not care.
    Harmless,
    /// It ends the process.
    Deadly,
    /// What comes of it cannot be used, and may be what is really there.
    Unusable,
}

/// Whether the rules put up with the original going out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Policy {
    Skip,
    Fail,
}

/// What can become of a call: a name, what happens, and how it ends.
pub fn faults(call: Call) -> Vec<(&'static str, Fault, Sort)> {
    use Sort::{Deadly, ForGood, Harmless, Passing, Unusable};
    let slow_down = match call {
        Call::Store | Call::Keep | Call::Rules | Call::Versions => Fault::Says(503, "SlowDown"),
        _ => Fault::Says(400, "ThrottlingException"),
    };
    let denied = match call {
        Call::Store | Call::Keep | Call::Rules | Call::Versions => Fault::Says(403, "AccessDenied"),
        _ => Fault::Says(403, "AccessDeniedException"),
    };
    let mut faults = vec![
        ("500", Fault::Says(500, "InternalFailure"), Passing),
        ("503", Fault::Says(503, "ServiceUnavailableException"), Passing),
        ("throttling", slow_down, Passing),
        ("429", Fault::Says(429, "TooManyRequestsException"), Passing),
        ("403", denied, ForGood),
        ("400", Fault::Says(400, "InvalidParameterException"), ForGood),
        ("an answer that is no HTTP", Fault::Garbage, Passing),
        ("no answer", Fault::Hang, Passing),
        ("reset in the middle of the request", Fault::ResetRequest, Passing),
        ("done, and 500", Fault::SaysAfter(500, "InternalFailure"), Passing),
        ("done, and no answer", Fault::HangAfter, Passing),
        ("done, and reset", Fault::ResetAfter, Passing),
        ("done, and closed", Fault::ClosedAfter, Passing),
        ("reset in the middle of the answer", Fault::ResetAnswer, Passing),
        ("closed in the middle of the answer", Fault::Truncated, Passing),
        ("a length that is too long", Fault::TooLong, Passing),
        ("octet by octet, too slowly", Fault::ByteByByte(Duration::from_millis(300)), Passing),
        ("death before it is done", Fault::Dies, Deadly),
        ("death after it is done", Fault::DiesAfter, Deadly),
    ];
    let in_time = ("octet by octet, in time", Fault::ByteByByte(Duration::ZERO), Harmless);
    faults.extend(match call {
        // Once: what the service cuts short each time, and says that it is all, cannot be told from a short message.
        Call::Fetch => vec![in_time, ("a length that is too short", Fault::TooShort, Passing)],
        Call::Rules => vec![
            in_time,
            ("an answer that cannot be read", Fault::Malformed, Unusable),
            ("a length that is too short", Fault::TooShort, Unusable),
        ],
        Call::Versions | Call::LookUp => vec![
            in_time,
            ("an answer that cannot be read", Fault::Malformed, Passing),
            ("a length that is too short", Fault::TooShort, Passing),
        ],
        // That it was done is all that these answers say.
        Call::Keep | Call::Store | Call::PutBack => vec![
            in_time,
            ("an answer that cannot be read", Fault::Malformed, Harmless),
            ("a length that is too short", Fault::TooShort, Harmless),
        ],
    });
    faults.extend(match call {
        Call::Keep | Call::Store | Call::Rules | Call::Versions => vec![
            ("no such bucket", Fault::Says(404, "NoSuchBucket"), ForGood),
            ("another Region", Fault::Says(301, "PermanentRedirect"), ForGood),
        ],
        Call::PutBack => vec![
            ("frozen", Fault::Says(400, "MessageFrozen"), ForGood),
            ("rejected", Fault::Says(400, "MessageRejected"), ForGood),
            ("a location that is refused", Fault::Says(400, "InvalidContentLocation"), ForGood),
        ],
        Call::Fetch | Call::LookUp => vec![],
    });
    faults
}
