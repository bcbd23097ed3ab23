// Small ways to find and fill elements.  Text goes in as text: nothing here makes markup of a string but `parsed`, which takes
// only pages of our own server.

export const root = document.documentElement.dataset.root || "";

export const one = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

export function made(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

// The page's policy lets no string become markup unless it passes here.
const policy = window.trustedTypes?.createPolicy("mailwatch", { createHTML: (text) => text });

export function parsed(text) {
  return new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html");
}

export async function ownPage(path) {
  const answer = await fetch(root + path, { credentials: "same-origin", headers: { accept: "text/html" } });
  if (answer.redirected && new URL(answer.url).pathname.endsWith("/sign-in")) {
    location.reload(); // the session has ended: the server leads to the sign-in page and back
    return null;
  }
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return parsed(await answer.text());
}

// The element as it is on the page now: a live update may have drawn it anew.
export function present(element) {
  if (!element || element.isConnected) return element;
  if (element.id) return one(`#${CSS.escape(element.id)}`);
  const place = element.closest("[id]");
  const now = place && one(`#${CSS.escape(place.id)}`);
  return now && element.matches("[data-menu]") ? one("[data-menu]", now) : null;
}

export const count = (number, word, many = `${word}s`) => `${number.toLocaleString("en")} ${number === 1 ? word : many}`;
