//! The same facts as from a cluster, from YAML and JSON files. [`Collector`] is pure: bytes in, facts and problems out. Only [`files`] reads.
//!
//! What can't be read is told with file, document, line and object, and left out; a policy of which only a part can't be read stays, with that
//! part marked, so that no wall stands on it.

pub mod collect;
pub mod faults;
pub mod files;
pub mod head;
pub mod normal;
pub mod object;
pub mod split;
pub mod strict;

pub use collect::{Collector, Origin, Problem, Reading, Weight};
