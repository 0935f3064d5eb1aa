/* SPDX-License-Identifier: ISC
 *
 * The bed of the browser tests: a folder of its own with a git repository, a store, people, and a droverd on
 * ports that the kernel picks. Nothing outside that folder is read or written, and nothing is left of it.
 *
 * Product "web" begins like this; a test that needs more commits it:
 *
 *     1 ok   2 ok   3 pending   4 bad   5 rolls back 4   6 ok   7.. pending, with hostile texts
 *     channels as in channels.mjs
 *     releases and nodes as in releases.mjs
 *     pool "shop": edge1 and edge2 disagree about web2.example.org
 *     deployable: landing 2, because 3 waits; once 3 is ok, landing 6
 */
import {execFileSync, spawn} from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {fileURLToPath} from "node:url";
import {furnishChannels} from "./channels.mjs";
import {furnishReleases} from "./releases.mjs";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const BUILD = path.resolve(process.env.DROVER_BUILD ?? path.join(ROOT, "build"));
/* Whoever runs the tests as root says so; the programs are to refuse it otherwise. */
const ALLOW_ROOT = process.env.DROVER_TEST_ALLOW_ROOT === "1" ? ["--allow-root"] : [];
const READY_MS = 30_000;

export const PASSWORD = "three sheep and a dog";
export const HTML_SUBJECT = "Show <img src=x onerror=alert(1)> <script>alert(2)</script> \"as\" it's & was";
export const LONG_SUBJECT = "endless".repeat(72).slice(0, 500);
export const HOSTILE_AUTHOR = "Mallory <b onclick=alert(3)>";

