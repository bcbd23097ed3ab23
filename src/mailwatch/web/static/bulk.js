// Many mailboxes at once: those ticked on this page one by one, or all that match the filter as a job of the server's.
import { call } from "./api.js";
import { ask, untilOf } from "./dialog.js";
import { all, count, made, one, root } from "./dom.js";
import { refresh, shownIds } from "./refresh.js";
import { toast } from "./toast.js";

const WORDS = {
  disconnect: ["Disconnect", "Active campaigns using them are paused at once. Everything is kept; you can reconnect them anytime.", "disconnected"],
  reconnect: ["Reconnect", "Each is tried now, and verified before its campaigns resume.", "reconnecting"],
  probe: ["Probe", "Each is looked at now, within its login budget.", "to be looked at now"],
  hold: ["Hold", "Campaigns using them are paused, and nothing is probed until the hold ends or they are released.", "on hold"],
  release: ["Release", "Each is verified before its campaigns resume.", "released"],
  remove: ["Remove", "This permanently deletes the mailboxes, their secrets, history and links to campaigns. It cannot be undone.", "removed"],
};
const DROPS = new Set(["disconnect", "remove"]); // what takes something away is said in red
let matching = false; // all that match the filter are meant, not the ticked ones

const bar = () => one("#bulk");
const boxes = () => all("input[name=chosen]");
const ticked = () => boxes().filter((box) => box.checked);
const many = (number) => count(number, "mailbox", "mailboxes");

function show() {
  const number = matching ? Number(bar().dataset.matching) : ticked().length;
  bar().hidden = number === 0;
  one("#bulk-count").textContent = number ? `${many(number)} selected` : "";
  if (one("#bulk-all")) one("#bulk-all").hidden = matching;
  const page = one("#choose-page");
  page.checked = ticked().length > 0 && ticked().length === boxes().length;
  page.indeterminate = ticked().length > 0 && !page.checked;
  for (const box of boxes()) box.closest("tr").classList.toggle("chosen", box.checked);
}

async function begin(act, back) {
  const ids = matching ? null : ticked().map((box) => box.value);
  let number = ids?.length;
  if (matching) {
    try { // what is confirmed is the number as it is now
      number = (await call("POST", "/mailboxes:batch", { body: { action: act, filter: JSON.parse(bar().dataset.filter), dry_run: true } })).content.count;
    } catch (error) { toast(error.message, { error: true }); return; }
  }
  const [verb, words] = WORDS[act];
  const typed = `remove ${number}`;
  let chosen;
  const go = one("#ask-bulk [data-go]");
  go.classList.toggle("danger", DROPS.has(act));
  go.classList.toggle("first", !DROPS.has(act));
  const went = await ask("ask-bulk", { title: `${verb} ${many(number)}?`, words, button: verb, typed, fields: act === "remove" ? ["remove"] : act === "hold" ? ["hold"] : [] }, (fields) => {
    if (act === "remove" && fields.typed.trim().toLowerCase() !== typed) throw new Error(`Type “${typed}” to confirm. Nothing was removed.`);
    chosen = act === "hold" ? { reason: fields.reason, ...untilOf(fields.hours) } : {};
  }, back);
  if (went) await run(act, number, ids, chosen);
}

async function start(act, number, ids, chosen = {}) {
  const meant = ids ? { ids } : { filter: JSON.parse(bar().dataset.filter), expected: number };
  const { content } = await call("POST", "/mailboxes:batch", { body: { action: act, ...meant, ...(ids && act === "remove" ? { expected: number } : {}), ...chosen } });
  return content;
}

