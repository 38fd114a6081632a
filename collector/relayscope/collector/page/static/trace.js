// One trace: choosing without loading the page anew, stepping with the keyboard, copying.

import { Unavailable, ask, explained, textOf } from "/static/asking.js";
import { copy, localTimes, startLooking, stopLooking } from "/static/page.js";

const trace = document.querySelector(".trace");
const pane = document.getElementById("chosen");
const scroller = document.querySelector(".ladder, .waterfall, div.log");
const rows = [...document.querySelectorAll(".row")];
const places = new Map();
/** The name of what a link chooses: its address, a query alone, has it to the letter. */
const named = (link) => new URLSearchParams(link.getAttribute("href")).get("at");
rows.forEach((row, place) => {
  places.set(named(row), place);
  if (row.dataset.twin) places.set(decodeURIComponent(row.dataset.twin), place);
});
// A span that has no row of its own is at the one of its request.
rows.forEach((row, place) => {
  for (const span of row.dataset.begins?.split(" ") ?? []) {
    const name = decodeURIComponent(span);
    if (!places.has(name)) places.set(name, place);
  }
});
let asked;
let reached;
/** What the address says of what is shown. */
let shown = location.search;

const current = () => rows.findIndex((row) => row.hasAttribute("aria-current"));

/** One row can be reached with Tab; the others with the keys that step. */
function letTabReach(place) {
  for (const row of reached ? [reached] : rows) row.setAttribute("tabindex", "-1");
  reached = rows[place];
  reached?.setAttribute("tabindex", "0");
}

function mark(name) {
  const before = current();
  if (before >= 0) rows[before].removeAttribute("aria-current");
  const place = places.get(name);
  if (place === undefined) return;
  rows[place].setAttribute("aria-current", "true");
  letTabReach(place);
}

/** Scroll a row into sight, within its view alone: the page stays where it is. */
function show(place, { always = false } = {}) {
  if (!rows[place]) return;
  const row = (rows[place].querySelector(".hit") ?? rows[place]).getBoundingClientRect();
  const view = scroller.getBoundingClientRect();
  const head = scroller.querySelector(".heads, .axis")?.getBoundingClientRect().height ?? 0;
  if (always || row.top < view.top + head || row.bottom > view.bottom - 16) {
    scroller.scrollTop += row.top - view.top - view.height / 2;
  }
  const text = rows[place].querySelector(".says")?.getBoundingClientRect();
  if (text && (text.left > view.right - 96 || text.left < view.left)) {
    scroller.scrollLeft += text.left - view.left - 48;
  }
}

/** Say how large an image is, and about how many tokens: by its pixels, as Anthropic counts them. */
function measureImages() {
  for (const image of pane.querySelectorAll(".content img")) {
    image.decode().then(() => {
      const [width, height] = [image.naturalWidth, image.naturalHeight];
      const tokens = Math.min(1600, Math.ceil((width * height) / 750));
      const words = `${tokens.toLocaleString()} token${tokens === 1 ? "" : "s"}`;
      image.previousElementSibling.append(` · ${width} × ${height} px ≈ ${words}`);
    }, () => image.previousElementSibling.append(" · no browser can show it"));
  }
}

/** Fetch what is said of something, and put it beside the trace. */
async function choose(name, { remember = true, focus = false } = {}) {
  const address = new URL(location);
  address.searchParams.set("at", name);
  address.searchParams.delete("text");
  mark(name);
  const place = places.get(name);
  if (place !== undefined) {
    show(place);
    if (focus) rows[place].focus({ preventScroll: true });
  }
  if (remember) history.pushState({}, "", address);
  shown = address.search;
  asked?.abort();
  asked = new AbortController();
  const mine = asked;
  startLooking(() => mine.abort());
  try {
    const { bytes } = await ask(`${trace.dataset.trace}/chosen${address.search}`, { signal: mine.signal });
    const read = new DOMParser().parseFromString(textOf(bytes), "text/html");
    pane.replaceChildren(...read.body.childNodes);
    pane.scrollTop = 0;
    pane.closest("aside").scrollTop = 0;
    localTimes(pane);
    measureImages();
  } catch (error) {
    if (mine !== asked) return;  // Something else was chosen meanwhile.
    // What is said of the row before must not stand beside this one.
    const why = error.name === "AbortError" ? new Unavailable("This was not waited for.") : error;
    if (!(why instanceof Unavailable)) throw why;
    pane.replaceChildren(explained(why, () => choose(name, { remember: false })));
  } finally {
    if (mine === asked) stopLooking();
  }
}

