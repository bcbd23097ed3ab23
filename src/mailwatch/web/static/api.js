// The JSON API, as any other program uses it: one meaning for page, API and command line.
import { root } from "./dom.js";

export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `The server answered ${status}.`);
    this.status = status;
    this.code = problem.code || "";
    this.errors = problem.errors || [];
  }
}

function key() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function call(method, path, { body, version } = {}) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (version) headers["if-match"] = version;
  if (method === "POST") headers["idempotency-key"] = key();
  const send = () => fetch(`${root}/api/v1${path}`, { method, headers, credentials: "same-origin", body: body === undefined ? undefined : JSON.stringify(body) });
  let answer;
  try {
    answer = await send();
  } catch {
    if (method !== "POST") throw new Refusal(0, { detail: "mailwatch cannot be reached. Nothing was changed." });
    // The answer was lost, perhaps not the act: the same key makes a second try harmless.
    await new Promise((resolve) => setTimeout(resolve, 700));
    try { answer = await send(); } catch { throw new Refusal(0, { detail: "mailwatch cannot be reached. Look again before you repeat it." }); }
  }
  if (answer.status === 401) { location.reload(); throw new Refusal(401, { detail: "Your session has ended." }); }
  const text = await answer.text();
  let content = {};
  try { content = text ? JSON.parse(text) : {}; } catch { content = {}; }
  if (!answer.ok) throw new Refusal(answer.status, content);
  return { status: answer.status, content, headers: answer.headers };
}

const named = (id) => encodeURIComponent(id);
export const onMailbox = (id, act, { body, version } = {}) => call("POST", `/mailboxes/${named(id)}/${act}`, { body, version });
export const removeMailbox = (id, address) => call("DELETE", `/mailboxes/${named(id)}`, { body: { address } });
export async function storeSecret(id, secret) {
  const { content } = await call("PUT", `/mailboxes/${named(id)}/secret`, { body: { secret } });
  if (content.state === "blocked") throw new Error("This password is stored already, and the server refused it: nothing was tried. Check it, or press Reconnect and leave the password empty to try it once more.");
}
export const onCampaign = (id, act, body, version) => call("POST", `/campaigns/${named(id)}/${act}`, { body, version });

// On to an identity provider: nowhere but to a web address.
export function goTo(url) {
  const target = new URL(url, location.href);
  if (target.protocol !== "https:" && target.protocol !== "http:") throw new Error("The server named no web address.");
  location.assign(target.href);
}
