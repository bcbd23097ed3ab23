// The ⋮ menu of a row: one element for all rows, filled from the row as it is when it opens (WAI-ARIA menu button).
import { all, icon, made, one, present, root } from "./dom.js";

const ITEMS = {
  disconnect: ["unplug", "Disconnect mailbox"],
  reconnect: ["cycle", "Reconnect"],
  release: ["play", "Release"],
  remove: ["remove", "Remove connection"],
};
const menu = one("#menu");
let opener = null;
const onAct = [];

export function whenChosen(listener) { onAct.push(listener); }

function item(name, content, attributes = {}) {
  return made(name, { role: "menuitem", tabindex: "-1", ...attributes }, icon(content[0]), content[1]);
}

function fill(row) {
  const acts = (row.dataset.acts || "").split(" ").filter(Boolean);
  const items = acts.filter((act) => act !== "remove").map((act) => act_item(act));
  items.push(item("a", ["details", "Details"], { href: `${root}/mailboxes/${row.dataset.mailbox}` }));
  if (acts.includes("remove")) items.push(made("hr", { role: "separator" }), act_item("remove"));
  menu.replaceChildren(...items);
  menu.setAttribute("aria-label", `Actions for ${row.dataset.address}`);
  function act_item(act) {
    const entry = item("button", ITEMS[act], { type: "button", class: act === "remove" ? "danger" : null });
    entry.addEventListener("click", () => {
      const button = opener;
      close();
      for (const listener of onAct) listener(act, row, button);
    });
    return entry;
  }
}

function place(button) {
  const at = button.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const below = at.bottom + 4 + size.height <= window.innerHeight;
  menu.style.top = `${Math.max(4, below ? at.bottom + 4 : at.top - size.height - 4)}px`;
  menu.style.left = `${Math.max(4, Math.min(at.right - size.width, window.innerWidth - size.width - 4))}px`;
}

function open(button, last = false) {
  opener = button;
  fill(button.closest("[data-mailbox]"));
  menu.showPopover();
  place(button);
  button.setAttribute("aria-expanded", "true");
  const items = all("[role=menuitem]", menu);
  items[last ? items.length - 1 : 0].focus();
}

function close() {
  if (menu.matches(":popover-open")) menu.hidePopover();
}

function move(event) {
  const items = all("[role=menuitem]", menu);
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: (at + 1) % items.length, ArrowUp: (at - 1 + items.length) % items.length, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    items[to].focus();
  } else if (event.key === "Tab") {
    close();
  } else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
    const found = [...items.slice(at + 1), ...items.slice(0, at + 1)].find((each) => each.textContent.toLowerCase().startsWith(event.key.toLowerCase()));
    if (found) found.focus();
  }
}

export function offerMenus() {
  if (!menu) return;
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-menu]");
    if (button && button.getAttribute("aria-expanded") !== "true") open(button);
  });
  document.addEventListener("keydown", (event) => {
    const button = event.target.closest?.("[data-menu]");
    if (button && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      open(button, event.key === "ArrowUp");
    }
  });
  menu.addEventListener("keydown", move);
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed" || !opener) return;
    const now = present(opener);
    now?.setAttribute("aria-expanded", "false");
    if (menu.contains(document.activeElement) || document.activeElement === document.body) now?.focus();
    opener = null;
  });
  window.addEventListener("resize", close);
}

export const menuIsOpenFor = (row) => Boolean(opener && row.contains(opener));