const isPlain = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-chooses]");
  if (link && isPlain(event)) {
    event.preventDefault();
    event.stopPropagation();
    choose(named(link));
    if (link.classList.contains("row") && getComputedStyle(pane.closest("aside")).position !== "sticky") {
      pane.scrollIntoView({ block: "start" });
    }
    return;
  }
  // Other links of this page keep what is chosen meanwhile.
  const keeps = event.target.closest("a[data-keeps]");
  const at = new URL(location).searchParams.get("at");
  if (keeps && at) {
    const address = new URL(keeps.href);
    if (!address.searchParams.has("text")) address.searchParams.set("at", at);
    keeps.href = address;
  }
}, true);

document.addEventListener("submit", (event) => {
  const at = new URL(location).searchParams.get("at");
  if (at && trace.contains(event.target)) {
    let field = event.target.elements.at;
    if (!field) {
      field = document.createElement("input");
      field.type = "hidden";
      field.name = "at";
      event.target.append(field);
    }
    field.value = at;
  }
}, true);

/** Copy what a link leads to; below its heading is said why that cannot be had. */
async function copyFrom(link) {
  const head = link.closest(".head");
  head.parentElement.querySelector(":scope > .unavailable")?.remove();
  try {
    copy(textOf((await ask(link.dataset.copies)).bytes), link);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    head.after(explained(error, () => copyFrom(link)));
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-copies]");
  if (link && isPlain(event)) {
    event.preventDefault();
    stopLooking();
    copyFrom(link);
  }
});

function step(by) {
  const at = current();
  const to = at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by;
  if (rows[to]) choose(named(rows[to]), { focus: true });
}

function stepFound(by) {
  const found = rows.filter((row) => row.closest(".found"));
  if (!found.length) return;
  const at = current();
  const beyond = found.map((row) => rows.indexOf(row)).filter((place) => (by > 0 ? place > at : place < at));
  const to = by > 0 ? beyond[0] ?? rows.indexOf(found[0]) : beyond.at(-1) ?? rows.indexOf(found.at(-1));
  choose(named(rows[to]), { focus: true });
}

const follow = (kind) => {
  const link = pane.querySelector(`a.to[data-kind="${kind}"]`);
  if (link) choose(named(link), { focus: true });
};
const views = [...document.querySelectorAll(".tabs a")];
const keys = {
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
  n: () => stepFound(1), N: () => stepFound(-1),
  a: () => follow("answer"), o: () => follow("other"),
  "1": () => views[0].click(), "2": () => views[1].click(), "3": () => views[2].click(),
  "/": () => document.querySelector(".find input[type=search]").focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  // Arrows scroll where a text or a summary has the focus.
  if (event.key.startsWith("Arrow") && !event.target.closest(".row") && event.target !== scroller) return;
  const act = keys[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-to=found]");
  if (link && isPlain(event)) {
    event.preventDefault();
    stopLooking();
    stepFound(Number(link.dataset.step));
  }
});

// A link to a place of this page comes by here, too, and leaves the address as it was up to there.
window.addEventListener("popstate", () => {
  if (location.search !== shown) location.reload();
});

measureImages();
letTabReach(Math.max(0, current()));
if (current() >= 0) show(current(), { always: true });
