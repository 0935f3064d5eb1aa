/* SPDX-License-Identifier: ISC
 *
 * Forms that are refused, sent twice, or not there.
 */
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {openHouse} from "./house.mjs";
import {openBrowser, visitor} from "./visitor.mjs";

let house, browser;
before(async () => {
	house = await openHouse();
	browser = await openBrowser();
});
after(async () => {
	await browser?.close();
	await house?.close();
});

const verdictsOn = (landing) =>
	JSON.parse(house.drover("landing", "show", landing, "--product", "web", "--json")).verdicts;

test("a refused form keeps what was typed and says why", async () => {
	const ada = await visitor(house, browser, "ada");
	const page = await ada.open("/people");
	await page.getByLabel("Name, to log in with").fill("tess");
	await page.getByLabel("E-mail").fill("another@example.org");
	await page.getByRole("button", {name: "Add"}).click();
	assert.match(await page.getByRole("alert").innerText(), /tess/);
	assert.equal(await page.getByLabel("Name, to log in with").inputValue(), "tess");
	assert.equal(await page.getByLabel("E-mail").inputValue(), "another@example.org");
	await page.getByLabel("Name, to log in with").fill("tessa");
	await page.getByRole("button", {name: "Add"}).click();
	await page.getByRole("heading", {name: "tessa"}).waitFor();

	await ada.open("/tokens");
	await page.getByLabel("What it is for").fill("for ever");
	await page.getByLabel("Days until it expires").fill("9999");
	await page.getByRole("button", {name: "Make"}).click();
	assert.match(await page.getByRole("alert").innerText(), /366/);
	assert.equal(await page.getByLabel("What it is for").inputValue(), "for ever");
	assert.equal(await page.getByLabel("Days until it expires").inputValue(), "9999");
	ada.peace();
	await ada.close();
});

test("what changed under an open form is told, and nothing is overwritten", async () => {
	const ada = await visitor(house, browser, "ada");
	const page = await ada.open("/people/vic");
	house.drover("user", "set", "vic", "--email", "first@example.org");
	await page.locator("#person-change").getByLabel("E-mail").fill("second@example.org");
	await page.getByRole("button", {name: "Save"}).click();
	assert.equal(await page.locator("#person-change").getByLabel("E-mail").inputValue(), "second@example.org");
	assert.ok((await page.getByRole("alert").innerText()).length > 20);
	assert.match(house.drover("user", "show", "vic"), /first@example\.org/);
	ada.peace();
	await ada.close();
});

test("a viewer sees no verdict buttons and is told who can", async () => {
	const vic = await visitor(house, browser, "vic");
	const page = await vic.open("/products/web/landings/3");
	assert.equal(await page.locator("#rulings button, #rulings input").count(), 0);
	assert.match(await page.locator("#rulings").innerText(), /A tester of this product can rule/);
	assert.deepEqual(await page.getByRole("navigation", {name: "Main"}).getByRole("link").allInnerTexts(),
		["Overview", "Channels", "Changes", "Nodes", "Pools", "History", "Maintenance", "Tokens"]);
	await vic.open("/people");
	assert.match(await page.locator("main").innerText(), /admin/);
	assert.equal(await page.locator("main form").count(), 0);
	vic.peace();
	await vic.close();
});

test("a verdict that is sent twice by an impatient hand is written once", async () => {
	const tess = await visitor(house, browser, "tess");
	const page = await tess.open("/products/web/landings/3");
	await page.locator('[data-item="3"]').getByLabel("Reason").fill("click click");
	await page.locator('[data-item="3"]').getByRole("button", {name: "ok", exact: true}).dblclick();
	await page.locator("#flash").waitFor();
	assert.equal(verdictsOn(3).filter((verdict) => verdict.reason === "click click").length, 1);
	await page.reload();
	assert.equal(verdictsOn(3).length, 1, "reloading sends nothing");
	tess.peace();
	await tess.close();
});

test("reloading the page that shows a secret makes no second token", async () => {
	const tess = await visitor(house, browser, "tess");
	const page = await tess.open("/tokens");
	await page.getByLabel("What it is for").fill("once");
	await page.getByRole("button", {name: "Make"}).click();
	await page.locator("#token-secret").waitFor();
	await page.goto(page.url());
	assert.equal(await page.getByRole("row", {name: /once/}).count(), 1);
	assert.equal(await page.locator("#token-secret").count(), 0);
	tess.peace();
	await tess.close();
});

test("a form of a session that ended changes nothing", async () => {
	const tess = await visitor(house, browser, "tess");
	const page = await tess.open("/products/web/landings/8");
	await tess.context.clearCookies();
	await page.locator('[data-item="8"]').getByRole("button", {name: "ok", exact: true}).click();
	await page.getByText(/log in/i).first().waitFor();
	assert.deepEqual(verdictsOn(8), []);
	await tess.close();
});
