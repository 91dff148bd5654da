// Previews: over a link to an equation, a word of the glossary or a citation stands what it leads to.
// By mouse, by keyboard focus, and by touch, where the first tap shows and the second follows the link.
// The texts are written by gdmbook/previews.py and loaded with the first link that is pointed at.
(() => {
  const root = new URL(document.documentElement.dataset.content_root, location.href);
  const box = Object.assign(document.createElement("div"), { id: "preview", hidden: true });
  box.setAttribute("role", "tooltip");
  let loaded = null;
  let current = null;
  let timer = null;

  function texts() {
    loaded ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${root.href}_static/preview-data.js`;
      script.onload = () => resolve(window.bookPreviews);
      script.onerror = reject;
      document.head.append(script);
    });
    return loaded;
  }

  function linkOf(event) {
    const link = event.target.closest?.(".bd-article a[href*='#']:not(.headerlink, .ledger-mark)");
    return link && link.href.startsWith(root.href) ? link : null;
  }

  // Resolves to whether there is a preview of this link at all.
  async function show(link, byTouch = false) {
    current = link;
    const url = new URL(link.href);
    const key = decodeURIComponent(url.pathname.slice(root.pathname.length) + url.hash);
    const found = (await texts())[key];
    if (!found || current !== link) return Boolean(found);
    box.innerHTML = `<p class="preview-title"></p><div class="preview-text">${found.html}</div>`;
    const title = box.querySelector(".preview-title");
    title.textContent = [found.title, byTouch ? "tap again to go there" : ""].filter(Boolean).join(" · ");
    title.hidden = !title.textContent;
    box.style.visibility = "hidden";
    box.hidden = false;
    if (box.querySelector(".math")) await typeset(box);
    if (current !== link) return true;
    link.removeAttribute("title"); // the browser would show it as well
    link.setAttribute("aria-describedby", "preview");
    place(link);
    box.style.visibility = "";
    return true;
  }

  // Below the link, or above where there is no room; over the text, so that nothing moves.
  function place(link) {
    const at = link.getClientRects()[0];
    const size = box.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(at.left, width - size.width - 8));
    const below = at.bottom + size.height + 12 < window.innerHeight || at.top < size.height + 12;
    box.style.left = `${left + window.scrollX}px`;
    box.style.top = `${(below ? at.bottom + 6 : at.top - size.height - 6) + window.scrollY}px`;
  }

  function hide() {
    clearTimeout(timer);
    current?.removeAttribute("aria-describedby");
    current = null;
    box.hidden = true;
  }

  const later = (action, delay) => { clearTimeout(timer); timer = setTimeout(action, delay); };

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const link = linkOf(event);
    if (link === current && link) clearTimeout(timer);
    else if (link) later(() => { hide(); show(link); }, 250);
    else if (box.contains(event.target)) clearTimeout(timer);
    else later(hide, 250);
  });
  document.addEventListener("focusin", (event) => {
    const link = linkOf(event);
    if (link?.matches(":focus-visible")) { hide(); show(link); } else if (!box.contains(event.target)) hide();
  });
  document.addEventListener("click", (event) => {
    const link = linkOf(event);
    if (event.pointerType !== "touch") return;
    if (link && link !== current) {
      event.preventDefault();
      hide();
      show(link, true).then((found) => { if (!found) location.href = link.href; });
    } else if (!box.contains(event.target)) hide();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("DOMContentLoaded", () => document.body.append(box));
})();
