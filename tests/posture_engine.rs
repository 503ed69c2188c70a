//! The posture engine over facts made by hand: the walkthrough, tables of scenarios, properties.

#[path = "posture_engine/facts.rs"]
mod facts;
#[path = "posture_engine/receipts.rs"]
mod receipts;
#[path = "posture_engine/walkthrough.rs"]
mod walkthrough;
