/* SPDX-License-Identifier: ISC
 *
 * Every page there is, for tests that look at all of them.
 */
import fs from "node:fs";
import path from "node:path";
import {pathToFileURL} from "node:url";

/* As an admin sees them. */
export const PAGES = {
	"overview": "/",
	"product": "/products/web",
	"landings": "/products/web/landings",
	"landings, filtered": "/products/web/landings?state=BAD&author=linus%40example.org",
	"landing": "/products/web/landings/3",
	"landing with HTML in its texts": "/products/web/landings/7",
	"landing with a long subject": "/products/web/landings/8",
	"landing rolled back": "/products/web/landings/4",
	"where": "/products/web/where",
	"where, answered": "/products/web/where?q=dark-map",
	"where, nothing found": "/products/web/where?q=%3Cb%3Enothing",
	"history": "/history",
	"history, verified": "/history?verify=1",
	"history entry": "/history/6",
	"people": "/people",
	"person": "/people/tess",
	"tokens": "/tokens",
	"hosts": "/hosts",
	"pools": "/pools",
	"pool": "/pools/shop",
	"releases": "/products/web/releases",
	"release": "/products/web/releases/63.1.0",
	"first release": "/products/web/releases/63.0.0",
	"release, its files": "/products/web/releases/63.1.0/files",
	"release, a file sought": "/products/web/releases/63.1.0/files?q=%3Ci%3E",
	"release, compared": "/products/web/releases/63.1.0/diff",
	"release, compared with none": "/products/web/releases/63.1.0/diff?from=%3Cb%3E",
	"nodes": "/nodes",
	"nodes, filtered": "/nodes?state=failed",
	"node": "/nodes/node2",
	"node that never reported": "/nodes/node3",
	"channels": "/channels",
	"channel": "/channels/web/beta",
	"channel, shut off": "/channels/web/nightly",
	"channel, in the past": "/channels/web/beta?moment=3",
	"test channel": "/channels/web/beta-first",
	"channel, who gets what": "/channels/web/beta/explain?version=39.0&platform=Linux_x86_64&locale=en-US&tags=ring%3Dslow",
	"channel, a client that is none": "/channels/web/beta/explain?version=%3Cb%3E",
	"channel, compared": "/channels/web/beta-test/diff",
	"channel, before it is shut off": "/channels/web/beta/shut-off",
	"channel, before it is switched on": "/channels/web/nightly/switch-on",
	"changes": "/changes",
	"change": "/changes/1",
	"change, before glass breaks": "/changes/1/break-glass",
	"change of a rule, being written": "/changes/new?kind=rule&rule_id=2",
	"new rule, being written": "/changes/new?kind=insert",
	"change as JSON": "/changes/new?kind=json",
	"notices": "/notices",
	"maintenance": "/maintenance",
	"no such page": "/nowhere",
	"no such landing": "/products/web/landings/999",
};
/* As a stranger sees them. */
export const DOORS = {"login": "/login", "login by link": "/login/dr_0000"};

/* The static report of this house: names and file: addresses of its pages. */
export function reportOf(house) {
	const folder = path.join(house.folder, "report");
	house.drover("report", "--out", folder);
	return Object.fromEntries(fs.readdirSync(folder).filter((name) => name.endsWith(".html"))
		.map((name) => [`report ${name}`, pathToFileURL(path.join(folder, name)).href]));
}
