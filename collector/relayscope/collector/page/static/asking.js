// Asking for a part of a page, and saying what is the matter where it cannot be had.

/** Why a part of a page cannot be had, in words for who looks. */
export class Unavailable extends Error {
  /**
   * @param {string} words What is the matter.
   * @param {number} status HTTP's; 0 without an answer.
   */
  constructor(words, status = 0) {
    super(words);
    this.status = status;
  }
}

/** The log-in that leads back to the page that is open, not to the part of it that was asked for. */
function logIn() {
  const link = document.createElement("a");
  link.href = `/login?${new URLSearchParams({ next: location.pathname + location.search })}`;
  link.textContent = "Log in again";
  return link;
}

/**
 * Ask for a part of a page, and throw `Unavailable` where it cannot be had.
 *
 * The only redirection of such an address is that to the log-in.
 */
export async function ask(address, options = {}) {
  try {
    const answer = await fetch(address, { ...options, redirect: "manual" });
    if (answer.type === "opaqueredirect") throw new Unavailable("You were logged out.", 401);
    if (!answer.ok && answer.status !== 304) throw new Unavailable(await reason(answer), answer.status);
    return { answer, bytes: await answer.arrayBuffer() };
  } catch (error) {
    if (error instanceof Unavailable || error.name === "AbortError") throw error;
    throw new Unavailable("The collector does not answer.");
  }
}

/** What a page says that shows nothing else. */
async function reason(answer) {
  const read = new DOMParser().parseFromString(await answer.text(), "text/html");
  return read.querySelector(".reason")?.textContent ?? `Nothing can be shown just now (${answer.status}).`;
}

/** The text of an answer as it is: its own `text()` leaves out a U+FEFF at the beginning. */
export const textOf = (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** What to show of it: the words, and the way on. `again` is what the button does. */
export function explained(unavailable, again) {
  const paragraph = document.createElement("p");
  paragraph.className = "reason unavailable";
  paragraph.setAttribute("role", "alert");
  paragraph.append(unavailable.message, " ");
  if (unavailable.status === 401) {
    paragraph.append(logIn());
  } else {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Try again";
    button.addEventListener("click", again);
    paragraph.append(button);
  }
  return paragraph;
}

/** Say it in a line that goes on by itself; a reader hears it once. */
export function tell(unavailable, line) {
  const said = document.createElement("span");
  said.append(unavailable.message, " ", unavailable.status === 401 ? logIn() : "It is tried again.");
  if (line.textContent !== said.textContent) line.replaceChildren(...said.childNodes);
}
