//! `pods/exec` over WebSockets: runs a simulated program and sends what it says.

use std::sync::Arc;

use futures::{SinkExt as _, StreamExt as _};
use hyper::header::{self, HeaderValue};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::http::{self, Call, Reply};
use super::json::Json;
use super::kube::Target;
use super::programs::{self, Done, NotFound};
use super::status::{self, Refusal, bad_request};
use super::store::Key;
use super::world::World;

/// Protocols in order of preference.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;

/// What to run, where, and which of its outputs are wanted.
struct Session {
    world: Arc<World>,
    pod: Arc<Value>,
    image: String,
    command: Vec<String>,
    stdout: bool,
    stderr: bool,
    tty: bool,
}

/// Opens a session.
pub(crate) fn answer(world: &Arc<World>, target: &Target, mut call: Call) -> Result<Reply, Refusal> {
    let pod = world.store.lock().get(&Key::new(target.id, &target.namespace, &target.name)).cloned();
    let pod = pod.ok_or_else(|| status::not_found(target.kind, &target.name))?;
    let image = image(&pod, target, call.query.get("container"))?;
    let phase = pod.text("status/phase");
    if matches!(phase, "Succeeded" | "Failed") {
        return Err(bad_request(format!("cannot exec into a container in a completed pod; current phase is {phase}")));
    }
    let command: Vec<String> = call.query.all("command").map(str::to_owned).collect();
    if command.is_empty() {
        return Err(bad_request("you must specify at least 1 command for the container"));
    }
    let wants_websocket = call.header("upgrade").eq_ignore_ascii_case("websocket");
    let offered = call.header("sec-websocket-protocol").to_owned();
    let protocol = PROTOCOLS.iter().find(|p| offered.split(',').any(|o| o.trim() == **p));
    let accept = derive_accept_key(call.header("sec-websocket-key").as_bytes());
    let (Some(upgrade), Some(protocol), true) = (call.upgrade.take(), protocol, wants_websocket) else {
        return Err(bad_request("Upgrade request required"));
    };
    let session = Session {
        world: Arc::clone(world),
        pod,
        image,
        command,
        stdout: call.query.on("stdout"),
        stderr: call.query.on("stderr"),
        tty: call.query.on("tty"),
    };
    tokio::spawn(async move {
        let stop = session.world.stop.clone();
        let talk = async {
            let Ok(upgraded) = upgrade.await else { return };
            let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
            // a client that hangs up early is not an error of ours
            let _ = session.talk(socket).await;
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = talk => {}
        }
    });
    let mut reply = http::full(101, "text/plain", "");
    let headers = reply.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    http::set_header(&mut reply, "sec-websocket-accept", &accept);
    Ok(reply)
}

/// The image of the container a session is for.
fn image(pod: &Value, target: &Target, container: &str) -> Result<String, Refusal> {
    let containers = pod.items("spec/containers");
    let found = if container.is_empty() { containers.first() } else { containers.iter().find(|c| c.text("name") == container) };
    let found = found.ok_or_else(|| bad_request(format!("container {container} is not valid for pod {}", target.name)))?;
    Ok(found.text("image").to_owned())
}

impl Session {
    async fn talk(&self, mut socket: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>) -> Result<(), Error> {
        let words: Vec<&str> = self.command.iter().map(String::as_str).collect();
        let result = programs::run(&self.world, &self.pod, &self.image, &words);
        if let Ok(done) = &result {
            tokio::time::sleep(done.after).await;
            self.say(&mut socket, STDOUT, &done.stdout).await?;
            self.say(&mut socket, STDERR, &done.stderr).await?;
        }
        frame(&mut socket, STATUS, outcome(&result, &self.command).to_string().as_bytes()).await?;
        // anything but a normal close is an error to kubectl
        socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await?;
        while let Some(Ok(_)) = socket.next().await {}
        Ok(())
    }

    async fn say(&self, socket: &mut WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>, channel: u8, text: &str) -> Result<(), Error> {
        // a terminal has one stream only
        let channel = if self.tty { STDOUT } else { channel };
        let wanted = if channel == STDOUT { self.stdout } else { self.stderr };
        if text.is_empty() || !wanted {
            return Ok(());
        }
        frame(socket, channel, text.as_bytes()).await
    }
}

async fn frame(socket: &mut WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>, channel: u8, bytes: &[u8]) -> Result<(), Error> {
    let mut message = vec![channel];
    message.extend(bytes);
    socket.send(Message::binary(message)).await
}

/// The final status of a session, in the words of the kubelet and the runtime.
fn outcome(result: &Result<Done, NotFound>, command: &[String]) -> Value {
    match result {
        Ok(done) if done.code == 0 => json!({"metadata": {}, "status": "Success"}),
        Ok(done) => json!({
            "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: error executing command [{}], exit code {}", command.join(" "), done.code),
            "details": {"causes": [{"reason": "ExitCode", "message": done.code.to_string()}]},
        }),
        Err(NotFound(name)) => {
            let why = format!(
                "error executing command in container: failed to exec in container: failed to start exec \"simulated\": OCI runtime exec failed: exec failed: unable to start container process: exec: \"{name}\": executable file not found in $PATH: unknown"
            );
            json!({
                "metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500,
                "message": format!("Internal error occurred: {why}"), "details": {"causes": [{"message": why}]},
            })
        }
    }
}
