// A button that prints the page, and the time of printing on the sheet. Without script the browser's own menu prints it.

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

// Paper is white, whatever the screen is.
const scheme = document.documentElement.dataset.colorScheme;
window.addEventListener("afterprint", () => (document.documentElement.dataset.colorScheme = scheme));

window.addEventListener("beforeprint", () => {
  document.documentElement.dataset.colorScheme = "light";
  // Of the languages that browsers know, Danish writes times as this site does.
  for (const place of document.querySelectorAll("[data-printed]")) {
    const form = { dateStyle: "short", timeStyle: "short", timeZone: place.dataset.printed };
    place.textContent = new Intl.DateTimeFormat("da", form).format(new Date());
  }
});
