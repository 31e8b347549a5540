"use strict";

// Marked orders go with the next approval, whichever row its key is pressed in; what that means is said before.
document.addEventListener("click", (event) => {
	const button = event.target.closest("[data-mark]");
	if (!button) return;
	button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
	const rows = [...document.querySelectorAll("#approvals [aria-pressed=true]")].map((one) => one.closest("[data-order]"));
	const sums = new Map();
	for (const { dataset } of rows) sums.set(dataset.currency, (sums.get(dataset.currency) || 0) + Number(dataset.total));
	const totals = [...sums].map(([currency, sum]) => `${sum.toLocaleString("en", { maximumFractionDigits: 2 })} ${currency}`);
	const numbers = rows.map((row) => row.dataset.number).join(", ");
	document.getElementById("marked-preview").textContent = rows.length ? `A approves ${rows.length}: ${numbers}, ${totals.join(" and ")}.` : "";
	const fields = new URLSearchParams(rows.length ? { marked: rows.map((row) => row.dataset.order).join(" ") } : {});
	for (const one of document.querySelectorAll("[data-approve]")) one.dataset.fields = fields;
});
