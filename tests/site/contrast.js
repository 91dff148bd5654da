// Returns the texts of the page whose contrast falls short of WCAG AA: 4.5, or 3 for large type.
const parse = (colour) => {
  const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
  // color(srgb …) counts from 0 to 1
  return colour.startsWith("color") ? [255 * r, 255 * g, 255 * b, a] : [r, g, b, a];
};
const over = ([r, g, b, a], [R, G, B]) => [a * r + (1 - a) * R, a * g + (1 - a) * G, a * b + (1 - a) * B, 1];
const luminance = ([r, g, b]) => {
  const [R, G, B] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * R + 0.7152 * G + 0.0722 * B;
};
const ratio = (a, b) => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};
// The background that an element's parents and its own give it, and the product of their opacities; each once.
const known = new Map();
const ground = (element) => {
  if (!element) return [[255, 255, 255, 1], 1];
  if (!known.has(element)) {
    const [below, opacity] = ground(element.parentElement);
    const style = getComputedStyle(element);
    known.set(element, [over(parse(style.backgroundColor), below), opacity * Number(style.opacity)]);
  }
  return known.get(element);
};

const found = [];
let looked = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode.textContent.trim();
  if (!text) continue;
  const element = walker.currentNode.parentElement;
  const box = element.getBoundingClientRect();
  if (!box.width || !box.height || !element.checkVisibility({ visibilityProperty: true })) continue;
  if (element.closest("script, style, .visually-hidden, [aria-hidden=true]")) continue;
  if (box.width <= 1 || box.right < 0 || box.bottom < 0) continue; // off the screen, for screen readers
  const style = getComputedStyle(element);
  const [background, opacity] = ground(element);
  const [r, g, b, a] = parse(style.color);
  const colour = over([r, g, b, a * opacity], background);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  looked += 1;
  const measured = ratio(colour, background);
  if (measured < (large ? 3 : 4.5)) {
    found.push(`${measured.toFixed(2)}: <${element.tagName.toLowerCase()} class="${element.className}"> ${text.slice(0, 40)}`);
  }
}
return { looked, found: [...new Set(found)].slice(0, 20) };
