// The log: it follows its end while the reader is there, and forgets what is far above.
{
  const most = 1000; // lines
  const near = 40; // pixels from the end that count as the end

  for (const log of document.querySelectorAll("[data-log]")) {
    const lines = log.querySelector("ol");
    const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < near;
    let follow = true;
    log.scrollTop = log.scrollHeight;
    log.addEventListener("scroll", () => { follow = atEnd(); }, { passive: true });
    new MutationObserver(() => {
      while (lines.children.length > most) lines.firstElementChild.remove();
      if (follow) log.scrollTop = log.scrollHeight;
    }).observe(lines, { childList: true });
  }
}
