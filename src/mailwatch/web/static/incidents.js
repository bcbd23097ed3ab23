// An incident that a person knows to be over.
import { call } from "./api.js";
import { ask } from "./dialog.js";
import { one } from "./dom.js";
import { refresh } from "./refresh.js";
import { toast } from "./toast.js";

const WORDS = "Its mailboxes are tried again; if they go on failing, it is reopened.";
const STALE = "It has changed meanwhile. Look at its present state, then decide.";

// With the version that was looked at: one that ended and came back meanwhile is another outage to the eye.
async function close(button) {
  const { closeIncident, version } = button.dataset;
  await ask("ask-plain", { title: "Close this incident?", words: `You say that “${one("h1").textContent}” is over. ${WORDS}`, button: "Close incident", fields: [] }, async () => {
    try {
      await call("POST", `/incidents/${encodeURIComponent(closeIncident)}/close`, { version });
    } catch (error) {
      if (error.status === 412) error.message = STALE;
      if (error.status === 409 || error.status === 412) await refresh([]);
      throw error;
    }
    toast("The incident is closed: what waits is due now, and what it had stopped is tried again.");
    await refresh([]);
  }, button);
}

export function offerIncidents() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-close-incident]");
    if (button) close(button);
  });
}
