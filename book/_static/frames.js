// The frame slider on a static page: shows the picture that belongs to the slider's place.
// Markup: gdmcourse/plots/frames.py, book/_ext/gdmbook/slider.py. Without this script the first frame and its
// caption stand.
(() => {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");

  function enliven(root) {
    const pictures = [...root.querySelectorAll(".frames-stage img")];
    const values = JSON.parse(root.dataset.values);
    const controls = root.querySelector(".frames-controls");
    const range = root.querySelector("input[type=range]");
    const output = root.querySelector("output");
    const play = root.querySelector(".frames-play");
    let timer = null;

    function show() {
      const place = Number(range.value);
      pictures.forEach((picture, index) => { picture.hidden = index !== place; });
      output.textContent = values[place];
      range.setAttribute("aria-valuetext", values[place]);
    }

    function stop() {
      clearInterval(timer);
      timer = null;
      play.textContent = "▶";
      play.setAttribute("aria-label", "Play the frames");
    }

    function start() {
      if (Number(range.value) === pictures.length - 1) range.value = 0;
      show();
      play.textContent = "❚❚";
      play.setAttribute("aria-label", "Pause the frames");
      timer = setInterval(() => {
        range.value = Number(range.value) + 1;
        show();
        if (Number(range.value) === pictures.length - 1) stop();
      }, 600);
    }

    range.addEventListener("input", () => { stop(); show(); });
    play.addEventListener("click", () => (timer === null ? start() : stop()));
    const settle = () => { play.hidden = still.matches; if (still.matches) stop(); };
    still.addEventListener("change", settle);
    settle();
    // The widest value sets the width, so that nothing moves when the value changes.
    output.style.minWidth = `${Math.max(...values.map((value) => value.length))}ch`;
    controls.hidden = false;
    show();
    // The other frames are fetched before the slider comes into view, so that none is waited for.
    const near = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      pictures.forEach((picture) => { picture.loading = "eager"; });
      near.disconnect();
    }, { rootMargin: "100%" });
    near.observe(root);
  }

  const ready = () => document.querySelectorAll(".frames").forEach(enliven);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
