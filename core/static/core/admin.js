"use strict";

// unfold binds c, f, [, / and ? for the whole page. A wedge scanner types letters wherever the focus is, so a
// scan opened forms and lost its half-edited ones. Keys belong to the field or card that has the focus.
document.addEventListener("alpine:init", () => {
	const unfoldTheme = window.theme;
	window.theme = (...options) => {
		const data = unfoldTheme(...options);
		const { "x-on:keydown.window": _letters, ...bindings } = data.themeBindings;
		return { ...data, themeBindings: bindings };
	};
});

document.addEventListener("DOMContentLoaded", () => {
	// A form that came with an answer works as soon as it is there: htmx waits 20 ms, and a scanner's Enter is quicker.
	if (window.htmx) htmx.config.defaultSettleDelay = 0;
	nameForScreenReaders(document.body);
	preparePalette();
	prepareForms();
	prepareBell();
	document.querySelector("#login-form [autofocus]")?.focus();
	document.addEventListener("htmx:afterSwap", (event) => nameForScreenReaders(event.target));
	new MutationObserver((changes) => {
		for (const change of changes) {
			for (const node of change.addedNodes) {
				if (node.nodeType === Node.ELEMENT_NODE) nameForScreenReaders(node);
			}
		}
	}).observe(document.body, { childList: true, subtree: true });
});

// --- Names ---------------------------------------------------------------------------------------------------
const ICON_NAMES = { more_horiz: "More", more_vert: "More", close: "Close", expand_more: "Details", chevron_right: "Details" };

function nameForScreenReaders(root) {
	for (const element of within(root, "[x-on\\:click]")) makeReachable(element);
	for (const icon of within(root, ".material-symbols-outlined")) {
		if (!icon.hasAttribute("role")) icon.setAttribute("aria-hidden", "true");
	}
	for (const box of within(root, ".select2-selection[role=combobox]")) nameSelect2(box);
	for (const field of within(root, ".select2-search__field")) field.setAttribute("aria-label", "Begins with");
	for (const cell of within(root, "[data-inline-type=tabular] tbody td")) nameCell(cell);
	for (const heading of within(root, "[data-inline-type=tabular] thead th")) {
		if (!heading.textContent.trim()) heading.innerHTML = '<span class="sr-only">Delete</span>';
	}
	for (const frame of within(root, "iframe:not([title])")) frame.title = "Another page";
	for (const sheet of within(root, "#changelist-filter")) describe(sheet, { role: "dialog", "aria-modal": "true", "aria-label": "Filters" });
	for (const wrapper of within(root, "nav.related-widget-wrapper")) wrapper.setAttribute("role", "presentation");
}

