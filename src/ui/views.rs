//! One file a screen.

pub mod dialog;
pub mod fleet;
pub mod matrix;
pub mod quota;
pub mod receipts;
pub mod tenant;
pub mod vault;
pub mod violations;
