//! The roles of a member account.

use super::member::MemberSession;
use super::record::recorded;
use crate::ident::{RoleId, RoleName};
use crate::remediation::CallError;
use futures::FutureExt;

/// Number of roles that a page may have: the most that IAM allows. An account has 5,000 at most without
/// a person's asking for more.
const PAGE: i32 = 1000;

/// Maximum number of pages that are read. IAM may send shorter ones than were asked for.
const MOST_PAGES: usize = 100;

impl MemberSession {
    /// ListRoles, page by page: the name of the role that has this unique id.
    ///
    /// # Errors
    /// As the call's.
    pub async fn role_with_id(&self, id: &RoleId) -> Result<Option<RoleName>, CallError> {
        let mut marker = None;
        for _ in 0..MOST_PAGES {
            let request = self.iam.list_roles().max_items(PAGE).set_marker(marker.take()).send().boxed();
            let answer = recorded(&*self.sink, self.call("ListRoles"), request).await?;
            let found = answer.roles.iter().find(|role| role.role_id == id.as_str());
            if let Some(role) = found {
                return Ok(role.role_name.parse().ok());
            }
            marker = answer.marker.filter(|marker| answer.is_truncated && !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
        Ok(None)
    }
}
