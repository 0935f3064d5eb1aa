/* SPDX-License-Identifier: ISC
 *
 * The ways in and out.
 */
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {openHouse, PASSWORD} from "./house.mjs";
import {logIn, openBrowser, stranger, visitor} from "./visitor.mjs";

let house, browser;
before(async () => {
	house = await openHouse();
	browser = await openBrowser();
});
after(async () => {
	await browser?.close();
	await house?.close();
});

test("a password leads to the page one asked for", async () => {
	const ada = await stranger(house, browser);
	const page = await ada.open("/products/web/landings/3");
	assert.equal(new URL(page.url()).pathname, "/login");
	await logIn(page, "ada");
	await page.waitForURL("**/products/web/landings/3");
	assert.match(await page.locator("#flash").innerText(), /You are logged in/);
	await page.reload();
	assert.equal(await page.locator("#flash").count(), 0, "said once");
	ada.peace();
	await ada.close();
});

test("a wrong password is told at the form, and the name stays", async () => {
	const ada = await stranger(house, browser);
	const page = await ada.open("/login");
	await logIn(page, "ada", "not the password");
	assert.match(await page.getByRole("alert").innerText(), /password/i);
	assert.equal(await page.getByLabel("Name").inputValue(), "ada");
	assert.equal(await page.getByLabel("Password").inputValue(), "");
	const described = await page.getByLabel("Password").getAttribute("aria-describedby");
	assert.equal(await page.locator(`#${described}`).innerText(), await page.getByRole("alert").innerText());
	await logIn(page, "nobody-of-that-name", "not the password");
	assert.match(await page.getByRole("alert").innerText(), /password/i, "the same to a stranger");
	await logIn(page, "ada");
	await page.getByRole("heading", {name: "Overview"}).waitFor();
	ada.peace();
	await ada.close();
});

test("a login link works once, by its button and not by looking at it", async () => {
	const link = house.loginLink("tess");
	const tess = await stranger(house, browser);
	const page = await tess.open(link);
	await page.reload();
	await page.getByRole("button", {name: "Log in"}).click();
	await page.getByRole("heading", {name: "Overview"}).waitFor();
	assert.equal(await page.locator("#person").innerText(), "tess");

	const late = await stranger(house, browser);
	const second = await late.open(link);
	await second.getByRole("button", {name: "Log in"}).click();
	assert.match(await second.locator("main").innerText(), /login link/i);
	assert.equal(await second.locator("#person").count(), 0);
	assert.deepEqual(await late.context.cookies().then((all) => all.filter((one) => one.name.includes("session"))), []);
	tess.peace();
	late.peace();
	await Promise.all([tess.close(), late.close()]);
});

test("after logging out, going back shows nothing private", async () => {
	const tess = await visitor(house, browser, "tess");
	const page = await tess.open("/products/web/landings/3");
	const [answer] = await Promise.all([page.waitForResponse("**/landings/3"), page.reload()]);
	assert.equal(answer.headers()["cache-control"], "no-store");
	await page.getByRole("button", {name: "Log out"}).click();
	await page.waitForURL("**/login*");
	assert.match(await page.locator("#flash").innerText(), /You are logged out/);
	await page.goBack();
	await page.getByLabel("Password").waitFor();
	assert.doesNotMatch(await page.locator("body").innerText(), /weather/);
	await tess.close();
});

test("the session's cookie is out of the scripts' reach", async () => {
	const tess = await visitor(house, browser, "tess");
	assert.equal(await tess.page.evaluate(() => document.cookie), "");
	const cookies = await tess.context.cookies();
	assert.ok(cookies.some((cookie) => cookie.httpOnly && cookie.sameSite === "Lax"));
	await tess.close();
});
