// The console in Debian's Chromium: by roles and names, as people and screen readers find things.
//
// The world is tests/console/world.py: a theft that was revoked, with doors that the thief opened, and one that is held.
// axe-core is evaluated through the browser's own tools, so the pages keep their Content-Security-Policy.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import readline from "node:readline";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "../..");
const BINARY = process.env.RESCIND_BINARY ?? join(ROOT, "target/debug/rescind");
const PYTHON = process.env.RESCIND_EMULATOR_PYTHON ?? join(ROOT, "target/emulator-venv/bin/python");
const SHOTS = join(ROOT, "target/console");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = [
  [1280, 800],
  [390, 844],
];

let python, lines, world, browser;

/** One line of the world's answer. */
const said = async () => JSON.parse((await lines.next()).value);

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  python = spawn(PYTHON, [join(HERE, "world.py"), BINARY], { stdio: ["pipe", "pipe", "inherit"] });
  lines = readline.createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  world = await said();
  browser = await chromium.launch({
    executablePath: process.env.RESCIND_CHROMIUM ?? "/usr/bin/chromium",
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
});

after(async () => {
  await browser?.close();
  python?.stdin.end();
  await new Promise((ended) => python?.once("exit", ended) ?? ended());
});

/** A page in a context of its own; whatever the browser complains about fails the test. */
async function open(options, use) {
  const context = await browser.newContext({ baseURL: world.url, ...options });
  try {
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== world.url && protocol !== "data:") complaints.push(`asks ${request.url()}`);
    });
    await use(page, context);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

const incidentOf = (remediation) => `/incidents/i-${remediation.slice(2)}`;
const PAGES = () => ({
  now: ["/", "Now"],
  incidents: ["/incidents", "Incidents"],
  incident: [incidentOf(world.revoked), `role ${world.thief} in 222222222222`],
  history: ["/remediations", "History"],
  held: [`/remediations/${world.held}`, `role ${world.other} in 222222222222 (shop)`],
  revoked: [`/remediations/${world.revoked}`, `role ${world.thief} in 222222222222 (shop)`],
  decisions: ["/decisions", "Decisions"],
  alerts: ["/alerts", "Alerts"],
  coverage: ["/coverage", "Coverage"],
  "opt-outs": ["/opt-outs", "Opt-outs and rules"],
  ledger: ["/ledger", "Ledger"],
  health: ["/health", "Health"],
});

