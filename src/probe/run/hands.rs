//! What a probe needs of a cluster, so that it can be tried on a stand-in too.

use std::future::Future;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;

use crate::cluster::exec::{ExecAnswer, ExecTarget};
use crate::cluster::{ApiRefusal, Cluster};
use crate::fix::guard::ProbePermit;

/// The three things a probe does to a cluster. None persists anything.
pub trait Hands: Send + Sync {
    /// Runs a fixed command in a container.
    fn exec(
        &self,
        permit: ProbePermit,
        target: &ExecTarget,
        argv: &[&str],
        limit: Duration,
    ) -> impl Future<Output = Result<ExecAnswer, ApiRefusal>> + Send;

    /// Asks for a short-lived token of a ServiceAccount.
    fn token(
        &self,
        permit: ProbePermit,
        namespace: &str,
        service_account: &str,
        audiences: &[String],
        seconds: u32,
    ) -> impl Future<Output = Result<SecretString, ApiRefusal>> + Send;

    /// Asks what admission says to a pod.
    fn dry_run_pod(&self, permit: ProbePermit, namespace: &str, pod: &Value) -> impl Future<Output = Result<Value, ApiRefusal>> + Send;
}

impl Hands for Cluster {
    async fn exec(&self, permit: ProbePermit, target: &ExecTarget, argv: &[&str], limit: Duration) -> Result<ExecAnswer, ApiRefusal> {
        // boxed, like its siblings: a client's future is tens of kilobytes, and probes join several of them
        Box::pin(Self::exec(self, permit, target, argv, limit)).await
    }

    async fn token(
        &self,
        permit: ProbePermit,
        namespace: &str,
        service_account: &str,
        audiences: &[String],
        seconds: u32,
    ) -> Result<SecretString, ApiRefusal> {
        Box::pin(Self::token(self, permit, namespace, service_account, audiences, seconds)).await
    }

    async fn dry_run_pod(&self, permit: ProbePermit, namespace: &str, pod: &Value) -> Result<Value, ApiRefusal> {
        Box::pin(Self::dry_run_pod(self, permit, namespace, pod)).await
    }
}
