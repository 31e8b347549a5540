"use strict";

// The scan bus. A wedge scanner is a keyboard: it types a code within a few milliseconds and ends with Enter or Tab. Such a
// burst goes to the scan field wherever the focus is, except in a field for text, and what it typed elsewhere is taken back.
const Wedge = {
	gap: 50, // milliseconds between two keys, on average; people take twice as long
	pause: 150, // a longer one begins anew
	shortest: 3, // characters
	alone: 80, // a letter after which nothing comes for so long is a key, and no scan
	chord: 1500, // from G to the letter of a page
};
const GS = "\u001d"; // FNC1 between the parts of a GS1 symbol; scanners send it as Ctrl+]
const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "CapsLock", "Process"];
const TEXT = "textarea, [contenteditable=true], input:is([type=text], [type=search], [type=url], [type=email], [type=password], [type=tel], :not([type]))";

document.addEventListener("DOMContentLoaded", () => {
	const form = document.getElementById("scan-form");
	if (!form) return;
	new ScanBus(form);
	focusOn(document.querySelector("#scan-panel [data-focus], #content [data-keys] [data-focus]"));
});

// --- Keys ----------------------------------------------------------------------------------------------------
class ScanBus {
	constructor(form) {
		this.form = form;
		this.input = form.querySelector("#scan-input");
		this.page = document.querySelector("[data-scan-url]");
		this.burst = null;
		const here = { url: this.page?.dataset.scanUrl || form.action, into: this.page?.dataset.scanInto };
		this.queue = new ScanQueue(form, here, () => this.isGoingOn);
		window.addEventListener("keydown", (event) => this.key(event), { capture: true });
		window.addEventListener("keyup", (event) => this.keyUp(event), { capture: true });
		form.addEventListener("submit", (event) => {
			event.preventDefault();
			this.send(this.input.value, "hand");
			this.input.value = "";
		});
		document.addEventListener("click", (event) => this.sendButton(event.target.closest("[data-send]")));
		document.addEventListener("htmx:afterSwap", (event) => event.detail?.xhr && this.queue.arrived(event.detail.target));
		document.addEventListener("htmx:responseError", (event) => this.queue.refused(event.detail.xhr.responseText));
		document.addEventListener("input", (event) => this.queue.typed(event.target));
		document.addEventListener("focusout", (event) => this.queue.flush(event.target));
	}

	// Keys are still coming: whatever moved the focus now would get the rest of a code.
	get isGoingOn() {
		return Boolean(this.burst) && performance.now() - this.burst.seen < Wedge.alone;
	}

	key(event) {
		if (event.isComposing || MODIFIERS.includes(event.key)) return;
		const character = characterOf(event);
		const isCommand = event.ctrlKey || event.metaKey || event.altKey; // no scanner ends like that, however soon it comes
		if ((event.key === "Enter" || event.key === "Tab") && !isCommand) this.end(event);
		else if (character) this.add(character, event);
		else this.burst = null;
		if (!event.defaultPrevented) ownKeys(event);
	}

	add(character, event) {
		const { burst } = this;
		const now = event.timeStamp;
		const isLed = burst && burst.field !== event.target && isTyped(burst.field); // a key of the page led to another field
		clearTimeout(this.lone);
		if (!burst || isLed || now - burst.last > Wedge.pause) {
			this.burst = { text: "", pressed: 0, first: now, last: now, field: event.target, before: new Map() };
		} else if (character === " " && !isTyped(event.target)) {
			event.preventDefault(); // it would press the button that has the focus
		}
		if (character === " " && event.target.matches("[data-rows] > [tabindex]")) event.preventDefault(); // it would scroll
		if (character === GS) event.preventDefault();
		if (!this.burst.before.has(event.target)) this.burst.before.set(event.target, event.target.value);
		this.burst.text += character;
		this.burst.last = now;
		this.burst.seen = performance.now();
		if (isTyped(event.target) || this.burst.text.length > Wedge.shortest) return;
		const typed = this.burst;
		const from = this.queue.jobs.length ? null : event.target;
		this.lone = setTimeout(() => this.pressAll(typed, from), Wedge.alone);
	}

