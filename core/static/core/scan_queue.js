"use strict";

// --- The queue -----------------------------------------------------------------------------------------------
// One request after the other, each with an id of its own. What has no answer yet is kept in the tab, and sent again with
// the same id: after an error of the network, and by the next page when one leaves this one. A scan may lead to another page:
// what was scanned after it is for that page.
class ScanQueue {
	constructor(form, isGoingOn) {
		this.form = form;
		this.isGoingOn = isGoingOn; // a scan, of which more is to come
		this.status = form.querySelector("#scan-status");
		this.store = `scans of ${form.dataset.who}`;
		this.jobs = JSON.parse(sessionStorage.getItem(this.store) || "[]").map((job) => ({ ...this.here, ...job }));
		this.unsaved = new Set();
		window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
		this.run();
	}

	// Where scans go, and where their answers are shown.
	get here() {
		const desk = deskOf(document);
		return { url: desk?.dataset.scanUrl || this.form.action, into: desk?.dataset.scanInto };
	}

	get panel() {
		return document.getElementById("scan-panel");
	}

	add(job) {
		this.jobs.push({ id: newId(), ...job });
		this.focus = document.activeElement;
		this.keep();
		this.run();
	}

	keep() {
		const jobs = this.isLeaving ? this.jobs.map(forNextPage) : this.jobs;
		sessionStorage.setItem(this.store, JSON.stringify(jobs));
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
			const page = answer.go && (await deskAt(answer.go));
			while (this.isGoingOn()) await new Promise((resolve) => setTimeout(resolve, Wedge.gap));
			this.jobs.shift();
			if (answer.go && !page) return this.leave(answer.go);
			if (page) this.turnTo(page, answer.go);
			else this.show(job, answer);
			this.keep();
		}
		this.running = false;
	}

	leave(url) {
		this.isLeaving = true;
		this.keep();
		beep(true);
		window.location.assign(url);
	}

	// A page that loads hears no keys for a moment: one of the desk takes the place of this one instead.
	turnTo(page, url) {
		if (!window.history.state?.desk) window.history.replaceState({ desk: true }, "");
		window.history.pushState({ desk: true }, "", url);
		document.title = page.title;
		for (const part of ["#nav-sidebar-apps", "#header-inner", "#content"]) {
			const shown = page.querySelector(part);
			document.querySelector(part).replaceWith(shown);
			htmx.process(shown);
		}
		window.scrollTo(0, 0);
		this.unsaved.clear();
		for (const job of this.jobs) if (job.isScan) Object.assign(job, this.here);
		this.say("ready", "Ready to scan");
		beep(true);
		focusOn(document.querySelector(FIRST));
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

	ready() {
		if (this.form.dataset.state === "opening") this.form.dataset.state = "ready";
	}

	refuse(text) {
		this.say("wrong", text);
		beep(false);
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

window.addEventListener("popstate", (event) => event.state?.desk && window.location.reload());

// One went on in the history before this page could hear of it.
function reloadIfOther() {
	const [loaded] = performance.getEntriesByType("navigation");
	if (window.history.state?.desk && withoutPart(loaded.name) !== withoutPart(window.location.href)) window.location.reload();
}

function withoutPart(url) {
	return url.split("#")[0];
}

function forNextPage(job) {
	return job.isScan ? { ...job, url: undefined, into: undefined } : job;
}

// A page that has a use of its own for scans.
function deskOf(page) {
	return page.querySelector("#content [data-scan-url]");
}

// The page of the desk at this address, if it is one that needs no more than what has been loaded here; else none.
async function deskAt(url) {
	try {
		const response = await fetch(url, { headers: { Accept: "text/html" } });
		if (!response.ok || response.redirected) return null;
		const page = new DOMParser().parseFromString(await response.text(), "text/html");
		return deskOf(page) && scriptsOf(page) === scriptsOf(document) ? page : null;
	} catch {
		return null; // no network: the browser says so
	}
}

function scriptsOf(page) {
	return [...page.scripts].filter((one) => one.type !== "application/json").map((one) => one.getAttribute("src") || one.text).join("\n");
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
