//! stub
use super::auth::User;
use super::http::{Call, Reply};
use super::kube::Target;
use super::status::{Refusal, method_not_allowed};
use super::world::World;
pub(crate) fn create(_: &World, _: &Target, _: &User, _: &Call) -> Result<Reply, Refusal> {
    Err(method_not_allowed())
}
pub(crate) fn update(_: &World, _: &Target, _: &User, _: &Call) -> Result<Reply, Refusal> {
    Err(method_not_allowed())
}
pub(crate) fn patch(_: &World, _: &Target, _: &User, _: &Call) -> Result<Reply, Refusal> {
    Err(method_not_allowed())
}
pub(crate) fn delete(_: &World, _: &Target, _: &Call) -> Result<Reply, Refusal> {
    Err(method_not_allowed())
}
pub(crate) fn delete_all(_: &World, _: &Target, _: &Call) -> Result<Reply, Refusal> {
    Err(method_not_allowed())
}
