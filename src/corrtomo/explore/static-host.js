// Mounts every explorer of a static page: the same module as in Jupyter, with a plain object as its model.
class StaticModel {
  constructor(state) { this.state = state; this.listeners = new Map(); }
  get(key) { return this.state[key]; }
  set(key, value) {
    if (this.state[key] === value) return;
    this.state[key] = value;
    for (const event of [`change:${key}`, "change"]) for (const f of [...(this.listeners.get(event) ?? [])]) f();
  }
  save_changes() {}
  send() {}
  on(event, f) { this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(f)); }
  off(event, f) { if (f) this.listeners.get(event)?.delete(f); else this.listeners.delete(event); }
}

const revive = (_key, value) =>
  typeof value?.base64 === "string" ? Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0)) : value;

async function mount(host) {
  if (host.dataset.mounted) return;
  host.dataset.mounted = "pending";
  const place = document.createElement("div");
  try {
    const state = JSON.parse(host.querySelector('script[type="application/json"]').textContent, revive);
    const { module, version } = host.dataset;
    const { default: widget } = await import(new URL(`./${module}.js?v=${version}`, import.meta.url));
    host.append(place);
    await widget.render({ model: new StaticModel(state), el: place });
    host.dataset.mounted = "ok";
  } catch (error) {
    place.remove(); // the picture stays, with a word on why it does not move
    host.dataset.mounted = "error";
    console.error("explorer", error);
  }
}

// One by one, and first those near the screen: a page may hold several, each with its volume.
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { watcher.unobserve(entry.target); mount(entry.target); }
}, { rootMargin: "800px" });
document.querySelectorAll(".ct-explorer[data-module]").forEach((host) => watcher.observe(host));
