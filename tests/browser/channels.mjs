/* SPDX-License-Identifier: ISC
 *
 * Channels for a house: what product "web" hands out, and who must agree.
 *
 *     release    rule 1: web-60.0 to everybody; nobody must agree
 *     beta       rule 2: web-61.0 to 25 of 100; rule 3: nothing for the very old; one relman must sign
 *     beta-test  all of the queue on top of beta; beta-first: what goes live in the next 50 days
 *     nightly    shut off
 *     queue      change 1: rule 2 to everybody, in 100 days; change 2: rule 1 to web-61.0, in 400 days
 */

const PLATFORMS = {Linux_x86_64: {locales: {"en-US": {completes: [
	{from: "*", url: "https://cdn.example.org/web.mar", size: 1000, sha256: "0".repeat(64)}]}}}};

export const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+Z/, "Z");

export function release(house, product, version) {
	house.droverReading(JSON.stringify({name: `${product}-${version}`, product, version, build_id: "20261101000000",
		details_url: "https://www.example.org/notes", platforms: PLATFORMS}), "release-doc", "put", "-");
}

export function submit(house, change) {
	return house.droverReading(JSON.stringify(change), "change", "submit", "-");
}

export const update = (rule_id, row) => ({op: "update", table: "rules", rule_id, row});

/* `hostile` stands wherever people write texts. */
export function furnishChannels(house, hostile) {
	house.drover("channel", "settings", "web", "--hosts", "cdn.example.org");
	for (const version of ["60.0", "61.0", "62.0"])
		release(house, "web", version);
	house.drover("rule", "add", "product=web", "channel=release", "priority=100", "mapping=web-60.0", `comment=${hostile}`);
	house.drover("rule", "add", "product=web", "channel=beta*", "priority=100", "rate=25", "mapping=web-61.0",
		"fallback_mapping=web-60.0", "alias=beta-everybody");
	house.drover("rule", "add", "product=web", "channel=beta*", "priority=200", "version=<40.0", "os_version=Windows XP",
		"tag.ring=slow,slower", `comment=They cannot run it. ${hostile}`);
	house.drover("rule", "add", "product=web", "channel=nightly", "priority=100", "mapping=web-62.0");
	house.drover("channel", "declare", "beta", "--product", "web", "--channel-title", `For the curious ${hostile}`);
	house.drover("channel", "declare", "beta-first", "--product", "web", "--base", "beta", "--cut", `until ${inDays(50)}`);
	house.drover("pin", "add", "web", "beta", "60.", "web-60.0");
	house.drover("shutoff", "add", "web", "nightly", "--reason", hostile);
	house.drover("freeze", "add", "new-year", "--product", "web", "--from", "2033-01-01T00:00:00Z", "--until", "2033-01-02T00:00:00Z",
		"--reason", hostile);
	house.drover("signing-role", "set", "relman");
	house.drover("requirement", "set", "web", "be*", "relman", 1);
	submit(house, {title: `Beta to everybody ${hostile}`, when: inDays(100), reason: hostile, ops: [update(2, {rate: 100})]});
	submit(house, {title: "Release to 61", when: inDays(400), reason: "it is ripe", ops: [update(1, {mapping: "web-61.0"})]});
}
