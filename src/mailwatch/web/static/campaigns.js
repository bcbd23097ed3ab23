// Acts on campaigns: a person's pause and resume, and the brake.
import { call, onCampaign } from "./api.js";
import { ask } from "./dialog.js";
import { count, one } from "./dom.js";
import { refresh } from "./refresh.js";
import { toast } from "./toast.js";

const STALE = "It has changed meanwhile. Look at its present state, then decide.";

// With the version that was looked at: what somebody else did meanwhile is seen before it is undone.
async function act(subject, name, body) {
  const { campaign, version } = subject.dataset;
  try {
    return await onCampaign(campaign, name, body, version);
  } catch (error) {
    if (error.status === 412) { error.message = STALE; await refresh([]); }
    throw error;
  }
}

async function pause(subject, name, back) {
  await ask("ask-plain", { title: `Pause ${name}?`, words: "It sends nothing until a person resumes it; mailwatch never undoes a person's pause.", label: "Reason", button: "Pause", fields: ["reason"] }, async ({ reason }) => {
    await act(subject, "pause", { reason: reason.trim() || "paused on the page" });
    toast(`${name} is paused.`);
    await refresh([]);
  }, back);
}

async function resume(subject, name) {
  try {
    const { content } = await act(subject, "resume");
    toast(content.state === "active" ? `${name} goes on from where it stopped.` : `What you could lift is lifted; ${name} stays paused for mailboxes that are away.`);
  } catch (error) {
    toast(error.message, { error: true });
  }
  await refresh([]);
}

async function releaseBrake(button) {
  const number = Number(button.dataset.number);
  await ask("ask-plain", { title: `Pause ${count(number, "campaign")} now?`, words: "mailwatch held these pauses back, since they were so many at once. Each is lifted when its mailbox is verified.", button: "Pause them", fields: [] }, async () => {
    try { // the number that was looked at: more may have come meanwhile
      const { content } = await call("POST", "/brake:release", { body: { expected: number } });
      toast(`${count(content.campaigns, "campaign")} paused.`);
    } finally { await refresh([]); }
  }, button);
}

export function offerCampaigns() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    const subject = one("#subject-campaign");
    if (!button) return;
    if ("releaseBrake" in button.dataset) releaseBrake(button);
    else if (button.dataset.campaignAct && subject) {
      const name = one("h1").textContent;
      if (button.dataset.campaignAct === "pause") pause(subject, name, button);
      else resume(subject, name);
    }
  });
}
