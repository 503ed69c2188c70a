//! Shows, and proves, whether the walls between the tenants of a Kubernetes cluster stand.

pub mod demo;
