/* SPDX-License-Identifier: ISC
 *
 * With scripts off everything still works.
 */
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {openHouse} from "./house.mjs";
import {logIn, openBrowser, stranger} from "./visitor.mjs";

let house, browser;
before(async () => {
	house = await openHouse();
	browser = await openBrowser();
});
after(async () => {
	await browser?.close();
	await house?.close();
});

/* Somebody whose browser runs no scripts, logged in by password. */
async function plain(name) {
	const someone = await stranger(house, browser, {javaScriptEnabled: false});
	await logIn(await someone.open("/login"), name);
	await someone.page.getByRole("heading", {name: "Overview"}).waitFor();
	return someone;
}

const flash = (page) => page.locator("#flash").innerText();
const answer = (page) => page.locator("#product-web .answer").innerText();

test("a tester rules, and withdraws", async () => {
	const tess = await plain("tess");
	let page = tess.page;
	assert.match(await answer(page), /landing 2 /);
	await page.getByRole("link", {name: "web", exact: true}).click();
	await page.locator("#blockers").getByRole("link", {name: "landing 3"}).first().click();
	const item = page.locator('[data-item="3"]');
	await item.getByLabel("Reason").fill("looked at it twice");
	await item.getByRole("button", {name: "ok", exact: true}).click();
	assert.match(await flash(page), /verdict is written down/);
	assert.match(await answer(await tess.open("/")), /landing 6 /);

	page = await tess.open("/products/web/landings/3");
	await item.getByRole("button", {name: "needs-testing"}).click();
	assert.match(await flash(page), /verdict is written down/);
	assert.equal(await page.locator("#log tbody tr").count(), 2, "both are remembered");
	assert.match(await answer(await tess.open("/")), /landing 2 /);

	page = await tess.open("/products/web/landings/9");
	const itself = page.locator('[data-item="landing"]');
	await itself.getByRole("button", {name: "ok", exact: true}).click();
	await itself.getByRole("button", {name: "withdraw"}).click();
	assert.equal(await page.locator("#log tbody tr").count(), 2);
	tess.peace();
	await tess.close();
});

test("an admin turns the maintenance switch on and off", async () => {
	const ada = await plain("ada");
	const page = await ada.open("/maintenance");
	await page.getByLabel("Reason").fill("moving house");
	await page.getByRole("button", {name: "Turn it on"}).click();
	assert.match(await page.locator("#banner-maintenance").innerText(), /moving house/);
	await page.getByRole("button", {name: "Turn it off"}).click();
	assert.equal(await page.locator("#banner-maintenance").count(), 0);
	assert.match(await page.locator("#switch").innerText(), /It is off/);
	ada.peace();
	await ada.close();
});

test("an admin adds a person, gives a role, and a login link that works", async () => {
	const ada = await plain("ada");
	const page = await ada.open("/people");
	await page.getByLabel("Name, to log in with").fill("zoe");
	await page.getByLabel("E-mail").fill("zoe@example.org");
	await page.getByRole("button", {name: "Add"}).click();
	assert.match(await flash(page), /Give roles next/);
	await page.getByLabel("Product").selectOption("web");
	await page.getByLabel("Role", {exact: true}).selectOption("tester");
	await page.getByRole("button", {name: "Give this role"}).click();
	assert.match(await page.locator("main table").innerText(), /web\s+tester/);
	await page.getByRole("button", {name: "Make a login link"}).click();
	const link = await page.locator("#login-link code").innerText();
	assert.match(link, /^\/login\//);

	const zoe = await stranger(house, browser, {javaScriptEnabled: false});
	await zoe.open(link);
	await zoe.page.getByRole("button", {name: "Log in"}).click();
	assert.equal(await zoe.page.locator("#person").innerText(), "zoe");
	await zoe.open("/products/web/landings/3");
	assert.equal(await zoe.page.locator('[data-item="3"] button:enabled').count(), 4);

	await page.goto(`${house.address}/people/zoe`);
	await page.getByRole("button", {name: "Take away"}).click();
	assert.match(await flash(page), /role was taken away/);
	await zoe.open("/products/web");
	assert.doesNotMatch(await zoe.page.locator("body").innerText(), /weather/, "no role, no sight");
	ada.peace();
	zoe.peace();
	await Promise.all([ada.close(), zoe.close()]);
});

test("a token's secret is shown once, works, and is dead when revoked", async () => {
	const tess = await plain("tess");
	const page = await tess.open("/tokens");
	await page.getByLabel("What it is for").fill("nightly");
	await page.getByRole("button", {name: "Make"}).click();
	const secret = await page.locator("#token-secret code.secret").innerText();
	const ask = () => fetch(`${house.address}/api/v1/status`, {headers: {Authorization: `Bearer ${secret}`}});
	assert.equal((await ask()).status, 200);
	await tess.open("/tokens");
	assert.equal(await page.locator("#token-secret").count(), 0);
	assert.doesNotMatch(await page.content(), new RegExp(secret));
	await page.getByRole("row", {name: /nightly/}).getByRole("button", {name: "Revoke"}).click();
	assert.match(await flash(page), /token was revoked/);
	assert.match(await page.getByRole("row", {name: /nightly/}).innerText(), /revoked/);
	assert.equal((await ask()).status, 401);
	tess.peace();
	await tess.close();
});

test("is my branch live?", async () => {
	const vic = await plain("vic");
	const page = await vic.open("/products/web");
	const ask = async (question) => {
		await page.getByRole("searchbox").fill(question);
		await page.getByRole("button", {name: "Ask"}).click();
		return page.locator("#matches").innerText();
	};
	assert.match(await ask("2"), /yes/);
	assert.match(await ask("3"), /not yet/);
	assert.match(await ask("dark-map"), /not landed/);
	assert.match(await ask("no such thing"), /Nothing fits/);
	vic.peace();
	await vic.close();
});

test("history goes back page by page to its first entry, is filtered and verified", async () => {
	for (let round = 0; round < 20; round++) {
		house.verdict("web", "bad", 9, null, `round ${round}`);
		house.verdict("web", "ok", 9, null, `round ${round}`);
	}
	const vic = await plain("ada");
	const page = await vic.open("/history");
	const seen = new Set();
	for (;;) {
		for (const entry of await page.locator("#entries tbody th").allInnerTexts())
			seen.add(Number(entry));
		if (await page.getByRole("link", {name: "Older"}).count() === 0)
			break;
		await page.getByRole("link", {name: "Older"}).click();
	}
	assert.equal(seen.size, Math.max(...seen), "each entry once, down to 1");
	assert.ok(seen.has(1) && seen.size > 50);

	await vic.open("/history");
	await page.getByLabel("By").fill("tess");
	await page.getByRole("button", {name: "Filter"}).click();
	for (const row of await page.locator("#entries tbody tr").allInnerTexts())
		assert.match(row, /tess/);
	await page.getByRole("button", {name: "Verify the chain"}).click();
	assert.match(await page.locator("#history-verdict").innerText(), /The chain is whole/);
	vic.peace();
	await vic.close();
});

test("landings are filtered by state and author", async () => {
	const vic = await plain("vic");
	const page = await vic.open("/products/web/landings");
	await page.getByLabel("State").selectOption("bad");
	await page.getByRole("button", {name: "Filter"}).click();
	const rows = await page.locator("#landings tbody tr").allInnerTexts();
	assert.deepEqual(rows.map((row) => /^\d+/.exec(row)?.[0]), ["4"]);
	assert.equal(await page.getByLabel("State").inputValue(), "BAD");
	vic.peace();
	await vic.close();
});
