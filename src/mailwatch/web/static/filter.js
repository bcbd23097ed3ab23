// A choice in the filter bar takes effect at once; typing waits for Enter.  `/` goes to the search field.
import { all, one } from "./dom.js";

export function offerFilter() {
  const form = one("form[data-filter]");
  if (form) {
    all("select", form).forEach((select) => select.addEventListener("change", () => form.requestSubmit()));
    form.addEventListener("formdata", (event) => {
      for (const [name, value] of [...event.formData.entries()]) if (!value) event.formData.delete(name);
    });
  }
  document.addEventListener("keydown", (event) => {
    const search = one("[data-search]");
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
    if (event.key === "/" && search && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
  });
}
