// Security keys, for the pages of signing in and of one's second factors.
"use strict";

const read = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");
const tell = (sentence) => { document.getElementById("webauthn-status").textContent = sentence; };

async function answered(ask) {
	if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
		tell("This browser cannot use security keys here: use a code, or a newer browser over HTTPS.");
		return null;
	}
	tell("Touch your security key, or follow your browser.");
	try {
		return JSON.stringify((await ask()).toJSON());
	} catch {
		tell("The security key did not answer: try again.");
		return null;
	}
}

document.getElementById("use-security-key")?.addEventListener("click", async () => {
	const options = read("webauthn-options").publicKey;
	const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
	const credential = await answered(() => navigator.credentials.get({ publicKey }));
	if (!credential) return;
	document.getElementById("id_credential").value = credential;
	document.getElementById("second-factor-form").submit();
});

document.getElementById("register-form")?.addEventListener("submit", async (event) => {
	event.preventDefault();
	const form = event.target;
	const options = read("webauthn-registration").publicKey;
	const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
	const credential = await answered(() => navigator.credentials.create({ publicKey }));
	if (!credential) return;
	document.getElementById("id_credential").value = credential;
	form.submit();
});
