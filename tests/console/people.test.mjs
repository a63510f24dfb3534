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
async function as(name, address, use) {
  const context = await browser.newContext({ baseURL: world.url, viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE.timeout);
    await page.goto(address);
    await page.locator("[name=login]").fill(name);
    await page.locator("[name=password]").fill("any");
    await page.getByRole("button", { name: "Sign-in" }).click();
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("navigation", { name: "Pages" }).waitFor();
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
