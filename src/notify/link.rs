//! Addresses of the console's pages, for whoever reads a message.

use crate::config::Topic;
use url::Url;

/// Where the console is, if `[web] url` says so. A page's address has nothing in it that comes from outside.
#[derive(Debug, Clone, Default)]
pub(super) struct Console(Option<Url>);

impl Console {
    pub fn at(url: Option<Url>) -> Self {
        Self(url)
    }

    /// The page of what a notice is about: its remediation, or that of its topic.
    pub fn page(&self, topic: Topic, remediation: Option<&str>) -> Option<Url> {
        match (remediation, topic) {
            (Some(id), _) => self.of(&["remediations", id]),
            (None, Topic::Service) => self.of(&["health"]),
            (None, _) => self.of(&["alerts"]),
        }
    }

    /// What needs attention now.
    pub fn front(&self) -> Option<Url> {
        self.of(&[])
    }

    /// The page of an incident.
    pub fn incident(&self, id: &str) -> Option<Url> {
        self.of(&["incidents", id])
    }

    fn of(&self, path: &[&str]) -> Option<Url> {
        let mut url = self.0.clone()?;
        url.path_segments_mut().ok()?.clear().extend(path);
        Some(url)
    }
}

/// Where the remediation on this page is approved or rejected.
pub(super) fn answer(page: &Url) -> Url {
    let mut url = page.clone();
    url.set_fragment(Some("answer"));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_has_its_address() {
        let at = |url: &str| Console::at(Some(url.parse().expect("a URL")));
        let console = at("https://rescind.example.com:8443");
        let text = |url: Option<Url>| url.map(String::from);
        let all = [
            console.page(Topic::Held, Some("r-1")),
            console.page(Topic::Service, Some("r-1")),
            console.page(Topic::Alert, None),
            console.page(Topic::Service, None),
            console.front(),
            console.incident("i-1"),
            console.page(Topic::Alert, Some("../a b?c#d")),
        ];
        insta::assert_snapshot!(all.map(text).map(Option::unwrap_or_default).join("\n"), @r"
        https://rescind.example.com:8443/remediations/r-1
        https://rescind.example.com:8443/remediations/r-1
        https://rescind.example.com:8443/alerts
        https://rescind.example.com:8443/health
        https://rescind.example.com:8443/
        https://rescind.example.com:8443/incidents/i-1
        https://rescind.example.com:8443/remediations/..%2Fa%20b%3Fc%23d
        ");
        let page = console.page(Topic::Held, Some("r-1")).expect("it is known");
        assert_eq!(answer(&page).as_str(), "https://rescind.example.com:8443/remediations/r-1#answer");
        assert_eq!(Console::default().front(), None);
    }
}
