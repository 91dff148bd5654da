// Boxes that are wider than the page: each scrolls, fades where there is more (formulas.css), and is a stop
// for the keyboard as long as there is something to scroll, and no longer.
(() => {
  const BOXES = [
    "mjx-container[display=true]",
    "mjx-container.wide",
    ".bd-article pre",
    ".pst-scrollable-table-container",
    ".cell_output",
    ".admonition",
    ".figure-box",
  ].join(", ");

  function settle(box) {
    const hidden = box.scrollWidth - box.clientWidth;
    // Beside a formula lies its hidden MathML, which is no reason to scroll.
    const drawn = box.querySelector(":scope > mjx-math");
    const wide = drawn ? drawn.getBoundingClientRect().width - box.clientWidth > 1 : hidden > 1;
    const scrolls = wide && hidden > 1 && getComputedStyle(box).overflowX !== "visible";
    box.classList.toggle("scrolls", scrolls);
    box.classList.toggle("more-before", scrolls && box.scrollLeft > 1);
    box.classList.toggle("more-after", scrolls && box.scrollLeft < hidden - 1);
    if (scrolls) box.tabIndex = 0;
    else if (box.hasAttribute("tabindex")) box.removeAttribute("tabindex");
  }

  // All are measured before any is changed, so that the page is laid out twice and not once for each.
  function widen() {
    const formulas = [...document.querySelectorAll(".bd-article span.math > mjx-container")];
    formulas.forEach((formula) => formula.classList.remove("wide"));
    const wide = formulas.map((formula) => {
      const drawn = formula.querySelector("mjx-math");
      const line = formula.closest("p, li, dd, dt, td, th, figcaption, summary, h1, h2, h3, h4, div");
      if (!drawn || !line) return false;
      const { paddingLeft, paddingRight } = getComputedStyle(line);
      return drawn.getBoundingClientRect().width > line.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) + 1;
    });
    formulas.forEach((formula, place) => {
      formula.classList.toggle("wide", wide[place]);
      if (wide[place]) return;
      formula.classList.remove("scrolls", "more-before", "more-after");  // it fits again
      formula.removeAttribute("tabindex");
    });
  }

  let asked = false;
  function look() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      widen();
      document.querySelectorAll(BOXES).forEach(settle);
    });
  }

  document.addEventListener("scroll", ({ target }) => { if (target.classList?.contains("scrolls")) settle(target); }, true);
  document.addEventListener("toggle", look, true);
  window.addEventListener("resize", look);
  window.addEventListener("load", look);
  const drawn = (changes) => changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.nodeName === "MJX-CONTAINER" || node.querySelector?.("mjx-container")));
  const ready = () => new MutationObserver((changes) => { if (drawn(changes)) look(); }).observe(document.body, { childList: true, subtree: true });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
