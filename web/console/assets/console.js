// Refreshes the page while somebody looks at it. Without it there is a link that does.
"use strict";

const every = 2000;
const main = document.querySelector("main[data-live]");
const toggle = document.getElementById("live");
const stale = document.getElementById("stale");

// What is typed or being chosen is left alone: returns what that is, "" for nothing.
function occupied() {
  for (const field of main.querySelectorAll("input:not([type=hidden])")) {
    if (field.value !== field.defaultValue) return "something is typed";
    if (field === document.activeElement) return "a field has the focus";
  }
  return document.getSelection().isCollapsed ? "" : "something is selected";
}

// Makes one tree equal to another in place, so that focus, scroll and what is unfolded stay. Sections, rows and whatever comes
// and goes are known by a key, forms also by where they lead: what has the focus, or is under the pointer, never turns into
// something that does another thing.
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
  if (node.nodeType !== Node.ELEMENT_NODE) return null;
  return node.dataset.key || node.id || node.getAttribute("aria-labelledby") || node.getAttribute("action");
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
      known.delete(keyOf(next)); // should two have the same key, the second is new
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

// What keeps the page from being refreshed, "" for nothing.
function hindrance() {
  if (!live) return "Paused";
  const what = occupied();
  return what && `Waiting: ${what}`;
}

function tell(text) {
  if (stale.textContent !== text) stale.textContent = text;
}

function clock(at) {
  return `${at.toISOString().slice(11, 19)} UTC`;
}

async function fetched() {
  const headers = { Accept: "text/html", "Claimsync-Refresh": "1" };
  const response = await fetch(location.href, { headers, redirect: "error" }).catch(() => {
    throw new Error("there is no answer");
  });
  if (!response.ok) throw new Error(`the answer was ${response.status}`);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main[data-live]");
  if (!fresh) throw new Error("the answer was another page");
  return document.adoptNode(fresh);
}

// Brings the page up to date, or says why not, and as of when it is: one that stands still must not look as if it were live.
async function refresh() {
  let reason = hindrance();
  if (!reason) {
    const asked = new Date();
    const fresh = await fetched();
    reason = hindrance(); // it took a while
    if (!reason) {
      morph(main, fresh);
      seen = asked;
    }
  }
  tell(reason ? `${reason}, as of ${clock(seen)}.` : "");
}

async function run() {
  if (!document.hidden) {
    try {
      await refresh();
    } catch (error) {
      tell(`Not refreshed since ${clock(seen)}: ${error.message}.`);
    }
  }
  setTimeout(run, every);
}

function show() {
  toggle.setAttribute("aria-pressed", String(live));
  toggle.title = live ? "Stop refreshing this page" : "Refresh this page every two seconds";
}

if (main) {
  document.getElementById("refresh").hidden = true;
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    live = !live;
    sessionStorage.setItem("live", live ? "yes" : "no");
    show();
    tell(live ? "" : `Paused, as of ${clock(seen)}.`);
  });
  show();
  setTimeout(run, every);
}
