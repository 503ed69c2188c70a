//! One request, one answer: with a deadline, a cap on what is read, and no retry.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::client::Body;

use super::connect::Cluster;
use super::refusal::{ApiRefusal, in_words};

/// Every call that is not a watch, an exec or a page of a list ends by then.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// The most that is read of an answer to a single call.
const MOST: usize = 16 << 20;

/// A request to make.
#[derive(Debug)]
pub struct Call {
    method: Method,
    path: String,
    query: String,
    content_type: Option<&'static str>,
    accept: &'static str,
    only: Option<&'static str>,
    accept_encoding: Option<&'static str>,
    audit_id: Option<String>,
    body: Vec<u8>,
    deadline: Duration,
    most: usize,
}

impl Call {
    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query: String::new(),
            content_type: None,
            accept: "application/json",
            only: None,
            accept_encoding: None,
            audit_id: None,
            body: Vec::new(),
            deadline: DEADLINE,
            most: MOST,
        }
    }

    /// A POST of JSON.
    pub fn post(path: impl Into<String>, body: &serde_json::Value) -> Self {
        Self { method: Method::POST, content_type: Some("application/json"), body: body.to_string().into_bytes(), ..Self::get(path) }
    }

    /// A server-side apply.
    pub fn apply(path: impl Into<String>, body: &serde_json::Value) -> Self {
        let body = body.to_string().into_bytes();
        Self { method: Method::PATCH, content_type: Some("application/apply-patch+yaml"), body, ..Self::get(path) }
    }

    /// A DELETE with options.
    pub fn delete(path: impl Into<String>, options: &serde_json::Value) -> Self {
        Self { method: Method::DELETE, ..Self::post(path, options) }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, key: &str, value: &str) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(key);
        self.query.push('=');
        self.query.push_str(&encoded(value));
        self
    }

    /// Another deadline.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Reads at most so many bytes.
    #[must_use]
    pub const fn at_most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// Asks for an uncompressed answer: a watch of a server from 1.37 on would otherwise be compressed in a way that can't be read.
    #[must_use]
    pub const fn plain(mut self) -> Self {
        self.accept_encoding = Some("identity");
        self
    }

    /// Asks for the metadata of a list's objects and nothing else; an answer of another kind is dropped unread.
    #[must_use]
    pub const fn metadata_list(mut self) -> Self {
        self.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        self.only = Some(METADATA_LIST);
        self
    }

    /// Asks for the metadata of a watch's objects and nothing else. Its lines are to be checked: see [`is_metadata`].
    #[must_use]
    pub const fn metadata_watch(mut self) -> Self {
        self.accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        self.only = None;
        self
    }

    /// Names this request in the server's audit log.
    #[must_use]
    pub fn audited(mut self, id: String) -> Self {
        self.audit_id = Some(id);
        self
    }

    fn request(self) -> Result<Request<Body>, ApiRefusal> {
        let uri = if self.query.is_empty() { self.path } else { format!("{}?{}", self.path, self.query) };
        let mut request = Request::builder().method(self.method).uri(uri).header(http::header::ACCEPT, self.accept);
        if let Some(content_type) = self.content_type {
            request = request.header(http::header::CONTENT_TYPE, content_type);
        }
        if let Some(encoding) = self.accept_encoding {
            request = request.header(http::header::ACCEPT_ENCODING, encoding);
        }
        if let Some(id) = self.audit_id {
            request = request.header("Audit-ID", id);
        }
        request.body(Body::from(self.body)).map_err(|error| ApiRefusal::no_answer("BadRequest", in_words(&error)))
    }
}

impl Cluster {
    /// Makes a call and reads the whole answer.
    pub(crate) async fn call(&self, call: Call) -> Result<Bytes, ApiRefusal> {
        let (deadline, most, only) = (call.deadline, call.most, call.only);
        let answer = async {
            let response = self.open(call).await?;
            match only {
                None => collect(response.into_body(), most).await,
                Some(kind) => collect_only(response.into_body(), most, kind).await,
            }
        };
        tokio::time::timeout(deadline, answer)
            .await
            .unwrap_or_else(|_elapsed| Err(ApiRefusal::no_answer("Timeout", format!("no complete answer within {} s", deadline.as_secs()))))
    }

