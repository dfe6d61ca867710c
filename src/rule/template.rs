//! Text templates: variables, escaping by context.
