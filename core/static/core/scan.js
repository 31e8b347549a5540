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
const FIRST = "#scan-panel [data-focus], #content [data-keys] [data-focus]"; // where the focus is on a page that has just opened
const CUT = "a scan was cut"; // kept in the tab from one page to the next
const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "CapsLock", "Process"];
const TEXT = "textarea, [contenteditable=true], input:is([type=text], [type=search], [type=url], [type=email], [type=password], [type=tel], :not([type]))";

// --- Keys ----------------------------------------------------------------------------------------------------
class ScanBus {
	// It hears from here on, though the page is not whole yet, and what the keys are for is not there.
	constructor() {
		this.opened = performance.now();
		this.early = [];
		this.hearing = new AbortController();
		window.addEventListener("keydown", (event) => this.keep(event), { capture: true, signal: this.hearing.signal });
		this.burst = null;
	}

	keep(event) {
		this.early.push([event, event.target.value]);
		if (event.key === "Enter" && this.early.length > Wedge.shortest && !asksForText(event.target)) swallow(event);
	}

	open(form) {
		this.hearing.abort();
		if (!form) return;
		this.form = form;
		this.input = form.querySelector("#scan-input");
		this.queue = new ScanQueue(form, () => this.isGoingOn);
		window.addEventListener("keydown", (event) => this.key(event), { capture: true }); // after what a page of its own bound
		window.addEventListener("keyup", (event) => this.keyUp(event), { capture: true });
		window.addEventListener("pagehide", () => this.close());
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
		for (const [event, before] of this.early.splice(0)) this.key(event, before);
		focusOn(document.querySelector(FIRST));
		reloadIfOther();
		if (sessionStorage.getItem(CUT)) this.refuse();
		setTimeout(() => this.queue.ready(), this.opened + Wedge.pause - performance.now());
	}

	// The rest of a code that this page heard the beginning of is for the next one, which must not take it for a whole.
	close() {
		if (this.isGoingOn && this.burst.text.length >= Wedge.shortest && isQuick(this.burst)) sessionStorage.setItem(CUT, "1");
	}

	refuse() {
		sessionStorage.removeItem(CUT);
		this.input.focus(); // the number that is typed after it is not for another line
		this.queue.refuse("This page was just opening, and may not have heard all of the code: scan it again.");
	}

	// Keys are still coming: whatever moved the focus now would get the rest of a code.
	get isGoingOn() {
		return Boolean(this.burst) && performance.now() - this.burst.seen < Wedge.alone;
	}

	key(event, before = event.target.value) {
		if (event.isComposing || MODIFIERS.includes(event.key)) return;
		const character = characterOf(event);
		const isCommand = event.ctrlKey || event.metaKey || event.altKey; // no scanner ends like that, however soon it comes
		if ((event.key === "Enter" || event.key === "Tab") && !isCommand) this.end(event);
		else if (character) this.add(character, event, before);
		else this.burst = null;
		if (!event.defaultPrevented) ownKeys(event);
	}

	add(character, event, before) {
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
		if (!this.burst.before.has(event.target)) this.burst.before.set(event.target, before);
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
		if (!isQuick(burst, now) || asksForText(burst.field)) return;
		clearTimeout(this.lone);
		swallow(event);
		this.ended = now;
		for (const [field, before] of burst.before) takeBack(field, before);
		if (burst.first - this.opened < Wedge.pause) this.refuse();
		else this.send(burst.text, "scanner");
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
		const more = new URLSearchParams(deskOf(document)?.dataset.scanFields);
		this.queue.add({ ...this.queue.here, fields: { ...Object.fromEntries(more), text, by }, isScan: true });
	}
}

function characterOf(event) {
	if (event.key === GS || (event.ctrlKey && event.code === "BracketRight")) return GS;
	const modified = (event.ctrlKey || event.altKey || event.metaKey) && !event.getModifierState("AltGraph");
	return event.key.length === 1 && !modified ? event.key : "";
}

function isQuick(burst, now = burst.last) {
	return (now - burst.first) / burst.text.length <= Wedge.gap;
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

function focusOn(element) {
	element?.focus();
	if (element?.matches("[data-post]")) element.select(); // what is typed is in its place
}

const bus = new ScanBus();
document.addEventListener("DOMContentLoaded", () => bus.open(document.getElementById("scan-form")));
