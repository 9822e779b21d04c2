// What the pages gain by a script; without it they do the same by reloading. It has no text of its own.

const body = document.body;
const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// A page out of the browser's memory may show what was forgotten: ask the box again.
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    body.hidden = true;
    location.reload();
  }
});

// Whoever taps twice in a hurry means one tap: a form is not sent again while its answer is on its way.
let sent = -Infinity;
addEventListener("submit", (event) => {
  if (event.timeStamp - sent < 1000) event.preventDefault();
  else sent = event.timeStamp;
});

function leave() {
  body.replaceChildren();
  location.replace("/reset");
}

function watchIdle(idle) {
  const dialog = document.getElementById("idle");
  const left = document.getElementById("idle-left");
  const warn = Math.min(20, idle / 2);
  let last = Date.now();
  let told = last;

  const touched = () => {
    last = Date.now();
    if (last - told > (idle * 1000) / 2) {
      told = last;
      fetch("/still-here", { method: "POST" }).catch(() => {});
    }
  };
  for (const kind of ["pointerdown", "keydown", "wheel", "touchmove", "input"]) {
    addEventListener(kind, () => dialog.open || touched(), { passive: true, capture: true });
  }
  dialog.addEventListener("close", touched);

  setInterval(() => {
    const silent = (Date.now() - last) / 1000;
    if (silent >= idle) {
      leave();
    } else if (silent >= idle - warn) {
      // Nobody has begun anything at the start, so nobody is asked.
      if (!dialog.open && !body.classList.contains("home")) dialog.showModal();
      left.textContent = fill(left.dataset.words, { seconds: Math.ceil(idle - silent) });
    }
  }, 500);
}

if (body.dataset.idle) {
  watchIdle(Number(body.dataset.idle));
  for (const link of document.querySelectorAll("[data-leave]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      leave();
    });
  }
}

const figures = document.querySelectorAll("[data-figure]");
if (figures.length) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("/api/today", { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const today = await answer.json();
      for (const place of figures) {
        const value = today[place.dataset.figure];
        const text = place.dataset.words ? fill(place.dataset.words, { clock: value }) : value;
        if (value && place.textContent !== text) place.textContent = text;
      }
    } catch {
      // The box is away for a moment; the figures say until when they are.
    }
  }, 5000);
}

for (const place of document.querySelectorAll("[data-seconds]")) {
  const end = Date.now() + 1000 * Number(place.dataset.seconds);
  const tick = setInterval(show, 1000);
  function show() {
    const seconds = Math.max(0, Math.round((end - Date.now()) / 1000));
    place.textContent = fill(place.dataset.words, { minutes: Math.floor(seconds / 60), seconds: seconds % 60 });
    if (!seconds) {
      clearInterval(tick);
      const code = document.querySelector("[data-over]");
      code.textContent = code.dataset.over;
      code.classList.add("over");
      place.hidden = true;
    }
  }
  show();
}

for (const place of document.querySelectorAll("[data-left-of]")) {
  const field = document.getElementById(place.dataset.leftOf);
  field.addEventListener("input", () => {
    const left = field.maxLength - field.value.length;
    place.textContent = left <= 100 ? fill(place.dataset.words, { left }) : "";
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

if (document.querySelector("[data-waiting]")) {
  setTimeout(() => location.reload(), 10000);
}
