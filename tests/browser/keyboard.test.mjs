/* SPDX-License-Identifier: ISC
 *
 * Everything by keyboard alone: Tab, Enter, Space.
 */
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {openHouse, PASSWORD} from "./house.mjs";
import {active, TABS, tabTo} from "./keyboard.mjs";
import {openBrowser, stranger, visitor} from "./visitor.mjs";

let house, browser;
before(async () => {
	house = await openHouse();
	browser = await openBrowser();
});
after(async () => {
	await browser?.close();
	await house?.close();
});

test("login, product, landing, verdict and history without a pointer", async () => {
	const tess = await stranger(house, browser);
	const page = await tess.open("/login");
	await tabTo(page, (now) => now.label === "Name");
	await page.keyboard.type("tess");
	await tabTo(page, (now) => now.label === "Password");
	await page.keyboard.type(PASSWORD);
	await tabTo(page, (now) => now.tag === "BUTTON" && now.text === "Log in");
	await page.keyboard.press("Space");
	await page.waitForURL(`${house.address}/`);

	await tabTo(page, (now) => now.href === "/products/web");
	await page.keyboard.press("Enter");
	await page.waitForURL("**/products/web");
	await tabTo(page, (now) => now.href === "/products/web/landings/3");
	await page.keyboard.press("Enter");
	await page.waitForURL("**/landings/3");
	await tabTo(page, (now) => now.label === "Reason" && now.group === "3");
	await page.keyboard.type("no mouse was harmed");
	await tabTo(page, (now) => now.tag === "BUTTON" && now.text === "ok" && now.group === "3");
	await page.keyboard.press("Enter");
	await page.locator("#flash").waitFor();
	await page.locator("#log").getByText("no mouse was harmed").waitFor();

	await tabTo(page, (now) => now.href === "/history");
	await page.keyboard.press("Enter");
	await page.waitForURL("**/history");
	const first = page.locator("#entries tbody tr").first();
	assert.match(await first.innerText(), /no mouse was harmed/);
	const entry = await first.locator("th a").getAttribute("href");
	await tabTo(page, (now) => now.href === entry);
	await page.keyboard.press("Enter");
	await page.waitForURL(`**${entry}`);
	tess.peace();
	await tess.close();
});

test("the first Tab offers to skip to the content, and does", async () => {
	const tess = await visitor(house, browser, "tess");
	const page = await tess.open("/products/web");
	await page.keyboard.press("Tab");
	const skip = await active(page);
	assert.equal(skip.text, "Skip to the content");
	assert.ok(skip.seen && skip.outline);
	await page.keyboard.press("Enter");
	assert.equal((await active(page)).id, "main");
	await page.keyboard.press("Tab");
	assert.ok(await page.evaluate(() => document.getElementById("main").contains(document.activeElement)));
	await tess.close();
});

test("the order of Tab is the order of reading", async () => {
	const tess = await visitor(house, browser, "tess");
	for (const path of ["/", "/products/web", "/products/web/landings/3", "/history", "/tokens",
		"/channels/web/beta", "/changes/1", "/changes/new?kind=rule&rule_id=2"]) {
		const page = await tess.open(path);
		assert.equal(await page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count(), 0);
		const places = [];
		for (let tab = 0; tab < TABS; tab++) {
			await page.keyboard.press("Tab");
			const place = await page.evaluate(() => {
				const all = [...document.querySelectorAll("*")];
				return document.activeElement === document.body ? -1 : all.indexOf(document.activeElement);
			});
			if (place < 0 || places.includes(place))
				break;
			places.push(place);
		}
		assert.ok(places.length > 8, `${path}: ${places.length} stops`);
		assert.deepEqual(places, [...places].sort((a, b) => a - b), path);
	}
	tess.peace();
	await tess.close();
});

test("Enter in a reason sends no verdict that was not chosen", async () => {
	const tess = await visitor(house, browser, "tess");
	const page = await tess.open("/products/web/landings/8");
	await page.locator('[data-item="8"]').getByLabel("Reason").fill("just thinking");
	await page.keyboard.press("Enter");
	await page.waitForTimeout(300);
	const state = JSON.parse(house.drover("landing", "show", 8, "--product", "web", "--json"));
	assert.deepEqual(state.verdicts.filter((verdict) => verdict.item === "8"), []);
	await tess.close();
});
