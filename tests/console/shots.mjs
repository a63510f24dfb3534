import { chromium } from "playwright-core";
const [base, out, ...paths] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const scheme of ["light", "dark"])
  for (const [w, h] of [[1280, 800], [390, 844]]) {
    const context = await browser.newContext({ viewport: { width: w, height: h }, colorScheme: scheme });
    const page = await context.newPage();
    page.on("console", (m) => m.type() === "error" && console.log("CONSOLE", m.text()));
    for (const path of paths) {
      const answer = await page.goto(base + path);
      const name = path.replace(/[^a-z]+/gi, "-").replace(/^-|-$/g, "").slice(0, 30) || "now";
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) console.log("TOO WIDE", path, w, wide);
      if (answer.status() !== 200) console.log(answer.status(), path);
      await page.screenshot({ path: `${out}/${name}-${scheme}-${w}.png`, fullPage: true });
    }
    await context.close();
  }
await browser.close();
