/* SPDX-License-Identifier: ISC
 *
 * Pictures of every page, to be looked at, of a house that a small company might have.
 *
 *     node tests/browser/gallery.mjs FOLDER      every page, wide and narrow, light and dark
 *
 * The pictures of the README are among them: readme-*.png.
 */
import fs from "node:fs";
import path from "node:path";
import {inDays, release, submit, update} from "./channels.mjs";
import {House} from "./house.mjs";
import {apiOf, delta, dependency, makeKey, node, publish} from "./releases.mjs";
import {openBrowser, stranger, visitor} from "./visitor.mjs";

const folder = path.resolve(process.argv[2]);
const MINUTES_A_LANDING = 143;
const SIZES = {wide: {width: 1280, height: 900}, narrow: {width: 360, height: 780}};

/* One line a landing: subject, item or rollback, author, verdict. */
const AUTHORS = ["Ada Lovelace", "Grace Hopper", "Margaret Hamilton", "Radia Perlman", "Ken Thompson"];
const SHOP = `
Show prices with tax|101|ok
Let people pay by invoice|102|ok
Remember the basket between visits|103|ok
Sort search results by fit|104|ok
Ask before a basket is emptied|105|ok
Resize pictures when they are uploaded|106|ok
Send the receipt in the customer's language|107|ok
Cache the start page for everybody|108|bad
Mend a typo in the terms||no-qa
Revert "Cache the start page for everybody"|rollback=8|
Show how long delivery takes|109|ok
Tell about shortages before checkout|110|ok
Fold long descriptions|111|ok
Warn before a session ends|112|ok
Suggest addresses while typing|113|ok
Use the new logo|114|untestable
Log in with a passkey|115|ok
Show stock per warehouse|116|ok
Round sums as the tax office does|117|ok
Let people reorder with one press|118|ok
Keep filters when going back|119|ok
Import price lists at night|120|needs-testing
Print labels on A6|121|ok
Show the basket on the phone's lock screen|122|ok
Ask for the door code|123|bad
Fix the door code for houses without one|124|ok
Merge two accounts of one person|125|needs-testing
Group orders by month|126|ok
Hide sold-out sizes|127|ok
Say why a voucher does not count|128|needs-testing`;
const FIRMWARE = `
Blink when the battery is low|31|ok
Sleep between readings|32|ok
Sign what is sent|33|ok
Read the new humidity sensor|34|ok
Retry after a lost packet|35|ok
Update over the air|36|ok`;
const API = `
Answer in pages of 50|7|ok
Count requests per key|8|ok
Refuse keys that ended|9|ok
Say when to try again|10|needs-testing
Drop the second version|11|bad
Compress answers|12|ok
Document every error|13|ok
Accept times with offsets|14|needs-testing`;

function landings(story) {
	return story.trim().split("\n").map((line, index) => {
		const [subject, item, state] = line.split("|");
		const author = AUTHORS[(index * 7 + subject.length) % AUTHORS.length];
		const body = item.startsWith("rollback") ? `[${item}]` : state === "no-qa" ? "QA: no-qa" : `Bug: ${item}`;
		return {subject, body, author, item, state, ordinal: index + 1};
	});
}

function furnish(house, name, title, story, daysAgo) {
	const commits = landings(story);
	house.minutes = 0;
	house.commit(name, commits, Date.now() - daysAgo * 86_400_000, MINUTES_A_LANDING * (daysAgo > 4 ? 2 : 1));
	house.drover("product", "add", name, "--title", title, "--repository", house.repositoryOf(name),
		"--item-url", "https://bugs.example.org/{item}");
	house.drover("landing", "scan", name);
	for (const {item, state, ordinal} of commits) {
		const reason = {ok: "works in three browsers", bad: "strangers saw each other's pages"}[state];
		if (["ok", "bad", "untestable"].includes(state))
			house.verdict(name, state, ordinal, item, ordinal % 3 === 0 || state === "bad" ? reason : null);
	}
}