export const STORY = [
	{subject: "Count visitors by country", body: "Bug: 1"},
	{subject: "Sort the list of flocks by size", body: "Bug: 2", author: "Grace"},
	{subject: "Show weather on the map", body: "Bug: 3"},
	{subject: "Cache pages for anybody", body: "Bug: 4", author: "Linus"},
	{subject: "Revert \"Cache pages for anybody\"", body: "[rollback=4]", author: "Grace"},
	{subject: "Remember the language", body: "Bug: 6"},
	{subject: HTML_SUBJECT, body: "Bug: 7\n\n<script>alert(4)</script>", author: HOSTILE_AUTHOR},
	{subject: LONG_SUBJECT, body: "Bug: 8\nBug: 9"},
	{subject: "\u202eEt\u0301range \u{1f411} subject", body: "No item is named."},
	{subject: "Mend the manual", body: "QA: no-qa"},
	{subject: "Import old flocks", body: "Bug: 11\nBug: 12", author: "Grace"},
];
export const VERDICTS = [
	["ok", 1, 1], ["ok", 2, 2, "tried in three browsers"], ["bad", 4, 4, "strangers saw each other's pages"],
	["ok", 6, 6], ["ok", 11, 11],
];
export const PEOPLE = {ada: "admin", tess: "tester", vic: "viewer"};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class House {
	constructor() {
		this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "drover-browser-"));
		this.state = path.join(this.folder, "state");
		this.environment = {
			PATH: process.env.PATH, HOME: this.folder, LC_ALL: "C.UTF-8", TZ: "UTC", TERM: "dumb",
			GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null",
			DROVER_CONFIG: path.join(this.folder, "drover.conf"),
		};
		for (const name of ["ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH"])
			if (process.env[name])
				this.environment[name] = process.env[name];
		/* The tests say when; nothing happens by itself. */
		fs.writeFileSync(this.environment.DROVER_CONFIG, "[clock]\nscan-every = 0\nremind-every = 0\n");
		this.minutes = 0;
	}

	/* The command on this house's store: words in, what it printed out. */
	drover(...words) {
		return this.droverReading("", ...words);
	}

	droverReading(input, ...words) {
		return execFileSync(path.join(BUILD, "drover"), [...words.map(String), "--state", this.state, ...ALLOW_ROOT],
			{input, env: this.environment, cwd: this.folder, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"]});
	}

	repositoryOf(product) {
		return path.join(this.folder, `${product}.git`);
	}

	git(product, input, ...words) {
		return execFileSync("git", ["-C", this.repositoryOf(product), ...words],
			{input, env: this.environment, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"]}).trim();
	}

	/* Lands these commits, one landing each, `spacing` minutes apart. */
	commit(product, commits, begin = Date.UTC(2026, 10, 2, 8), spacing = 1) {
		const folder = this.repositoryOf(product);
		if (!fs.existsSync(folder)) {
			fs.mkdirSync(folder);
			this.git(product, "", "init", "-q", "--bare", "-b", "main");
		}
		const stream = commits.map(({subject, body = "", author = "Ada", branch = "main", from}) => {
			this.minutes += spacing;
			const mail = `${author.split(" ")[0].toLowerCase()}@example.org`;
			const person = `${author.replace(/[<>]/g, "'")} <${mail}> ${Math.floor(begin / 1000) + 60 * this.minutes} +0000`;
			const message = Buffer.from(`${subject}\n\n${body}\n`);
			const log = Buffer.from(`${this.minutes} ${subject}\n`);
			const parent = from ? `from refs/heads/${from}\n` : "";
			return `commit refs/heads/${branch}\nauthor ${person}\ncommitter ${person}\n` +
				`data ${message.length}\n${message}\n${parent}M 100644 inline log-${this.minutes}\n` +
				`data ${log.length}\n${log}\n`;
		});
		/* Each batch goes on where the branch stands. */
		const branch = commits[0].branch ?? "main";
		const stands = fs.existsSync(path.join(folder, "refs/heads", branch));
		const text = stands ? stream.join("").replace(/\nM 100644/, `\nfrom refs/heads/${branch}^0\nM 100644`) : stream.join("");
		this.git(product, text, "fast-import", "--quiet");
	}

	verdict(product, state, landing, item, reason) {
		this.drover("qa", state, landing, ...(item ? [item] : []), "--product", product,
			...(reason ? ["--reason", reason] : []));
	}

	person(name, role, password = PASSWORD) {
		this.drover("user", "add", name, `${name}@example.org`);
		if (role)
			this.drover("user", "grant", name, role, "all");
		if (password)
			this.droverReading(`${password}\n`, "user", "password", name);
	}

	/* The path that logs this person in once. */
	loginLink(name) {
		return this.drover("user", "login-link", name).trim();
	}

	async start(port = 0) {
		const log = path.join(this.folder, "droverd.log");
		const stream = fs.openSync(log, "w");
		this.process = spawn(path.join(BUILD, "droverd"),
			["--state", this.state, "--admin", `127.0.0.1:${port}`, "--public", "127.0.0.1:0", ...ALLOW_ROOT],
			{env: this.environment, cwd: this.folder, stdio: ["ignore", "ignore", stream]});
		fs.closeSync(stream);
		this.ended = new Promise((resolve) => this.process.once("exit", resolve));
		for (let waited = 0; waited < READY_MS; waited += 20) {
			const ready = /event=droverd\.ready .*admin=(\S+)/.exec(fs.readFileSync(log, "utf8"));
			if (ready) {
				this.address = `http://${ready[1]}`;
				return;
			}
			if (this.process.exitCode !== null)
				break;
			await pause(20);
		}
		throw new Error(`droverd does not start: ${fs.readFileSync(log, "utf8")}`);
	}

	get port() {
		return Number(new URL(this.address).port);
	}

	/* The API's answer. Needs the server. */
	async call(method, address, body, token) {
		const answer = await fetch(`${this.address}/api/v1${address}`, {method, body: body && JSON.stringify(body),
			headers: {...(body && {"Content-Type": "application/json"}), ...(token && {Authorization: `Bearer ${token}`})}});
		const said = await answer.json();
		if (!answer.ok)
			throw new Error(`${method} ${address}: ${said.error.message}`);
		return said;
	}

	/* A balancer that enrolled: it reports about a pool what the test says. Needs the server. */
	async balancer(name, pool) {
		const code = this.drover("host", "invite", name, "--kind", "balancer").trim();
		const call = this.call.bind(this);
		const {secret} = await call("POST", "/enrol", {code});
		const started = new Date().toISOString();
		let sequence = 0;
		return {
			orders: () => call("GET", `/pools/${pool}/orders`, null, secret),
			report: async (servers, about = {}) => call("POST", `/pools/${pool}/reports`, {
				version: (await call("GET", `/pools/${pool}/orders`, null, secret)).version, now: new Date().toISOString(),
				started, sequence: ++sequence, can_serve: true, can_depool: true, alerts: [], ...about,
				servers: Object.entries(servers).map(([host, seen]) => ({
					host, state: "up", pooled: true, held: false, enabled: true, weight: 10, current_weight: 10, active: 7,
					inactive: 21, since: started, checked: started, why: "ProxyFetch: 200 in 3 ms", answer: "serving", ...seen})),
			}, secret),
		};
	}

	async stop() {
		this.process?.kill("SIGTERM");
		await this.ended;
		this.process = null;
	}

	async close() {
		await this.stop();
		fs.rmSync(this.folder, {recursive: true, force: true});
	}
}

/* A house with product web and its people, open for visitors. */
export async function openHouse() {
	const house = new House();
	house.commit("web", STORY);
	house.commit("web", [{subject: "Try a dark map", branch: "dark-map", from: "main"}]);
	house.drover("product", "add", "web", "--title", "The web shop", "--repository", house.repositoryOf("web"));
	house.drover("landing", "scan", "web");
	for (const [state, landing, item, reason] of VERDICTS)
		house.verdict("web", state, landing, item, reason);
	for (const [name, role] of Object.entries(PEOPLE))
		house.person(name, role);
	furnishChannels(house, HTML_SUBJECT);
	house.drover("pool", "add", "shop", "web1.example.org", "web2.example.org", "web3.example.org", "--title", HTML_SUBJECT.slice(0, 60));
	await house.start();
	house.edge1 = await house.balancer("edge1", "shop");
	house.edge2 = await house.balancer("edge2", "shop");
	await house.edge1.report({"web1.example.org": {}, "web2.example.org": {state: "down", held: true, why: "TCP: refused <b>"},
		"web3.example.org": {}}, {alerts: ["web2.example.org is <i>down</i> but pooled"], can_depool: false});
	await house.edge2.report({"web1.example.org": {}, "web2.example.org": {}, "web3.example.org": {}});
	await furnishReleases(house, HTML_SUBJECT);
	return house;
}
