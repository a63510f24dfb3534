// A theft from the message to the approval, the deny and the release, in Debian's Chromium, by people who log in at an
// OpenID provider (tests/oidc). The thief's own call says whether they are denied.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import net from "node:net";
import { dirname, join } from "node:path";
import readline from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "../..");
const OIDC = join(ROOT, "tests/oidc");
const SHOTS = join(ROOT, "target/console");
const BINARY = process.env.RESCIND_BINARY ?? join(ROOT, "target/debug/rescind");
const PYTHON = process.env.RESCIND_EMULATOR_PYTHON ?? join(ROOT, "target/emulator-venv/bin/python");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = { timeout: 60_000 };

const ACCOUNTS = {
  anna: { groups: ["approvers"], name: "Anna" },
  olga: { groups: ["operators"], name: "Olga" },
  vera: { groups: ["viewers"], name: "Vera" },
  sam: { groups: ["shop"], email: "samantha.with-a-very-long-name.of-the-shop-team@department.example.com" },
  nora: { groups: ["sales", "<b>all</b>", "x".repeat(500)], name: "Nora" },
  newt: { name: "Newt" },
};

let browser, hook, messages, provider, python, lines, world;

const freePort = () =>
  new Promise((found) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });

const linesOf = (child) => readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();

/** The log of the service, which has what was written up to now. */
const log = async () => {
  python.stdin.write("log\n");
  return JSON.parse((await lines.next()).value).log;
};

