//! The command line: what can be asked for, and the commands that print and end.

pub mod args;
pub mod run;
