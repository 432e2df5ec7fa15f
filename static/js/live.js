// Polls of live parts. The server renders each poll and its cadence; here they are only held back: while the tab is
// hidden (to one a minute) and while the person has paused them. Nothing here ends a poll: a part that is done comes without one.

const HIDDEN_PAUSE = 60_000;
const PAUSED = "live-paused";
const away = document.getElementById("away");
const pause = document.getElementById("pause");
let lastSent = 0;

const isLive = (element) => element.matches?.("[data-live]");
const isPaused = () => localStorage.getItem(PAUSED) === "1";

function showPause() {
  document.documentElement.toggleAttribute("data-paused", isPaused());
  if (pause) pause.hidden = !document.querySelector("[data-live]");
}

function pollNow(which = "[data-live]") {
  for (const element of document.querySelectorAll(which)) {
    htmx.trigger(element, "poll");
  }
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!isLive(event.target)) return;
  const tooSoon = document.hidden && Date.now() - lastSent < HIDDEN_PAUSE;
  // Whoever has just asked for an answer wants to see it, paused or not.
  const isHeld = isPaused() && !event.target.matches("[data-urgent]");
  if (isHeld || tooSoon) {
    event.preventDefault();
  } else {
    lastSent = Date.now();
  }
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) pollNow("[data-live], [data-return]");
});

pause?.addEventListener("click", () => {
  localStorage.setItem(PAUSED, isPaused() ? "0" : "1");
  showPause();
  if (!isPaused()) pollNow();
});

document.addEventListener("htmx:afterSettle", showPause);
window.addEventListener("storage", showPause);
showPause();

// Our own server: away when a request fails or times out, back when one succeeds. Nothing claims to be live meanwhile.
function showAway(isAway) {
  away.hidden = !isAway;
  document.documentElement.toggleAttribute("data-away", isAway);
}
for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, () => showAway(true));
}
document.addEventListener("htmx:afterRequest", (event) => {
  const status = event.detail.xhr.status;
  if (status) showAway(status >= 500);
});

// A morph keeps what a person is doing: text that has been typed but not sent, with the cursor in it, boxes that have been
// ticked, what was chosen from a list or unfolded, and what a script alone fills.
const chosen = new WeakSet();
document.addEventListener("change", (event) => {
  if (event.target.matches("select")) chosen.add(event.target);
});
let isOwnDeed = false;
const isTyped = (field) => !field.matches("[type=hidden]") && field.value !== field.defaultValue;
const isBegun = (form) => [...form.elements].some((field) => (field.matches("input, textarea") ? isTyped(field) : chosen.has(field)));
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
  !(name === "value" && element.matches("input, textarea") && element.value !== element.defaultValue) &&
  // What was decided by the sight of one revision is not sent as if others' changes since had been seen.
  !(name === "value" && element.matches("[name=revision]") && !isOwnDeed && isBegun(element.form)) &&
  !(name === "checked" && element.checked !== element.defaultChecked) &&
  !(name === "selected" && chosen.has(element.closest("select"))) &&
  !(name === "open" && element.matches("details"));
Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) => !node.matches?.("[data-keep]");

// What has been sent to be done is the server's to show again: the form begins anew, and folds up if it unfolds.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const form = detail.requestConfig.elt;
  if (!detail.shouldSwap || !form.matches("form[method=post]")) return;
  isOwnDeed = "revision" in form.elements;
  form.reset();
  for (const list of form.querySelectorAll("select")) chosen.delete(list);
  const fold = form.closest("details[open]");
  if (fold) {
    fold.open = false;
    fold.querySelector("summary").focus();
  }
});
document.addEventListener("htmx:afterSwap", () => {
  isOwnDeed = false;
});
