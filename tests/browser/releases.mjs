/* SPDX-License-Identifier: ISC
 *
 * Releases and nodes for a house. A release is a manifest in its one spelling (docs/release.md) and a signature by a
 * key of the house's own, without a tree behind it; a node is a token that reports what the test says.
 *
 *     web 63.0.0, 63.1.0    both published; the channel `stage` gives 63.1.0
 *     node1                 runs 63.1.0, as it should
 *     node2                 runs 63.0.0, and failed to install 63.1.0
 *     node3                 never reported
 */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";

const sha256 = (text) => crypto.createHash("sha256").update(text).digest("hex");
const EMPTY = sha256("");

/* `kind` is a mode, or a link's target. */
function entry([place, size, kind = "0644"]) {
	return /^0/.test(kind) ? {path: place, mode: kind, size, sha256: sha256(`${place} ${size}`)} : {path: place, target: kind};
}

function treeDigest(files) {
	const lines = files.map((file) => file.target ? `link\t${file.target}\t${file.path}\n`
		: `file\t${file.mode}\t${file.size}\t${file.sha256}\t${file.path}\n`);
	return sha256(`drover-tree 1\n${lines.join("")}`);
}

/* `files`: [path, size, mode or target], sorted; `more` over what an ordinary one says. */
function manifest(product, version, sequence, files, more) {
	const entries = files.map(entry);
	const fields = {format: 1, product, version, sequence, revision: "ab".repeat(20), landing: null, tag: null,
		test: {run: `${version}/1`, log_sha256: EMPTY}, contract_sha256: null, min_rollback_sequence: 0, mtime: 1000000000,
		payload: {size: 2_481_000, sha256: EMPTY, tar_size: 9_870_000, tar_sha256: EMPTY, window_log: 23},
		tree_sha256: treeDigest(entries), dependencies: [], deltas: [], ...more, files: entries};
	const lines = Object.entries(fields).map(([key, value]) => `${JSON.stringify(key)}:${Array.isArray(value)
		? `[\n${value.map((one) => JSON.stringify(one)).join(",\n")}${value.length ? "\n" : ""}]` : JSON.stringify(value)}`);
	return `{\n${lines.join(",\n")}\n}\n`;
}

export const dependency = (name, version) => ({name, version, file: `${name}-${version}.tar.gz`, sha256: sha256(name + version)});
export const delta = (from, size) => ({from, from_tree_sha256: EMPTY, size, sha256: EMPTY, window_log: 21});

/* The API, in a person's name. Needs the server. */
export function apiOf(house, person) {
	const {secret} = JSON.parse(house.drover("token", "add", "tests", "--person", person, "--json"));
	return (method, address, body) => house.call(method, address, body, secret);
}

export function makeKey(house) {
	house.drover("key", "generate", "--secret", "release.key", "--public", "release.pub", "--no-password");
}

export function publish(house, api, product, version, sequence, files, {reason, ...more} = {}) {
	const text = manifest(product, version, sequence, files, more);
	fs.writeFileSync(path.join(house.folder, "manifest"), text);
	house.drover("key", "sign", "manifest", "--key", "release.key", "--comment", `drover release product=${product} version=${version}`);
	const signature = fs.readFileSync(path.join(house.folder, "manifest.minisig"), "utf8");
	return api("POST", `/products/${product}/releases`, {manifest: text, signature, reason});
}

/* A node that enrolled: it reports of its products what the test says. */
export async function node(house, api, name, product, channel) {
	await api("POST", "/nodes", {name, products: [{product, channel}]});
	return enrol(house, house.drover("host", "invite", name, "--kind", "node").trim(), product);
}

export async function enrol(house, code, product) {
	const {secret} = await house.call("POST", "/enrol", {code});
	const ordinary = {product, sequence: null, manifest_sha256: null, previous: null, installed: [], order_id: 0, state: "idle",
		doing: null, error: null, maintenance: null, health: "good", service: {pid: 4711, since: new Date().toISOString(), restarts: 0}};
	return {
		orders: () => house.call("GET", "/node/orders?wait=0", null, secret),
		report: (running, said = {}) => house.call("POST", "/node/report", {now: new Date().toISOString(), version: "0.1.0",
			products: [{...ordinary, running, ...said}]}, secret),
	};
}

/* `hostile` stands wherever somebody else's texts are shown. */
export async function furnishReleases(house, hostile) {
	const api = apiOf(house, "ada");
	makeKey(house);
	const before = [["bin/web", 120_000, "0755"], ["share/a b/<i>.css", 4_000], ["share/old.js", 9_000]];
	const after = [["bin/latest", 0, "web"], ["bin/web", 128_000, "0755"], ["share/a b/<i>.css", 4_100], ["share/new.js", 14_000]];
	await publish(house, api, "web", "63.0.0", 1, before, {reason: hostile, dependencies: [dependency("zlib", "1.3")]});
	await publish(house, api, "web", "63.1.0", 2, after, {reason: hostile, dependencies: [dependency("zlib", "1.3.1")],
		deltas: [delta("63.0.0", 48_211)]});
	house.drover("rule", "add", "product=web", "channel=stage", "priority=100", "mapping=web-63.1.0");
	house.api = api;
	house.node1 = await node(house, api, "node1", "web", "stage");
	house.node2 = await node(house, api, "node2", "web", "stage");
	await api("POST", "/nodes", {name: "node3", notes: hostile, tags: {rack: "a"}, products: [{product: "web", channel: "stage"}]});
	await house.node1.report("63.1.0");
	await house.node2.report("63.0.0", {state: "failed", error: hostile});
}
