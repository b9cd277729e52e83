/**
 * A place that may scroll can be reached by Tab while it does, and only then: the keyboard needs
 * somewhere to stand, and nobody needs an empty stop.
 *
 * A list that grows with the day's work carries `data-list`, and so do the settings, which nobody
 * reads while a customer waits; anything else must fit the smallest counter PC without scrolling,
 * which the whole-window tests hold.
 */
export function scrolls(element: HTMLElement): () => void {
  const look = () => {
    const over =
      element.scrollHeight > element.clientHeight + 1 ||
      element.scrollWidth > element.clientWidth + 1;
    if (over) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  };
  const size = new ResizeObserver(look);
  const content = new MutationObserver(look);
  size.observe(element);
  content.observe(element, { childList: true, subtree: true, characterData: true });
  look();
  return () => {
    size.disconnect();
    content.disconnect();
  };
}
