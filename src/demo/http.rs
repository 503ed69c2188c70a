//! The HTTP side of both servers: accepting, reading requests, writing answers.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::status::{Refusal, refuse};
use super::world::{RequestLog, Server, World};

/// Bodies of answers. An error breaks the connection off in mid-air.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;
/// An answer.
pub(crate) type Reply = Response<Body>;

/// Larger request bodies are refused, as the real server does at about this size.
const MAX_BODY: usize = 3 * 1024 * 1024;
/// Smaller answers are not worth compressing.
const MIN_GZIP: usize = 4 * 1024;

/// A request, read completely.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) upgrade: Option<OnUpgrade>,
}

impl Call {
    /// A header, or "".
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The non-empty parts of the path.
    pub(crate) fn parts(&self) -> Vec<String> {
        self.path.split('/').filter(|s| !s.is_empty()).map(|s| decode(s, false)).collect()
    }
}

/// The query parameters in order.
#[derive(Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let pair =
            |part: &str| part.split_once('=').map_or((decode(part, true), String::new()), |(k, v)| (decode(k, true), decode(v, true)));
        Self(text.split('&').filter(|s| !s.is_empty()).map(pair).collect())
    }

    /// The first value of a parameter, or "".
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v)
    }

    /// All values of a repeated parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(k, _)| k == name).map(|(_, v)| v.as_str())
    }

    /// Whether a parameter is switched on.
    pub(crate) fn on(&self, name: &str) -> bool {
        matches!(self.get(name), "true" | "1")
    }
}

fn decode(text: &str, plus_is_blank: bool) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let decoded = match byte {
            b'+' if plus_is_blank => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16)).unwrap_or_default();
                (digit() << 4 | digit()) as u8
            }
            other => other,
        };
        out.push(decoded);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Answers connections until the world stops.
pub(crate) async fn serve<F, A>(listener: TcpListener, world: Arc<World>, server: Server, answer: F)
where
    F: Fn(Arc<World>, Call) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Reply> + Send + 'static,
{
    loop {
        let stream = tokio::select! {
            () = world.stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // out of file descriptors, most likely: let others finish first
                Err(_full) => { tokio::time::sleep(std::time::Duration::from_millis(50)).await; continue }
            },
        };
        // answers are small and awaited: never hold them back to fill a packet
        let _ = stream.set_nodelay(true);
        let (world, answer) = (Arc::clone(&world), answer.clone());
        tokio::spawn(async move {
            let stop = world.stop.clone();
            let service = service_fn(move |request| handle(Arc::clone(&world), server, answer.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
            tokio::select! {
                () = stop.cancelled() => {}
                // a client that goes away is not an error of ours
                _ = connection => {}
            }
        });
    }
}

async fn handle<F, A>(world: Arc<World>, server: Server, answer: F, mut request: Request<Incoming>) -> Result<Reply, Infallible>
where
    F: Fn(Arc<World>, Call) -> A,
    A: Future<Output = Reply>,
{
    let upgrade = request.headers().contains_key(header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
    if server == Server::Kubernetes {
        unwrap_user(&mut request);
    }
    let (parts, body) = request.into_parts();
    let text = |name| parts.headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok()).unwrap_or_default().to_owned();
    let mut entry = RequestLog {
        server,
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().map_or_else(|| parts.uri.to_string(), ToString::to_string),
        content_type: text(header::CONTENT_TYPE),
        user_agent: text(header::USER_AGENT),
        status: 0,
    };
    let zip = text(header::ACCEPT_ENCODING).contains("gzip");
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await.map(http_body_util::Collected::to_bytes) else {
        entry.status = 413;
        world.record(entry);
        return Ok(error(&refuse(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {MAX_BODY}"))));
    };
    let call = Call {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: Query::parse(parts.uri.query().unwrap_or_default()),
        headers: parts.headers,
        body,
        upgrade,
    };
    let reply = answer(Arc::clone(&world), call).await;
    entry.status = reply.status().as_u16();
    world.record(entry);
    Ok(if zip { gzip(reply).await } else { reply })
}

/// Turns `/as/<token>/api/…` into `/api/…` with that bearer token. kubectl sends credentials over TLS only, so the contexts of
/// users with fewer rights carry their token in the address.
fn unwrap_user<B>(request: &mut Request<B>) {
    let wanted = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let Some((token, rest)) = wanted.strip_prefix("/as/").and_then(|r| r.split_once('/')) else { return };
    if let (Ok(uri), Ok(value)) = (format!("/{rest}").parse(), HeaderValue::from_str(&format!("Bearer {token}"))) {
        *request.uri_mut() = uri;
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
}

/// An answer with a complete body of any type.
pub(crate) fn full(code: u16, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()).map_err(|never| match never {}).boxed_unsync());
    *reply.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// A JSON answer.
pub(crate) fn json(code: u16, value: &Value) -> Reply {
    full(code, "application/json", value.to_string())
}

/// The answer for a refusal.
pub(crate) fn error(refusal: &Refusal) -> Reply {
    let mut reply = json(refusal.code, &refusal.body);
    if let Some(seconds) = refusal.retry_after {
        reply.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    reply
}

/// Sets a header whose value may come from anywhere; values HTTP cannot carry are left out.
pub(crate) fn set_header(reply: &mut Reply, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

/// An answer whose body is what the channel brings.
pub(crate) fn stream(content_type: &'static str, chunks: mpsc::Receiver<io::Result<Bytes>>) -> Reply {
    let frames = futures::stream::unfold(chunks, |mut rx| async move { rx.recv().await.map(|chunk| (chunk.map(Frame::data), rx)) });
    let mut reply = Response::new(BodyExt::boxed_unsync(StreamBody::new(frames)));
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // marks the body as one that must not be collected for compression
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    reply
}

async fn gzip(reply: Reply) -> Reply {
    use std::io::Write as _;
    let size = hyper::body::Body::size_hint(reply.body()).exact().unwrap_or_default();
    if size < MIN_GZIP as u64 {
        return reply;
    }
    let (mut parts, body) = reply.into_parts();
    let Ok(plain) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return full(500, "text/plain", "could not read the answer back");
    };
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(plain.len() / 8), flate2::Compression::fast());
    let packed = encoder.write_all(&plain).and_then(|()| encoder.finish());
    let bytes = match packed {
        Ok(bytes) => {
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Bytes::from(bytes)
        }
        Err(_) => plain,
    };
    Response::from_parts(parts, Full::new(bytes).map_err(|never| match never {}).boxed_unsync())
}
