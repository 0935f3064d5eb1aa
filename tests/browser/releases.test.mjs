/* SPDX-License-Identifier: ISC
 *
 * Releases and nodes in the browser: what a release is and what differs, a node whose reports arrive by themselves,
 * an order for exactly one version, and a node's code that is shown once.
 */
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {openHouse} from "./house.mjs";
import {enrol} from "./releases.mjs";
import {logIn, openBrowser, stranger, visitor} from "./visitor.mjs";

const SOON_MS = 3000;

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

const row = (page, node) => page.locator(`tr[data-node="${node}"]`);
const isLive = (page) => page.locator('#live[data-state="live"]').waitFor();

test("the first page says where releases are live, and which nodes need somebody", async () => {
	const page = await vic.open("/");
	assert.match(await page.locator("#product-web .releases").innerText(), /Live: 63\.1\.0 on stage\./);
	await page.locator("#nodes").getByText("1 needs somebody").waitFor();
	await page.locator("#nodes").getByRole("link", {name: "node2"}).click();
	await page.waitForURL(`${house.address}/nodes/node2`);
	vic.peace();
});

test("from the list to a release, its files and what differs", async () => {
	const page = await vic.open("/products/web");
	await page.getByRole("link", {name: "Releases", exact: true}).click();
	const newest = page.locator("#releases tbody tr").first();
	assert.match(await newest.innerText(), /63\.1\.0 #2[^]*stage by rule \d+/);
	assert.equal(await newest.locator("svg.bar-small").getAttribute("aria-label"), "1 run it, 3 should");
	await newest.getByRole("link", {name: "63.1.0"}).click();
	await page.getByRole("heading", {name: "web 63.1.0"}).waitFor();
	await page.locator("#signature").getByText("not checked here").waitFor();
	await page.getByText("Check it yourself").click();
	await page.getByText("minisign -V -p release.pub -m manifest").waitFor();
	assert.equal(await page.locator("#deltas svg.bar-small").getAttribute("aria-label"), "1.9 percent");

	await page.getByRole("link", {name: "All 4 files"}).click();
	assert.match(await page.locator("tbody").innerText(), /bin\/latest\s+link\s+→ web/);
	await page.getByLabel("Part of a path").fill("<i>");
	await page.getByRole("button", {name: "Find"}).click();
	assert.deepEqual(await page.locator("tbody th").allInnerTexts(), ["share/a b/<i>.css"]);

	await page.getByRole("link", {name: "63.1.0"}).click();
	await page.getByRole("link", {name: "Every file, compared with 63.0.0"}).click();
	await page.getByText("2 new, 2 changed, 1 gone.").waitFor();
	await page.locator(".tree-list").getByText("120.0 kB → 128.0 kB, +8.0 kB").waitFor();
	assert.match(await page.locator("svg.tree").getAttribute("aria-label"), /2 new, 2 changed, 1 gone/);
	assert.match(await page.locator("table").innerText(), /zlib\s+1\.3\s+1\.3\.1/);
	vic.peace();
});

test("what a node reports arrives without a reload", async () => {
	const page = await vic.open("/nodes");
	await isLive(page);
	await row(page, "node2").getByText("failed", {exact: true}).waitFor();
	await house.node2.report("63.0.0", {state: "installing", doing: {version: "63.1.0", step: "fetching", done: 30, total: 40}});
	await row(page, "node2").locator('svg[aria-label="75 percent"]').waitFor({timeout: SOON_MS});
	await house.node2.report("63.1.0");
	await row(page, "node2").getByText("good", {exact: true}).waitFor({timeout: SOON_MS});
	const one = await vic.open("/nodes/node2");
	await isLive(one);
	await house.node2.report("63.1.0", {state: "maintenance",
		maintenance: {on: true, reason: "new <b>disks</b>", until: null, overdue: false}});
	await one.locator('[data-banner="node-maintenance"]').getByText("new <b>disks</b>").waitFor({timeout: SOON_MS});
	await house.node2.report("63.1.0");
	await one.locator('[data-banner="node-maintenance"]').waitFor({state: "detached", timeout: SOON_MS});
	assert.match(await one.locator("svg.node-line").getAttribute("aria-label"), /now 63\.1\.0/);
	vic.peace();
});

test("an operator orders exactly one version, and lets it follow again", async () => {
	const page = await ada.open("/nodes/node1");
	await page.getByText("Order exactly one version").click();
	await page.getByLabel("Version").selectOption("63.0.0");
	await page.getByLabel("Reason, required").fill("sums are wrong");
	await page.getByRole("button", {name: "Order it"}).click();
	await page.locator("#flash").waitFor();
	assert.match(await page.locator("#place-web").innerText(), /exactly 63\.0\.0 by ada, .*sums are wrong/s);
	const [ordered] = (await house.node1.orders()).products;
	assert.deepEqual([ordered.version, ordered.is_ordered], ["63.0.0", true]);
	await page.getByRole("button", {name: "Follow the channel again"}).click();
	await page.locator("#flash").waitFor();
	assert.equal((await house.node1.orders()).products[0].is_ordered, false);
	ada.peace();
});

test("a viewer is offered no order, and is refused one", async () => {
	const page = await vic.open("/nodes/node1");
	await page.getByText("An operator of this product can order a version.").waitFor();
	assert.equal(await page.locator('form[action$="/order"]').count(), 0);
	await page.evaluate(() => {
		const form = document.createElement("form");
		form.method = "post";
		form.action = "/nodes/node1/products/web/order";
		const fields = {csrf: document.querySelector("input[name=csrf]").value, version: "63.0.0", reason: "mine"};
		for (const [name, value] of Object.entries(fields))
			form.append(Object.assign(document.createElement("input"), {name, value}));
		document.body.append(form);
		const answered = new Promise((resolve) => addEventListener("pagehide", resolve));
		form.submit();
		return answered;
	});
	await page.waitForURL("**/order");
	assert.match(await page.locator("main").innerText(), /operator/);
	assert.equal((await house.node1.orders()).products[0].is_ordered, false);
	vic.peace();
});

test("an admin adds a node, sees its code once, and the node enrols with it", async () => {
	const page = await ada.open("/nodes");
	await page.getByText("Add a node").click();
	await page.getByLabel("Name of the machine").fill("node9");
	await page.getByLabel("Product and channel").fill("web stage always");
	await page.getByLabel("Tags").fill("rack=b");
	await page.getByRole("button", {name: "Add"}).click();
	const code = await page.locator("#enrolment-code .secret").innerText();
	assert.match(code, /^dre_/);
	assert.equal(await page.locator("h1").innerText(), "node9");
	await isLive(page);
	const node = await enrol(house, code, "web");
	await node.report("63.1.0");
	await page.locator("#place-web").getByText("good", {exact: true}).first().waitFor({timeout: SOON_MS});
	assert.equal(await page.locator("#enrolment-code").count(), 1, "an update takes nothing away");
	await ada.open("/nodes/node9");
	assert.equal(await page.locator("#enrolment-code").count(), 0);
	assert.match(await page.locator("#machine").innerText(), /rack=b/);
	assert.match(await page.locator("#place-web").innerText(), /always by itself, in a pool, too/);
	await page.getByText("Products, tags and notes").click();
	assert.equal((await page.getByLabel("Product and channel").inputValue()).trim(), "web stage always");
	ada.peace();
});

test("a node that is typed wrongly keeps what was typed", async () => {
	const page = await ada.open("/nodes");
	await page.getByText("Add a node").click();
	await page.getByLabel("Name of the machine").fill("node10");
	await page.getByLabel("Product and channel").fill("web");
	await page.getByRole("button", {name: "Add"}).click();
	await page.locator("#node-add-problem").getByText('"web" is not a product and a channel').waitFor();
	assert.equal(await page.getByLabel("Name of the machine").inputValue(), "node10");
	ada.peace();
});

test("without scripts, nodes are filtered and ordered all the same", async () => {
	const plain = await stranger(house, browser, {javaScriptEnabled: false});
	await logIn(await plain.open("/login"), "ada");
	const page = await plain.open("/nodes");
	await page.getByLabel("State").selectOption("never");
	await page.getByRole("button", {name: "Filter"}).click();
	assert.deepEqual(await page.locator("tbody th").allInnerTexts(), ["node3"]);
	await page.getByRole("link", {name: "node3"}).click();
	await page.getByText("Order exactly one version").click();
	await page.getByLabel("Version").selectOption("63.0.0");
	await page.getByLabel("Reason, required").fill("first the old one");
	await page.getByRole("button", {name: "Order it"}).click();
	assert.match(await page.locator("#flash").innerText(), /told now/);
	assert.match(await page.locator("#place-web").innerText(), /exactly 63\.0\.0/);
	plain.peace();
	await plain.close();
});

test("on a narrow screen a row is a card, and pictures scroll inside of their frames", async () => {
	const phone = await visitor(house, browser, "vic", {viewport: {width: 360, height: 780}});
	for (const address of ["/nodes", "/nodes/node2", "/products/web/releases", "/products/web/releases/63.1.0/diff"]) {
		const page = await phone.open(address);
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), address);
	}
	const page = await phone.open("/nodes");
	assert.equal(await row(page, "node1").evaluate((element) => getComputedStyle(element).display), "block");
	phone.peace();
	await phone.close();
});

test("folders of what differs open with the keyboard", async () => {
	const page = await vic.open("/products/web/releases/63.1.0/diff");
	const folder = page.locator(".tree-list details").first();
	await folder.locator("summary").first().focus();
	await page.keyboard.press("Enter");
	assert.equal(await folder.evaluate((element) => element.open), false);
	await page.keyboard.press("Enter");
	assert.equal(await folder.evaluate((element) => element.open), true);
	await page.locator(".tree-scroll").focus();
	assert.equal(await page.evaluate(() => document.activeElement.className), "tree-scroll");
	vic.peace();
});
