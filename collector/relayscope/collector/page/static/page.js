// What every page has: times in the viewer's zone, texts to copy, a word while something is looked for.

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false,
});
const calendar = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "2-digit" });

/** Write every time below an element in the viewer's zone; its title keeps it in UTC. */
export function localTimes(below = document) {
  const today = calendar.format(new Date());
  for (const element of below.querySelectorAll("time[datetime]:not([data-local])")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const day = calendar.format(moment);
    element.textContent = day === today ? clock.format(moment) : `${day} ${clock.format(moment)}`;
    element.dataset.local = "";
  }
}

/** Copy a text, and say so on the button that was pressed. */
export async function copy(text, button) {
  await navigator.clipboard.writeText(text);
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = label; }, 1500);
}

const looking = document.getElementById("looking");
let waiting;

/** Say that something is still looked for, once it takes longer than a moment. */
export function startLooking(cancel) {
  clearTimeout(waiting);
  waiting = setTimeout(() => { looking.hidden = false; }, 400);
  looking.querySelector("button").onclick = () => { cancel(); stopLooking(); };
}

export function stopLooking() {
  clearTimeout(waiting);
  looking.hidden = true;
}

localTimes();

// Where the views' names have no room, the one that is shown is in sight.
const names = document.querySelector(".top nav ul");
const shown = names?.querySelector("[aria-current]");
if (shown) names.scrollLeft = shown.offsetLeft - (names.clientWidth - shown.offsetWidth) / 2;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    copy(button.dataset.copy || button.parentElement.querySelector("pre").textContent, button);
  }
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

// Leaving for another page of ours: the server gives up what it looks for when the browser does.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (link && isPlain && link.origin === location.origin && !link.getAttribute("href").startsWith("#")
      && !link.download && !link.target) {
    startLooking(() => window.stop());
  }
});
document.addEventListener("submit", () => startLooking(() => window.stop()));
window.addEventListener("pageshow", stopLooking);