// Shows how far the job is; closed early, it goes on without the dialog.
async function watch(act, job, ids) {
  const dialog = one("#bulk-progress");
  const progress = one("progress", dialog);
  const results = one("[data-results]", dialog);
  results.replaceChildren();
  one("[data-fill=title]", dialog).textContent = `${WORDS[act][0]} ${many(job.total)}`;
  one("[data-job-link]", dialog).href = `${root}/jobs/${encodeURIComponent(job.id)}`;
  const stop = one("[data-cancel-job]", dialog);
  stop.dataset.cancelJob = job.id;
  stop.disabled = false;
  const tell = () => {
    progress.max = Math.max(1, job.total);
    progress.value = job.total ? job.done : 1;
    stop.hidden = Boolean(job.ended_at);
    one("[data-fill=words]", dialog).textContent = `${job.done - job.failed} done, ${job.failed} failed, ${job.total - job.done} ${job.cancelled ? "left as they were" : "to go"}.`;
  };
  tell();
  one("[data-cancel]", dialog).onclick = () => dialog.close();
  dialog.showModal();
  while (!job.ended_at && dialog.open) {
    await new Promise((resolve) => setTimeout(resolve, 400));
    try {
      job = (await call("GET", `/jobs/${encodeURIComponent(job.id)}`)).content;
    } catch (error) {
      results.replaceChildren(made("li", {}, error.message));
      return job;
    }
    tell();
  }
  if (!job.ended_at) { toast(`It goes on without you. ${job.done} of ${job.total} are done.`); return job; }
  if (job.failed) {
    const { content } = await call("GET", `/jobs/${encodeURIComponent(job.id)}/items?failed=true&limit=50`);
    const named = Object.fromEntries(all("tr[data-mailbox]").map((row) => [row.dataset.mailbox, row.dataset.address]));
    results.replaceChildren(...content.items.map((item) => made("li", {}, `${named[item.mailbox] || item.mailbox}: ${item.error}`)));
  } else if (!job.cancelled) {
    dialog.close();
  }
  const good = job.done - job.failed;
  const undo = act === "disconnect" && ids && good ? () => run("reconnect", ids.length, ids) : null;
  if (good) toast(`${many(good)} ${WORDS[act][2]}.`, { undo });
  return job;
}

async function run(act, number, ids, chosen) {
  try {
    await watch(act, await start(act, number, ids, chosen), ids);
  } catch (error) {
    toast(error.message, { error: true });
  }
  clear();
  await refresh(shownIds());
}

function clear() {
  matching = false;
  for (const box of boxes()) box.checked = false;
  show();
}

// What was done stays done; where that is to be undone, a job that does the contrary waits its turn behind this one.
async function cancel(button) {
  button.disabled = true;
  try {
    const { content } = await call("POST", `/jobs/${encodeURIComponent(button.dataset.cancelJob)}/cancel`);
    if (content.cancelled) toast(`Stopped. ${many(content.total - content.done)} left as they were.`);
  } catch (error) {
    toast(error.message, { error: true });
    button.disabled = false;
  }
  await refresh(shownIds());
}

export function offerBulk() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button?.dataset.cancelJob) cancel(button);
  });
  if (!bar()) return;
  let last = null;
  one("#mailboxes").addEventListener("click", (event) => {
    const box = event.target.closest("input[name=chosen]");
    if (!box) return;
    if (event.shiftKey && last?.isConnected) {
      const [from, to] = [boxes().indexOf(last), boxes().indexOf(box)].sort((a, b) => a - b);
      for (const each of boxes().slice(from, to + 1)) each.checked = box.checked;
    }
    last = box;
    matching = false;
    show();
  });
  one("#choose-page").addEventListener("change", (event) => {
    matching = false;
    for (const box of boxes()) box.checked = event.target.checked;
    show();
  });
  one("#bulk-all")?.addEventListener("click", () => {
    matching = true;
    for (const box of boxes()) box.checked = true;
    show();
  });
  one("#bulk-none").addEventListener("click", () => { clear(); one("#choose-page").focus(); });
  bar().addEventListener("rows", show);
  for (const button of all("[data-bulk]")) button.addEventListener("click", () => begin(button.dataset.bulk, button));
  show(); // a browser may have kept ticks over a reload
}
