// The days of a chart are one stop of the Tab key; the arrows lead from day to day. Without this each day is a stop.

const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -Infinity, End: Infinity };
const daysOf = (chart) => [...chart.querySelectorAll(".day")];

function stopAt(stop, days) {
  for (const day of days) day.setAttribute("tabindex", day === stop ? "0" : "-1");
}

/** The days come and go with each answer of the server: the one in focus stays the stop, else it is the page's own. */
function gather() {
  for (const chart of document.querySelectorAll(".trend-chart")) {
    const days = daysOf(chart);
    const inFocus = days.find((day) => day === document.activeElement);
    stopAt(inFocus ?? days.find((day) => day.hasAttribute("aria-current")), days);
  }
}

document.addEventListener("keydown", (event) => {
  const day = event.target.closest?.(".trend-chart .day");
  if (!day || !Object.hasOwn(STEPS, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const days = daysOf(day.closest(".trend-chart"));
  const at = Math.max(0, Math.min(days.length - 1, days.indexOf(day) + STEPS[event.key]));
  stopAt(days[at], days);
  days[at].focus();
});

document.addEventListener("htmx:afterSettle", gather);
gather();
