// A click, a tap or the Enter key shows a figure as large as the screen; Escape, or a click anywhere, puts it back.
(() => {
  const view = document.createElement("dialog");
  view.className = "figure-view";
  view.addEventListener("click", () => view.close());
  view.addEventListener("close", () => view.replaceChildren());

  function enlarge(image) {
    const large = image.cloneNode();
    for (const name of ["width", "height", "loading"]) large.removeAttribute(name);
    const close = document.createElement("button");
    close.type = "button";
    close.className = "figure-close";
    close.textContent = "Close";
    view.setAttribute("aria-label", "Figure, enlarged");
    view.replaceChildren(large, close);
    view.showModal();
  }

  function offer(image) {
    if (image.closest("a, button, .frames")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "figure-open";
    button.title = "Enlarge";
    const box = document.createElement("div");
    box.className = "figure-box";
    image.replaceWith(box);
    box.append(button);
    button.append(image);
    // The style sheet keeps the labels legible on a phone: it needs to know how wide the drawing is.
    const measure = () => image.style.setProperty("--width", `${image.naturalWidth}px`);
    if (image.complete) measure();
    else image.addEventListener("load", measure);
    button.addEventListener("click", () => enlarge(image));
  }

  function ready() {
    document.body.append(view);
    document.querySelectorAll(".bd-article figure img, .bd-article .cell_output img").forEach(offer);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
