// Keeps distances true ("4 min ago") and puts the reader's own time zone into the titles.
import { all } from "./dom.js";

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

function span(seconds) {
  for (const [place, [size, unit]] of UNITS.entries()) {
    const number = Math.floor(seconds / size);
    if (!number && unit !== "s") continue;
    if (number < 10 && size > 60) {
      const [smaller, name] = UNITS[place + 1];
      const rest = Math.floor((seconds % size) / smaller);
      if (rest) return `${number} ${unit} ${rest} ${name}`;
    }
    return `${number} ${unit}`;
  }
  return "0 s";
}

export function told(moment, now = Date.now()) {
  const seconds = Math.round((now - moment) / 1000);
  if (Math.abs(seconds) < 1) return "now";
  return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
}

export function refreshTimes(within = document) {
  for (const element of all("time[datetime]", within)) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    element.title = LOCAL.format(moment);
    if (!element.classList.contains("exact")) {
      const words = told(moment.getTime());
      if (element.textContent !== words) element.textContent = words;
    }
  }
}

export function watchTimes() {
  refreshTimes();
  setInterval(() => { if (!document.hidden) refreshTimes(); }, 10_000);
}
