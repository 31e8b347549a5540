"use strict";

// The sheet of a count: number, Enter, number, Enter. What is typed is sent at once and in order, and the clerk goes on
// meanwhile; what could not be kept is marked, and the page is not left before all of it is.
const LONGEST_NUMBER = 7; // digits before the point; more is a code that a scanner typed
const NUMBER = /^\d+([.,]\d+)?$/;

document.addEventListener("DOMContentLoaded", () => {
	const sheet = document.querySelector("[data-count]");
	if (sheet) new CountSheet(sheet);
	const variance = document.querySelector("[data-variance]");
	if (variance) prepareVariance(variance);
	document.querySelector("[data-counting] [autofocus]")?.focus();
});

function isNumber(text) {
	return NUMBER.test(text) && text.split(/[.,]/)[0].length <= LONGEST_NUMBER;
}

class CountSheet {
	constructor(root) {
		this.root = root;
		this.rows = root.querySelector("[data-rows]");
		this.scanField = root.querySelector("#count-scan");
		this.answer = root.querySelector("#count-answer");
		this.scanUrl = root.dataset.scanUrl;
		this.sent = Promise.resolve();
		this.asked = this.answered = 0; // scans
		this.held = new Map(); // numbers that were typed before their scan was answered
		root.addEventListener("keydown", (event) => this.key(event));
		root.addEventListener("change", (event) => this.keep(event.target));
		root.querySelector(".count-scan").addEventListener("submit", (event) => event.preventDefault());
		root.querySelector("[data-leave]").addEventListener("click", () => this.leave());
		document.addEventListener("keydown", (event) => {
			if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
			event.preventDefault();
			this.leave();
		});
		// The answer to a scan, whether the header's scan field asked or the one of this page.
		new MutationObserver(() => this.scanned()).observe(this.answer, { childList: true });
		document.addEventListener("scan:sent", () => this.scanSent());
		document.addEventListener("scan:answered", () => setTimeout(() => this.scanAnswered())); // after scanned()
		(this.firstLeft() || this.scanField).focus();
	}

	get fields() {
		return [...this.rows.querySelectorAll("input")];
	}

	firstLeft(after = null) {
		const fields = this.fields;
		const left = (field) => field.value === "";
		return fields.slice(fields.indexOf(after) + 1).find(left) || fields.find((field) => field !== after && left(field));
	}

