// Draws what changed anew, from the server's own markup: rows of the list in place, marked regions of other pages.
import { all, count, one, ownPage } from "./dom.js";
import { menuIsOpenFor } from "./menu.js";
import { refreshTimes } from "./times.js";

const LISTED = one("#mailboxes");
let running = Promise.resolve();

// One at a time: an older answer never overwrites a newer one.
export function refresh(ids) {
  running = running.then(() => (one("#mailboxes") ? refreshRows(ids) : refreshRegions())).catch(() => {});
  return running;
}

async function refreshRows(ids) {
  const shown = ids.filter((id) => one(`#row-${CSS.escape(id)}`));
  const query = new URLSearchParams(location.search);
  query.delete("cursor");
  query.delete("id");
  for (const id of shown) query.append("id", id);
  const page = await ownPage(`/mailboxes/rows?${query}`);
  if (!page) return;
  frameFrom(one("[data-fleet]", page));
  swap(one("#notices"), one("#notices", page));
  for (const counter of all("#counters a", page)) swap(one(`#${counter.id}`), counter);
  for (const id of shown) row(id, page);
  one("#bulk")?.dispatchEvent(new Event("rows"));
}

function row(id, page) {
  const old = one(`#row-${CSS.escape(id)}`);
  const fresh = one(`#row-${CSS.escape(id)}`, page);
  if (!fresh) { gone(old); return; }
  if (menuIsOpenFor(old)) { // a row whose menu is open is not pulled away; it catches up when the menu closes
    one("#menu").addEventListener("toggle", () => refresh([id]), { once: true });
    return;
  }
  const chosen = one("input[name=chosen]", old);
  const check = one("input[name=chosen]", fresh);
  if (chosen && check) check.checked = chosen.checked;
  fresh.classList.toggle("chosen", old.classList.contains("chosen"));
  if (old.dataset.state !== fresh.dataset.state) fresh.classList.add("changed");
  swap(old, fresh);
}

function gone(old) {
  if ("gone" in old.dataset) return;
  old.dataset.gone = "";
  old.dataset.acts = "";
  const state = one(".c-state", old);
  state.replaceChildren("Removed");
  one("[data-menu]", old)?.remove();
  one("input[name=chosen]", old)?.remove();
}

async function refreshRegions() {
  const regions = all("[data-live]");
  if (!regions.length && !one("#fleet")) return;
  const page = await ownPage(location.pathname.slice((document.documentElement.dataset.root || "").length) + location.search);
  if (!page) return;
  for (const region of regions) {
    const fresh = one(`#${CSS.escape(region.id)}`, page);
    if (fresh) swap(region, fresh);
  }
  const fleet = one("#fleet");
  const told = one("#fleet", page);
  if (fleet && told) fleet.textContent = told.textContent;
  for (const part of ["#network", "#badge"]) swap(one(part), one(part, page));
}

// Takes the new element's place where the old one was, unless nothing differs; focus stays on what has the same id or place.
function swap(old, fresh) {
  if (!old || !fresh || old.isEqualNode(fresh)) return;
  const held = old.contains(document.activeElement) ? document.activeElement : null;
  const place = held ? [...old.querySelectorAll("a, button, input, select, summary")].indexOf(held) : -1;
  const opened = all("details", old).map((each) => each.open);
  const node = document.importNode(fresh, true);
  all("details", node).forEach((each, index) => { if (opened[index] !== undefined) each.open = opened[index]; });
  old.replaceWith(node);
  refreshTimes(node);
  if (!held) return;
  const again = (held.id && one(`#${CSS.escape(held.id)}`)) || (held === old ? node : node.querySelectorAll("a, button, input, select, summary")[place]) || one("#main");
  again.focus({ preventScroll: true });
}

function frameFrom(told) {
  if (!told) return;
  one("#fleet").textContent = told.dataset.fleet;
  const badge = one("#badge");
  const number = Number(told.dataset.needsAction);
  if (!badge) return;
  badge.hidden = !number;
  badge.title = `${count(number, "mailbox", "mailboxes")} need action`;
  one("[aria-hidden]", badge).textContent = number < 1000 ? String(number) : "999+";
  one(".unseen", badge).textContent = ` ${number} need action`;
}

export const shownIds = () => (LISTED ? all("tr[data-mailbox]", LISTED).map((each) => each.dataset.mailbox) : []);
