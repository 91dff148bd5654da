// Remembers which pages were read to their end, in this browser alone, and marks them in the list of pages.
// Where a browser keeps nothing for a page from the file system, nothing is marked.
(() => {
  const KEY = "gdmcourse-read";
  const root = new URL(document.documentElement.dataset.content_root, location.href).pathname;
  const name = (path) => path.slice(root.length);

  function load() {
    try { return new Set(JSON.parse(localStorage.getItem(KEY) ?? "[]")); } catch { return new Set(); }
  }

  function mark(read) {
    for (const link of document.querySelectorAll("nav.bd-links a")) {
      if (!read.has(name(new URL(link.href).pathname)) || link.querySelector(".read-mark")) continue;
      const sign = Object.assign(document.createElement("span"), { className: "read-mark", textContent: " ✓" });
      sign.setAttribute("aria-label", " (read)");
      sign.setAttribute("role", "img");
      link.append(sign);
    }
  }

  function ready() {
    mark(load());
    const end = document.querySelector(".prev-next-area");
    if (!end) return;
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting) || window.scrollY === 0) return;
      const read = load().add(name(location.pathname));
      try { localStorage.setItem(KEY, JSON.stringify([...read])); } catch { /* it forgets, and nothing else */ }
      mark(read);
      observer.disconnect();
    }).observe(end);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
