// The ledger: a formula is drawn when its entry is opened, by hand or by a link to it. Without this script the
// formula stands as TeX, and a browser opens the entry that a link leads to by itself.
(() => {
  function drawn(entry) {
    const formula = entry.querySelector(".ledger-formula:not(.math)");
    if (!entry.open || !formula) return;
    formula.classList.add("math");
    typeset(formula);
  }

  function reveal() {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const entry = place?.closest("details.ledger-entry");
    if (!entry) return;
    entry.open = true;
    entry.scrollIntoView({ block: "start" });
  }

  function ready() {
    document.querySelectorAll("details.ledger-entry").forEach((entry) => {
      entry.addEventListener("toggle", () => drawn(entry));
      drawn(entry);
    });
    reveal();
    window.addEventListener("hashchange", reveal);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
