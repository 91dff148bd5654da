// Returns the formulas and figures of which a part can't be brought to the screen: it lies beyond the screen, or it
// is clipped and nothing around it scrolls that far, by finger, by keyboard, and with a sign that there is more.
const clips = (style) => style.overflowX !== 'visible';
const reach = (element, right) => {
  for (let box = element; box && box !== document.body; box = box.parentElement) {
    const style = getComputedStyle(box);
    if (!clips(style)) continue;
    const edge = box.getBoundingClientRect();
    if (right <= edge.right + 1) continue;
    if (style.overflowX === 'hidden' || style.overflowX === 'clip') return 'clipped';
    if (!box.hasAttribute('tabindex')) return 'no stop for the keyboard';
    if (edge.left + box.scrollWidth - box.scrollLeft + 1 < right) return 'further than it scrolls';
    if (!box.classList.contains('more-after')) return 'no sign that there is more';
    right = edge.right;
  }
  return right > innerWidth + 1 ? 'beyond the screen' : '';
};
return [...document.querySelectorAll('.bd-article :is(mjx-math, figure img)')]
  .filter((element) => element.checkVisibility() && element.getBoundingClientRect().width > 0)
  .map((element) => [reach(element, element.getBoundingClientRect().right), element.closest('.math, figure')])
  .filter(([lost]) => lost)
  .map(([lost, place]) => `${lost}: ${place.textContent.slice(0, 50)}`);