/* The shop's app: everybody on 4.1, 4.2 for the curious, and the queue that brings it to all. */
function furnishChannels(house) {
	const relmen = ["grace", "ken"];
	const rule = (...columns) => house.drover("rule", "add", "product=shop", ...columns);
	house.drover("channel", "settings", "shop", "--hosts", "cdn.example.org");
	for (const version of ["4.0.3", "4.1.0", "4.2.0", "4.3.0"])
		release(house, "shop", version);
	rule("channel=release", "priority=100", "mapping=shop-4.1.0", "alias=everybody");
	rule("channel=release", "priority=200", "version=<3.0.0", "mapping=shop-4.0.3", "comment=They must stop at 4.0 first.");
	rule("channel=beta", "priority=100", "rate=25", "mapping=shop-4.2.0", "fallback_mapping=shop-4.1.0");
	rule("channel=beta", "priority=300", "os_version=Windows 7, Windows 8", "comment=They cannot run it.");
	rule("channel=beta", "priority=200", "tag.ring=staff", "mapping=shop-4.3.0", "alias=beta-staff");
	rule("channel=nightly", "priority=100", "mapping=shop-4.3.0");
	house.drover("channel", "declare", "release", "--product", "shop", "--channel-title", "Everybody");
	house.drover("channel", "declare", "beta", "--product", "shop", "--channel-title", "For the curious");
	house.drover("channel", "declare", "beta-office", "--product", "shop", "--base", "beta", "--cut", `until ${inDays(2)}`);
	house.drover("shutoff", "add", "shop", "nightly", "--reason", "it forgets baskets");
	for (const name of relmen)
		house.drover("user", "grant", name, "relman", "shop");
	house.drover("freeze", "add", "christmas", "--product", "shop", "--from", inDays(33), "--until", inDays(45), "--reason", "Nobody is here.");
	house.drover("signing-role", "set", "relman");
	house.drover("requirement", "set", "shop", "beta", "relman", 1);
	house.drover("requirement", "set", "shop", "release", "relman", 2);
	const queue = [["4.2 for half of the curious", 1, [update(3, {rate: 50})]], ["4.2 for all of the curious", 3, [update(3, {rate: 100})]],
		["4.2 for everybody", 9, [update(1, {mapping: "shop-4.2.0"})]], ["Staff go back", 10, [update(5, {mapping: "shop-4.2.0"}), update(3, {rate: 10})]]];
	for (const [title, days, ops] of queue)
		submit(house, {title, when: inDays(days), reason: "as the team agreed on Monday", ops});
}

async function furnishPool(house) {
	house.drover("pool", "add", "shop", ...[1, 2, 3, 4].map((number) => `shop${number}.example.org`), "--title", "The web shop");
	for (const name of ["edge1", "edge2"]) {
		const balancer = await house.balancer(name, "shop");
		await balancer.report({"shop1.example.org": {}, "shop2.example.org": {}, "shop3.example.org": {state: "down", pooled: false,
			why: "ProxyFetch: 503 in 12 ms"}, "shop4.example.org": {active: 3}});
	}
}

/* The shop's programs: 2.3 everywhere, 2.4 on its way to the curious. */
const TREE = [["bin/shop", 4_120_400, "0755"], ["bin/shop-admin", 1_204_000, "0755"], ["lib/libbasket.so", 530_120], ["lib/libtax.so", 212_400],
	["share/locale/de/shop.mo", 48_100], ["share/locale/fr/shop.mo", 47_010], ["share/web/address.js", 61_200], ["share/web/icons.svg", 120_400],
	["share/web/logo-2019.png", 310_000], ["share/web/style.css", 41_007]];
const NEXT = [["bin/shop", 4_188_900, "0755"], ["bin/shop-admin", 1_204_000, "0755"], ["bin/shop-labels", 640_000, "0755"], ["lib/libbasket.so", 498_000], ["lib/libtax.so", 212_400],
	["share/locale/de/shop.mo", 50_312], ["share/locale/fr/shop.mo", 49_870], ["share/locale/it/shop.mo", 47_900], ["share/web/address/complete.js", 188_410],
	["share/web/address/streets.json", 812_300], ["share/web/icons.svg", 120_400], ["share/web/style.css", 44_991]];

async function furnishReleases(house) {
	const api = apiOf(house, "ada");
	const revision = (landing) => house.git("shop", "", "rev-parse", `main~${30 - landing}`);
	makeKey(house);
	const make = (version, sequence, landing, files, more) => publish(house, api, "shop", version, sequence, files,
		{revision: revision(landing), landing, tag: `v${version}`, reason: "before releases were built by Drover", ...more});
	await make("5.2.0", 1, 12, TREE.slice(0, 8), {dependencies: [dependency("zlib", "1.3")]});
	await make("5.3.0", 2, 18, TREE, {dependencies: [dependency("pdf-label", "2.0"), dependency("zlib", "1.3")]});
	await make("5.4.0", 3, 21, NEXT, {dependencies: [dependency("pdf-label", "2.0"), dependency("zlib", "1.3.1")], min_rollback_sequence: 2,
		deltas: [delta("5.2.0", 391_200), delta("5.3.0", 48_211)]});
	house.drover("rule", "add", "product=shop", "channel=servers", "priority=100", "mapping=shop-5.3.0");
	house.drover("rule", "add", "product=shop", "channel=servers-first", "priority=100", "mapping=shop-5.4.0");
	const nodes = {};
	for (const number of [1, 2, 3, 4, 5])
		nodes[number] = await node(house, api, `shop${number}`, "shop", number > 3 ? "servers-first" : "servers");
	await api("POST", "/nodes", {name: "shop6", products: [{product: "shop", channel: "servers"}]});
	await nodes[1].report("5.2.0");
	for (const number of [1, 2])
		await nodes[number].report("5.3.0");
	await nodes[3].report("5.2.0", {state: "installing", doing: {version: "5.3.0", step: "fetching", done: 1_310_000, total: 2_481_000}});
	await nodes[4].report("5.4.0");
	await nodes[5].report("5.3.0");
	await nodes[5].report("5.3.0", {state: "failed", error: "shop 5.4.0 does not run: GET /health answered 500 for 60 s; 5.3.0 runs again"});
	await api("POST", "/nodes/shop2/products/shop/order", {version: "5.2.0", reason: "sums are wrong with 5.3"});
}

