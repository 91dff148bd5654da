// Draws formulas when they are first seen: `typeset(element)` for text with \(…\) and \[…\] in it.
// A page that has no formulas of its own loads MathJax at the first call.
const typeset = (() => {
  let loaded = null;

  function mathjax() {
    if (window.MathJax?.startup?.promise) return MathJax.startup.promise;
    loaded ??= new Promise((resolve, reject) => {
      window.MathJax = { // the parts that gdmbook/lean.py gives to pages with formulas of their own
        chtml: { matchFontHeight: false, scale: 1.2 },
        loader: { load: ["core", "input/tex", "output/chtml", "a11y/assistive-mml"] },
        startup: { typeset: false, ready() { MathJax.startup.defaultReady(); } },
      };
      const script = document.createElement("script");
      script.src = `${document.documentElement.dataset.content_root}_static/mathjax/startup.js`;
      script.onload = () => MathJax.startup.promise.then(resolve);
      script.onerror = reject;
      document.head.append(script);
    });
    return loaded;
  }

  return (element) => mathjax().then(() => MathJax.typesetPromise([element]));
})();
