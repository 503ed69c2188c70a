//! stub
use super::http::{Call, Reply};
use super::kube::Target;
use super::status::{Refusal, method_not_allowed};
use super::world::World;
pub(crate) fn answer(_: &std::sync::Arc<World>, _: &Target, _: Call) -> Result<Reply, Refusal> {
    Err(method_not_allowed())
}
