/* SPDX-License-Identifier: ISC
 *
 * Pictures of every page, to be looked at, of a house that a small company might have.
 *
 *     node tests/browser/gallery.mjs FOLDER      every page, wide and narrow, light and dark
 *
 * The two pictures of the README are among them: readme-overview.png and readme-landing.png.
 */
import fs from "node:fs";
import path from "node:path";
import {House} from "./house.mjs";
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
house.drover("remind");
await house.start();
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
};
for (const [name, address] of Object.entries(pages))
	await picture(await ada.open(address), name);
await picture(await nobody.open("/login"), "login");
await picture(await nobody.open("/login/dr_0000"), "login-link");
for (const name of ["index", "where-shop", "landings-shop"]) {
	await nobody.page.goto(`file://${report}/${name}.html`);
	await picture(nobody.page, `report-${name}`);
}

/* The README's two: one screen each, after the page became live. */
for (const [name, address] of [["overview", "/"], ["landing", "/products/shop/landings/22"]]) {
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
