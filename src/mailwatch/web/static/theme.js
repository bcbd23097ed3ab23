// Light, dark, or as the system likes it: a cookie, so that the server sends the right one and nothing flashes.
import { one, root } from "./dom.js";

const NEXT = { "": "dark", dark: "light", light: "" };
const WORDS = { "": "Theme: system", dark: "Theme: dark", light: "Theme: light" };

export function offerTheme() {
  const button = one("[data-theme-toggle]");
  if (!button) return;
  const show = () => button.setAttribute("title", WORDS[document.documentElement.dataset.theme || ""]);
  show();
  button.addEventListener("click", () => {
    const chosen = NEXT[document.documentElement.dataset.theme || ""];
    if (chosen) document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
    const age = chosen ? 31536000 : 0;
    document.cookie = `mailwatch-theme=${chosen}; path=${root || "/"}; max-age=${age}; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
    show();
  });
}