const isDenied = async () => {
  python.stdin.write("thief\n");
  return JSON.parse((await lines.next()).value).denied;
};

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], { cwd: OIDC });
  messages = [];
  hook = http.createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      messages.push(JSON.parse(text));
      response.end();
    });
  });
  await new Promise((listens) => hook.listen(0, "127.0.0.1", listens));
  const url = `http://127.0.0.1:${await freePort()}`;
  provider = spawn("node", [join(OIDC, "provider.mjs"), JSON.stringify({ rescind: url, accounts: ACCOUNTS })], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const issuer = (await linesOf(provider).next()).value.replace("listening on ", "");
  const people = { url, issuer, webhook: `http://127.0.0.1:${hook.address().port}/` };
  python = spawn(PYTHON, [join(HERE, "world.py"), BINARY, JSON.stringify(people)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  lines = linesOf(python);
  world = JSON.parse((await lines.next()).value);
  browser = await chromium.launch({
    executablePath: process.env.RESCIND_CHROMIUM ?? "/usr/bin/chromium",
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
});

after(async () => {
  await browser?.close();
  for (const child of [python, provider]) {
    child?.stdin.end();
    await new Promise((ended) => child?.once("exit", ended) ?? ended());
  }
  hook?.close();
});

/** A browser in which somebody logs in, as soon as a page wants it. */
async function as(name, address, use, options = {}) {
  const { heading, ...more } = options;
  const viewport = { width: 1280, height: 900 };
  const context = await browser.newContext({ baseURL: world.url, viewport, ...more });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE.timeout);
    await page.goto(address);
    await page.locator("[name=login]").fill(name);
    await page.locator("[name=password]").fill("any");
    await page.getByRole("button", { name: "Sign-in" }).click();
    await page.getByRole("button", { name: "Continue" }).click();
    if (heading) await page.getByRole("heading", { level: 1, name: heading }).waitFor();
    else await page.getByRole("navigation", { name: "Pages" }).waitFor();
    assert.ok(page.url().startsWith(world.url), page.url());
    await use(page);
  } finally {
    await context.close();
  }
}

/** The page has nothing that axe finds, and is kept as a picture. */
async function looked(page, name) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Runtime.evaluate", { expression: AXE });
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join("\n")}`), [], name);
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

const held = () => messages.find((one) => one.topic === "held" && one.remediation === world.held);

test("who may do nothing reads which groups came, in which claim, and that no grant has them", async () => {
  const refused = "You cannot use this console";
  await as("nora", "/incidents", async (page) => {
    const main = page.getByRole("main");
    await main.getByText(/^Nora, nora of .* is logged in, and may do nothing here\.$/).waitFor();
    const text = await main.getByText(/^The claim groups has the groups/).textContent();
    assert.match(text, /sales, <b>all<\/b>, x+….*web\.access names none of them, and not the person by subjects/);
    assert.ok(text.length < 300, text);
    // A page like the others, and the way back to the page that was wanted.
    assert.notEqual(await main.evaluate((one) => getComputedStyle(one).maxWidth), "none");
    const again = main.getByRole("link", { name: "Log in again" });
    assert.equal(await again.getAttribute("href"), "/login?to=%2Fincidents");
    assert.equal(await page.getByRole("navigation", { name: "Pages" }).count(), 0);
    await looked(page, "no-access");
  }, { heading: refused });
  await as("newt", "/", async (page) => {
    await page.getByText(/^The ID token has no group in its claim groups/).waitFor();
  }, { heading: refused });
  const written = await log();
  for (const who of ["nora", "newt"]) assert.match(written, new RegExp(`WARN.*refused.*${who} of .*may do nothing here`));
});

test("who logs in and out is in the log, and no secret is", async () => {
  let cookie;
  await as("vera", "/", async (page) => {
    cookie = (await page.context().cookies(world.url)).find((one) => one.name === "rescind").value;
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByText(/logged out|sign-?out/i).first().waitFor();
  });
  const context = await browser.newContext({ baseURL: world.url });
  const page = await context.newPage();
  assert.equal((await page.goto("/login/callback?code=a-secret-code&state=another")).status(), 400);
  await page.getByRole("heading", { level: 1, name: "The login did not work" }).waitFor();
  await looked(page, "login-refused");
  // No login leads to another host.
  for (const to of ["https://evil.example/", "//evil.example/"]) {
    assert.equal((await page.goto(`/login?to=${encodeURIComponent(to)}`)).status(), 400);
  }
  await context.close();
  const written = await log();
  assert.match(written, /INFO.*logged in: .*vera of .* as viewer, from 127\.0\.0\.1/);
  assert.match(written, /INFO.*logged out: .*vera of /);
  assert.match(written, /WARN.*a login from 127\.0\.0\.1 is refused.*unknown_login|WARN.*a login from 127\.0\.0\.1 is refused.*was not begun/);
  for (const secret of [cookie, "a-secret-code", "eyJ"]) assert.ok(!written.includes(secret), secret);
});

test("who sees some accounts finds no page that would be refused, on a phone as well", async () => {
  await as("sam", "/", async (page) => {
    const pages = page.getByRole("navigation", { name: "Pages" }).getByRole("link");
    assert.deepEqual(await pages.allTextContents(), ["Now", "Incidents", "History", "Alerts", "Coverage"]);
    const name = page.getByTitle(ACCOUNTS.sam.email);
    assert.ok((await name.boundingBox()).width > 40, "the name is seen");
    const incident = `/incidents/i-${world.revoked.slice(2)}`;
    const found = new Set();
    for (const path of ["/", "/incidents", "/remediations", "/alerts", "/coverage", incident, `/remediations/${world.revoked}`]) {
      await page.goto(path);
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(beyond <= 0, `${path} is ${beyond} px wider than the screen`);
      for (const link of await page.locator("a[href^='/']:not([download])").all()) found.add(await link.getAttribute("href"));
    }
    assert.ok(found.size > 10, "there are links");
    for (const path of found) {
      const status = await page.evaluate(async (to) => (await fetch(to)).status, path);
      assert.equal(status, 200, path);
    }
    await page.goto("/ledger");
    await page.getByRole("heading", { level: 1, name: "Forbidden" }).waitFor();
    await pages.first().waitFor();
  }, { viewport: { width: 390, height: 844 } });
});

test("an answer to an ended session keeps the reason, and the login leads back to the form", async () => {
  const reason = "seen at the instance, and <typed> for a long time";
  for (const javaScriptEnabled of [true, false]) {
    await as("anna", `/remediations/${world.held}`, async (page) => {
      await page.getByLabel("Your reason (for the ledger)").fill(reason);
      await page.context().clearCookies({ name: "rescind" });
      await page.getByRole("button", { name: "Reject …" }).click();
      await page.getByRole("heading", { level: 1, name: "Your session has ended" }).waitFor();
      await page.getByText("Nothing was recorded.").waitFor();
      assert.equal(await page.getByLabel("Reason", { exact: true }).inputValue(), reason);
      if (javaScriptEnabled) await looked(page, "session-ended");
      await page.getByRole("link", { name: "Log in and go back to the form" }).click();
      await page.waitForURL(`**/remediations/${world.held}`);
      await page.getByText("Held: waiting for your decision").waitFor();
      const kept = await page.getByLabel("Your reason (for the ledger)").inputValue();
      assert.equal(kept, javaScriptEnabled ? reason : "");
    }, { javaScriptEnabled });
  }
  // What a page of somebody else sends is not shown.
  const body = new URLSearchParams({ kind: "approve", reason: "call this number" });
  const headers = { "sec-fetch-site": "cross-site" };
  const answer = await fetch(`${world.url}/remediations/${world.held}/answer`, { method: "POST", body, headers });
  assert.equal(answer.status, 401);
  assert.doesNotMatch(await answer.text(), /call this number/);
});

test("a viewer reads, and can answer nothing", async () => {
  await as("vera", `/remediations/${world.held}`, async (page) => {
    await page.getByText("An approver for this account can answer here.").waitFor();
    assert.equal(await page.getByRole("button", { name: /Approve/ }).count(), 0);
    const token = await page.locator("[name=form_token]").first().inputValue();
    const body = { kind: "approve", reason: "a test", confirmed: "yes", form_token: token };
    const refused = await page.evaluate(
      async ([path, form]) => {
        const answer = await fetch(path, { method: "POST", body: new URLSearchParams(form), redirect: "manual" });
        return [answer.status, await answer.text()];
      },
      [`/remediations/${world.held}/answer`, body],
    );
    assert.equal(refused[0], 403, refused[1]);
    assert.match(refused[1], /you are not approver for 222222222222/);
  });
  assert.equal(await isDenied(), false);
});

test("an approver comes from the message, approves, and sees the deny; an operator releases it", async () => {
  while (!held()) await new Promise((again) => setTimeout(again, 100));
  const { link } = held();
  assert.equal(link, `${world.url}/remediations/${world.held}`);
  await as("anna", `${link}#answer`, async (page) => {
    await page.getByText("Held: waiting for your decision").waitFor();
    await looked(page, "approver-held");
    await page.getByLabel("Your reason (for the ledger)").fill("seen at the instance, INC-4711");
    await page.getByRole("button", { name: "Approve …" }).click();
    await page.getByRole("heading", { level: 1, name: /^Approve: revoke role/ }).waitFor();
    await looked(page, "approver-confirm");
    await page.getByRole("button", { name: "Approve and revoke" }).click();
    await page.waitForURL(`**/remediations/${world.held}**`);
    // The page goes on by itself.
    await page.locator(".state", { hasText: /^revoked$/ }).waitFor(PATIENCE);
    await page.getByText("approved by Anna: seen at the instance, INC-4711").first().waitFor();
    await looked(page, "approver-revoked");
    // Whoever approves does not release.
    assert.equal(await page.getByRole("link", { name: /release/ }).count(), 0);
  });
  assert.equal(await isDenied(), true);
  await as("olga", `/remediations/${world.held}`, async (page) => {
    await page.getByRole("link", { name: "See what a release takes back" }).click();
    await page.getByRole("heading", { level: 1, name: /^Release role/ }).waitFor();
    await looked(page, "operator-release");
    await page.getByLabel("Your reason (for the ledger)").fill("a false alarm");
    await page.getByLabel(/^Type/).fill("wrong");
    await page.getByRole("button", { name: "Release", exact: true }).click();
    assert.equal(await isDenied(), true, "the name was not typed");
    await page.goto(`/remediations/${world.held}/release`);
    await page.getByLabel("Your reason (for the ledger)").fill("a false alarm");
    await page.getByLabel(/^Type/).fill(world.other);
    await page.getByRole("button", { name: "Release", exact: true }).click();
    await page.locator(".state", { hasText: /^released$/ }).waitFor(PATIENCE);
    await page.getByRole("button", { name: "Log out" }).click();
    // The provider asks whether they log out there as well.
    await page.getByText(/logged out|sign-?out/i).first().waitFor();
    assert.equal((await page.context().cookies(world.url)).filter((one) => one.name === "rescind").length, 0);
  });
  assert.equal(await isDenied(), false);
});