    /// Makes a call and reads the answer as JSON.
    pub(crate) async fn call_json(&self, call: Call) -> Result<serde_json::Value, ApiRefusal> {
        let bytes = self.call(call).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| ApiRefusal::no_answer("Unreadable", format!("the server's answer is no JSON: {error}")))
    }

    /// Makes a call and hands out the answer as soon as it begins; a refusal is read.
    pub(crate) async fn open(&self, call: Call) -> Result<Response<Body>, ApiRefusal> {
        let request = call.request()?;
        let client = self.client().await;
        let response = client.send(request).await.map_err(|error| ApiRefusal::from_error(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = collect(response.into_body(), 1 << 20).await.unwrap_or_default();
        if status == http::StatusCode::UNAUTHORIZED {
            self.renew().await;
        }
        Err(ApiRefusal::from_answer(status.as_u16(), &body))
    }
}

async fn collect(body: Body, most: usize) -> Result<Bytes, ApiRefusal> {
    whole(Limited::new(body, most).collect().await.map(http_body_util::Collected::to_bytes), most)
}

/// The answer, if its first bytes say that it is of this kind; otherwise what has come is dropped and the rest is not taken.
async fn collect_only(body: Body, most: usize, kind: &str) -> Result<Bytes, ApiRefusal> {
    let mut body = Limited::new(body, most);
    let mut taken = Vec::new();
    let mut checked = false;
    while let Some(frame) = body.frame().await {
        let data = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(error) => return whole(Err(error), most),
        };
        taken.extend_from_slice(&data);
        if !checked && taken.len() >= HEAD {
            checked = true;
            if !begins_as(&taken, kind) {
                return Err(not_metadata());
            }
        }
    }
    if checked || begins_as(&taken, kind) { Ok(taken.into()) } else { Err(not_metadata()) }
}

/// The kind of a list of metadata, and of one object's.
const METADATA_LIST: &str = "PartialObjectMetadataList";
const METADATA: &str = "PartialObjectMetadata";
/// A server tells the kind of what it sends within so many bytes, before anything that was asked for.
const HEAD: usize = 256;
/// The reason of [`not_metadata`].
pub(crate) const NOT_METADATA: &str = "NotMetadata";

/// The server sends whole objects where their metadata was asked for.
pub(crate) fn not_metadata() -> ApiRefusal {
    ApiRefusal::no_answer(NOT_METADATA, "the server sends whole Secrets where their metadata was asked for: nothing of them was read")
}

/// Whether an object that a watch tells of is metadata and nothing else. O(1).
pub(crate) fn is_metadata(object: &str) -> bool {
    begins_as(object.as_bytes(), METADATA)
}

/// Whether the first bytes of an object name its kind, and it is this one.
fn begins_as(text: &[u8], kind: &str) -> bool {
    let head = text.get(..text.len().min(HEAD)).unwrap_or_default();
    let head: String = String::from_utf8_lossy(head).chars().filter(|c| !c.is_whitespace()).collect();
    // what an object holds may say anything
    let own = head.split("\"metadata\":").next().unwrap_or_default();
    let own = own.split("\"items\":").next().unwrap_or_default();
    own.contains(&format!("\"kind\":\"{kind}\""))
}

fn whole(body: Result<Bytes, Box<dyn std::error::Error + Send + Sync>>, most: usize) -> Result<Bytes, ApiRefusal> {
    match body {
        Ok(body) => Ok(body),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ApiRefusal::no_answer("TooLarge", format!("the answer is longer than {} MiB", most >> 20)))
        }
        Err(error) => Err(ApiRefusal::from_error(error.as_ref())),
    }
}

/// Percent-encodes everything that is not unreserved, so that no name can leave its place in a path or query. O(length).
pub fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    // a segment of dots would climb
    if !out.is_empty() && out.bytes().all(|b| b == b'.') { out.replace('.', "%2E") } else { out }
}

