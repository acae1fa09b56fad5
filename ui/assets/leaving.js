/* Streamlit sends what was typed a moment after its field was left, but a change of screen at once: on a slow machine the
   screen would change first, and what was typed would be lost. A click that leads elsewhere waits until it was sent. */
(() => {
  if (window.portalLeaving) return;
  window.portalLeaving = true;
  const LEADS = '[data-testid="stSidebarNavLink"], [data-testid="stPageLink-NavLink"], [data-testid="stLogoLink"]';
  const SOON = 1000; // milliseconds
  let typed = null, left = -Infinity, again = false;
  document.addEventListener("input", (event) => { typed = event.target; }, true);
  document.addEventListener("focusout", (event) => {
    if (event.target === typed) [typed, left] = [null, performance.now()];
  }, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(LEADS);
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey; // another tab: this one stays
    if (!link || again || elsewhere || performance.now() - left > SOON) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    requestIdleCallback(() => setTimeout(() => {
      again = true;
      link.click();
      again = false;
    }, 10), { timeout: SOON });
  }, true);
})();
