"use strict";

// Letters in a quantity mean the row: - takes it out or in again, s snoozes it. Enter and the arrows go on, Ctrl+Enter previews.
document.addEventListener("DOMContentLoaded", () => {
	const form = document.getElementById("reorder-form");
	if (!form) return;
	const fields = [...form.querySelectorAll("[data-quantity]")];
	form.addEventListener("keydown", (event) => {
		if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
			event.preventDefault();
			form.querySelector("[data-go]").click();
			return;
		}
		const place = fields.indexOf(event.target);
		if (place < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
		const row = event.target.closest("tr");
		const keys = {
			"-": () => row.querySelector("[name=task]").click(),
			s: () => row.querySelector("[name=snooze]")?.click(),
			v: () => row.querySelector("select")?.focus(),
			Enter: () => focus(fields[place + 1] || form.querySelector("[data-go]")),
			ArrowDown: () => focus(fields[place + 1]),
			ArrowUp: () => focus(fields[place - 1]),
		};
		const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
		if (!act) return;
		event.preventDefault();
		act();
	});
	focus(form.querySelector("[aria-invalid=true]") || form.querySelector("[data-confirm]") || fields[0]);
});

function focus(field) {
	field?.focus();
	field?.select?.();
}