const house = new House();
furnish(house, "shop", "The web shop", SHOP, 6.2);
furnish(house, "shop-api", "API for partners", API, 2.1);
furnish(house, "thermometer", "Firmware of the sensors", FIRMWARE, 1.4);
house.git("shop", "", "branch", "passkeys", "main~13");
house.commit("shop", [{subject: "Try a dark sheet", author: AUTHORS[1], branch: "dark-sheet", from: "main"}], Date.now() - 9e6);
house.drover("landing", "scan", "shop");
for (const [name, role] of Object.entries({ada: "admin", grace: "tester", ken: "operator", radia: "viewer"}))
	house.person(name, role);
house.drover("user", "add", "guest", "guest@example.org");
furnishChannels(house);
house.drover("remind");
await house.start();
await furnishPool(house);
await furnishReleases(house);
const report = path.join(house.folder, "report");
house.drover("report", "--out", report);
fs.mkdirSync(folder, {recursive: true});

const browser = await openBrowser();
const ada = await visitor(house, browser, "ada", {reducedMotion: "reduce"});
const nobody = await stranger(house, browser);

async function picture(page, name) {
	for (const [size, viewport] of Object.entries(SIZES))
		for (const colorScheme of ["light", "dark"]) {
			await page.setViewportSize(viewport);
			await page.emulateMedia({colorScheme});
			await page.screenshot({path: path.join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: true});
		}
}

const pages = {
	overview: "/", product: "/products/shop", "product-api": "/products/shop-api", landings: "/products/shop/landings",
	landing: "/products/shop/landings/22", "landing-bad": "/products/shop/landings/8", where: "/products/shop/where?q=grace@example.org",
	history: "/history", "history-verified": "/history?verify=1", "history-entry": "/history/12", people: "/people",
	person: "/people/grace", hosts: "/hosts", notices: "/notices", maintenance: "/maintenance", problem: "/nowhere",
	pools: "/pools", pool: "/pools/shop", channels: "/channels", channel: "/channels/shop/beta", "channel-release": "/channels/shop/release",
	"channel-past": "/channels/shop/beta?moment=8", "channel-off": "/channels/shop/nightly", "channel-shut-off": "/channels/shop/beta/shut-off",
	"channel-explain": "/channels/shop/beta/explain?version=4.1.0&platform=Linux_x86_64&locale=en-US&tags=ring%3Dstaff",
	releases: "/products/shop/releases", release: "/products/shop/releases/5.4.0", "release-files": "/products/shop/releases/5.4.0/files",
	"release-diff": "/products/shop/releases/5.4.0/diff", nodes: "/nodes", node: "/nodes/shop5", "node-ordered": "/nodes/shop2",
	"channel-diff": "/channels/shop/beta-test/diff", changes: "/changes", change: "/changes/3", "change-conflict": "/changes/4",
	"change-new": "/changes/new?kind=rule&rule_id=3", "change-insert": "/changes/new?kind=insert&product=shop&channel=beta",
};
for (const [name, address] of Object.entries(pages))
	await picture(await ada.open(address), name);
await picture(await nobody.open("/login"), "login");
await picture(await nobody.open("/login/dr_0000"), "login-link");
for (const name of ["index", "where-shop", "landings-shop"]) {
	await nobody.page.goto(`file://${report}/${name}.html`);
	await picture(nobody.page, `report-${name}`);
}

/* One screen each for the README, after the page became live. */
for (const [name, address] of [["overview", "/"], ["landing", "/products/shop/landings/22"], ["channel", "/channels/shop/beta"], ["nodes", "/nodes"]]) {
	const page = await ada.open(address);
	await page.setViewportSize({width: 1280, height: 860});
	await page.emulateMedia({colorScheme: "light"});
	await page.locator('#live[data-state="live"]').waitFor();
	await page.screenshot({path: path.join(folder, `readme-${name}.png`)});
}

const page = await ada.open("/tokens");
await page.getByLabel("What it is for").fill("nightly build");
await page.getByRole("button", {name: "Make"}).click();
await page.locator("#token-secret").waitFor();
await picture(page, "tokens-created");
await browser.close();
await house.close();
