// A time of the waterfall seen closer: dragged over its bars, or by keys around what is chosen.

import { startLooking } from "/static/page.js";

const view = document.querySelector(".waterfall");
const scale = view.querySelector(".axis svg");
const from = Number(view.dataset.from);
const extent = Number(view.dataset.to) - from;
const whole = Number(view.dataset.whole);
/** Pixels below which a drag is a click that slipped. */
const LEAST = 6;
let began;
let band;

/** Place in the scale, from 0 to 1. */
function share(x) {
  const { left, width } = scale.getBoundingClientRect();
  return Math.min(Math.max((x - left) / width, 0), 1);
}

/** Show the time between two places of the scale; all of the trace's without any. */
function show(start, end) {
  const address = new URL(location);
  address.searchParams.delete("zoom");
  address.searchParams.delete("between");
  if (end !== undefined) {
    const first = Math.max(0, Math.floor(from + start * extent));
    const last = Math.max(first + 1, Math.min(whole, Math.ceil(from + end * extent)));
    if (first > 0 || last < whole) address.searchParams.set("between", `${first}-${last}`);
  }
  startLooking(() => window.stop());
  location.assign(address);
}

/** Half as much time, or twice as much, around what is chosen. */
function closer(factor) {
  const mark = view.querySelector(".row[aria-current] :is(.point, .bar)");
  const at = parseFloat(mark?.getAttribute("cx") ?? mark?.getAttribute("x") ?? "50") / 100;
  const start = at - at * factor;
  show(start, start + factor);
}

view.addEventListener("pointerdown", (event) => {
  const { left, right } = scale.getBoundingClientRect();
  // A finger scrolls.
  if (event.button === 0 && event.pointerType !== "touch" && event.clientX >= left && event.clientX <= right) {
    began = event.clientX;
  }
});

window.addEventListener("pointermove", (event) => {
  if (began === undefined || (!band && Math.abs(event.clientX - began) < LEAST)) return;
  if (!band) {
    band = document.createElement("div");
    band.className = "band";
    view.append(band);
  }
  const edge = view.getBoundingClientRect();
  const [start, end] = [share(began), share(event.clientX)].sort((a, b) => a - b);
  const { left, width } = scale.getBoundingClientRect();
  band.style.left = `${left - edge.left + view.scrollLeft + start * width}px`;
  band.style.width = `${(end - start) * width}px`;
  band.style.top = `${view.scrollTop}px`;
});

window.addEventListener("pointerup", (event) => {
  const was = band;
  const start = began;
  began = band = undefined;
  if (!was) return;
  was.remove();
  // The click that ends a drag chooses nothing.
  window.addEventListener("click", (click) => { click.preventDefault(); click.stopPropagation(); }, { capture: true, once: true });
  setTimeout(() => show(...[share(start), share(event.clientX)].sort((a, b) => a - b)));
});

// Bars are parts of links, which a browser would drag.
view.addEventListener("dragstart", (event) => event.preventDefault());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  if (event.key === "Escape" && band) {
    band.remove();
    began = band = undefined;
  } else if (event.key === "+") {
    closer(0.5);
  } else if (event.key === "-") {
    closer(2);
  } else if (event.key === "0") {
    show();
  }
});