/// The path of a kind's collection or object.
#[derive(Clone, Copy, Debug)]
pub struct PathOf<'a> {
    /// API group; empty for core.
    pub group: &'a str,
    /// Version.
    pub version: &'a str,
    /// Plural.
    pub plural: &'a str,
    /// Namespace; empty for all or for a cluster-scoped kind.
    pub namespace: &'a str,
    /// Object name; empty for the collection.
    pub name: &'a str,
}

impl std::fmt::Display for PathOf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.group.is_empty() {
            write!(f, "/api/{}", encoded(self.version))?;
        } else {
            write!(f, "/apis/{}/{}", encoded(self.group), encoded(self.version))?;
        }
        if !self.namespace.is_empty() {
            write!(f, "/namespaces/{}", encoded(self.namespace))?;
        }
        write!(f, "/{}", encoded(self.plural))?;
        if self.name.is_empty() { Ok(()) } else { write!(f, "/{}", encoded(self.name)) }
    }
}

/// An audit id of our own, so that a reviewer finds the very line in the server's audit log.
pub(crate) fn audit_id(what: &str) -> String {
    format!("partywall-{what}-{:016x}", fastrand::u64(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_place_in_a_path() {
        let path = PathOf { group: "", version: "v1", plural: "pods", namespace: "../../x?y=z#", name: ".." }.to_string();
        assert_eq!(path, "/api/v1/namespaces/..%2F..%2Fx%3Fy%3Dz%23/pods/%2E%2E");
        let path = PathOf { group: "apps", version: "v1", plural: "deployments", namespace: "", name: "" }.to_string();
        assert_eq!(path, "/apis/apps/v1/deployments");
    }

    #[test]
    fn whole_objects_are_told_from_metadata_by_their_first_bytes() {
        let list = br#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[]}"#;
        assert!(begins_as(list, METADATA_LIST) && !begins_as(list, METADATA));
        assert!(is_metadata("{ \"apiVersion\": \"meta.k8s.io/v1\",\n \"kind\": \"PartialObjectMetadata\" }"));
        for whole in [
            r#"{"kind":"SecretList","items":[]}"#,
            r#"{"kind":"Secret","data":{"a":"b"}}"#,
            r#"{"metadata":{"x":{"kind":"PartialObjectMetadata"}}}"#,
            r#"{"items":[{"kind":"PartialObjectMetadata"}]}"#,
            "",
            "null",
        ] {
            assert!(!is_metadata(whole) && !begins_as(whole.as_bytes(), METADATA_LIST), "{whole}");
        }
    }

    #[tokio::test]
    async fn an_answer_of_another_kind_is_not_taken() {
        let secret = format!(r#"{{"kind":"SecretList","items":[{{"data":{{"a":"{}"}}}}]}}"#, "x".repeat(1 << 20));
        for text in [secret.as_str(), r#"{"kind":"SecretList"}"#, ""] {
            let refused = collect_only(Body::from(text.as_bytes().to_vec()), 1 << 24, METADATA_LIST).await.unwrap_err();
            assert_eq!((refused.code, refused.reason.as_str()), (0, NOT_METADATA));
        }
        let good = r#"{"kind":"PartialObjectMetadataList","metadata":{},"items":[]}"#;
        assert_eq!(collect_only(Body::from(good.as_bytes().to_vec()), 1 << 24, METADATA_LIST).await.unwrap(), good.as_bytes());
        let long = format!("{good}{}", " ".repeat(1 << 20));
        let refused = collect_only(Body::from(long.into_bytes()), 1 << 10, METADATA_LIST).await.unwrap_err();
        assert_eq!(refused.reason, "TooLarge");
    }

    #[test]
    fn queries_are_encoded() {
        let call = Call::get("/x").query("fieldSelector", "type!=Normal").query("limit", "5");
        assert_eq!(call.request().unwrap().uri().to_string(), "/x?fieldSelector=type%21%3DNormal&limit=5");
    }
}
