// Follows /api/v1/events: one stream for all tabs of a browser.  The tab that holds the lock listens and tells the others; a hidden
// tab gives the lock away and catches up when it is looked at again.
import { all, one, root } from "./dom.js";
import { refresh, shownIds } from "./refresh.js";

const TYPES = ["mailbox.added", "mailbox.transitioned", "mailbox.changed", "mailbox.removed", "campaign.paused", "campaign.resumed", "campaign.changed", "campaigns.braked", "incident.opened", "incident.reopened", "incident.closed", "maintenance.changed", "reset"];
const GATHER = one("[data-heavy]") ? 3000 : 500; // at most two drawings a second, fewer where one costs much
const POLL = 15_000;

const channel = "BroadcastChannel" in window ? new BroadcastChannel(`mailwatch${root}`) : null;
let source = null;
let release = null; // gives the leader's lock back
let asking = null;
let state = "closed";
let lastId = document.documentElement.dataset.mark || ""; // at first the newest event when this page was begun
const waiting = new Set();
let other = false;
let everywhere = false; // an incident or maintenance tells something of many rows
let timer = null;

function show(next) {
  state = next;
  const place = one("#stream");
  if (!place) return;
  place.dataset.stream = next;
  const since = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const words = { open: "Live", lost: `Not live since ${since}, trying again`, closed: "Connecting" }[next];
  const word = one("#stream-word");
  if (next !== "lost" || !word.textContent.startsWith("Not live")) word.textContent = words;
}

function heard(told) {
  if (told.id) lastId = told.id;
  if (told.mailbox) waiting.add(told.mailbox);
  else other = true;
  if (told.incident || told.window) everywhere = true;
  if (!timer) timer = setTimeout(draw, GATHER);
}

function draw() {
  timer = null;
  if (document.hidden) return; // drawn when somebody looks
  const ids = [...waiting];
  waiting.clear();
  if (one("#mailboxes")) {
    const shown = new Set(shownIds());
    refresh(everywhere ? [...shown] : ids.filter((id) => shown.has(id)));
  } else {
    const subject = one("#subject")?.dataset.mailbox;
    if (!subject || other || ids.includes(subject)) refresh([]);
  }
  other = false;
  everywhere = false;
}

function listen() {
  source = new EventSource(`${root}/api/v1/events${lastId ? `?after=${encodeURIComponent(lastId)}` : ""}`);
  const take = (event) => {
    let content = {};
    try { content = JSON.parse(event.data); } catch { return; }
    const inner = content.data || content;
    const told = { id: event.lastEventId, mailbox: inner.mailbox || inner.mailbox_id || null, campaign: inner.campaign || null, incident: inner.incident || null, window: inner.window || null };
    heard(told);
    channel?.postMessage({ told });
  };
  TYPES.forEach((type) => source.addEventListener(type, take));
  source.onmessage = take;
  source.onopen = () => { const was = state; tell("open"); if (was === "lost") { refresh(shownIds()); channel?.postMessage({ again: true }); } };
  source.onerror = () => {
    tell("lost");
    if (source?.readyState === EventSource.CLOSED) { // refused: the browser does not try again by itself
      source = null;
      setTimeout(() => { if (release && !source) listen(); }, 5000);
    }
  };
}

function tell(next) {
  show(next);
  channel?.postMessage({ state: next });
}

async function lead() {
  if (!navigator.locks) { if (!source) listen(); return; } // without TLS: a stream for each tab
  if (release || asking) return;
  asking = new AbortController();
  try {
    await navigator.locks.request(`mailwatch-events${root}`, { signal: asking.signal }, () => new Promise((resolve) => {
      asking = null;
      release = resolve;
      listen();
    }));
  } catch { /* hidden before it was our turn */ }
}

function stop() {
  asking?.abort();
  asking = null;
  source?.close();
  source = null;
  release?.();
  release = null;
}

export function follow() {
  if (!one("#stream")) return;
  if (channel) {
    channel.onmessage = ({ data }) => {
      if (data.state) show(data.state);
      if (data.told) heard(data.told);
      if (data.again && !document.hidden) refresh(shownIds());
      if (data.ask && source) channel.postMessage({ state, heardUntil: lastId });
      if (Number(data.heardUntil) > Number(lastId)) { // told before this page listened
        lastId = data.heardUntil;
        if (!document.hidden) refresh(shownIds());
      }
    };
    channel.postMessage({ ask: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { stop(); return; }
    channel?.postMessage({ ask: true });
    refresh(shownIds());
    lead();
  });
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", (event) => { if (event.persisted) lead(); });
  setInterval(() => { // while there is no stream, looking now and then is better than standing still
    if (!document.hidden && (state === "lost" || one("[data-job]:not([data-ended])"))) refresh(shownIds());
  }, one("[data-job]") ? 1000 : POLL);
  if (!document.hidden) lead();
  if (!all("#stream").length) stop();
}
