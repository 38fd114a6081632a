// Now goes on: asks for itself anew while somebody looks, and puts what it shows in its place.

import { Unavailable, ask, tell, textOf } from "./asking.js";
import { localTimes } from "./page.js";

const PERIOD = 5000;
/** At most this share of the time is spent on answers: a page that takes long is asked for less. */
const SHARE = 10;

const shown = document.getElementById("shown");
const pause = document.getElementById("pause");
const state = document.getElementById("state");
let text = "";
let timer;

const isPaused = () => pause.getAttribute("aria-pressed") === "true";

function say(words) {
  if (state.textContent !== words) state.textContent = words;
}

/** Put what is new in place of what is shown; what is open, scrolled or has the focus stays so. */
function put(fresh) {
  const open = [...shown.querySelectorAll("details")].map((one) => one.open);
  const left = shown.querySelector(".map")?.scrollLeft ?? 0;
  const address = shown.contains(document.activeElement) && document.activeElement.getAttribute("href");
  shown.replaceChildren(...fresh.childNodes);
  shown.querySelectorAll("details").forEach((one, place) => { one.open = open[place] ?? one.open; });
  const map = shown.querySelector(".map");
  if (map) map.scrollLeft = left;
  if (address) [...shown.querySelectorAll("a")].find((one) => one.getAttribute("href") === address)?.focus({ preventScroll: true });
  localTimes(shown);
}

/** The page as it is now; nothing where it cannot be had. */
async function asked() {
  try {
    return textOf((await ask(shown.dataset.from, { cache: "no-store" })).bytes);
  } catch (error) {
    if (error instanceof Unavailable) tell(error, state);
    else if (error.name !== "AbortError") throw error;
    return undefined;
  }
}

async function look() {
  const began = performance.now();
  clearTimeout(timer);
  timer = undefined;
  const answer = isPaused() || document.hidden ? undefined : await asked();
  // Who has chosen a text wants to copy it.
  if (answer !== undefined && !isPaused() && String(getSelection()) === "") {
    const fresh = new DOMParser().parseFromString(answer, "text/html").getElementById("shown");
    const told = fresh.innerHTML;
    if (told !== text) put(fresh);
    text = told;
    say("Shows what comes");
  }
  timer = setTimeout(look, Math.max(PERIOD, SHARE * (performance.now() - began)));
}

pause.addEventListener("click", () => {
  const goesOn = isPaused();
  pause.setAttribute("aria-pressed", String(!goesOn));
  pause.textContent = goesOn ? "Pause" : "Go on";
  say(goesOn ? "Shows what comes" : "Paused");
});

// A telephone shows a part of the map; the table fits.
if (matchMedia("(max-width: 640px)").matches) shown.querySelector("details.table")?.setAttribute("open", "");

pause.hidden = false;
say("Shows what comes");
timer = setTimeout(look, PERIOD);

// Who comes back sees at once what is.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && timer !== undefined) look();
});