function within(root, selector) {
	return [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
}

function describe(element, attributes) {
	for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

// unfold opens menus by clicks on spans; the keyboard must reach them, too.
function makeReachable(element) {
	if (element.matches("a[href], button, input, select, textarea, summary, label, [tabindex], #changelist-filter-close")) return;
	const icon = element.matches(".material-symbols-outlined") ? element : element.querySelector(".material-symbols-outlined");
	describe(element, { role: "button", tabindex: "0" });
	if (icon && element.textContent.trim() === icon.textContent.trim()) {
		element.setAttribute("aria-label", ICON_NAMES[icon.textContent.trim()] || icon.textContent.trim().replaceAll("_", " "));
	}
	element.addEventListener("keydown", (event) => {
		if (event.target !== element || !["Enter", " "].includes(event.key)) return;
		event.preventDefault();
		element.click();
	});
}

// select2 names its box by what is chosen; the label says what it is for.
function nameSelect2(box) {
	const select = box.closest(".select2")?.previousElementSibling;
	const name = select?.getAttribute("aria-label") || select?.labels?.[0]?.textContent;
	if (!name) return;
	const chosen = box.textContent.trim();
	box.removeAttribute("aria-labelledby");
	box.setAttribute("aria-label", chosen ? `${name.trim()}: ${chosen}` : name.trim());
	const rendered = box.querySelector(".select2-selection__rendered");
	if (!rendered) return;
	rendered.setAttribute("aria-label", name.trim());
	box.setAttribute("aria-controls", rendered.id.replace(/-container$/, "-results"));
}

// A cell of an inline table has no label of its own: its column's heading is its name.
function nameCell(cell) {
	const heading = [...(cell.closest("table")?.querySelectorAll("thead th") || [])][cell.cellIndex];
	const name = heading?.querySelector("span span")?.textContent.trim() || heading?.textContent.trim();
	if (!name) return;
	const row = [...cell.closest("table").querySelectorAll("tbody")].indexOf(cell.closest("tbody")) + 1;
	for (const field of cell.querySelectorAll("input:not([type=hidden]), select, textarea")) {
		if (!field.labels?.length && !field.hasAttribute("aria-label")) field.setAttribute("aria-label", `${name}, row ${row}`);
	}
}

// --- Forms ---------------------------------------------------------------------------------------------------
// A scanner ends with Enter: it goes on to the next field, and never posts a half-filled form. Ctrl+Enter saves.
function prepareForms() {
	const form = document.querySelector(".change-form form[id$=_form]");
	if (!form) return;
	form.addEventListener("keydown", (event) => {
		if (event.key !== "Enter" || event.isComposing) return;
		if (event.ctrlKey || event.metaKey) {
			event.preventDefault();
			document.querySelector(`[form="${form.id}"][name=_save]`)?.click();
			return;
		}
		const field = event.target;
		if (field.matches("input:not([type=submit]):not([type=button]):not(.select2-search__field)")) {
			event.preventDefault();
			fieldAfter(form, field)?.focus();
		}
	});
	form.querySelector("[aria-invalid=true]")?.focus();
}

function fieldAfter(form, field) {
	const fields = [...form.elements].filter((other) => !other.disabled && other.type !== "hidden" && other.offsetParent);
	return fields[fields.indexOf(field) + 1];
}

// --- The bell -------------------------------------------------------------------------------------------------
const LOOK_EACH = 60_000; // milliseconds

// What came meanwhile is shown without a reload. A tab that nobody sees asks nothing.
function prepareBell() {
	if (!document.querySelector(".bell")) return;
	let looked = Date.now();
	const look = async () => {
		if (document.hidden) return;
		looked = Date.now();
		const bell = document.querySelector(".bell");
		const response = await fetch(bell.dataset.look, { redirect: "manual" }).catch(() => null);
		if (response?.type === "opaqueredirect") clearInterval(timer); // signed out
		if (response?.status !== 200) return;
		const hadFocus = bell === document.activeElement;
		bell.outerHTML = await response.text();
		if (hadFocus) document.querySelector(".bell").focus();
	};
	const timer = setInterval(look, LOOK_EACH);
	document.addEventListener("visibilitychange", () => Date.now() - looked >= LOOK_EACH && look());
}

// --- The palette ---------------------------------------------------------------------------------------------
function preparePalette() {
	const dialog = document.getElementById("palette");
	if (!dialog) return;
	const palette = new Palette(dialog);
	document.addEventListener("keydown", (event) => {
		if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
			event.preventDefault();
			palette.open();
		}
	});
	document.addEventListener("click", (event) => event.target.closest("[data-open-palette]") && palette.open());
}

class Palette {
	static wait = 120; // milliseconds after the last key

	constructor(dialog) {
		this.dialog = dialog;
		this.input = dialog.querySelector("#palette-input");
		this.list = dialog.querySelector("#palette-results");
		this.status = dialog.querySelector("#palette-status");
		this.asked = 0;
		this.pending = null;
		this.input.addEventListener("input", () => this.later());
		this.input.addEventListener("keydown", (event) => this.key(event));
		this.list.addEventListener("click", (event) => this.go(event.target.closest("[role=option]"), event));
		dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
	}

	open() {
		if (!this.dialog.open) this.dialog.showModal();
		this.input.focus();
		this.input.select();
	}

	later() {
		clearTimeout(this.timer);
		this.pending = new Promise((resolve) => {
			this.timer = setTimeout(() => resolve(this.search()), Palette.wait);
		});
	}

	async search() {
		const number = ++this.asked;
		const url = `${this.dialog.dataset.url}?s=${encodeURIComponent(this.input.value)}`;
		const response = await fetch(url, { headers: { "X-Requested-With": "XMLHttpRequest" } });
		const html = response.ok ? await response.text() : "";
		if (number !== this.asked) return; // a later search has been asked
		this.list.innerHTML = html;
		this.mark(0);
		this.input.setAttribute("aria-expanded", String(this.options.length > 0));
		this.status.textContent = response.ok ? this.summary() : "The search failed: sign in again or reload the page.";
	}

	summary() {
		if (this.input.value.trim().length < 2) return "Type two characters or more.";
		return this.options.length ? `${this.options.length} found. Enter opens.` : "Nothing begins with this.";
	}

	get options() {
		return [...this.list.querySelectorAll("[role=option]")];
	}

	mark(index) {
		const options = this.options;
		this.marked = options[(index + options.length) % options.length];
		for (const option of options) option.setAttribute("aria-selected", String(option === this.marked));
		this.input.setAttribute("aria-activedescendant", this.marked?.id || "");
		this.marked?.scrollIntoView({ block: "nearest" });
	}

	async key(event) {
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (step) {
			event.preventDefault();
			this.mark(this.options.indexOf(this.marked) + step);
		} else if (event.key === "Enter") {
			event.preventDefault();
			const { ctrlKey, metaKey } = event;
			await this.pending; // a scan and its Enter come before the answer
			this.go(this.marked, { ctrlKey, metaKey });
		}
	}

	go(option, event) {
		if (!option) return;
		const panel = "inPlace" in option.dataset && document.getElementById("scan-panel");
		if (event.ctrlKey || event.metaKey) window.open(option.dataset.url);
		else if (panel) this.show(option.dataset.url, panel);
		else window.location.assign(option.dataset.url);
	}

	// A card, on the page that one is on.
	async show(url, panel) {
		this.dialog.close();
		await htmx.ajax("GET", url, panel);
		panel.querySelector("[data-focus]")?.focus();
	}
}