	// Keys that were pressed quickly, one after the other; more than a few without a pause are text that found no field.
	async pressAll(burst, from) {
		const [first, ...more] = burst.text.slice(burst.pressed);
		burst.pressed = burst.text.length;
		await this.press(first, from);
		for (const character of more) await this.press(character, document.activeElement);
	}

	end(event) {
		const { burst } = this;
		const now = event.timeStamp;
		this.burst = null;
		if (this.ended && now - this.ended < Wedge.pause && !burst) return swallow(event); // its line feed
		if (!burst || burst.text.length < Wedge.shortest || now - burst.last > Wedge.pause) return;
		if ((now - burst.first) / burst.text.length > Wedge.gap || asksForText(burst.field)) return;
		clearTimeout(this.lone);
		swallow(event);
		this.ended = now;
		for (const [field, before] of burst.before) takeBack(field, before);
		this.send(burst.text, "scanner");
	}

	// What is pressed before a scan is answered is meant for its answer, also if that comes before the key is known for one.
	async press(character, from) {
		const waits = !from || this.queue.jobs.length > 0;
		if (waits) await this.queue.idle;
		if (this.led && Date.now() - this.led < Wedge.chord && go(character)) return;
		this.led = /^g$/i.test(character) ? Date.now() : 0;
		press(character, waits ? document.activeElement : from);
	}

	keyUp(event) {
		if (event.key === " " && this.burst?.text.length > 1 && !isTyped(event.target)) event.preventDefault();
	}

	// Buttons whose order among the scans matters.
	sendButton(button) {
		if (!button) return;
		const fields = Object.fromEntries(new URLSearchParams(button.dataset.fields));
		for (const field of button.closest("[data-keys]")?.querySelectorAll("input[name]") || []) {
			if ((field.type !== "radio" || field.checked) && !field.closest("form")) fields[field.name] ??= field.value;
		}
		this.queue.flushAll();
		this.queue.add({ url: button.dataset.send, fields, into: button.dataset.into });
	}

	send(text, by) {
		if (!text.trim()) return;
		this.queue.flushAll();
		if (document.activeElement.matches("[data-post]")) document.activeElement.blur(); // the next digits are not for it
		document.dispatchEvent(new CustomEvent("scan:sent"));
		const more = new URLSearchParams(this.page?.dataset.scanFields);
		this.queue.add({ ...this.queue.here, fields: { ...Object.fromEntries(more), text, by }, isScan: true });
	}
}

function characterOf(event) {
	if (event.key === GS || (event.ctrlKey && event.code === "BracketRight")) return GS;
	const modified = (event.ctrlKey || event.altKey || event.metaKey) && !event.getModifierState("AltGraph");
	return event.key.length === 1 && !modified ? event.key : "";
}

function isTyped(element) {
	return element.matches("select, textarea, [contenteditable=true], input:not([type=radio], [type=checkbox], [type=button], [type=submit])");
}

function asksForText(element) {
	return element.matches(TEXT) && !element.matches("#scan-input, [data-scan=bus]");
}

function swallow(event) {
	event.preventDefault();
	event.stopImmediatePropagation();
}

function takeBack(field, before) {
	if (before === undefined || field.value === before) return;
	field.value = before;
	field.dispatchEvent(new Event(field.matches("select") ? "change" : "input", { bubbles: true }));
}

// A letter presses a button of the card or row that has the focus, or of what is around it.
function press(character, from) {
	if (!from.isConnected) return;
	const next = { j: "nextElementSibling", k: "previousElementSibling" }[character];
	if (next && from.matches("[data-rows] > [tabindex]")) return from[next]?.focus();
	const names = [character === " " ? "Space" : character.toUpperCase()];
	if (/[A-Z]/.test(character)) names.unshift(`Shift+${character}`);
	for (const name of names) if (pressNear(name, from)) return;
}

