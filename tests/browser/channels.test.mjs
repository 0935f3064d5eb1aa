/* SPDX-License-Identifier: ISC
 *
 * A change from the rule to live, as people make it: one writes it, two sign, one watches.
 */
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {submit, update} from "./channels.mjs";
import {openHouse} from "./house.mjs";
import {active, tabTo} from "./keyboard.mjs";
import {logIn, openBrowser, stranger, visitor} from "./visitor.mjs";

const SOON_MS = 5000;

let house, browser, ada, vic;
before(async () => {
	house = await openHouse();
	for (const name of ["grace", "ken"]) {
		house.person(name, "viewer");
		house.drover("user", "grant", name, "relman", "web");
	}
	browser = await openBrowser();
	ada = await visitor(house, browser, "ada");
	vic = await visitor(house, browser, "vic");
});
after(async () => {
	await browser?.close();
	await house?.close();
});

const rule = (page, number) => page.locator(`tr[data-rule="${number}"]`);
const isLive = (page) => page.locator('#live[data-state="live"]').waitFor();
const flash = (page) => page.locator("#flash").innerText();
const minute = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 16);

/* Writes a change of a rule on its page, up to what it would do. */
async function check(page, number, fields) {
	await page.goto(`${house.address}/changes/new?kind=rule&rule_id=${number}`);
	for (const [label, value] of Object.entries({"Reason": "tried", ...fields}))
		await page.getByLabel(label, {exact: true}).fill(String(value));
	await page.getByRole("button", {name: "See what it would do"}).click();
}

async function schedule(page, number, fields) {
	await check(page, number, fields);
	await page.getByRole("button", {name: "Schedule exactly this"}).click();
	await page.locator("#flash").waitFor();
	return Number(new URL(page.url()).pathname.split("/").pop());
}

test("the list and the channel say what is shut off, what waits and where test channels are cut", async () => {
	const page = await vic.open("/channels");
	assert.match(await page.locator('[data-channel="nightly"]').innerText(), /shut off/);
	assert.match(await page.locator('[data-channel="beta"]').innerText(), /1 change/);
	await page.getByRole("link", {name: "beta", exact: true}).click();
	await page.waitForURL("**/channels/web/beta");
	assert.match(await page.locator("#channel-queue table").first().innerText(), /unsigned/);
	assert.match(await page.locator("svg.queue").innerHTML(), /beta-first/);
	assert.match(await page.locator('[data-test="beta-first"]').innerText(), /same answers/);
	assert.match(await page.locator('[data-test="beta-test"]').innerText(), /differs/);
	await page.getByRole("link", {name: "differs: whose answers?"}).click();
	await page.waitForURL("**/beta-test/diff");
	assert.ok(await page.locator("#difference tbody tr").count() >= 1);
	vic.peace();
});

test("one asks what a client gets, and why", async () => {
	const page = await vic.open("/channels/web/beta/explain");
	await page.getByLabel("Version", {exact: true}).fill("39.0");
	await page.getByLabel("Platform").fill("Linux_x86_64");
	await page.getByLabel("Locale").fill("en-US");
	await page.getByLabel("Tags").fill("ring=slow");
	await page.getByRole("button", {name: "Ask"}).click();
	assert.match(await rule(page, 3).innerText(), /near miss.*os_version wants Windows XP/s);
	assert.match(await rule(page, 2).innerText(), /it fits, and answers/);
	await page.getByText("More that clients say").click();
	await page.getByLabel("Operating system").fill("Windows XP");
	await page.getByRole("button", {name: "Ask"}).click();
	assert.match(await rule(page, 3).innerText(), /it fits, and answers/);
	await page.locator("#explanation").getByText("It gets nothing").waitFor();
	await page.getByLabel("Version", {exact: true}).fill("no version");
	await page.getByRole("button", {name: "Ask"}).click();
	assert.match(await page.getByRole("alert").innerText(), /version/);
	assert.equal(await page.getByLabel("Version", {exact: true}).inputValue(), "no version");
	vic.peace();
});

