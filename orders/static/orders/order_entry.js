"use strict";

// The entry row of a sale: code or letters, Enter, quantity, Enter. It stays while lines are answered, so one types on.
// What is typed is sent by the buttons of the row, in line with the scans.
const Suggest = { wait: 300, least: 2 }; // milliseconds after the last key; characters

class EntryRow {
	constructor(root) {
		this.root = root;
		for (const name of ["code", "quantity", "chosen", "add", "paste"]) this[name] = root.querySelector(`#entry-${name}`);
		this.list = root.querySelector("#suggestions");
		this.said = root.querySelector("#suggestions-said");
		this.sale = root.querySelector("#sale");
		this.code.addEventListener("input", () => this.later());
		this.list.addEventListener("mousedown", (event) => this.take(event.target.closest("[role=option]"), event));
		window.addEventListener("click", (event) => this.add.contains(event.target) && this.clear()); // once it is sent
		root.addEventListener("keydown", (event) => this.key(event));
		root.addEventListener("paste", (event) => this.pasted(event));
		new MutationObserver(() => this.answered()).observe(this.sale, { childList: true });
	}

	get marked() {
		return this.list.querySelector("[aria-selected=true]");
	}

	// Before the keys of the page: Escape takes back what is typed, and only then the last step.
	escape(event) {
		if (event.key !== "Escape" || ![this.code, this.quantity].includes(event.target)) return;
		if (!this.code.value && !this.quantity.value) return;
		event.preventDefault();
		event.stopImmediatePropagation();
		this.clear();
	}

	key(event) {
		if (event.isComposing) return;
		const { target } = event;
		if (event.key.toLowerCase() === "l" && event.ctrlKey && event.shiftKey) {
			event.preventDefault();
			this.root.querySelector('[aria-keyshortcuts="Control+Shift+L"]')?.click();
		} else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
			if (target.matches("#entry-code, #entry-quantity, #entry-customer")) event.preventDefault();
			if (target.matches("#entry-customer") && target.value.trim()) this.root.querySelector("#entry-customer-take").click();
			else if (target === this.code) this.codeIsTyped();
			else if (target === this.quantity) this.quantityIsTyped();
		} else if (target === this.code && ["ArrowDown", "ArrowUp"].includes(event.key)) {
			event.preventDefault();
			this.mark(event.key === "ArrowDown" ? 1 : -1);
		}
	}

	codeIsTyped() {
		if (!this.code.value.trim()) return;
		if (this.listed === this.code.value) this.take(this.marked);
		this.hide();
		this.quantity.focus();
		this.quantity.select();
	}

	quantityIsTyped() {
		if (this.code.value.trim()) this.add.click();
		else this.code.focus();
	}

	take(option, event) {
		if (!option) return;
		event?.preventDefault();
		this.code.value = option.dataset.sku;
		this.chosen.value = option.dataset.variant;
		if (event) this.hide(), this.quantity.focus();
	}

	clear() {
		this.code.value = this.quantity.value = this.chosen.value = "";
		this.hide();
		this.code.focus();
	}

	// --- Suggestions
	later() {
		clearTimeout(this.timer);
		this.chosen.value = "";
		if (this.code.value.trim().length < Suggest.least) this.hide();
		else this.timer = setTimeout(() => this.suggest(this.code.value), Suggest.wait);
	}

	async suggest(text) {
		const response = await fetch(`${this.code.dataset.suggest}?text=${encodeURIComponent(text)}`);
		const html = response.ok && !response.redirected ? await response.text() : "";
		if (this.code.value !== text || document.activeElement !== this.code) return; // one has typed on
		this.list.innerHTML = html;
		this.listed = text;
		const { length } = this.list.children;
		this.code.setAttribute("aria-expanded", String(length > 0));
		this.said.textContent = length ? `${length} found. Enter takes the first.` : "Nothing begins with this.";
		this.mark(0);
	}

	mark(step) {
		const options = [...this.list.querySelectorAll("[role=option]")];
		if (!options.length) return;
		const next = options[(options.indexOf(this.marked) + step + options.length) % options.length];
		for (const option of options) option.setAttribute("aria-selected", String(option === next));
		this.code.setAttribute("aria-activedescendant", next.id);
		next.scrollIntoView({ block: "nearest" });
	}

	hide() {
		clearTimeout(this.timer);
		this.list.replaceChildren();
		this.listed = undefined;
		this.code.setAttribute("aria-expanded", "false");
		this.code.removeAttribute("aria-activedescendant");
	}

	// --- Pasting and answers
	pasted(event) {
		const block = event.clipboardData.getData("text/plain");
		if (!/[\t\r\n]/.test(block.trim())) return; // a word, into the field that has the focus
		event.preventDefault();
		this.paste.dataset.fields = new URLSearchParams({ block });
		this.paste.click();
	}

	answered() {
		const isPlaced = this.sale.querySelector("[data-placed]");
		if (isPlaced) this.clear();
		if (!isPlaced && document.activeElement !== document.body) return;
		const wrong = this.sale.querySelector("[aria-invalid=true]");
		(this.root.querySelector("#entry-customer") || wrong || this.code).focus();
	}
}

// Its keys come before those of every page, which are bound once the document is there.
const rows = [];
window.addEventListener("keydown", (event) => rows.forEach((row) => row.escape(event)), { capture: true });
document.addEventListener("DOMContentLoaded", () => {
	rows.push(new EntryRow(document.getElementById("selling")));
	(document.getElementById("entry-customer") || document.getElementById("entry-code")).focus();
});