function pressNear(name, from) {
	for (let part = from.closest("[data-keys]"); part; part = part.parentElement.closest("[data-keys]")) {
		const buttons = [...part.querySelectorAll(`[aria-keyshortcuts="${CSS.escape(name)}"]`)];
		const button = buttons.find((one) => one.closest("[data-keys]") === part && one.offsetParent);
		if (button) {
			button.click();
			return true;
		}
	}
	return false;
}

// G and the letter of a page, one after the other, lead there.
function go(character) {
	const link = document.querySelector(`[data-go="${CSS.escape(character.toLowerCase())}"]`);
	link?.click();
	return Boolean(link);
}

// Keys that are no letters: Ctrl+Enter does what a page is for, Escape takes back the last step, arrows walk through rows.
function ownKeys(event) {
	const name = { Enter: event.ctrlKey || event.metaKey ? "Control+Enter" : "", Escape: "Escape" }[event.key];
	const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
	const row = step && event.target.closest("[data-rows] > [tabindex]");
	const line = event.target.closest(".card-line");
	if (event.key === "Enter" && !name && event.target.matches("[data-post]")) {
		event.preventDefault();
		event.target.dispatchEvent(new FocusEvent("focusout", { bubbles: true })); // saved, and one stays there
		return;
	}
	const isChanged = event.target.matches("[data-post]") && event.target.value !== event.target.defaultValue;
	if (event.key === "Escape" && (line || isChanged)) {
		event.preventDefault();
		event.target.value = event.target.defaultValue;
		line?.closest("[data-keys]").querySelector("[data-focus]:not(.card-line *)")?.focus();
		line?.remove();
		return;
	}
	if (row) {
		event.preventDefault();
		(step > 0 ? row.nextElementSibling : row.previousElementSibling)?.closest("[tabindex]")?.focus();
	} else if (name && !document.querySelector("dialog[open]")) {
		const isNowhere = event.target === document.body || event.target.closest("#scan-form");
		const near = event.target.closest("[data-keys]") || (isNowhere && document.querySelector("#content [data-keys]"));
		const button = near && near.querySelector(`[aria-keyshortcuts="${name}"]`);
		if (!button) return;
		event.preventDefault();
		button.click();
	}
}

// --- The queue -----------------------------------------------------------------------------------------------
// One request after the other, each with an id of its own. What has no answer yet is kept in the tab, and sent again with
// the same id: after an error of the network, and by the next page when one leaves this one. A scan may lead to another page:
// what was scanned after it is for that page.
class ScanQueue {
	constructor(form, here, isGoingOn) {
		this.form = form;
		this.here = here; // where scans go, and where their answers are shown
		this.isGoingOn = isGoingOn; // a scan, of which more is to come
		this.status = form.querySelector("#scan-status");
		this.panel = document.getElementById("scan-panel");
		this.store = `scans of ${form.dataset.who}`;
		this.jobs = JSON.parse(sessionStorage.getItem(this.store) || "[]").map((job) => ({ ...here, ...job }));
		this.unsaved = new Set();
		window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
		this.run();
	}

	add(job) {
		this.jobs.push({ id: newId(), ...job });
		this.focus = document.activeElement;
		this.keep();
		this.run();
	}

	keep() {
		sessionStorage.setItem(this.store, JSON.stringify(this.jobs));
	}

	run() {
		if (!this.running) this.idle = this.work();
	}

	async work() {
		this.running = true;
		while (this.jobs.length) {
			const [job] = this.jobs;
			this.form.dataset.state = "reading";
			if (this.jobs.length > 1) this.status.textContent = `${this.jobs.length} waiting`;
			const answer = await this.ask(job);
			if (!answer) break; // signed out: the rest waits in the tab
			while (this.isGoingOn()) await new Promise((resolve) => setTimeout(resolve, Wedge.gap));
			this.jobs.shift();
			if (answer.go) return this.leave(answer.go);
			this.keep();
			this.show(job, answer);
		}
		this.running = false;
	}

	leave(url) {
		this.here = {};
		for (const job of this.jobs.filter((one) => one.isScan)) Object.assign(job, { url: undefined, into: undefined });
		this.keep();
		beep(true);
		window.location.assign(url);
	}

