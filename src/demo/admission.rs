//! Admission of objects, in the order of the real server and in its words.

pub(crate) mod quota;
