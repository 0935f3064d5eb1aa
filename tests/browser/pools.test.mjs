/* SPDX-License-Identifier: ISC
 *
 * A pool in the browser: what balancers see arrives by itself, a server is drained and pooled with the mouse, and
 * a drain that would be refused says so before.
 */
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {openHouse} from "./house.mjs";
import {openBrowser, stranger, visitor} from "./visitor.mjs";

const SOON_MS = 3000;
const UP = {"web1.example.org": {}, "web2.example.org": {}, "web3.example.org": {}};

let house, browser, ada, vic;
before(async () => {
	house = await openHouse();
	browser = await openBrowser();
	ada = await visitor(house, browser, "ada");
	vic = await visitor(house, browser, "vic");
});
after(async () => {
	await browser?.close();
	await house?.close();
});

const row = (page, host) => page.locator(`tr[data-server="${host}.example.org"]`);
const isLive = (page) => page.locator('#live[data-state="live"]').waitFor();

test("the first page and the list of pools say what is wrong", async () => {
	const page = await vic.open("/");
	await page.locator("#pools").getByText("balancers disagree about web2.example.org").waitFor();
	await page.locator("#pools").getByRole("link", {name: "shop"}).click();
	await page.waitForURL(`${house.address}/pools/shop`);
	await row(page, "web2").getByText("edge1: held").waitFor();
	assert.equal(await page.getByRole("button", {name: "Drain"}).count(), 0);
	vic.peace();
});

test("what a balancer reports arrives without a reload", async () => {
	const page = await vic.open("/pools/shop");
	await isLive(page);
	await house.edge1.report(UP);
	await row(page, "web2").locator(".state.bad").first().waitFor({state: "detached", timeout: SOON_MS});
	await house.edge2.report({...UP, "web3.example.org": {state: "down", pooled: false, why: "TCP: timeout"}});
	await row(page, "web3").getByText("TCP: timeout").waitFor({timeout: SOON_MS});
	assert.ok(await row(page, "web3").locator("svg.pool-line rect.bar-part").count() >= 2);
	await house.edge2.report(UP);
	vic.peace();
});

test("a server is drained, and pooled again", async () => {
	const page = await ada.open("/pools/shop");
	await row(page, "web1").locator("summary").click();
	await row(page, "web1").getByLabel("Reason").fill("new kernel");
	await row(page, "web1").getByRole("button", {name: "Drain"}).click();
	await page.locator("#flash").waitFor();
	const asked = row(page, "web1").locator('td[data-column="Asked"]');
	assert.match(await asked.innerText(), /drain by ada, .*new kernel/s);
	assert.match(await asked.innerText(), /edge1: no answer yet/);
	const order_id = (await house.edge1.orders()).servers[0].order_id;
	await isLive(page);
	await house.edge1.report({...UP, "web1.example.org": {pooled: false, current_weight: 0, order_id, answer: "working"}});
	await asked.getByText("edge1: working").waitFor({timeout: SOON_MS});
	await row(page, "web1").getByRole("button", {name: "Pool"}).click();
	await page.locator("#flash").waitFor();
	assert.match(await asked.innerText(), /serve by ada/);
	ada.peace();
});

test("a drain that the floor forbids says so before, and wants a reason", async () => {
	await house.edge2.report(UP, {can_depool: false});
	const page = await ada.open("/pools/shop");
	const here = row(page, "web3");
	await here.locator("summary").click();
	await here.getByText("edge2 can spare no server now and will refuse").waitFor();
	await here.getByLabel("Reason, required").fill("it burns");
	await here.getByRole("button", {name: "Drain it all the same"}).click();
	await page.locator("#flash").waitFor();
	assert.match(await here.locator('td[data-column="Asked"]').innerText(), /drainforced by ada/);
	assert.equal((await house.edge1.orders()).servers[2].forced, true);
	ada.peace();
});

test("what somebody else asked meanwhile is not overwritten", async () => {
	const page = await ada.open("/pools/shop");
	house.drover("pool", "drain", "shop", "web2.example.org", "--reason", "by the command");
	const form = row(page, "web2");
	/* The page has not heard of it yet, or has: either way the old form is sent. */
	const order_id = await page.evaluate(() => 0);
	await page.evaluate(async (seen) => {
		const csrf = document.querySelector('input[name="csrf"]').value;
		const body = new URLSearchParams({csrf, form: "order-x", host: "web2.example.org", order: "serve", order_id: seen});
		window.answer = (await fetch("/pools/shop/orders", {method: "POST", body})).status;
	}, order_id);
	assert.equal(await page.evaluate(() => window.answer), 409);
	await form.getByText("by the command").waitFor({timeout: SOON_MS});
});

test("the page does all of it without scripts", async () => {
	const plain = await stranger(house, browser, {javaScriptEnabled: false});
	await plain.open(house.loginLink("ada"));
	await plain.page.getByRole("button", {name: "Log in"}).click();
	const page = await plain.open("/pools/shop");
	await page.getByText("Add or change a server").click();
	await page.getByLabel("Host").first().fill("web4.example.org");
	await page.getByRole("button", {name: "Save"}).first().click();
	await page.locator("#flash").waitFor();
	assert.equal(await row(page, "web4").count(), 1);
	await page.getByText("Take a server off the list").click();
	await page.getByLabel("Host").last().fill("nothing.example.org");
	await page.getByRole("button", {name: "Take it off"}).click();
	assert.match(await page.locator("#pool-server-remove-problem").innerText(), /no server 'nothing.example.org'/);
	plain.peace();
});
