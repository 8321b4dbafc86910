// Passkeys: forms with `data-passkey` hold what a passkey is asked. Sending one asks the browser for it, puts the answer
// into the form's hidden fields and sends the form. Without this file, or where passkeys cannot be used, they stay hidden.

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const text = (buffer: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** The passkeys named in the form: of those one is wanted, or none of them. */
const known = (form: HTMLFormElement): PublicKeyCredentialDescriptor[] =>
  (form.dataset.known ?? "").split(" ").filter(Boolean).map((id) => ({ type: "public-key", id: bytes(id) }));

async function use(form: HTMLFormElement): Promise<Record<string, ArrayBuffer>> {
  const credential = (await navigator.credentials.get({
    publicKey: {
      challenge: bytes(form.dataset.challenge!),
      rpId: form.dataset.site,
      allowCredentials: known(form),
      userVerification: "required",
    },
  })) as PublicKeyCredential;
  const response = credential.response as AuthenticatorAssertionResponse;
  return {
    credential: credential.rawId,
    client: response.clientDataJSON,
    data: response.authenticatorData,
    signature: response.signature,
  };
}

async function make(form: HTMLFormElement): Promise<Record<string, ArrayBuffer>> {
  const algorithms = (form.dataset.algorithms ?? "").split(" ").map(Number);
  const credential = (await navigator.credentials.create({
    publicKey: {
      challenge: bytes(form.dataset.challenge!),
      rp: { id: form.dataset.site, name: "Ieum" },
      user: { id: bytes(form.dataset.owner!), name: form.dataset.login!, displayName: form.dataset.name! },
      pubKeyCredParams: algorithms.map((alg) => ({ type: "public-key", alg })),
      excludeCredentials: known(form),
      // One that is found without a name being typed, and that checks who uses it.
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      attestation: "none",
    },
  })) as PublicKeyCredential;
  const response = credential.response as AuthenticatorAttestationResponse;
  return { client: response.clientDataJSON, data: response.attestationObject };
}

/** Shows the forms where passkeys can be used, and elsewhere why not. */
export function passkeys(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
    const around = form.parentElement!;
    const show = (what: string): void => around.querySelector<HTMLElement>(`[data-passkey-${what}]`)?.removeAttribute("hidden");
    if (location.origin !== form.dataset.origin) {
      show("elsewhere");
      continue;
    }
    if (!window.PublicKeyCredential) {
      show("none");
      continue;
    }
    form.hidden = false;
    const failed = form.querySelector<HTMLElement>("[data-passkey-failed]")!;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      failed.hidden = true;
      try {
        const answer = await (form.dataset.passkey === "create" ? make(form) : use(form));
        for (const [name, value] of Object.entries(answer)) (form.elements.namedItem(name) as HTMLInputElement).value = text(value);
        form.submit();
      } catch {
        failed.hidden = false;
      }
    });
  }
}
