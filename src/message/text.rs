//! Putting text into a body in its own charset and transfer encoding.
