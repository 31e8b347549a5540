"use strict";

// Goods that come back: a letter in a row says what becomes of it, the same letter takes it out again. What is scanned counts.
document.addEventListener("DOMContentLoaded", () => {
	const page = document.getElementById("taking-back");
	const sheet = document.getElementById("goods-back");
	const came = document.getElementById("just-came");

	page.addEventListener("click", (event) => {
		const button = event.target.closest("button");
		const row = button?.closest("tr");
		if (button?.matches("[data-why]")) page.querySelector("#back-reason").focus();
		else if (row && button.matches("[data-many]")) focusQuantity(row);
		else if (row && button.matches("[data-becomes]")) become(row, button);
	});
	page.addEventListener("keydown", (event) => {
		if (event.key !== "Enter" || event.defaultPrevented) return;
		const isDone = event.ctrlKey || event.metaKey;
		if (!isDone && !event.target.matches("[data-quantity]")) return;
		event.preventDefault();
		if (isDone) sheet.querySelector("[data-send]")?.click(); // a row has no such key of its own
		else event.target.closest("tr").focus();
	});
	new MutationObserver(shown).observe(sheet, { childList: true });
	new MutationObserver(counted).observe(came, { childList: true });
	shown();
	if (!sheet.childElementCount) document.getElementById("scan-input").focus();

	// Scans are for the order that is shown.
	function shown() {
		page.dataset.scanFields = sheet.querySelector("[data-which]")?.dataset.which || "";
		for (const row of sheet.querySelectorAll("[data-one]")) row.querySelector("[data-quantity]").value = "1";
	}

	function counted() {
		const said = came.querySelector("[data-came]");
		const row = said && document.getElementById(said.dataset.came);
		if (!row) return;
		const field = row.querySelector("[data-quantity]");
		field.value = String(Number(field.value.replace(",", ".") || 0) + Number(said.dataset.many));
		row.focus();
	}
});

function become(row, button) {
	const field = row.querySelector("[data-disposition]");
	const quantity = row.querySelector("[data-quantity]");
	field.value = field.value === button.dataset.becomes ? "" : button.dataset.becomes;
	quantity.value = field.value ? quantity.value || row.dataset.free : "";
	for (const one of row.querySelectorAll("[data-becomes]")) one.setAttribute("aria-pressed", String(one.dataset.becomes === field.value));
	row.focus();
}

function focusQuantity(row) {
	const field = row.querySelector("[data-quantity]");
	field.focus();
	field.select();
}
