/* SPDX-License-Identifier: ISC
 *
 * Somebody without a pointer.
 */
import assert from "node:assert/strict";

export const TABS = 150;

/* What has the focus, and whether one sees it. */
export const active = (page) => page.evaluate(() => {
	const element = document.activeElement;
	const style = getComputedStyle(element);
	const box = element.getBoundingClientRect();
	return {
		tag: element.tagName, id: element.id, text: (element.textContent || element.value || "").trim(),
		label: element.labels?.[0]?.textContent.trim() ?? element.getAttribute("aria-label"),
		href: element.getAttribute("href"), group: element.closest("[data-item]")?.dataset.item,
		outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
		seen: box.width > 0 && box.height > 0 && box.right > 0 && box.bottom > 0 && box.top < innerHeight,
	};
});

/* Presses Tab until the focus is on what `wanted` accepts; everything on the way must be seen to have it. */
export async function tabTo(page, wanted, key = "Tab") {
	for (let tab = 0; tab < TABS; tab++) {
		await page.keyboard.press(key);
		const now = await active(page);
		if (now.tag === "BODY")
			continue;
		assert.ok(now.outline, `no focus outline on ${JSON.stringify(now)}`);
		assert.ok(now.seen, `focus out of sight on ${JSON.stringify(now)}`);
		if (wanted(now))
			return now;
	}
	throw new Error(`Tab never came to ${wanted}`);
}
