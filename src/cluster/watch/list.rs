//! Reading a kind's whole list, page by page.

use std::time::Duration;

use super::kind::{Deaf, Follower, PAGE_SMALLEST};
use super::pulse::unless_dead;
use crate::cluster::call::{Call, PathOf};
use crate::cluster::project;
use crate::cluster::refusal::ApiRefusal;
use crate::model::changes::Change;
use crate::model::kind::Kind;
use crate::model::source::SourceState;

/// A page of a list ends by then: the server's own limit for a request is a minute.
const PAGE_DEADLINE: Duration = Duration::from_secs(60);
/// The most that is read of one page.
const PAGE_MOST: usize = 256 << 20;
/// A page beyond this makes the next ones smaller: memory must not follow the objects' size.
const PAGE_LARGE: usize = 8 << 20;

impl Follower {
    fn path(&self) -> String {
        let namespace = self.info.only.map_or("", |(namespace, _)| namespace);
        PathOf { group: self.place.group, version: &self.place.version, plural: self.info.plural, namespace, name: "" }.to_string()
    }

    /// The collection, without what is never of interest.
    pub(super) fn collection(&self) -> Call {
        let call = Call::get(self.path());
        match (self.info.only, self.info.metadata_of_type) {
            (Some((_, name)), _) => call.query("fieldSelector", &format!("metadata.name={name}")),
            (None, Some(of_type)) => call.query("fieldSelector", &format!("type={of_type}")).metadata_list(),
            (None, None) if self.info.kind == Kind::Event => call.query("fieldSelector", "type!=Normal"),
            (None, None) => call,
        }
    }

    /// Reads the whole list; the resource version to watch from.
    pub(super) async fn list(&mut self) -> Result<Result<String, ApiRefusal>, Deaf> {
        let lists = self.lists.clone();
        let _turn = lists.acquire().await;
        self.send(vec![Change::Listing(self.info.kind)]).await?;
        let (mut more, mut place, mut count) = (String::new(), String::new(), 0_u32);
        loop {
            let mut call = self.collection().query("limit", &self.page.to_string()).within(PAGE_DEADLINE).at_most(PAGE_MOST);
            if !more.is_empty() {
                call = call.query("continue", &more);
            }
            let bytes = match unless_dead(&self.seen, self.cluster.call(call)).await {
                Ok(bytes) => bytes,
                Err(refusal) => {
                    if matches!(refusal.reason.as_str(), "TooLarge" | "Timeout") {
                        self.page = (self.page / 2).max(PAGE_SMALLEST);
                    }
                    return Ok(Err(refusal));
                }
            };
            if bytes.len() > PAGE_LARGE {
                self.page = (self.page / 2).max(PAGE_SMALLEST);
            }
            let mut changes = Vec::with_capacity(self.page.min(1000) as usize + 2);
            let page = match project::list(self.info.kind, &bytes, &mut self.interner, &mut changes) {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(kind = %self.info.kind, %error, bytes = bytes.len(), "a page could not be read");
                    return Ok(Err(ApiRefusal::no_answer("Unreadable", format!("the server's list can't be read: {error}"))));
                }
            };
            drop(bytes);
            if page.odd > 0 {
                tracing::error!(kind = %self.info.kind, odd = page.odd, "items that are no objects");
            }
            count = count.saturating_add(changes.len() as u32);
            if place.is_empty() {
                place = page.resource_version;
            }
            more = page.more;
            if more.is_empty() {
                changes.push(Change::Listed(self.info.kind));
                self.send(changes).await?;
                self.listed = true;
                self.state = SourceState::Live;
                return Ok(Ok(place));
            }
            if !self.listed {
                self.state = SourceState::Loading(count);
                changes.push(Change::State(self.info.kind, SourceState::Loading(count)));
            }
            self.send(changes).await?;
        }
    }
}