describe("every page", () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const [width, height] of SIZES) {
      test(`is accessible and fits, ${colorScheme}, ${width} wide`, async () => {
        await open({ colorScheme, viewport: { width, height } }, async (page) => {
          for (const [name, [path, heading]] of Object.entries(PAGES())) {
            const answer = await page.goto(path);
            assert.equal(answer.status(), 200, path);
            const policy = answer.headers()["content-security-policy"];
            assert.match(policy, /default-src 'none'/);
            assert.doesNotMatch(policy, /unsafe/);
            await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
            assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1, path);
            await page.getByRole("navigation", { name: "Pages" }).waitFor();
            const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            assert.ok(beyond <= 0, `${path} is ${beyond} px wider than the screen`);
            const cdp = await page.context().newCDPSession(page);
            await cdp.send("Runtime.evaluate", { expression: AXE });
            const { violations } = await page.evaluate(() => globalThis.axe.run());
            const found = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join("\n")}`);
            assert.deepEqual(found, [], path);
            await page.screenshot({ path: join(SHOTS, `${name}-${colorScheme}-${width}.png`) });
          }
        });
      });
    }
  }

  test("has its navigation and its tables whole on a phone", async () => {
    await open({ viewport: { width: 390, height: 844 } }, async (page) => {
      for (const [path] of Object.values(PAGES())) {
        await page.goto(path);
        const cut = await page.evaluate(() => {
          const all = [...document.querySelectorAll("nav a, .scroll:not(.graphic), pre, td, tbody th")];
          const isCut = (one) => one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > innerWidth;
          return all.filter((one) => one.offsetParent && one.tagName !== "TD" ? isCut(one) : one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML.slice(0, 200));
        });
        assert.deepEqual(cut, [], path);
      }
    });
  });

  test("works without scripts", async () => {
    await open({ javaScriptEnabled: false }, async (page) => {
      for (const [path, heading] of Object.values(PAGES())) {
        await page.goto(path);
        await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
      }
      await page.goto("/");
      await page.getByRole("link", { name: `role ${world.other}`, exact: true }).click();
      await page.getByText("Held: waiting for a decision").waitFor();
      await page.goto("/remediations");
      await page.getByLabel("State").selectOption("held");
      await page.getByRole("button", { name: "Search" }).click();
      await page.getByRole("rowheader", { name: world.other }).waitFor();
      assert.equal(await page.getByRole("rowheader", { name: world.thief }).count(), 0);
    });
  });
});

describe("people", () => {
  test("read in a sentence whether a thief is inside, and go to what waits for them", async () => {
    await open({}, async (page) => {
      await page.goto("/");
      await page.getByRole("region", { name: "The verdict" }).getByText(/^A thief is inside: 1 stolen session waits/).waitFor();
      const attention = page.getByRole("region", { name: "Needs attention" });
      await attention.getByText("not revoked", { exact: true }).waitFor();
      await attention.getByRole("link", { name: `role ${world.other}` }).click();
      await page.waitForURL(`**/remediations/${world.held}`);
      await page.getByRole("group", { name: "before and after" }).getByText("aws:TokenIssueTime").waitFor();
    });
  });

  test("see what the thief opened, and how to close it", async () => {
    await open({}, async (page) => {
      await page.goto(incidentOf(world.revoked));
      await page.getByText(/^No session of the thief is open, but \d+ doors are: they can come back\.$/).waitFor();
      const door = page.getByRole("article").filter({ hasText: "user/support-2" }).first();
      await door.getByText("aws iam").first().waitFor();
      await page.getByRole("img", { name: /^How one thing led to another/ }).waitFor();
      await page.getByText("The same as a list").click();
      await page.getByRole("listitem").filter({ hasText: "iam:CreateUser" }).first().waitFor();
    });
  });

  test("without an identity find nothing that they could press", async () => {
    await open({}, async (page) => {
      for (const path of [`/remediations/${world.held}`, incidentOf(world.revoked), "/"]) {
        await page.goto(path);
        assert.equal(await page.locator("button, form[method=post]").count(), 0, path);
      }
      assert.equal(await page.getByRole("link", { name: "Revoke", exact: true }).count(), 0);
    });
    for (const path of [`/remediations/${world.held}/answer`, `/remediations/${world.revoked}/release`, "/revoke"]) {
      const body = new URLSearchParams({ kind: "approve", reason: "x", confirmed: "yes", name: world.thief });
      const answer = await fetch(world.url + path, { method: "POST", body, redirect: "manual" });
      assert.ok([400, 401, 403].includes(answer.status), `${path}: ${answer.status}`);
      assert.match(answer.headers.get("content-type"), /^text\/html/);
    }
  });

  test("read the ledger in words, and one word for one thing", async () => {
    await open({}, async (page) => {
      await page.goto("/ledger");
      await page.getByRole("heading", { level: 2, name: "Checkpoint" }).waitFor();
      assert.equal(await page.getByText(/\bseal/i).count(), 0);
      const rows = [];
      for (;;) {
        rows.push(...(await page.getByRole("table").locator("tbody td.text").allTextContents()));
        const older = page.getByRole("link", { name: "Older" });
        if (!(await older.count())) break;
        await older.click();
        await page.waitForURL(/before=/);
        await page.getByRole("table").waitFor();
      }
      for (const text of [/^rescind .* started: rescind run|^rescind .* started: `rescind run`/, /^the organization was read: \d+ accounts/, /^connected to AWS as /]) {
        assert.ok(rows.some((row) => text.test(row.trim())), `${text} is not among ${rows.join("\n")}`);
      }
      // A kind alone is a word or two, joined by an underscore.
      assert.deepEqual(rows.filter((row) => /^[a-z_]+( \d{12})?$/.test(row.trim())), []);
    });
  });

  test("read whether new sessions are denied now, as the quarantine has it", async () => {
    await open({}, async (page) => {
      await page.goto(`/remediations/${world.revoked}`);
      const quarantine = await page.getByRole("region", { name: "Facts" }).locator("div", { has: page.getByText("Quarantine", { exact: true }) }).locator("dd").textContent();
      const impact = page.getByRole("region", { name: "Impact" });
      if (/^since/.test(quarantine)) await impact.getByText(/denied as well while the quarantine is attached/).waitFor();
      else await impact.getByText(/New sessions of the role are not denied/).waitFor();
    });
  });

  test("see above the page that the connection is lost, until it is back", async () => {
    const context = await browser.newContext({ baseURL: world.url });
    const page = await context.newPage();
    await page.route("**/v1/events", (route) => route.abort());
    await page.goto("/");
    const banner = page.locator("#stale[role=status]");
    await banner.getByText(/^Not connected to rescind since \d\d:\d\d:\d\d UTC\. What you see may be old\./).waitFor();
    assert.ok((await banner.boundingBox()).y < 200, "it is where people look");
    const cdp = await context.newCDPSession(page);
    await cdp.send("Runtime.evaluate", { expression: AXE });
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map((one) => one.id), []);
    await page.screenshot({ path: join(SHOTS, "lost.png") });
    await page.unroute("**/v1/events");
    await banner.getByText(/Not connected/).waitFor({ state: "detached", timeout: 60_000 });
    await context.close();
  });

  test("come by keyboard from the top of a page to its content", async () => {
    await open({}, async (page) => {
      await page.goto("/");
      await page.keyboard.press("Tab");
      const skip = page.getByRole("link", { name: "Skip to the content" });
      assert.ok(await skip.evaluate((one) => one === document.activeElement && one.getBoundingClientRect().left >= 0));
      await page.keyboard.press("Enter");
      assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    });
  });

  test("are not lost at an address that does not exist", async () => {
    const context = await browser.newContext({ baseURL: world.url });
    const page = await context.newPage();
    for (const path of ["/nothing", "/remediations/r-ffffffffffff", "/incidents/i-ffffffffffff", "/alerts/1"]) {
      assert.equal((await page.goto(path)).status(), 404, path);
      await page.getByRole("heading", { level: 1, name: "Not Found" }).waitFor();
      await page.getByRole("link", { name: "Back to Now" }).waitFor();
    }
    await context.close();
  });
});

test("the stylesheet and the script are kept for ever by their hash, and asked for by their tag", async () => {
  const page = await (await fetch(world.url)).text();
  for (const path of page.match(/\/assets\/[^"]+/g)) {
    const first = await fetch(world.url + path);
    assert.match(first.headers.get("cache-control"), /immutable/);
    const again = await fetch(world.url + path, { headers: { "if-none-match": first.headers.get("etag") } });
    assert.equal(again.status, 304);
    const other = await fetch(`${world.url}${path.split("?")[0]}?v=older`);
    assert.equal(other.headers.get("cache-control"), "no-cache");
  }
});

// These two change the world.
test("what only a person can do has its policy in a block to copy", async () => {
  await open({}, async (page) => {
    python.stdin.write("portal\n");
    await said();
    await page.goto("/");
    await page.getByRole("link", { name: /^the Identity Center role AWSReservedSSO_Administrator/ }).first().click({ timeout: 60_000 });
    const card = page.getByRole("region", { name: /^rescind cannot revoke this/ });
    const policy = JSON.parse(await card.getByRole("group", { name: "The policy to copy" }).textContent());
    assert.equal(policy.Statement[0].Effect, "Deny");
    assert.doesNotMatch((await card.locator("p").allTextContents()).join(), /[{}]/);
    await page.goto("/alerts");
    await page.getByRole("link", { name: /^act by hand/ }).click();
    assert.equal(JSON.parse(await page.getByRole("group", { name: "The policy to copy" }).textContent()).Statement.length, 1);
  });
});

test("a page that is open shows a new theft by itself, keeps the focus, and says so", async () => {
  await open({}, async (page) => {
    await page.goto("/");
    const link = page.getByRole("link", { name: `role ${world.other}`, exact: true });
    await link.focus();
    python.stdin.write("steal\n");
    await said();
    await page.getByRole("link", { name: "role shop-web in 222222222222" }).waitFor({ timeout: 60_000 });
    assert.ok(await link.evaluate((one) => one === document.activeElement), "the focus is where it was");
    assert.notEqual(await page.locator("#live").textContent(), "");
  });
});
