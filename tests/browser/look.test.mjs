/* SPDX-License-Identifier: ISC
 *
 * Every page, light and dark, wide and narrow: axe finds nothing, nothing scrolls sideways at 320 pixels, nothing
 * stirs in the console, and nothing is asked of anybody else. The house's texts are hostile.
 */
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import axe from "@axe-core/playwright";
import {openHouse} from "./house.mjs";
import {DOORS, PAGES, reportOf} from "./pages.mjs";
import {openBrowser, stranger, visitor} from "./visitor.mjs";

const AxeBuilder = axe.default ?? axe;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/* All that can differ between light and dark. */
const RULES_OF_COLOUR = ["color-contrast", "link-in-text-block"];
const HEIGHT = 800;

let house, browser, ada, nobody, reader, report;
before(async () => {
	house = await openHouse();
	house.drover("remind");
	report = reportOf(house);
	browser = await openBrowser();
	const still = {reducedMotion: "reduce"};
	ada = await visitor(house, browser, "ada", still);
	nobody = await stranger(house, browser, still);
	reader = await stranger(house, browser, still);
	await nobody.open("/login");
	await reader.open("/login");
});
after(async () => {
	await browser?.close();
	await house?.close();
});

async function findNothing(page, where, runOnly) {
	const {violations} = await new AxeBuilder({page}).setLegacyMode(true).options({preload: false, runOnly}).analyze();
	const found = violations.map(({id, help, nodes}) =>
		`${where}: ${id}: ${help}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("\n")}`);
	assert.deepEqual(found, []);
}

async function assertFits(page, width) {
	await page.setViewportSize({width, height: HEIGHT});
	const {wide, widest} = await page.evaluate(() => ({
		wide: document.documentElement.scrollWidth,
		widest: [...document.querySelectorAll("body *")].filter((element) => !element.closest(".strip-scroll, .queue-scroll, .tree-scroll, .skip") &&
			element.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map((element) => element.outerHTML.slice(0, 200)),
	}));
	assert.ok(wide <= width, `${wide} pixels at ${width}: ${widest.join("\n")}`);
}

async function assertGood(page) {
	assert.equal(await page.locator("h1").count(), 1);
	assert.equal(await page.locator("html").getAttribute("lang"), "en");
	for (const width of [1280, 360]) {
		await page.setViewportSize({width, height: HEIGHT});
		await page.emulateMedia({colorScheme: "light"});
		await findNothing(page, `${width} light`, {type: "tag", values: TAGS});
		await page.emulateMedia({colorScheme: "dark"});
		await findNothing(page, `${width} dark`, {type: "rule", values: RULES_OF_COLOUR});
	}
	await assertFits(page, 320);
	await assertFits(page, 1280);
}

for (const [name, path] of Object.entries(PAGES))
	test(`${name} is good to everybody`, async () => {
		await assertGood(await ada.open(path));
		ada.peace();
	});

for (const [name, path] of Object.entries(DOORS))
	test(`${name} is good to everybody`, async () => {
		await assertGood(await nobody.open(path));
		nobody.peace();
	});

test("the static report is good to everybody, from a folder", async () => {
	assert.ok(Object.keys(report).length >= 4);
	for (const [name, address] of Object.entries(report)) {
		await reader.page.goto(address);
		await assertGood(reader.page);
		assert.equal(await reader.page.locator("script, form").count(), 0, name);
		for (const link of await reader.page.locator("a[href]").evaluateAll((all) => all.map((one) => one.getAttribute("href"))))
			assert.match(link, /^(#|[\w.-]+\.html(#[\w-]+)?$|https?:)/, `${name}: ${link}`);
	}
	reader.peace();
});

test("hostile texts are shown as they are, and do nothing", async () => {
	const page = await ada.open("/products/web/landings/7");
	assert.match(await page.locator("main .lead").innerText(), /<img src=x onerror=alert\(1\)> <script>/);
	assert.equal(await page.locator("main img, main script, main b[onclick]").count(), 0);
	await ada.open("/products/web/where?q=%22%3E%3Cscript%3Ealert(9)%3C%2Fscript%3E");
	assert.equal(await page.getByRole("searchbox").inputValue(), "\"><script>alert(9)</script>");
	await ada.open("/history?subject=%3Csvg%20onload%3Dalert(1)%3E&actor=%27%22");
	assert.equal(await page.getByLabel("About").inputValue(), "<svg onload=alert(1)>");
	ada.peace();
});

test("what is shown once is good to everybody", async () => {
	const page = await ada.open("/tokens");
	await page.getByLabel("What it is for").fill("nightly");
	await page.getByRole("button", {name: "Make"}).click();
	await page.locator("#token-secret").waitFor();
	await assertGood(page);
	await ada.open("/people/vic");
	await page.getByRole("button", {name: "Make a login link"}).click();
	await page.locator("#login-link").waitFor();
	await assertGood(page);
	await ada.open("/hosts");
	await page.getByLabel("Name").fill("lb1");
	await page.getByRole("button", {name: "Make a code"}).click();
	await page.locator("main .secret").first().waitFor();
	await assertGood(page);
	ada.peace();
});

test("a refused form is good to everybody", async () => {
	const page = await ada.open("/people");
	await page.getByLabel("Name, to log in with").fill("tess");
	await page.getByLabel("E-mail").fill("tess@example.org");
	await page.getByRole("button", {name: "Add"}).click();
	await page.getByRole("alert").waitFor();
	await assertGood(page);
	ada.peace();
});

test("on paper stands the content, without the navigation", async () => {
	const page = await ada.open("/products/web");
	await page.emulateMedia({media: "print", colorScheme: "dark"});
	for (const gone of ["nav", "form", ".skip"])
		for (const element of await page.locator(gone).all())
			assert.equal(await element.isVisible(), false, gone);
	assert.ok(await page.locator(".answer").isVisible());
	const colours = await page.evaluate(() => {
		const style = getComputedStyle(document.body);
		return [style.backgroundColor, style.color];
	});
	assert.deepEqual(colours, ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
	assert.ok((await page.pdf()).length > 1000);
	await page.emulateMedia({media: "screen"});
});

test("who wants less motion sees none", async () => {
	const page = await ada.open("/products/web");
	const moving = () => page.evaluate(() => [...document.querySelectorAll("*")].filter((element) => {
		const style = getComputedStyle(element);
		return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
	}).length);
	await page.emulateMedia({reducedMotion: "reduce"});
	assert.equal(await moving(), 0);
});

/* Last: it freezes the product. */
test("the overview under every banner is good to everybody", async () => {
	house.git("web", "", "update-ref", "refs/heads/main", "refs/heads/main~5");
	try {
		house.drover("landing", "scan", "web");
	} catch { /* it says that the branch was rewritten */ }
	house.drover("maintenance", "on", "--reason", "<b>moving</b> house");
	const page = await ada.open("/");
	assert.equal(await page.locator("#banners .banner").count(), 2);
	assert.match(await page.locator("#banner-maintenance").innerText(), /<b>moving<\/b> house/);
	await assertGood(page);
	ada.peace();
});
