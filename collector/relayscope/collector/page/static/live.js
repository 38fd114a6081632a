// Records as they come: asks every second for those of the last seconds, and adds what is new.

import { Unavailable, ask, tell as tellUnavailable, textOf } from "./asking.js";
import { localTimes } from "./page.js";

const PERIOD = 1000;
const HIDDEN_PERIOD = 5000;
const SHOWN = 500;

const table = document.getElementById("live");
const body = table.tBodies[0];
const pause = document.getElementById("pause");
const state = document.getElementById("state");
const most = Number(table.dataset.most);
const seen = new Set([...body.rows].map((row) => row.dataset.key));
let held = [];
let passed = 0;
let overran = false;
let tag = "";

const isPaused = () => pause.getAttribute("aria-pressed") === "true";

function say(text) {
  if (state.textContent !== text) state.textContent = text;
}

function tell() {
  const more = overran ? "; more came at once than are shown" : "";
  const count = `${overran ? "at least " : ""}${passed.toLocaleString()}`;
  say(isPaused() ? `Paused; ${count} passed meanwhile` : `Shows what comes${more}`);
}

/** Put rows on top, the newest first, and let the oldest go. */
function show(rows) {
  body.prepend(...rows);
  localTimes(body);
  while (body.rows.length > SHOWN) body.lastElementChild.remove();
}

function take(text) {
  const found = new DOMParser().parseFromString(`<table><tbody>${text}</tbody></table>`, "text/html");
  const rows = [...found.querySelectorAll("tr")];
  const fresh = rows.filter((row) => !seen.has(row.dataset.key));
  for (const row of fresh) seen.add(row.dataset.key);
  overran ||= isPaused() && fresh.length === most;
  if (!isPaused()) overran = fresh.length === most;
  if (isPaused()) {
    passed += fresh.length;
    held = [...fresh, ...held].slice(0, SHOWN);
  } else {
    show(fresh);
  }
  // What is no more looked at cannot come again.
  if (seen.size > 20 * most) {
    seen.clear();
    for (const row of [...rows, ...body.rows, ...held]) seen.add(row.dataset.key);
  }
  tell();
}

async function look() {
  try {
    const { answer, bytes } = await ask(table.dataset.from, {
      headers: { "if-none-match": tag }, cache: "no-store",
    });
    if (answer.status === 304) {
      tell();
    } else {
      tag = answer.headers.get("etag") ?? "";
      take(textOf(bytes));
    }
  } catch (error) {
    if (error instanceof Unavailable) tellUnavailable(error, state);
    else if (error.name !== "AbortError") throw error;
  } finally {
    setTimeout(look, document.hidden ? HIDDEN_PERIOD : PERIOD);
  }
}

pause.addEventListener("click", () => {
  const goesOn = isPaused();
  pause.setAttribute("aria-pressed", String(!goesOn));
  pause.textContent = goesOn ? "Pause" : "Go on";
  if (goesOn) {
    show(held);
    held = [];
  }
  passed = 0;
  overran = false;
  tell();
});

pause.hidden = false;
look();
