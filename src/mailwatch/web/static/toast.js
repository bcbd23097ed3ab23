// Toasts: told politely, errors at once; they wait while pointed at or focused, and never take the focus.
import { icon, made, one } from "./dom.js";

const STAYS = 9000;

function raise() {
  const place = one("#toasts");
  // a popover is in the top layer, above open dialogs; shown anew it comes to the front
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover();
}

export function toast(words, { undo = null, error = false } = {}) {
  const close = made("button", { type: "button", "aria-label": "Dismiss" }, icon("close"));
  const shown = made("div", { class: error ? "toast error" : "toast" }, made("p", {}, words));
  let timer = null;
  const gone = () => {
    clearTimeout(timer);
    const held = shown.contains(document.activeElement);
    shown.remove();
    if (!one(".toast")) one("#toasts").hidePopover();
    if (held) one("#main")?.focus();
  };
  const wait = () => { clearTimeout(timer); if (!error) timer = setTimeout(gone, STAYS); };
  if (undo) {
    const button = made("button", { type: "button", class: "undo" }, "Undo");
    button.addEventListener("click", () => { gone(); undo(); });
    shown.append(button);
  }
  close.addEventListener("click", gone);
  shown.append(close);
  for (const over of ["pointerenter", "focusin"]) shown.addEventListener(over, () => clearTimeout(timer));
  for (const out of ["pointerleave", "focusout"]) shown.addEventListener(out, wait);
  raise();
  one(error ? "#failed" : "#said").append(shown);
  wait();
  return shown;
}

// Tells, after a way round over the provider, how it went.
export function greet() {
  const query = new URLSearchParams(location.search);
  if (!query.has("reconnected")) return;
  query.delete("reconnected");
  history.replaceState(null, "", location.pathname + (query.size ? `?${query}` : ""));
  const address = one("#subject")?.dataset.address;
  if (address) toast(`The new consent for ${address} is stored. It is being verified; campaigns resume after that.`);
}
