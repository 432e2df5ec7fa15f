// Says how fresh the numbers are. Each answer, also one that nothing is new, tells the server's clock; without one for a while
// the page says since when. It asks on by itself, so that nobody has to come and press a key.

const PATIENCE = 25_000; // two questions without an answer
const root = document.documentElement;
let answeredAt = performance.now();

function tell() {
  root.toggleAttribute("data-stale", performance.now() - answeredAt > PATIENCE);
}

document.addEventListener("upToDate", (event) => {
  answeredAt = performance.now();
  document.getElementById("up-to-date").textContent = event.detail.value;
  tell();
});

setInterval(tell, 1_000);
