//! A browser, as far as logging in needs one.

use std::collections::{BTreeMap, HashMap};

/// A browser that keeps cookies and shows each redirection.
pub struct Browser {
    agent: ureq::Agent,
    home: String,
    /// The cookies of each host and port.
    jar: HashMap<String, BTreeMap<String, String>>,
    /// All cookies that the console has set.
    pub cookies: Vec<String>,
    /// Addresses with which the provider sent it back.
    pub callbacks: Vec<String>,
    /// The codes in them.
    pub codes: Vec<String>,
}

pub struct Page {
    pub status: u16,
    pub url: String,
    pub location: Option<String>,
    pub body: String,
}

/// A login that was begun.
pub struct Begun {
    pub state: String,
}

impl Page {
    /// The link of the page that begins like this.
    #[track_caller]
    pub fn link(&self, begin: &str) -> String {
        let links =
            self.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(unescaped);
        links
            .into_iter()
            .find(|link| link.starts_with(begin))
            .unwrap_or_else(|| panic!("{begin} in {}", self.body))
    }

    fn between(&self, before: &str, after: char) -> Option<String> {
        let (_, rest) = self.body.split_once(before)?;
        rest.split(after).next().map(unescaped)
    }
}

fn unescaped(text: &str) -> String {
    ["&#38;", "&#x26;", "&amp;"].iter().fold(text.to_owned(), |text, entity| text.replace(entity, "&"))
}

fn host(url: &str) -> String {
    url.split('/').nth(2).expect("a URL").to_owned()
}

/// A value of the query of an address.
fn value(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
}

fn absolute(address: &str, at: &str) -> String {
    if address.starts_with('/') { format!("http://{}{address}", host(at)) } else { address.to_owned() }
}

impl Browser {
    pub fn new(home: &str) -> Self {
        let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).max_redirects(0);
        Self {
            agent: config.build().into(),
            home: home.to_owned(),
            jar: HashMap::new(),
            cookies: Vec::new(),
            callbacks: Vec::new(),
            codes: Vec::new(),
        }
    }

    fn ask(&mut self, url: &str, accept: &str, form: Option<(&[(&str, &str)], &str)>) -> Page {
        let jar = self.jar.entry(host(url)).or_default();
        let cookies =
            jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let answer = match form {
            None => self.agent.get(url).header("accept", accept).header("cookie", cookies).call(),
            Some((form, origin)) => {
                let pairs = form.iter().copied();
                let post = self.agent.post(url).header("accept", accept).header("cookie", cookies);
                post.header("origin", origin).send_form(pairs)
            }
        };
        let mut answer = answer.expect("it answers");
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a text");
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if value.is_empty() {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
            if url.starts_with(&self.home) {
                self.cookies.push(cookie.to_owned());
            }
        }
        let location =
            answer.headers().get("location").map(|value| value.to_str().expect("a text").to_owned());
        Page {
            status: answer.status().as_u16(),
            url: url.to_owned(),
            location,
            body: answer.body_mut().read_to_string().expect("a text"),
        }
    }

    /// Asks for a page; no redirection is followed.
    pub fn get(&mut self, address: &str) -> Page {
        self.get_as(address, "text/html,*/*;q=0.8")
    }

    pub fn get_as(&mut self, address: &str, accept: &str) -> Page {
        let url = absolute(address, &self.home.clone());
        self.ask(&url, accept, None)
    }

    /// Sends a form from a page of `origin`.
    pub fn post(&mut self, address: &str, form: &[(&str, &str)], origin: &str) -> Page {
        let url = absolute(address, &self.home.clone());
        self.ask(&url, "text/html", Some((form, origin)))
    }

    /// Follows redirections, until one leads to an address for which `stop` is so.
    fn follow(&mut self, mut page: Page, stop: impl Fn(&str) -> bool) -> Page {
        for _ in 0..10 {
            let Some(location) = page.location.take() else { break };
            let url = absolute(&location, &page.url);
            if url.starts_with(&format!("{}/login/callback", self.home)) {
                self.codes.extend(value(&url, "code"));
                self.callbacks.push(url.clone());
            }
            if stop(&url) {
                return Page { url, ..page };
            }
            page = self.ask(&url, "text/html", None);
        }
        page
    }

    /// Logs in for a page, and gives that page, or the one on which the login ends.
    pub fn log_in(&mut self, to: &str, name: &str) -> Page {
        self.through_the_provider(to, name, |_| false)
    }

    /// Logs in at the provider, and gives the address that it sends the browser back to, unasked.
    pub fn log_in_until_callback(&mut self, to: &str, name: &str) -> String {
        let home = self.home.clone();
        self.through_the_provider(to, name, |url| url.starts_with(&format!("{home}/login/callback"))).url
    }

    fn through_the_provider(&mut self, to: &str, name: &str, stop: impl Fn(&str) -> bool) -> Page {
        let to: String = to.replace('?', "%3F").replace('=', "%3D");
        let page = self.get(&format!("/login?to={to}"));
        let mut page = self.follow(page, &stop);
        // The provider's own pages: who it is, and whether rescind may know that.
        while page.url.contains("/interaction/") && page.status == 200 {
            let action = page.between("action=\"", '"').expect("a form");
            let prompt = page.between("name=\"prompt\" value=\"", '"').expect("a field");
            let form = [("prompt", prompt.as_str()), ("login", name), ("password", "any")];
            let origin = format!("http://{}", host(&action));
            let next = self.ask(&action, "text/html", Some((&form, &origin)));
            page = self.follow(next, &stop);
        }
        page
    }

    /// Begins a login, and does not go to the provider.
    pub fn begin(&mut self, to: &str) -> Begun {
        let location = self.get(&format!("/login?to={to}")).location.expect("it leads to the provider");
        Begun { state: value(&location, "state").expect("a state") }
    }

    /// The token of the forms of its pages.
    pub fn form_token(&mut self) -> String {
        let page = self.get("/");
        page.between("name=\"form_token\" value=\"", '"').unwrap_or_else(|| panic!("a form in {}", page.body))
    }

    /// A cookie of the console.
    #[track_caller]
    pub fn own(&self, name: &str) -> String {
        self.jar[&host(&self.home)][name].clone()
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.jar.entry(host(&self.home)).or_default().insert(name.to_owned(), value.to_owned());
    }
}