test("a change is written, signed by two in two windows, and goes live in a third without a reload", async () => {
	house.drover("requirement", "set", "web", "release", "relman", 2);
	const watching = await vic.open("/channels/web/release");
	await isLive(watching);
	await watching.evaluate(() => { window.sameDocument = true; });

	const writing = await ada.open("/channels/web/release");
	await writing.getByRole("link", {name: "Change rule 1"}).click();
	await writing.getByLabel("Release that it gives").fill("web-62.0");
	await writing.getByLabel("When it goes live").fill(minute(0));
	await writing.getByLabel("Reason").fill("it is good");
	await writing.getByRole("button", {name: "See what it would do"}).click();
	const checked = writing.locator("#checked");
	assert.match(await checked.innerText(), /web-60\.0.*web-62\.0/s);
	assert.match(await checked.innerText(), /unsigned/);
	assert.equal(await watching.locator("#channel-queue [data-change]").count(), 1, "nothing is scheduled yet");
	await checked.getByRole("button", {name: "Schedule exactly this"}).click();
	await writing.locator("#flash").waitFor();
	const where = new URL(writing.url()).pathname;
	await writing.locator("#change-body").getByText("web-62.0").first().waitFor();

	const [grace, ken] = await Promise.all(["grace", "ken"].map((name) => visitor(house, browser, name)));
	const first = await grace.open(where), second = await ken.open(where);
	await isLive(second);
	await first.getByRole("button", {name: "Sign as relman"}).click();
	assert.match(await flash(first), /You signed it/);
	await second.locator("#change-body").getByText("grace", {exact: true}).waitFor({timeout: SOON_MS});
	assert.match(await second.locator('[data-role="relman"]').innerText(), /2\s+1/);
	await second.getByRole("button", {name: "Sign as relman"}).click();
	await second.locator("#flash").waitFor();

	await rule(watching, 1).getByText("web-62.0").first().waitFor({timeout: 60_000});
	assert.equal(await watching.evaluate(() => window.sameDocument), true);
	await second.locator("#change-head").getByText("live", {exact: true}).waitFor({timeout: SOON_MS});
	for (const someone of [ada, vic, grace, ken])
		someone.peace();
	await Promise.all([grace.close(), ken.close()]);
});

test("one signs what one saw: a change that was altered meanwhile is not signed", async () => {
	const id = await schedule(await ada.open(), 2, {"Title": "To half of them", "To how many of a hundred": 50,
		"When it goes live, in UTC": minute(300)});
	const grace = await visitor(house, browser, "grace", {javaScriptEnabled: false});
	const page = await grace.open(`/changes/${id}`);
	const other = await ada.open(`/changes/${id}`);
	await other.getByText("Write it anew").click();
	await other.getByLabel("What it does, as JSON").fill(JSON.stringify([update(2, {rate: 60})]));
	await other.getByRole("button", {name: "Save"}).click();
	await other.locator("#flash").waitFor();
	await page.getByRole("button", {name: "Sign as relman"}).click();
	await page.getByRole("alert").waitFor();
	await grace.open(`/changes/${id}`);
	await page.getByRole("button", {name: "Sign as relman"}).click();
	assert.match(await flash(page), /You signed it/);
	await page.getByRole("button", {name: "Take back what I signed"}).click();
	assert.match(await flash(page), /took your signature back/);
	const mine = await ada.open(`/changes/${id}`);
	await mine.getByText("Move it in time").click();
	await mine.getByLabel("When, in UTC").fill(`${minute(310).slice(0, 10)}T09:00`);
	await mine.getByRole("button", {name: "Move it"}).click();
	assert.match(await mine.locator("#change-head").innerText(), new RegExp(`${minute(310).slice(0, 10)} 09:00`));
	await mine.getByText("Withdraw it").first().click();
	await mine.locator("#withdraw-deed").getByLabel("Reason").fill("not any more");
	await mine.getByRole("button", {name: "Withdraw it"}).click();
	await mine.locator("#change-head").getByText("withdrawn").first().waitFor();
	assert.equal(await mine.getByRole("button", {name: "Withdraw it"}).count(), 0);
	ada.peace();
	await grace.close();
});

test("two changes that want the same place are shown to conflict, on both", async () => {
	const submitted = (title, days, rate) => Number(/\d+/.exec(submit(house, {title, when: `${minute(days)}:00Z`, reason: "tried",
		ops: [update(4, {rate})]}))[0]);
	const first = submitted("Half of nightly", 200, 50), second = submitted("More of nightly", 201, 90);
	const page = await ada.open(`/changes/${first}`);
	await page.getByText("Write it anew").click();
	await page.getByLabel("What it does, as JSON").fill(JSON.stringify([update(4, {rate: 60})]));
	await page.locator("#edit-deed").getByLabel("Reason").fill("half is too few");
	await page.getByRole("button", {name: "Save"}).click();
	await page.locator("#flash").waitFor();
	await ada.open(`/changes/${second}`);
	assert.match(await page.locator("#change-head").innerText(), /^conflict/);
	const row = page.getByRole("row", {name: /rules 4 rate/});
	assert.match(await row.innerText(), /50\s+90\s+60\s/);
	await row.getByRole("link", {name: `change ${first}`}).click();
	await page.waitForURL(`**/changes/${first}`);
	await page.locator("#change-body").getByRole("link", {name: `change ${second}`}).waitFor();
	await ada.open("/channels/web/nightly");
	assert.equal(await page.locator("svg.queue .shape.bad").count(), 1);
	assert.match(await page.locator('[data-test="nightly-test"]').innerText(), /undefined/);
	ada.peace();
});

