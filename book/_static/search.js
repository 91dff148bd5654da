// The search page: looks through the sections that gdmbook/search.py wrote, and shows each with its words in place.
(() => {
  const ESCAPED = /[.*+\-?^${}()|[\]\\]/g;
  const APART = "(?<![\\p{L}\\p{N}_])";

  // A word as it is written, and every word with the same stem. Short words, most of them abbreviations, as they are.
  function patterns(word) {
    const escape = (text) => text.replace(ESCAPED, "\\$&");
    const stem = word.length < 4 ? word : new Stemmer().stemWord(word);
    const base = word.startsWith(stem) ? stem : word;
    const rest = word.length < 4 ? "s?(?![\\p{L}\\p{N}_])" : "[\\p{L}\\p{N}]*";
    return {
      exact: new RegExp(`${APART}${escape(word)}(?![\\p{L}\\p{N}_])`, "giu"),
      loose: new RegExp(`${APART}${escape(base)}${rest}`, "giu"),
    };
  }

  const count = (text, pattern) => text.match(pattern)?.length ?? 0;

  function rank(passage, words) {
    let score = 0;
    for (const { exact, loose } of words) {
      const title = count(passage.title, exact) ? 30 : 15 * Math.min(1, count(passage.title, loose));
      const text = 3 * Math.min(5, count(passage.text, exact)) + Math.min(5, count(passage.text, loose));
      if (!title && !text) return 0;
      score += title + text;
    }
    // Explanations come before the names of the library.
    return passage.href.startsWith("book/back/api") ? score / 10 : score;
  }

  // About 200 letters around the first place of a word, with every place of every word marked.
  function snippet(text, words) {
    const places = words.map(({ exact, loose }) => {
      const at = [exact, loose].map((pattern) => text.search(pattern)).find((place) => place >= 0);
      return at ?? -1;
    }).filter((at) => at >= 0);
    const middle = places.length ? Math.min(...places) : 0;
    let from = Math.max(0, middle - 80);
    if (from > 0) from = text.indexOf(" ", from) + 1;
    let to = Math.min(text.length, from + 220);
    if (to < text.length) to = text.lastIndexOf(" ", to);
    const said = `${from > 0 ? "… " : ""}${text.slice(from, to)}${to < text.length ? " …" : ""}`;
    return marked(said, words);
  }

  function marked(text, words) {
    const line = document.createElement("p");
    const any = new RegExp(words.map(({ loose }) => `(?:${loose.source})`).join("|"), "giu");
    let at = 0;
    for (const found of text.matchAll(any)) {
      line.append(text.slice(at, found.index));
      line.append(Object.assign(document.createElement("mark"), { textContent: found[0] }));
      at = found.index + found[0].length;
    }
    line.append(text.slice(at));
    return line;
  }

  function show(query) {
    const words = [...new Set(splitQuery(query.toLowerCase()))]
      .filter((word, _, all) => all.length === 1 || !stopwords.includes(word))
      .map(patterns);
    const found = words.length === 0 ? [] : bookPassages
      .map((passage) => ({ passage, score: rank(passage, words) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score);
    const list = Object.assign(document.createElement("ul"), { className: "search" });
    for (const { passage } of found) {
      const item = list.appendChild(document.createElement("li"));
      const link = item.appendChild(document.createElement("a"));
      link.href = document.documentElement.dataset.content_root + passage.href;
      link.textContent = passage.title || passage.page;
      if (passage.page !== passage.title) item.append(` in ${passage.page}`);
      item.append(snippet(passage.text, words));
    }
    const pages = new Set(found.map(({ passage }) => passage.page)).size;
    const summary = Object.assign(document.createElement("p"), { className: "search-summary" });
    summary.setAttribute("role", "status");
    summary.textContent = found.length
      ? `${found.length} ${found.length === 1 ? "place" : "places"} found on ${pages} ${pages === 1 ? "page" : "pages"}.`
      : "Your search did not match anything: every word has to stand in one section. Try fewer words.";
    document.getElementById("search-results").replaceChildren(summary, list);
  }

  document.addEventListener("DOMContentLoaded", () => {
    // Sphinx's own search shows titles only; its reading of the address and of the field stays.
    Search.performSearch = (query) => {
      const data = document.createElement("script");
      data.src = `${document.documentElement.dataset.content_root}_static/search-data.js`;
      data.onload = () => show(query);
      document.head.append(data);
    };
  });
})();
