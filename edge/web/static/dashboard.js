// Keeps the page live: asks this box for today's figures every two seconds and writes what has changed.
//
// The page says where each value stands, and this script has no text of its own:
//   data-text="path"           the element's text
//   data-attr="name:path …"    its attributes
//   data-show="path"           hidden while the value is empty
//   data-each="path" data-row  one child for each item, copied from the <template> of that row
// A path is looked up in the answer's `view`, inside a row in that row's own item; "." is the item itself.

const PERIOD_MS = 2000;
const PATIENCE_MS = 10_000;
const FAILURES_BEFORE_ALARM = 2;
const SPOKEN_EVERY_MS = 60_000;

const lost = document.getElementById("lost");
const live = document.getElementById("live");
const spoken = document.getElementById("spoken");
let failures = 0;
let timer = 0;
let spokenAt = Date.now();

function lookUp(scope, path) {
  return path === "." ? scope : path.split(".").reduce((value, name) => value?.[name], scope);
}

function isEmpty(value) {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

function writeText(element, value) {
  const text = String(value ?? "");
  if (element.textContent === text) return;
  element.textContent = text;
  if ("pulse" in element.dataset) {
    element.classList.remove("changed");
    void element.getBoundingClientRect(); // lets the same animation begin anew
    element.classList.add("changed");
  }
}

function writeAttributes(element, pairs, scope) {
  for (const pair of pairs.split(" ")) {
    const [name, path] = pair.split(":");
    const text = String(lookUp(scope, path) ?? "");
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

function copyOf(rowName) {
  const first = document.getElementById(`row-${rowName}`).content.firstElementChild;
  // A part of a picture stands inside an <svg> of its own, or the browser would not read it as one.
  const row = first.localName === "svg" ? first.firstElementChild : first;
  return row.cloneNode(true);
}

function writeRows(container, items) {
  while (container.children.length > items.length) container.lastElementChild.remove();
  while (container.children.length < items.length) container.append(copyOf(container.dataset.row));
  items.forEach((item, index) => write(container.children[index], item));
}

function write(element, scope) {
  const { text, attr, show, each } = element.dataset;
  if (attr) writeAttributes(element, attr, scope);
  if (show) element.hidden = isEmpty(lookUp(scope, show));
  if (text) return writeText(element, lookUp(scope, text));
  if (each) return writeRows(element, lookUp(scope, each) ?? []);
  for (const child of element.children) write(child, scope);
}

// A screen reader hears the figures once a minute, and only when they are others than before.
function speak(summary) {
  if (Date.now() - spokenAt < SPOKEN_EVERY_MS || spoken.textContent === summary) return;
  spoken.textContent = summary;
  spokenAt = Date.now();
}

async function fetchToday() {
  const language = encodeURIComponent(document.documentElement.lang);
  const answer = await fetch(`/api/today?lang=${language}`, {
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!answer.ok) throw new Error(`the box answered ${answer.status}`);
  return answer.json();
}

function showAlarm(isLost) {
  if (lost.hidden !== isLost) return;
  lost.textContent = isLost ? lost.dataset.words : "";
  lost.hidden = !isLost;
  live.hidden = isLost;
}

async function refresh() {
  try {
    const { view } = await fetchToday();
    failures = 0;
    write(document.documentElement, view);
    speak(view.summary);
    live.hidden = false;
  } catch {
    failures += 1; // said on the page, once it is more than a hiccup
  }
  showAlarm(failures >= FAILURES_BEFORE_ALARM);
}

async function tick() {
  window.clearTimeout(timer);
  if (!document.hidden) await refresh();
  window.clearTimeout(timer);
  timer = window.setTimeout(tick, PERIOD_MS);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) tick();
});
tick();