	key(event) {
		const field = event.target;
		if (event.isComposing || !field.matches("input")) return;
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
			event.preventDefault();
			this.enter(field);
		} else if (event.key === "=" && field !== this.scanField) {
			event.preventDefault();
			const { book } = field.closest("tr").dataset;
			if (book === undefined) return this.say("Blind: type what is there.");
			field.value = book;
			this.enter(field);
		} else if (event.key === "Escape" && field !== this.scanField) {
			field.value = field.dataset.counted;
		} else if (step) {
			event.preventDefault();
			const fields = this.fields;
			(fields[fields.indexOf(field) + step] || this.scanField).focus();
		}
	}

	enter(field) {
		if (field === this.scanField) {
			const text = field.value.trim();
			field.value = "";
			if (this.answered < this.asked && isNumber(text)) this.held.set(this.asked, text);
			else if (text) this.scan(text);
		} else if (this.keep(field)) {
			(this.firstLeft(field) || this.scanField).focus();
		}
	}

	// Whether the clerk goes on.
	keep(field) {
		if (field === this.scanField || !field.matches("input")) return true;
		const text = field.value.trim();
		if (text === field.dataset.counted) return true;
		if (!isNumber(text)) {
			field.value = field.dataset.counted;
			if (text) this.scan(text);
			return !text;
		}
		field.dataset.counted = text;
		const row = field.closest("tr");
		row.dataset.state = "sending";
		const typed = performance.now();
		this.later(() => this.record(row, text.replace(",", "."), typed));
		return true;
	}

	later(job) {
		this.sent = this.sent.then(job);
	}

	// Of the moment when it was typed, however long the network was away.
	async record(row, counted, typed) {
		const fields = { ...Object.fromEntries(new URLSearchParams(row.dataset.fields)), counted };
		const age = () => ({ age: ((performance.now() - typed) / 1000).toFixed(3) });
		const response = await this.post(this.root.dataset.record, fields, age);
		const done = response?.headers.get("Content-Type")?.includes("json") ? await response.json() : { problem: "Sign in again, in another tab." };
		row.dataset.state = done.problem ? "wrong" : "saved";
		row.querySelector("[data-note]").textContent = done.problem || "";
		if (done.problem) {
			row.querySelector("input").dataset.counted = "";
			return this.say(done.problem);
		}
		row.dataset.line = done.line;
		row.dataset.fields = `line=${done.line}`;
		this.progress(`${done.progress[0]} of ${done.progress[1]} counted`);
		this.say("");
	}

	// Until there is an answer.
	async post(url, fields, more = () => ({})) {
		for (let tries = 0; ; tries += 1) {
			try {
				const body = new URLSearchParams({ ...fields, ...more() });
				const token = this.root.querySelector("[name=csrfmiddlewaretoken]").value;
				const response = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token } });
				if (response.status < 500 && response.status !== 429) return response;
			} catch {
				// no network
			}
			this.say("No answer, trying again.");
			await new Promise((resolve) => setTimeout(resolve, Math.min(tries + 1, 10) * 500));
		}
	}

	scan(text) {
		this.scanSent();
		this.later(async () => {
			const response = await this.post(this.root.dataset.scanUrl, { text });
			if (response.ok && !response.redirected) this.answer.innerHTML = await response.text();
			else this.say("This was not taken: reload the page.");
			setTimeout(() => this.scanAnswered());
		});
	}

	// What is typed from here on is meant for what was scanned, not for the line that had the focus.
	scanSent() {
		if (this.answered === this.asked) this.from = document.activeElement;
		this.asked += 1;
		this.scanField.focus();
	}

	scanAnswered() {
		if (this.answered === this.asked) return; // a scan of the page before
		this.answered += 1;
		const { target } = this;
		this.target = null;
		const number = this.held.get(this.answered);
		this.held.delete(this.answered);
		if (target && number) {
			target.value = number;
			this.keep(target);
		} else if (number) this.say(`${number} was not counted: scan again.`, true);
		if (this.answered < this.asked || document.activeElement !== this.scanField) return;
		if (target && !number) this.goTo(target);
		else (number || !this.from?.isConnected ? this.firstLeft() || this.scanField : this.from).focus();
	}

	// With what was begun to type, if it is a number.
	goTo(field) {
		const begun = this.scanField.value.trim();
		field.focus();
		field.select();
		if (!/^[\d.,]+$/.test(begun)) return;
		this.scanField.value = "";
		field.value = begun;
		field.setSelectionRange(begun.length, begun.length);
	}

	scanned() {
		const found = this.answer.querySelector("[data-found]");
		if (!found) return;
		const { line, place, counted, tally, article } = found.dataset;
		this.say(found.textContent.trim(), "problem" in found.dataset);
		if (place) {
			this.root.dataset.scanUrl = `${this.scanUrl}?place=${place}`;
			this.root.querySelector("[data-place]").textContent = `, at ${found.textContent.trim()}`;
		}
		if (tally) this.progress(tally);
		const template = this.answer.querySelector("template");
		if (!template) return;
		const row = this.rowOf(line, template.content.querySelector("tr"));
		const field = row.querySelector("input");
		if (counted && field) {
			if (article && row.dataset.state !== "saved") this.foundOne(article);
			field.value = field.dataset.counted = counted;
			row.dataset.state = "saved";
		} else {
			this.target = field;
		}
	}

	rowOf(line, fresh) {
		const same = [...this.rows.children].find((row) => (line ? row.dataset.line === line : row.dataset.fields === fresh.dataset.fields));
		if (same) return same;
		if (fresh.querySelector("input")?.value && "counted" in this.answer.querySelector("[data-found]").dataset) fresh.dataset.state = "";
		this.rows.append(fresh);
		return fresh;
	}

	foundOne(article) {
		const number = this.root.querySelector(`[data-serials="${CSS.escape(article)}"]`);
		if (number) number.textContent = Number(number.textContent) + 1;
	}

	// Numbers and scans are answered apart: what comes late knows less.
	progress(text) {
		const shown = this.root.querySelector("[data-progress]");
		const [said, known] = [text, shown.textContent].map((words) => words.match(/\d+/g).map(Number));
		shown.textContent = `${Math.max(said[0], known[0])} of ${Math.max(said[1], known[1])} counted`;
	}

	say(text, isProblem = false) {
		const status = this.root.querySelector("[data-status]");
		status.textContent = text;
		status.classList.toggle("count-above", isProblem);
	}

	async leave() {
		if (document.activeElement.matches("input")) this.keep(document.activeElement);
		while (this.answered < this.asked) await new Promise((resolve) => setTimeout(resolve, 50));
		await this.sent;
		const wrong = this.rows.querySelector("[data-state=wrong] input");
		if (wrong) wrong.focus();
		else window.location.assign(this.root.dataset.after);
	}
}

// X has the line that has the focus counted again. A letter that is a part of a scan is none, nor is a scanner's Enter.
function prepareVariance(form) {
	let last = 0;
	let alone;
	document.addEventListener("keydown", (event) => {
		clearTimeout(alone);
		const isBurst = event.timeStamp - last < 50;
		last = event.timeStamp;
		const row = event.target.closest?.("[data-rows] > tr");
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (event.key === "Enter" && isBurst) event.preventDefault();
		else if (step && form.querySelector("[data-rows]")) {
			event.preventDefault();
			const rows = [...form.querySelectorAll("[data-rows] > tr")];
			(rows[rows.indexOf(row) + step] || form.querySelector("[autofocus]"))?.focus();
		} else if (event.key.toLowerCase() === "x" && row && !isBurst) {
			alone = setTimeout(() => row.querySelector("[aria-keyshortcuts=X]")?.click(), 80);
		}
	});
}
