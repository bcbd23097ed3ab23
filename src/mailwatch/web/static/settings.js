// Users, tokens and webhooks.
import { call } from "./api.js";
import { ask } from "./dialog.js";
import { one } from "./dom.js";
import { refresh } from "./refresh.js";
import { toast } from "./toast.js";

const PLAIN = {
  "remove-user": (data) => ({ title: `Remove the user ${data.name}?`, words: "Their sessions end at once. Tokens they made stay; revoke them apart.", button: "Remove user", go: () => call("DELETE", `/users/${encodeURIComponent(data.name)}`) }),
  "revoke-token": (data) => ({ title: `Revoke the token ${data.name}?`, words: "Programs that use it are refused within seconds.", button: "Revoke", go: () => call("DELETE", `/tokens/${encodeURIComponent(data.id)}`) }),
  "enable-webhook": (data) => ({ title: `Enable the webhook ${data.name}?`, words: "What waited is delivered, too.", button: "Enable", go: () => call("POST", `/webhooks/${encodeURIComponent(data.name)}/enable`) }),
};

function onSubmit(selector, act) {
  const form = one(selector);
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    try {
      await act(fields, form);
      form.reset();
    } catch (error) {
      toast(error.message, { error: true });
    }
  });
}

export function offerSettings() {
  onSubmit("[data-add-user]", async ({ name, role, password }) => {
    await call("POST", "/users", { body: { name, role, password } });
    location.reload();
  });
  onSubmit("[data-add-token]", async ({ name, role, days }, form) => {
    const { content } = await call("POST", "/tokens", { body: { name, role, ...(days ? { days: Number(days) } : {}) } });
    await ask("shown-once", { title: `Token ${name}`, words: "Copy it now: it is shown only this once. Send it as “Authorization: Bearer …”.", secret: content.token }, () => {}, one("button", form));
    location.reload();
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.dataset.plain) {
      const { go, ...words } = PLAIN[button.dataset.plain](button.dataset);
      if (await ask("ask-plain", { ...words, fields: [] }, go, button)) location.reload();
    } else if (button.dataset.replay) {
      button.disabled = true;
      try {
        await call("POST", `/webhooks/deliveries/${button.dataset.replay}/replay`);
        toast("It is sent once more.");
      } catch (error) {
        toast(error.message, { error: true });
      }
      button.disabled = false;
      await refresh([]);
    }
  });
}
