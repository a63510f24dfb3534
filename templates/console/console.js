// Keeps a page up to date: when the ledger has new entries, the page's main element is fetched again and replaced.
// Without this script every page works the same, and is as old as it was when it was loaded.
"use strict";
(() => {
  const PAUSE = 400; // ms: several entries in a row are one update
  const AGAIN = 5000; // ms between two attempts
  const status = document.getElementById("live");
  const stale = document.getElementById("stale");
  let timer = null;
  let busy = false;
  let again = false;
  let said = null;

  const main = () => document.getElementById("main");
  const announced = (root) => {
    const one = root.querySelector("[data-announce]");
    return one ? one.textContent.trim() : "";
  };
  const say = (text) => {
    if (text !== said) {
      said = text;
      status.textContent = text;
    }
  };

  // What is shown may be old: said above the page until it is up to date again.
  const time = (at) => `${at.toISOString().slice(11, 19)} UTC`;
  let good = new Date();
  let isConnected = true;
  let isLoggedOut = false;
  const lost = (text, address, name) => {
    const line = document.createElement("p");
    line.textContent = text;
    if (address) {
      const link = document.createElement("a");
      [link.href, link.textContent] = [address, name];
      line.append(" ", link);
    }
    if (stale.textContent !== line.textContent) stale.replaceChildren(line);
  };
  const offline = () => {
    if (isLoggedOut) return;
    if (isConnected) good = new Date();
    isConnected = false;
    lost(`Not connected to rescind since ${time(good)}. What you see may be old. It is tried again every few seconds.`);
  };
  const found = () => {
    [isConnected, isLoggedOut] = [true, false];
    stale.replaceChildren();
  };
  const here = () => location.pathname + location.search;

  // What was typed into a form that was refused comes back once its page is open again, in this tab only.
  const KEPT = "rescind-kept";
  const keep = () => {
    const kept = document.querySelector("[data-kept-for]");
    if (!kept) return;
    const fields = [...kept.querySelectorAll("[data-kept]")].map((one) => [one.dataset.kept, one.value]);
    sessionStorage.setItem(KEPT, JSON.stringify({ page: kept.dataset.keptFor, at: Date.now(), fields }));
  };
  const restore = () => {
    const { page, at, fields } = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
    if (page !== location.pathname || document.querySelector("[data-kept-for]")) return;
    sessionStorage.removeItem(KEPT);
    if (Date.now() - at > 3600 * 1000) return;
    for (const [name, text] of fields) {
      const field = document.querySelector(`form.act [name=${CSS.escape(name)}]:not([type=hidden])`);
      if (field && !field.value) field.value = text;
      field?.closest("details")?.setAttribute("open", "");
    }
  };
  try {
    keep();
    restore();
  } catch {
    // A browser that keeps nothing shows the text for copying.
  }

  // "5 min ago" and "in 5 min", as the server writes them.
  const rough = (seconds) => {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
    return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
  };
  const tick = () => {
    for (const one of document.querySelectorAll("[data-at]")) {
      const seconds = Math.round((Date.parse(one.dataset.at) - Date.now()) / 1000);
      const text = seconds > 0 ? `in ${rough(seconds)}` : seconds === 0 ? "now" : `${rough(-seconds)} ago`;
      if (one.textContent !== text) one.textContent = text;
    }
  };

  // Somebody writes or has chosen something: nothing is taken from under their hands.
  const isWritten = () =>
    [...main().querySelectorAll("textarea, input:not([type=hidden]), select")].some((one) =>
      one.type === "checkbox" || one.type === "radio"
        ? one.checked !== one.defaultChecked
        : one.tagName === "SELECT"
          ? one.selectedIndex !== Math.max(0, [...one.options].findIndex((option) => option.defaultSelected))
          : one.value !== one.defaultValue,
    ) || (document.activeElement && main().contains(document.activeElement) && document.activeElement.matches("textarea, input, select"));

  // The same element in a new page: by its id, its address or its place among those of its kind.
  const trace = (element) => {
    if (!element || element === document.body || !main().contains(element)) return null;
    if (element.id) return (root) => root.querySelector(`#${CSS.escape(element.id)}`);
    const address = element.getAttribute("href");
    const same = (root) => [...root.querySelectorAll(element.tagName)].filter((one) => one.getAttribute("href") === address);
    const place = same(main()).indexOf(element);
    return (root) => same(root)[place] || same(root)[0] || null;
  };

  const update = async () => {
    if (busy || document.hidden) {
      again = true;
      return;
    }
    if (isWritten()) {
      again = true;
      say("There is something new. The page is updated once you are done with the form.");
      return;
    }
    busy = true;
    again = false;
    try {
      // The way to the login leads to another host, where no script of ours may follow.
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store", redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 401) {
        if (isConnected) good = new Date();
        isConnected = false;
        isLoggedOut = true;
        lost(`You are logged out, seen ${time(good)}. What you see may be old.`, `/login?to=${encodeURIComponent(here())}`, "Log in");
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      found();
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.getElementById("main");
      if (!next || isWritten()) return;
      const before = announced(main());
      const focused = trace(document.activeElement);
      const places = [...main().querySelectorAll("details[id]")].filter((one) => one.open).map((one) => one.id);
      const scrolled = [...main().querySelectorAll("[tabindex='0']")].map((one) => [one.scrollLeft, one.scrollTop]);
      const [x, y] = [scrollX, scrollY];
      main().replaceChildren(...next.childNodes);
      document.title = page.title;
      for (const id of places) document.getElementById(id)?.setAttribute("open", "");
      [...main().querySelectorAll("[tabindex='0']")].forEach((one, number) => {
        if (scrolled[number]) [one.scrollLeft, one.scrollTop] = scrolled[number];
      });
      focused?.(main())?.focus({ preventScroll: true });
      scrollTo(x, y);
      tick();
      const now = announced(main());
      say(now !== before ? now : `Updated ${new Date().toISOString().slice(11, 19)}.`);
    } catch {
      offline();
      again = true;
    } finally {
      busy = false;
      if (again && !document.hidden && !isWritten()) later(AGAIN);
    }
  };
  const later = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(update, pause);
  };

  tick();
  setInterval(tick, 1000);
  if (!main().hasAttribute("data-live") || !window.EventSource) return;
  let source = null;
  let isFirst = true;
  const listen = () => {
    source = new EventSource("/v1/events");
    source.addEventListener("changed", () => later(PAUSE));
    source.addEventListener("open", () => {
      // What happened while nobody listened is on no event.
      if (isFirst) found();
      else later(0);
      isFirst = false;
    });
    source.addEventListener("error", () => {
      offline();
      isFirst = false;
      // A stream that the server ended or refused does not come back by itself; what the page says then says why.
      if (source?.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(() => {
          if (!document.hidden && !source) listen();
        }, AGAIN);
        later(0);
      }
    });
  };
  // A page that nobody looks at asks for nothing.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (!source) {
      listen();
    }
    if (!document.hidden && again) later(0);
  });
  addEventListener("offline", offline);
  addEventListener("online", () => later(0));
  main().addEventListener("focusout", () => {
    if (again) later(PAUSE);
  });
  if (!document.hidden) listen();
})();
