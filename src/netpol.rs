//! What NetworkPolicy declares: whom it isolates and what it opens. The reachability engine builds on the same parts.

pub mod isolation;
pub mod openness;
pub mod selector;
