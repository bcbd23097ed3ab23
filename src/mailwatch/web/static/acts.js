// Acts on one mailbox, from a row's menu and from the page of one mailbox.
import { goTo, onCampaign, onMailbox, removeMailbox, storeSecret } from "./api.js";
import { ask, untilOf } from "./dialog.js";
import { all, count, one, root } from "./dom.js";
import { whenChosen } from "./menu.js";
import { refresh } from "./refresh.js";
import { toast } from "./toast.js";

const CONSENT_KEPT = {
  shared: "Its consent was left alone: another mailbox uses the same login.",
  failed: "Its consent could not be withdrawn at the provider; its owner can, among the apps of the account.",
};
const STALE = "It has changed meanwhile. Look at its present state, then decide.";

// Does it, and tells what came of it; a dialog shows the error itself.
async function act(subject, name, { body, words, undo, quiet } = {}) {
  const { mailbox, version } = subject.dataset;
  try {
    const { status, content } = await onMailbox(mailbox, name, { body, version });
    if (status === 201 && content.authorize_url) { goTo(content.authorize_url); return; }
    toast(words, { undo });
  } catch (error) {
    if (error.status === 412) error.message = STALE;
    if (!quiet) { toast(error.message, { error: true }); return; }
    throw error;
  } finally {
    await refresh([mailbox]);
  }
}

const verified = (address) => `${address} is reconnecting. What mailwatch paused resumes once it is verified.`;

const DO = {
  disconnect: (subject, back) => {
    const { address, mailbox } = subject.dataset;
    const undo = () => act({ dataset: { mailbox } }, "reconnect", { words: verified(address) });
    return ask("ask-disconnect", { address }, () => act(subject, "disconnect", { words: `${address} has been disconnected. You can reconnect it anytime.`, undo, quiet: true }), back);
  },
  reconnect: (subject, back) => {
    const { address, mailbox } = subject.dataset;
    if (!("wantsSecret" in subject.dataset)) return act(subject, "reconnect", { words: verified(address) });
    return ask("ask-secret", { address }, async ({ secret }) => {
      if (!secret) { await act(subject, "reconnect", { words: verified(address), quiet: true }); return; }
      await storeSecret(mailbox, secret);
      toast(`The new password of ${address} is stored. What mailwatch paused resumes once the mailbox is verified.`);
      await refresh([mailbox]);
    }, back);
  },
  release: (subject) => act(subject, "release", { words: `${subject.dataset.address} is released. What mailwatch paused resumes once it is verified.` }),
  probe: (subject) => act(subject, "probe", { words: `${subject.dataset.address} is looked at now.` }),
  hold: (subject, back) => {
    const { address, mailbox } = subject.dataset;
    const undo = () => act({ dataset: { mailbox } }, "release", { words: `${address} is released.` });
    return ask("ask-hold", { address }, ({ reason, hours }) => {
      return act(subject, "hold", { body: { reason, ...untilOf(hours) }, words: `${address} is on hold.`, undo, quiet: true });
    }, back);
  },
  remove: (subject, back) => {
    const { address, mailbox } = subject.dataset;
    return ask("ask-remove", { address }, async ({ typed }) => {
      if (typed.trim().toLowerCase() !== address.toLowerCase()) throw new Error(`What you typed is not ${address}. Nothing was removed.`);
      const { headers } = await removeMailbox(mailbox, typed.trim());
      const kept = CONSENT_KEPT[headers.get("mailwatch-consent-withdrawal")];
      if (one("#subject") && !kept) { location.assign(`${root}/mailboxes`); return; }
      toast(`The connection of ${address} has been removed. ${kept || ""}`.trim());
      if (one("#subject")) { setTimeout(() => location.assign(`${root}/mailboxes`), 6000); return; }
      await refresh([mailbox]);
    }, back);
  },
};

async function resume(button) {
  const ids = button.dataset.resume.split(" ").filter(Boolean).map(decodeURIComponent);
  button.disabled = true;
  const failed = [];
  for (const id of ids) {
    try { await onCampaign(id, "resume"); } catch (error) { failed.push(`${id}: ${error.message}`); }
  }
  if (failed.length) toast(`${count(failed.length, "campaign")} could not be resumed. ${failed[0]}`, { error: true });
  if (ids.length > failed.length) toast(`${count(ids.length - failed.length, "campaign")} resumed from where they stopped.`);
  await refresh([]);
}

async function ownerLink(subject, button) {
  try {
    const { content } = await onMailbox(subject.dataset.mailbox, "reconnect-link");
    await ask("shown-once", {
      title: "Link for the mailbox's owner",
      words: `It works once, shows only ${subject.dataset.address}, and asks its owner to sign in at the provider. It is shown only now.`,
      secret: content.url,
    }, () => {}, button);
  } catch (error) {
    toast(error.message, { error: true });
  }
}

export function offerActs() {
  whenChosen((name, row, back) => DO[name](row, back));
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    const subject = one("#subject");
    if (!button) return;
    if (button.dataset.act && subject) DO[button.dataset.act](subject, button);
    else if ("resume" in button.dataset) resume(button);
    else if ("ownerLink" in button.dataset && subject) ownerLink(subject, button);
    else if ("copy" in button.dataset) copy(button);
  });
  for (const form of all("[data-secret-form]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const { mailbox, address, state } = one("#subject").dataset;
      const { secret } = Object.fromEntries(new FormData(form));
      form.reset(); // it stays nowhere on the page, whatever comes
      try {
        await storeSecret(mailbox, secret);
        const rests = state === "inactive" || state === "held";
        toast(rests ? `The new password of ${address} is stored.` : `The new password of ${address} is stored and tried now.`);
      } catch (error) {
        toast(error.message, { error: true });
      }
      await refresh([mailbox]);
    });
  }
}

async function copy(button) {
  const code = one("code", button.parentElement);
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  } catch {
    getSelection().selectAllChildren(code); // no clipboard without TLS: at least it is marked
  }
}
