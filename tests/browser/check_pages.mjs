// Opens pages in a headless browser and prints what is wrong with them, one JSON object a page.
//   node check_pages.mjs CHROMIUM PAGE... [--screenshots FOLDER]
// Each page is seen light and dark, as wide as a desk's screen and as a phone's.
import { basename, join } from "node:path";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { HtmlValidate } from "html-validate";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core");
const LOOKS = [
  { name: "light", colorScheme: "light", viewport: { width: 1200, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1200, height: 900 } },
  { name: "phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
];

async function look(browser, path, { name, ...options }, screenshots) {
  const page = await browser.newPage(options);
  const found = { console: [], requests: [] };
  const address = pathToFileURL(path).href;
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") found.console.push(message.text());
  });
  page.on("pageerror", (error) => found.console.push(String(error)));
  page.on("request", (request) => {
    if (request.url() !== address) found.requests.push(request.url());
  });
  await page.goto(address);
  await page.screenshot({ path: join(screenshots, `${basename(path)}.${name}.png`), fullPage: true });
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  found.overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  await page.addScriptTag({ path: AXE });
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  found.axe = violations.map((one) => `${one.id}: ${one.help} (${one.nodes.length}): ${one.nodes[0].html}`);
  await page.close();
  return found;
}

const { positionals: [executablePath, ...paths], values } = parseArgs({
  allowPositionals: true,
  options: { screenshots: { type: "string" } },
});
const validator = new HtmlValidate({ extends: ["html-validate:standard", "html-validate:a11y"] });
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
for (const path of paths) {
  const { results } = await validator.validateFile(path);
  const html = results.flatMap((one) => one.messages.map((m) => `${m.line}: ${m.ruleId}: ${m.message}`));
  const looks = {};
  for (const one of LOOKS) looks[one.name] = await look(browser, path, one, values.screenshots);
  console.log(JSON.stringify({ path, html, looks }));
}
await browser.close();
