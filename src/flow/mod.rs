//! The mail systems that a message is in transit through; for now WorkMail.
