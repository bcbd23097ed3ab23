// Maintenance windows: declaring one, and ending one.
import { call } from "./api.js";
import { ask } from "./dialog.js";
import { all, made, one } from "./dom.js";
import { refresh } from "./refresh.js";
import { toast } from "./toast.js";

class Slip extends Error {
  constructor(field, words) { super(words); this.errors = [{ field, problem: words }]; }
}

// What a clock on the wall of the zone shows at the moment, as if it were UTC.
function wallOf(moment, zone) {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" }).formatToParts(moment);
  const at = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second);
}

// The moment at which that clock shows `wall` ("2026-12-01T02:00"); one that a change of the clock skips is an hour later: 02:30 becomes 03:30.
export function momentOf(wall, zone) {
  const meant = Date.parse(`${wall}Z`);
  if (Number.isNaN(meant)) return null;
  let moment = meant;
  for (let round = 0; round < 2; round += 1) moment = meant - (wallOf(moment, zone) - moment);
  return new Date(moment).toISOString();
}

function bodyOf({ title, kind, name, start, minutes, zone, every, until }) {
  const place = zone.trim();
  try { wallOf(0, place); } catch { throw new Slip("zone", `“${place}” is no such time zone. Write one such as Europe/Berlin, or UTC.`); }
  if (!title.trim()) throw new Slip("title", "Give it a title: it is what people read beside the disconnections.");
  if (kind && !name.trim()) throw new Slip("scope", "Name it, or choose all mailboxes.");
  const length = Number(minutes);
  if (!Number.isInteger(length) || length < 1) throw new Slip("seconds", "Give whole minutes, at least one.");
  const body = { title: title.trim(), seconds: 60 * length, every, zone: place };
  if (kind) body.scope = { [kind]: name.trim() };
  if (start) body.starts_at = momentOf(start, place);
  if (every !== "once" && until) body.until_at = momentOf(`${until}T23:59:59`, place);
  return body;
}

// The API's words stand within a list of faults; beside a field they are a sentence of their own.
const sentence = (words) => (words ? words[0].toUpperCase() + words.slice(1) + (/[.?!]$/.test(words) ? "" : ".") : "");

function tell(form, errors, words) {
  let first = null;
  let placed = false;
  for (const fault of all("[data-fault-of]", form)) {
    const found = errors.find(({ field }) => String(field || "").split(".")[0] === fault.dataset.faultOf);
    fault.textContent = found ? sentence(found.problem) : "";
    fault.hidden = !found;
    const input = one("input, select", fault.parentElement);
    if (found) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
    if (found && !fault.parentElement.hidden) { first ||= input; placed = true; }
  }
  const whole = one("[data-fault]", form);
  whole.textContent = placed ? "" : sentence(words);
  whole.hidden = placed || !words;
  first?.focus();
}

function offerForm(form) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (own) form.elements.zone.value = form.elements.zone.defaultValue = own;
  const zones = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
  one("#window-zones").append(...zones.map((zone) => made("option", { value: zone })));
  const show = () => {
    for (const place of all("[data-when]", form)) {
      const chosen = form.elements[place.dataset.when].value;
      place.hidden = chosen === "" || chosen === "once";
    }
    form.elements.name.setAttribute("list", form.elements.kind.value === "provider" ? "window-providers" : "");
  };
  form.addEventListener("change", show);
  form.addEventListener("reset", () => setTimeout(show));
  show();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = one("button", form);
    button.disabled = true;
    const words = one("[data-window-words]", form);
    words.textContent = "";
    try {
      const { content } = await call("POST", "/maintenance", { body: bodyOf(Object.fromEntries(new FormData(form))) });
      tell(form, [], "");
      form.reset();
      const covers = `It covers ${content.mailboxes === 1 ? "1 mailbox" : `${content.mailboxes} mailboxes`}.`;
      toast(`${content.title} ${content.running_until_at ? "runs now" : "is declared"}. ${covers}`);
      // it stays beside the form until the next one: a slip of the pen would alarm somebody at night
      words.textContent = content.warning ? `${content.title} is declared, but: ${sentence(content.warning)} If that is a slip, end it above.` : "";
      await refresh([]);
    } catch (error) {
      tell(form, error.errors || [], error.message);
    } finally {
      button.disabled = false;
    }
  });
}

async function end(button) {
  const { endWindow, title } = button.dataset;
  const runs = "running" in button.dataset;
  const words = [
    runs ? "From now on disconnections count again, and alert." : "It will not come.",
    "recurs" in button.dataset ? "It recurs: it comes no more at all." : "",
  ].join(" ").trim();
  await ask("ask-plain", { title: `${runs ? "End" : "Cancel"} ${title}?`, words, button: runs ? "End it" : "Cancel it", fields: [] }, async () => {
    await call("POST", `/maintenance/${encodeURIComponent(endWindow)}/end`);
    toast(`${title} is over.`);
    await refresh([]);
  }, button);
}

export function offerWindows() {
  const form = one("[data-declare-window]");
  if (form) offerForm(form);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-end-window]");
    if (button) end(button);
  });
}
