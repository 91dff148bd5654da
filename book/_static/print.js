// Paper is light and shows everything: while a page is printed the theme is the light one and what is folded is open.
(() => {
  const root = document.documentElement;
  let theme = null;
  let folded = [];

  window.addEventListener("beforeprint", () => {
    theme ??= root.dataset.theme;
    root.dataset.theme = "light";
    folded = folded.concat([...document.querySelectorAll("details:not([open])")]);
    folded.forEach((box) => { box.open = true; });
  });
  window.addEventListener("afterprint", () => {
    if (theme !== null) root.dataset.theme = theme;
    theme = null;
    folded.forEach((box) => { box.open = false; });
    folded = [];
  });
})();
