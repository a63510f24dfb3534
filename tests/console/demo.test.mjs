// The people of the demo's own OpenID provider (tests/emulator/openid_provider) in Debian's Chromium: Anna is logged in
// without typing anything, and whoever logs out can come back as somebody else. What they see on the way is kept in
// target/console/pages: `make console-pictures` makes the pictures of docs/console of it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";
import readline from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "../..");
const SHOTS = join(ROOT, "target/console/pages");
const BINARY = process.env.RESCIND_BINARY ?? join(ROOT, "target/debug/rescind");
const PYTHON = process.env.RESCIND_EMULATOR_PYTHON ?? join(ROOT, "target/emulator-venv/bin/python");
const EMULATOR = join(ROOT, "tests/emulator");
const PATIENCE = { timeout: 60_000 };
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
// Height of a picture, in pixels: what is below is scrolled to.
const TALLEST = 1500;

let browser, context, page, provider, python, lines, world;

const freePort = () =>
  new Promise((found) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });

const linesOf = (child) => readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const stdio = ["pipe", "pipe", "inherit"];

const isDenied = async () => {
  python.stdin.write("thief\n");
  return JSON.parse((await lines.next()).value).denied;
};

before(async () => {
  rmSync(SHOTS, { recursive: true, force: true });
  mkdirSync(SHOTS, { recursive: true });
  const url = `http://127.0.0.1:${await freePort()}`;
  provider = spawn(PYTHON, ["-m", "openid_provider", "--console", url], { stdio, cwd: EMULATOR });
  const issuer = (await linesOf(provider).next()).value.replace("listening on ", "");
  python = spawn(PYTHON, [join(HERE, "world.py"), BINARY, JSON.stringify({ url, issuer })], { stdio });
  lines = linesOf(python);
  world = JSON.parse((await lines.next()).value);
  browser = await chromium.launch({
    executablePath: process.env.RESCIND_CHROMIUM ?? "/usr/bin/chromium",
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  context = await browser.newContext({ baseURL: world.url, viewport: DESK });
  page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
});

after(async () => {
  await browser?.close();
  for (const child of [python, provider]) {
    child?.stdin.end();
    await new Promise((ended) => child?.once("exit", ended) ?? ended());
  }
});

/** The page from its top, as far down as a picture goes. */
async function picture(name, tallest = TALLEST) {
  const { width } = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const clip = { x: 0, y: 0, width, height: Math.min(height, tallest) };
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true, clip });
}

async function open(path, name, tallest) {
  await page.goto(path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await picture(name, tallest);
}

const remediation = (id) => `/remediations/${id}`;
const incident = () => `/incidents/i-${world.revoked.slice(2)}`;

test("an approver is logged in without typing anything, and reads every page", async () => {
  await page.goto("/");
  await page.getByRole("banner").getByText("Anna").waitFor();
  assert.equal(new URL(page.url()).origin, world.url);
  await picture("now");
  await open(incident(), "incident", 2150);
  await open("/remediations", "history");
  await open("/coverage", "coverage");
  await open("/opt-outs", "opt-outs");
  await open("/ledger", "ledger");
  await open("/health", "health");
  await page.setViewportSize(PHONE);
  await open("/", "now-phone", 1250);
  await page.setViewportSize(DESK);
});

test("an approver approves, and the thief is denied", async () => {
  await open(remediation(world.held), "held");
  assert.equal(await isDenied(), false);
  await page.getByLabel("Your reason (for the ledger)").fill("seen at the instance, INC-4711");
  await page.getByRole("button", { name: "Approve …" }).click();
  await page.getByRole("heading", { level: 1, name: /^Approve: revoke role/ }).waitFor();
  await picture("confirm");
  await page.getByRole("button", { name: "Approve and revoke" }).click();
  await page.locator(".state", { hasText: /^revoked$/ }).waitFor(PATIENCE);
  await page.getByText("approved by Anna: seen at the instance, INC-4711").first().waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await picture("approved-dark", 1100);
  await page.emulateMedia({ colorScheme: "light" });
  assert.equal(await isDenied(), true);
});

test("whoever logs out chooses who logs in next, without a password", async () => {
  await page.getByRole("button", { name: "Log out" }).click();
  // Out of the provider as well, and back.
  await page.waitForURL(`${world.url}/logged-out`);
  await page.getByRole("link", { name: "Log in", exact: true }).click();
  await page.getByRole("heading", { name: "Who are you?" }).waitFor();
  await page.getByText("It has no passwords").waitFor();
  assert.equal(await page.locator("input:not([type=hidden])").count(), 0);
  await picture("people", 520);
  await page.getByRole("button", { name: /^Olga/ }).click();
  await page.getByRole("banner").getByText("Olga").waitFor();
  assert.equal(new URL(page.url()).origin, world.url);
});

test("an operator sees what a release takes back, and what an order does", async () => {
  await page.goto(remediation(world.held));
  await page.getByRole("link", { name: "See what a release takes back" }).click();
  await page.getByRole("heading", { level: 1, name: /^Release role/ }).waitFor();
  await picture("release");
  await page.goto("/revoke");
  await page.getByLabel(/^Account/).fill("222222222222");
  await page.getByLabel(/^Role or user/).fill("shop-web");
  await page.getByLabel(/^Reason/).fill("reported by the team");
  await page.getByRole("button", { name: "Show the plan" }).click();
  await page.getByLabel(/^Type/).waitFor();
  await picture("plan");
});