test("an operator orders a revocation, and has read what it does before", async () => {
  await as("olga", "/revoke", async (page) => {
    await looked(page, "operator-revoke");
    await page.getByLabel(/^Account/).fill("222222222222");
    await page.getByLabel(/^Role or user/).fill("shop-web");
    await page.getByLabel(/^Reason/).fill("reported by the team");
    await page.getByRole("button", { name: "Show the plan" }).click();
    await page.getByLabel(/^Type/).waitFor();
    await looked(page, "operator-plan");
    await page.getByLabel(/^Type/).fill("shop-web");
    await page.locator("form.act button").last().click();
    // The page goes on by itself.
    await page.goto("/remediations?text=shop-web");
    await page.getByRole("rowheader", { name: "shop-web" }).first().waitFor(PATIENCE);
  });
});

test("what a person ordered is called ordered, and not seen", async () => {
  await as("olga", "/remediations?text=shop-web", async (page) => {
    await page.getByRole("rowheader", { name: "shop-web" }).first().getByRole("link").click();
    const facts = page.getByRole("region", { name: "Facts" });
    await facts.getByText("Ordered", { exact: true }).waitFor();
    await facts.getByText("Ordered by", { exact: true }).waitFor();
    await facts.getByText(/^Olga, olga of /).waitFor();
    await facts.getByText("reported by the team").waitFor();
    assert.equal(await page.getByText("Thief last seen").count(), 0);
    await page.getByText(/after: since the order$/).waitFor();
    await page.getByRole("link", { name: /^Incident i-/ }).click();
    await page.getByRole("cell", { name: /^ordered by Olga, olga of / }).first().waitFor();
    await page.getByRole("cell", { name: /^revocation ordered by Olga, olga of / }).waitFor();
    assert.equal(await page.getByText(/stolen, used|stolen credentials first seen/).count(), 0);
    await looked(page, "ordered-incident");
  });
});

test("an order that is not possible says why, and has no button", async () => {
  await as("olga", "/revoke", async (page) => {
    await page.getByLabel(/^Account/).fill("222222222222");
    await page.getByLabel(/^Role or user/).fill("not-there");
    await page.getByLabel(/^Reason/).fill("a test");
    await page.getByRole("button", { name: "Show the plan" }).click();
    await page.getByText("It cannot be ordered.").waitFor();
    await page.getByText(/^the role does not exist/).waitFor();
    assert.equal(await page.getByRole("main").getByRole("button").count(), 0);
    await page.getByRole("link", { name: "Back to the order" }).waitFor();
    await looked(page, "operator-not-possible");
  });
});
