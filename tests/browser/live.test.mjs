/* SPDX-License-Identifier: ISC
 *
 * Two people, two windows: what one rules moves in the other, and disturbs nobody.
 */
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {openHouse} from "./house.mjs";
import {openBrowser, visitor} from "./visitor.mjs";

const SOON_MS = 2000;

let house, browser, tess, vic;
before(async () => {
	house = await openHouse();
	browser = await openBrowser();
	tess = await visitor(house, browser, "tess");
	vic = await visitor(house, browser, "vic");
});
after(async () => {
	await browser?.close();
	await house?.close();
});

const isLive = (page) => page.locator('#live[data-state="live"]').waitFor();

test("a verdict in one window moves the deployable revision in the other, without a reload", async () => {
	const watching = await vic.open("/");
	await isLive(watching);
	const card = watching.locator("#product-web");
	assert.match(await card.locator(".answer").innerText(), /^Deployable: landing 2 /);
	const strip = await card.locator(".strip").innerHTML();
	await watching.evaluate(() => { window.sameDocument = true; });
	let navigations = 0;
	watching.on("framenavigated", () => navigations++);

	const ruling = await tess.open("/products/web/landings/3");
	const form = ruling.locator('[data-item="3"]');
	await form.getByLabel("Reason").fill("rain and snow were right");
	await form.getByRole("button", {name: "ok", exact: true}).click();
	await ruling.locator("#flash").waitFor();
	assert.match(await ruling.locator("#log tbody tr").first().innerText(), /rain and snow were right/);

	await card.getByText(/^Deployable: landing 6 /).waitFor({timeout: SOON_MS});
	assert.notEqual(await card.locator(".strip").innerHTML(), strip);
	assert.equal(await watching.locator("#announce").textContent(), "The page was updated.");
	assert.equal(await watching.evaluate(() => window.sameDocument), true);
	assert.equal(navigations, 0);
	tess.peace();
	vic.peace();
});

test("the command moves open pages, too, and a new landing appears", async () => {
	const watching = await vic.open("/products/web");
	await isLive(watching);
	house.commit("web", [{subject: "Greet by name", body: "Bug: 20"}]);
	house.drover("landing", "scan", "web");
	await watching.locator("#blockers").getByText("Greet by name").first().waitFor({timeout: SOON_MS});
	vic.peace();
});

test("what is being typed stays while the page is updated around it", async () => {
	const typing = await tess.open("/products/web/landings/8");
	await isLive(typing);
	const reason = typing.locator('[data-item="8"]').getByLabel("Reason");
	await reason.fill("half a sen");
	house.verdict("web", "bad", 8, 9, "told elsewhere");
	await typing.locator("#log").getByText("told elsewhere").waitFor({timeout: SOON_MS});
	assert.equal(await reason.inputValue(), "half a sen");
	assert.equal(await reason.evaluate((field) => field === document.activeElement), true);
	await typing.keyboard.type("tence");
	assert.equal(await reason.inputValue(), "half a sentence");
	tess.peace();
});

test("a link keeps its focus while its region is replaced", async () => {
	const watching = await vic.open("/products/web");
	await isLive(watching);
	const link = watching.locator("#blockers a", {hasText: "landing 9"}).first();
	await link.focus();
	house.verdict("web", "ok", 11, 12);
	await watching.locator("#blockers a", {hasText: "landing 11"}).first().waitFor({state: "detached", timeout: SOON_MS});
	assert.equal(await watching.evaluate(() => document.activeElement.textContent), "landing 9");
	vic.peace();
});

test("the maintenance switch is seen on every open page", async () => {
	const watching = await vic.open("/history");
	await isLive(watching);
	house.drover("maintenance", "on", "--reason", "a new disk");
	await watching.locator("#banner-maintenance").getByText("a new disk").waitFor({timeout: SOON_MS});
	house.drover("maintenance", "off");
	await watching.locator("#banner-maintenance").waitFor({state: "detached", timeout: SOON_MS});
	vic.peace();
});

/* Last: the browser writes about lost connections in its console. */
test("the page says when it is not live, and becomes so again by itself", async () => {
	const watching = await vic.open("/");
	await isLive(watching);
	const port = house.port;
	await house.stop();
	await watching.locator('#live[data-state="reconnecting"]').waitFor();
	assert.equal(await watching.locator("#live").innerText(), "reconnecting");
	house.verdict("web", "ok", 7, 7);
	await house.start(port);
	await isLive(watching);
	assert.equal(await watching.locator("#live").innerText(), "live");
	/* What changed meanwhile arrives, too. */
	await watching.locator("#product-web").getByText(/^Deployable: landing 7 /).waitFor();
});
