//! Running a fixed command in a tenant's own container.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Api, AttachParams};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::connect::Cluster;
use super::refusal::ApiRefusal;
use crate::fix::guard::ProbePermit;
use crate::model::ids::Name;

/// Of each stream so much is kept.
const KEPT: usize = 64 << 10;
/// Of each stream so much is read in all before the command is given up: a container must not feed us for ever.
const ENDURED: usize = 4 << 20;

/// Where to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecTarget {
    /// Namespace.
    pub namespace: Name,
    /// Pod.
    pub pod: Name,
    /// Container.
    pub container: Name,
}

/// What came of a command. Output is hostile text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecAnswer {
    /// Standard output, at most 64 KiB, invalid UTF-8 replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
    /// Exit code; none when the command did not run to an end of its own.
    pub code: Option<i32>,
    /// How long it took.
    pub took: Duration,
}

impl Cluster {
    /// Runs `argv` in a container, without a shell of ours, without input. Ends after `limit` at the latest: then the refusal's reason is
    /// `Timeout`. A command that can't be started is a refusal with the runtime's words. Never repeated.
    pub async fn exec(&self, _permit: ProbePermit, target: &ExecTarget, argv: &[&str], limit: Duration) -> Result<ExecAnswer, ApiRefusal> {
        let began = Instant::now();
        let pods: Api<Pod> = Api::namespaced(self.client().await, &target.namespace);
        let params = AttachParams {
            container: Some(target.container.to_string()),
            stdin: false,
            stdout: true,
            stderr: true,
            tty: false,
            max_stdin_buf_size: None,
            max_stdout_buf_size: Some(KEPT),
            max_stderr_buf_size: Some(KEPT),
        };
        let run = async {
            let mut process =
                pods.exec(&target.pod, argv.iter().copied(), &params).await.map_err(|error| ApiRefusal::from_error(&error))?;
            // taken first: a process whose status nobody takes is reported as failed
            let status = process.take_status();
            let (out, err) = (process.stdout(), process.stderr());
            let (stdout, stderr) = tokio::join!(drain(out), drain(err));
            let status = match status {
                Some(status) if !stdout.endless && !stderr.endless => status.await,
                _ => None,
            };
            process.abort();
            let code = ended(status.as_ref())?;
            Ok(ExecAnswer { stdout: stdout.text, stderr: stderr.text, code, took: began.elapsed() })
        };
        // dropping the process ends its connection
        tokio::time::timeout(limit, run).await.unwrap_or_else(|_elapsed| {
            Err(ApiRefusal::no_answer("Timeout", format!("the command did not end within {} s", limit.as_secs())))
        })
    }
}

struct Drained {
    text: String,
    endless: bool,
}

/// Reads a stream to its end, keeping the first part.
async fn drain(stream: Option<impl AsyncRead + Unpin>) -> Drained {
    let mut kept = Vec::new();
    let mut all = 0_usize;
    if let Some(mut stream) = stream {
        let mut buffer = vec![0_u8; 8 << 10];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            let room = KEPT.saturating_sub(kept.len()).min(count);
            kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
            all += count;
            if all > ENDURED {
                break;
            }
        }
    }
    Drained { text: String::from_utf8_lossy(&kept).into_owned(), endless: all > ENDURED }
}

/// The exit code that the final status tells; a refusal when the command could not be started.
fn ended(status: Option<&Status>) -> Result<Option<i32>, ApiRefusal> {
    let Some(status) = status else { return Ok(None) };
    if status.status.as_deref() == Some("Success") {
        return Ok(Some(0));
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_deref()).unwrap_or_default();
    let exit = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"));
    if let Some(code) = exit.and_then(|cause| cause.message.as_deref()).and_then(|text| text.trim().parse().ok()) {
        return Ok(Some(code));
    }
    let message = status.message.clone().unwrap_or_default();
    let code = status.code.and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
    let reason = status.reason.clone().unwrap_or_else(|| "StartError".to_owned());
    let authority = super::authority::classify(Some(code), &reason, &message);
    Err(ApiRefusal { code, reason: crate::model::text::clean(&reason), message: crate::model::text::clean(&message), authority })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> Status {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_exit_code_is_read_from_the_causes() {
        assert_eq!(ended(Some(&status(r#"{"status":"Success"}"#))), Ok(Some(0)));
        let failed = r#"{"status":"Failure","reason":"NonZeroExitCode","message":"command terminated with non-zero exit code: exit status 7","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}"#;
        assert_eq!(ended(Some(&status(failed))), Ok(Some(7)));
        assert_eq!(ended(None), Ok(None));
    }

    #[test]
    fn a_command_that_cannot_start_keeps_the_runtimes_words() {
        let missing = r#"{"status":"Failure","reason":"InternalError","code":500,"message":"Internal error occurred: error executing command in container: exec: \"wget\": executable file not found in $PATH"}"#;
        let refusal = ended(Some(&status(missing))).unwrap_err();
        assert_eq!(refusal.code, 500);
        assert!(refusal.message.contains("executable file not found"));
    }

    #[tokio::test]
    async fn a_stream_is_read_to_its_end_but_only_its_beginning_is_kept() {
        let long = vec![b'x'; KEPT + 10];
        assert_eq!(drain(Some(long.as_slice())).await.text.len(), KEPT);
        assert!(!drain(Some(long.as_slice())).await.endless);
        assert!(drain(Some(tokio::io::repeat(b'y'))).await.endless);
    }
}
