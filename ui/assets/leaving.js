/* Streamlit sends what was typed a moment after its field was left, but a change of screen at once: on a slow machine the
   screen would change first, and what was typed would be lost. A click on the menu, or on a link to another screen, that
   follows on its heels waits until it was sent and taken in. */
(() => {
  if (window.portalLeaving) return;
  window.portalLeaving = true;
  const LEADS = '[data-testid="stSidebarNavLink"], [data-testid="stPageLink-NavLink"], [data-testid="stLogoLink"]';
  const JUST = 100, ANSWERS = 300, LONGEST = 2000; // milliseconds: since it was sent, until it is taken up, in all
  const atRest = window.requestIdleCallback ?? ((then) => setTimeout(then, 200)); // Safari does not say when it rests
  const now = () => performance.now();
  const busy = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState !== "notRunning";
  let typed = null, unsent = false, sent = -Infinity, held = false, again = false;

  document.addEventListener("input", (event) => { typed = event.target; }, true);
  document.addEventListener("focusout", (event) => {
    if (event.target !== typed) return;
    typed = null;
    unsent = true;
    atRest(() => setTimeout(() => { unsent = false; sent = now(); }, 10));
  }, true);

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(LEADS);
    if (!link || again) return;
    if (typed && typed === document.activeElement) typed.blur(); // a screen reader clicks without leaving the field
    if (!unsent && now() - sent > JUST) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (held) return;
    held = true;
    const clicked = now(), leads = link.getAttribute("href");
    let taken = false;
    const go = () => {
      taken ||= busy();
      if (now() - clicked < LONGEST && (unsent || busy() || (!taken && now() - sent < ANSWERS))) {
        setTimeout(go, 20);
        return;
      }
      held = false;
      if (!link.isConnected || link.getAttribute("href") !== leads) return; // it was redrawn, and would lead to something else
      again = true;
      link.click();
      again = false;
    };
    go();
  }, true);
})();
