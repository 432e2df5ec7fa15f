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

function pollNow() {
  for (const element of document.querySelectorAll("[data-live]")) {
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
  if (!document.hidden) pollNow();
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

// A morph keeps what a person is doing: text that has been typed but not sent, with the cursor in it, and what was unfolded.
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
  !(name === "value" && element.matches("input, textarea") && element.value !== element.defaultValue) &&
  !(name === "open" && element.matches("details"));
