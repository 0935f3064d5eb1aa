/* SPDX-License-Identifier: ISC
 *
 * Keeps an open page true. The server says "changed" on /events; the same address is fetched again, and the
 * regions marked data-live whose HTML differs are replaced. A region in which somebody is typing waits until
 * that person is done. Without this script every page works as it is.
 */
"use strict";

/* The slider of time says the instant it stands at: the list below it has them, newest first. */
document.addEventListener("input", (event) => {
	const slider = event.target;
	const list = slider.dataset.moments && document.getElementById(slider.dataset.moments);
	if (!list)
		return;
	const moment = list.children[Number(slider.max) - 1 - Number(slider.value)];
	const words = moment ? moment.querySelector("a").textContent : "now";
	slider.setAttribute("aria-valuetext", words);
	document.querySelector(`output[for="${slider.id}"]`).textContent = words;
});

(() => {
	const SIDEWAYS = ".scroll, .strip-scroll, .queue-scroll, .tree-scroll"; /* what keeps its place */
	const QUIET_MS = 300; /* several changes at once are one fetch */
	const indicator = document.getElementById("live");
	const announcer = document.getElementById("announce");
	if (!indicator || !window.EventSource)
		return;

	let seen = null; /* the newest event, as it came */
	let timer = 0;
	let running = false;
	let again = false;

	const show = (state, words) => {
		indicator.hidden = false;
		indicator.dataset.state = state;
		indicator.textContent = words;
	};

	const isTyped = (field) => {
		if (field.type === "hidden" || field.tagName === "BUTTON")
			return false;
		if (field.tagName === "SELECT")
			return [...field.options].some((option) => option.selected !== option.defaultSelected &&
				(option.defaultSelected || option.index > 0));
		return field.value !== field.defaultValue;
	};

	const isBusy = (region) => {
		const active = document.activeElement;
		if (region.contains(active) && active.matches("input, select, textarea"))
			return true;
		return [...region.querySelectorAll("input, select, textarea")].some(isTyped);
	};

	/* A way back to the focused element in new HTML: its id, its address, or its place. */
	const pathOf = (region) => {
		const active = document.activeElement;
		if (!region.contains(active) || active === region)
			return null;
		const all = [...region.querySelectorAll("a, button, summary, [tabindex]")];
		return {id: active.id, href: active.getAttribute("href"), index: all.indexOf(active)};
	};

	const focusAgain = (region, path) => {
		if (!path)
			return;
		const all = [...region.querySelectorAll("a, button, summary, [tabindex]")];
		const target = (path.id && document.getElementById(path.id)) ||
			all.find((element) => path.href && element.getAttribute("href") === path.href) ||
			all[path.index];
		if (target)
			target.focus({preventScroll: true});
	};

	const offsets = (region) => [...region.querySelectorAll(SIDEWAYS)]
		.map((element) => element.scrollLeft);

	const replace = (region, fresh) => {
		const path = pathOf(region);
		const scrolled = offsets(region);
		const opened = [...region.querySelectorAll("details[open][id]")].map((details) => details.id);
		region.innerHTML = fresh.innerHTML;
		region.querySelectorAll(SIDEWAYS).forEach((element, index) => {
			if (scrolled[index] !== undefined)
				element.scrollLeft = scrolled[index];
		});
		for (const id of opened) {
			const details = document.getElementById(id);
			if (details)
				details.open = true;
		}
		focusAgain(region, path);
	};

	/* Ages move with every minute; only what else differs is news. */
	const withoutAges = (element) => {
		const copy = element.cloneNode(true);
		copy.querySelectorAll(".age").forEach((age) => age.remove());
		copy.querySelectorAll("details[id]").forEach((details) => details.removeAttribute("open"));
		return copy.innerHTML;
	};

	const refresh = async () => {
		/* The answer to a form stands at the form's address, but is read at its page's. */
		const address = document.getElementById("main").dataset.address || location.href;
		const answer = await fetch(address, {credentials: "same-origin", cache: "no-store"});
		if (!answer.ok || answer.redirected) {
			show("stale", "reload the page");
			return;
		}
		const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
		let news = false;
		let waiting = false;
		for (const region of document.querySelectorAll("[data-live][id]")) {
			const other = fresh.getElementById(region.id);
			if (!other || other.innerHTML === region.innerHTML)
				continue;
			if (isBusy(region)) {
				waiting = true;
				continue;
			}
			news = news || withoutAges(other) !== withoutAges(region);
			replace(region, other);
		}
		if (news && announcer)
			announcer.textContent = "The page was updated.";
		if (waiting)
			document.addEventListener("focusout", later, {once: true});
	};

	const run = async () => {
		if (running) {
			again = true;
			return;
		}
		running = true;
		try {
			await refresh();
		} catch {
			show("reconnecting", "reconnecting");
		}
		running = false;
		if (again) {
			again = false;
			later();
		}
	};

	const later = () => {
		clearTimeout(timer);
		timer = setTimeout(run, QUIET_MS);
	};

	const events = new EventSource("/events");
	events.addEventListener("open", () => show("live", "live"));
	events.addEventListener("error", () => show("reconnecting",
		events.readyState === EventSource.CLOSED ? "not live" : "reconnecting"));
	events.addEventListener("changed", (event) => {
		if (event.data !== seen)
			later();
		seen = event.data;
	});
	addEventListener("pagehide", () => events.close());
	addEventListener("pageshow", (event) => event.persisted && location.reload());
})();
