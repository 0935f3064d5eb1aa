/* SPDX-License-Identifier: ISC
 *
 * The browser, and the people who use it. Whoever visits is watched: a dialog, an error in the console, a violation
 * of the content policy or a request to anywhere else fails the test that asks for peace().
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {chromium} from "playwright-core";
import {PASSWORD} from "./house.mjs";

const ARGUMENTS = [
	"--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];
export const PATIENCE_MS = 10_000;

/* One browser with a profile of its own; `contexts` of it are people with separate cookies. */
export async function openBrowser() {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "drover-chromium-"));
	const browser = await chromium.launch({
		executablePath: "/usr/bin/chromium", args: ARGUMENTS,
		env: {...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder, TMPDIR: folder},
	});
	return {
		browser,
		close: async () => {
			await browser.close();
			fs.rmSync(folder, {recursive: true, force: true, maxRetries: 5});
		},
	};
}

/* A status that a form was answered with is in the console, too; that is no mistake of the page. */
const isAnsweredForm = (text) => /^Failed to load resource: the server responded with a status of 4\d\d/.test(text);

export class Visitor {
	constructor(house, context) {
		this.house = house;
		this.context = context;
		this.troubles = [];
	}

	watch(page) {
		page.setDefaultTimeout(PATIENCE_MS);
		page.on("dialog", (dialog) => {
			this.troubles.push(`dialog: ${dialog.message()}`);
			dialog.dismiss().catch(() => {});
		});
		page.on("pageerror", (error) => this.troubles.push(`page error: ${error.message}`));
		page.on("console", (message) => {
			if (["error", "warning"].includes(message.type()) && !isAnsweredForm(message.text()))
				this.troubles.push(`console: ${message.text()} (${page.url()})`);
		});
		page.on("request", (request) => {
			const own = request.url().startsWith(`${this.house.address}/`) || /^(file|data|about):/.test(request.url());
			if (!own)
				this.troubles.push(`a request to elsewhere: ${request.url()}`);
		});
		return page;
	}

	/* Nothing untoward happened until now. */
	peace() {
		assert.deepEqual(this.troubles, []);
	}

	async open(where = "/") {
		if (!this.page)
			this.page = this.watch(await this.context.newPage());
		await this.page.goto(this.house.address + where);
		return this.page;
	}

	async close() {
		await this.context.close();
	}
}

/* Somebody who is not logged in. `options` are those of Playwright's newContext. */
export async function stranger(house, {browser}, options = {}) {
	const {javaScriptEnabled = true} = options;
	const context = await browser.newContext({locale: "en-GB", ...options});
	if (javaScriptEnabled)
		await context.addInitScript(() => addEventListener("securitypolicyviolation", (event) =>
			console.error(`content policy: ${event.violatedDirective} ${event.blockedURI}`)));
	return new Visitor(house, context);
}

/* Somebody who came in by a login link, at the overview. */
export async function visitor(house, browser, name, options = {}) {
	const someone = await stranger(house, browser, options);
	await someone.open(house.loginLink(name));
	await someone.page.getByRole("button", {name: "Log in"}).click();
	await someone.page.waitForURL(`${house.address}/`);
	return someone;
}

export async function logIn(page, name, password = PASSWORD) {
	await page.getByLabel("Name").fill(name);
	await page.getByLabel("Password").fill(password);
	await page.getByRole("button", {name: "Log in"}).click();
}