test("a channel is shut off and switched on again", async () => {
	const page = await ada.open("/channels/web/release");
	await page.getByRole("link", {name: "Shut it off"}).click();
	await page.getByLabel("Reason").fill("it eats bookmarks");
	await page.getByRole("button", {name: "Shut it off now"}).click();
	assert.match(await flash(page), /shut off/);
	assert.match(await page.locator("#channel-head").innerText(), /it eats bookmarks/);
	/* Two relmen must agree that it is on again: nobody can do it alone. */
	await page.getByRole("link", {name: "Switch it on again"}).click();
	await page.getByRole("button", {name: "Switch it on now"}).click();
	assert.match(await page.getByRole("alert").innerText(), /relman/);
	await page.getByRole("link", {name: "Schedule it as a change"}).click();
	assert.equal(await page.getByLabel("Channel", {exact: true}).inputValue(), "release");
	await page.getByLabel("Reason").fill("mended");
	await page.getByRole("button", {name: "See what it would do"}).click();
	await page.getByRole("button", {name: "Schedule exactly this"}).click();
	await page.locator("#flash").waitFor();
	/* Nightly needs nobody. */
	await ada.open("/channels/web/nightly");
	await page.getByRole("link", {name: "Switch it on again"}).click();
	await page.getByRole("button", {name: "Switch it on now"}).click();
	assert.match(await flash(page), /on again/);
	assert.match(await page.locator("#channel-head").innerText(), /1 rule answers/);
	ada.peace();
});

test("in need, glass is broken, with a reason", async () => {
	const id = await schedule(await ada.open(), 2, {"Title": "At once", "Priority": 101,
		"When it goes live, in UTC": minute(300)});
	const page = await ada.open(`/changes/${id}`);
	await page.getByRole("link", {name: /Break glass/}).click();
	await page.getByLabel("Reason").fill("the old one burns");
	await page.getByRole("button", {name: "Break glass"}).click();
	await page.locator("#flash").waitFor();
	await page.locator("#change-head").getByText("live").first().waitFor();
	await ada.open("/channels/web/beta");
	assert.match(await rule(page, 2).innerText(), /101/);
	ada.peace();
});

test("the slider of time leads to the past and back, by keyboard", async () => {
	const page = await vic.open("/channels/web/beta");
	await tabTo(page, (now) => now.label === "As it was at");
	const slider = page.getByLabel("As it was at");
	assert.equal(await slider.getAttribute("aria-valuetext"), "now");
	await page.keyboard.press("ArrowLeft");
	const words = await page.locator("#moment-words").innerText();
	assert.match(words, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
	assert.equal(await slider.getAttribute("aria-valuetext"), words);
	await page.keyboard.press("Home");
	await page.keyboard.press("Enter");
	await page.locator("#past").waitFor();
	assert.match(await page.locator("#past").innerText(), /This is the past/);
	assert.equal(await page.getByRole("link", {name: /^Change rule/}).count(), 0);
	assert.equal(await page.getByRole("link", {name: "Shut it off"}).count(), 0);
	await page.getByRole("link", {name: "Show what is so now"}).click();
	await page.locator("#past").waitFor({state: "detached"});
	await page.getByText(/The last \d+ instants/).click();
	await page.locator("#moments-list a").last().click();
	await page.locator("#past").waitFor();
	vic.peace();
});

test("by keyboard alone a change is written, checked and scheduled", async () => {
	const page = await ada.open("/channels/web/beta");
	await tabTo(page, (now) => now.label === "Change rule 2");
	await page.keyboard.press("Enter");
	await page.waitForURL("**/changes/new*");
	await tabTo(page, (now) => now.label === "To how many of a hundred");
	await page.keyboard.press("Control+a");
	await page.keyboard.type("75");
	await tabTo(page, (now) => now.label === "Reason");
	await page.keyboard.type("no pointer");
	await page.keyboard.press("Enter"); /* it is checked, not scheduled */
	await page.locator("#checked").waitFor();
	await tabTo(page, (now) => now.tag === "BUTTON" && now.text === "Schedule exactly this");
	await page.keyboard.press("Space");
	await page.locator("#flash").waitFor();
	assert.match(await page.locator("#change-body").innerText(), /75/);
	assert.equal((await active(page)).outline, (await active(page)).tag !== "BODY");
	ada.peace();
});

test("without scripts all of it works, and what is wrong comes back with what was typed", async () => {
	const plain = await stranger(house, browser, {javaScriptEnabled: false});
	await logIn(await plain.open("/login"), "ada");
	await plain.page.getByRole("heading", {name: "Overview"}).waitFor();
	const page = plain.page;
	await check(page, 2, {"Title": "Nothing new", "Comment": ""});
	assert.match(await page.getByRole("alert").innerText(), /Nothing differs/);
	assert.equal(await page.getByLabel("Title").inputValue(), "Nothing new");
	await check(page, 2, {"Title": "To a release that is not there", "Release that it gives; empty: nothing": "web-99.0"});
	assert.match(await page.locator("main").innerText(), /web-99\.0/);
	await plain.open("/channels/web/beta");
	await page.getByRole("button", {name: "Show", exact: true}).click();
	assert.equal(await page.locator("#past").count(), 0, "the slider stands at now");
	await page.getByText(/The last \d+ instants/).click();
	await page.locator("#moments-list a").first().click();
	await page.locator("#past").waitFor();
	await plain.open("/changes");
	await page.getByLabel("State").selectOption("all");
	await page.getByRole("button", {name: "Filter"}).click();
	assert.match(await page.locator("#changes").innerText(), /withdrawn/);
	await plain.close();
});
