// Refreshes the page while somebody looks at it. Without it there is a link that does.
"use strict";

const every = 2000;
const main = document.querySelector("main[data-live]");
const toggle = document.getElementById("live");
const stale = document.getElementById("stale");

// What is typed or being chosen is left alone.
function occupied() {
  if (document.querySelector("dialog[open]")) return true;
  for (const field of main.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (field === document.activeElement || field.value !== field.defaultValue) return true;
  }
  return !document.getSelection().isCollapsed;
}

// Makes one tree equal to another in place, so that focus, scroll and what is unfolded stay. Sections and rows are known by a
// key: what is under the pointer does not turn into another row.
function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !(from.nodeName === "DETAILS" && name === "open")) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  morphChildren(from, to);
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id || node.getAttribute("aria-labelledby") : null;
}

function byKey(children) {
  return new Map([...children].map((child) => [keyOf(child), child]).filter(([key]) => key));
}

function morphChildren(from, to) {
  const known = byKey(from.children);
  const wanted = byKey(to.children);
  let at = from.firstChild;
  const skip = (remove) => {
    const next = at.nextSibling;
    if (remove) at.remove();
    at = next;
  };
  for (const next of [...to.childNodes]) {
    const old = known.get(keyOf(next));
    if (old) {
      // What is moved loses the focus: so rather what is in between goes, unless it is wanted further down.
      while (at && at !== old && !wanted.has(keyOf(at))) skip(true);
      if (at === old) skip(false);
      else from.insertBefore(old, at);
      morph(old, next);
    } else if (at && !keyOf(at) && !keyOf(next)) {
      const current = at;
      skip(false);
      morph(current, next);
    } else {
      from.insertBefore(next, at);
    }
  }
  while (at) skip(true);
}

let live = sessionStorage.getItem("live") !== "no";
let seen = new Date();

function show() {
  toggle.textContent = live ? "Live" : "Paused";
  toggle.setAttribute("aria-pressed", String(live));
  toggle.title = live ? "Stop refreshing this page" : "Refresh this page every two seconds";
}

function tell(text) {
  if (stale.textContent !== text) stale.textContent = text;
  stale.hidden = text === "";
}

async function refresh() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!response.ok) throw new Error(String(response.status));
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main[data-live]");
  if (!fresh || !live || occupied()) return;
  morph(main, document.adoptNode(fresh));
  seen = new Date();
}

async function run() {
  if (live && !document.hidden && !occupied()) {
    try {
      await refresh();
      tell("");
    } catch (error) {
      tell(`Not refreshed since ${seen.toISOString().slice(11, 19)} UTC: ${/^\d+$/.test(error.message) ? `the answer was ${error.message}` : "there is no answer"}.`);
    }
  }
  setTimeout(run, every);
}

if (main) {
  document.getElementById("refresh").hidden = true;
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    live = !live;
    sessionStorage.setItem("live", live ? "yes" : "no");
    show();
    if (!live) tell("");
  });
  show();
  setTimeout(run, every);
}
