// Modal dialogs: the first focus is where the markup says (Cancel), Esc cancels, focus goes back to where it came from.
import { all, one, present } from "./dom.js";

// Fill and open; resolves when the dialog has closed.  `act` is called with the form's fields when the person goes on: the dialog
// closes when it returns, and shows the text of the error it throws.
export function ask(id, fillings, act, back = document.activeElement) {
  const dialog = one(`#${id}`);
  if (!dialog || dialog.open) return Promise.resolve(false);
  for (const place of all("[data-fill]", dialog)) if (place.dataset.fill in fillings) place.textContent = fillings[place.dataset.fill];
  for (const place of all("[data-for]", dialog)) {
    place.hidden = !(fillings.fields || []).includes(place.dataset.for);
    for (const input of all("input, select", place)) input.disabled = place.hidden;
  }
  const form = one("[data-form]", dialog);
  form?.reset();
  const fault = one("[data-fault]", dialog);
  const tell = (words) => { if (fault) { fault.textContent = words; fault.hidden = !words; } };
  tell("");
  const stop = new AbortController();
  let done = false;
  const go = async () => {
    const button = one("[data-go]", dialog);
    if (button.disabled) return;
    button.disabled = true;
    try {
      await act(form ? Object.fromEntries(new FormData(form)) : {});
      done = true;
      dialog.close();
    } catch (error) {
      tell(error.message);
    } finally {
      button.disabled = false;
    }
  };
  return new Promise((resolve) => {
    const { signal } = stop;
    for (const cancel of all("[data-cancel]", dialog)) cancel.addEventListener("click", () => dialog.close(), { signal });
    if (form) form.addEventListener("submit", (event) => { event.preventDefault(); go(); }, { signal });
    else one("[data-go]", dialog)?.addEventListener("click", go, { signal });
    dialog.addEventListener("close", () => {
      stop.abort();
      form?.reset(); // no secret stays in a field
      (present(back) || one("#main")).focus();
      resolve(done);
    }, { signal });
    dialog.showModal();
  });
}

// The end of a hold that lasts so many hours, as the API takes it; without hours it has none.
export const untilOf = (hours) => (hours ? { until_at: new Date(Date.now() + Number(hours) * 3600e3).toISOString() } : {});