	async ask(job) {
		for (let tries = 1; ; tries += 1) {
			try {
				const body = new URLSearchParams({ ...job.fields, id: job.id });
				const token = this.form.querySelector("[name=csrfmiddlewaretoken]").value;
				const response = await fetch(job.url, { method: "POST", body, headers: { "X-CSRFToken": token } });
				if (response.redirected || response.status === 401) {
					this.say("wrong", "Sign in again; what was scanned is kept.");
					return null;
				}
				if (response.status < 500 && response.status !== 429) {
					const html = await response.text();
					const isPart = !html.trimStart().startsWith("<!"); // else a whole page, such as that of an error
					return { ok: response.ok, into: response.headers.get("X-Into"), go: response.headers.get("X-Go"), html: isPart ? html : "" };
				}
				if (tries >= 5) return { ok: false, html: "" };
			} catch {
				// no network
			}
			this.say("wrong", `No answer, trying again. ${this.jobs.length} waiting`);
			await new Promise((resolve) => setTimeout(resolve, Math.min(tries, 10) * 500));
		}
	}

	show(job, { ok, html, into }) {
		const target = ok && (into || job.into) ? document.querySelector(into || job.into) : this.panel;
		const from = document.activeElement;
		const mayMove = from === document.body || from === this.focus || target?.contains(from);
		this.say(ok ? "ready" : "wrong", ok ? "Ready to scan" : "This was not taken: try again.");
		if (html && target) {
			if (target !== this.panel) this.panel.replaceChildren(); // a refusal that is over
			const { id, value, selectionStart } = from;
			htmx.swap(target, html, { swapStyle: "innerHTML", swapDelay: 0, settleDelay: 0 }); // its keys work at once
			this.arrived(target, mayMove && !job.quiet);
			if (job.quiet && !from.isConnected && id) this.goOn(document.getElementById(id), value, selectionStart);
		}
		if (!job.quiet) beep(ok);
		if (job.isScan) document.dispatchEvent(new CustomEvent("scan:answered"));
	}

	// Somebody was typing in a field that has come anew.
	goOn(field, value, place) {
		if (!field) return;
		field.focus();
		if (field.value === value || !field.matches("input[type=text]")) return;
		field.value = value;
		field.setSelectionRange(place, place);
		this.typed(field);
	}

	arrived(target, mayMove = true) {
		if (!target.closest("#scan-panel, [data-keys]")) return;
		if (mayMove) focusOn(target.querySelector("[data-focus]"));
		const said = target.querySelector("[data-say]")?.textContent.trim().replace(/\s+/g, " ");
		if (said) this.status.textContent = said;
	}

	refused(html) {
		const said = new DOMParser().parseFromString(html, "text/html").querySelector("[data-say]")?.textContent.trim();
		this.say("wrong", said || "This was not taken: try again.");
	}

	say(state, text) {
		this.form.dataset.state = state;
		this.status.textContent = text;
	}

	// Fields that are saved when one leaves them, in line with the scans: what was typed before a scan counts before it.
	typed(field) {
		if (field.matches?.("[data-post]")) this.unsaved.add(field);
	}

	flushAll() {
		for (const field of [...this.unsaved]) this.flush(field);
	}

	flush(field) {
		if (this.isGoingOn()) return; // what a scanner types there is taken back
		if (!this.unsaved.delete(field) || field.value === field.defaultValue) return;
		this.add({ url: field.dataset.post, fields: { [field.name]: field.value }, into: field.dataset.into, quiet: true });
	}
}

function focusOn(element) {
	element?.focus();
	if (element?.matches("[data-post]")) element.select(); // what is typed is in its place
}

function newId() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

let audio;

function beep(ok) {
	audio ||= new AudioContext();
	const tone = audio.createOscillator();
	const gain = audio.createGain();
	tone.frequency.value = ok ? 1200 : 220;
	gain.gain.value = 0.05;
	tone.connect(gain).connect(audio.destination);
	tone.start();
	tone.stop(audio.currentTime + (ok ? 0.06 : 0.3));
}
