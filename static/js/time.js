// Keeps "5 minutes ago" true on a page that stays open. The server wrote the same words first.
{
  const units = [[365 * 86400, "year"], [30 * 86400, "month"], [86400, "day"], [3600, "hour"], [60, "minute"]];
  const words = (seconds) => {
    const distance = Math.abs(seconds);
    if (distance < 45) return "just now";
    const [size, unit] = units.find(([s]) => distance >= s) || units[units.length - 1];
    const n = Math.max(1, Math.floor(distance / size));
    const span = `${n} ${unit}${n === 1 ? "" : "s"}`;
    return seconds < 0 ? `in ${span}` : `${span} ago`;
  };
  setInterval(() => {
    for (const time of document.querySelectorAll("time[data-relative]")) {
      time.textContent = words((Date.now() - Date.parse(time.dateTime)) / 1000);
    }
  }, 60_000);
}
