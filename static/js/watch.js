// Who watches a batch is told by the tab itself when it is done, where the browser has that and they allow it.
// Once: what watched is remembered while the page is open, and tabs that watch the same batch share one notification.

const DONE = "✓ ";
let watched; // the batch whose end is still to be told

const isOffered = () => "Notification" in window;

// Asked for on a press alone: a page that asks by itself is refused, and rightly.
document.addEventListener("submit", ({ submitter }) => {
  const isWish = submitter?.matches("#watch-button[value=on]");
  if (isWish && isOffered() && Notification.permission === "default") Notification.requestPermission();
});

function notify({ batch, title, done }) {
  if (!isOffered() || Notification.permission !== "granted") return;
  try {
    const notification = new Notification(title, { body: done, tag: batch });
    notification.onclick = () => {
      window.focus();
      notification.close();
    };
  } catch {
    // Some phones know the word but let no page use it; the title still tells.
  }
}

function look() {
  const now = document.getElementById("watch")?.dataset ?? {};
  if (!("done" in now)) {
    watched = "on" in now ? now.batch : undefined;
  } else if (watched === now.batch) {
    watched = undefined;
    notify(now);
    if (document.hidden) document.title = DONE + document.title;
  }
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && document.title.startsWith(DONE)) document.title = document.title.slice(DONE.length);
});
document.addEventListener("htmx:afterSettle", look);
look();
