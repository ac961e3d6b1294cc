const HELD = 5; // pixels that a pointer moves before it drags

function startTimeline() {
  const canvas = element("timeline-canvas");
  if (!attempts.job.length) {
    canvas.replaceWith(made("p", "No job has been started.", { class: "hint" }));
    return null;
  }
  const timeline = new Timeline(canvas);
  element("timeline-controls").hidden = false;
  canvas.setAttribute("aria-label", inWords());
  addLegend(timeline);
  addHosts(timeline);
  addButtons(timeline);
  addPointer(timeline);
  addKeys(timeline);
  timeline.draw();
  new ResizeObserver(() => canvas.parentElement.clientWidth !== timeline.width && timeline.draw()).observe(canvas.parentElement);
  for (const medium of ["(prefers-color-scheme: dark)", "print"]) {
    window.matchMedia(medium).addEventListener("change", () => timeline.draw());
  }
  return timeline;
}

function inWords() {
  const slots = data.lanes.reduce((a, b) => a + b, 0);
  return `Timeline of ${many(attempts.job.length, "attempt")} on ${many(data.hosts.length, "host")}, in ${many(slots, "row")}, over ${span(data.took)}`;
}

function addLegend(timeline) {
  const numbers = new Array(data.states.length).fill(0);
  attempts.state.forEach((state) => numbers[state]++);
  data.states.forEach((state, number) => {
    if (!numbers[number] && state !== QUEUE) return;
    const button = made("button", "", { type: "button", "aria-pressed": "true" });
    button.append(made("span", state, { class: `state ${state}` }), numbers[number] ? ` ${counted(numbers[number])}` : "");
    button.addEventListener("click", () => {
      const shown = timeline.hidden.delete(state);
      if (!shown) timeline.hidden.add(state);
      button.setAttribute("aria-pressed", shown);
      timeline.draw();
    });
    element("timeline-legend").append(button);
  });
}

function addHosts(timeline) {
  const select = element("timeline-host");
  select.append(made("option", `all ${counted(data.hosts.length)}`, { value: -1 }));
  data.hosts.forEach((host, number) => select.append(made("option", host, { value: number })));
  select.parentElement.hidden = data.hosts.length < 2;
  select.addEventListener("change", () => {
    timeline.host = Number(select.value);
    timeline.draw();
  });
}

function addButtons(timeline) {
  const choices = { "by-slot": false, "by-job": true };
  for (const [id, byJob] of Object.entries(choices)) {
    element(id).addEventListener("click", () => {
      timeline.byJob = byJob;
      for (const other of Object.keys(choices)) element(other).setAttribute("aria-pressed", other === id);
      timeline.draw();
    });
  }
  element("zoom-in").addEventListener("click", () => timeline.scale(0.5));
  element("zoom-out").addEventListener("click", () => timeline.scale(2));
  element("zoom-all").addEventListener("click", () => timeline.zoom(0, timeline.whole));
}

function addPointer(timeline) {
  const canvas = timeline.canvas;
  let held = null;
  const place = (event) => [event.offsetX, event.offsetY];
  canvas.addEventListener("pointerdown", (event) => {
    held = Math.max(event.offsetX, timeline.margin);
    if (event.pointerType === "mouse") canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (held !== null && Math.abs(x - held) > HELD) {
      hideTip();
      timeline.show([held, x]);
      return;
    }
    timeline.chosen = timeline.at(x, y);
    timeline.show();
    tell(timeline, x, y);
  });
  canvas.addEventListener("pointerup", (event) => {
    const stretch = [held, event.offsetX].sort((a, b) => a - b).map((x) => timeline.time(x));
    const dragged = held !== null && Math.abs(event.offsetX - held) > HELD;
    held = null;
    if (dragged) timeline.zoom(...stretch);
  });
  canvas.addEventListener("pointercancel", () => (held = null));
  canvas.addEventListener("pointerleave", () => {
    timeline.chosen = -1;
    hideTip();
    timeline.show();
  });
  canvas.addEventListener("dblclick", () => timeline.zoom(0, timeline.whole));
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    timeline.scale(event.deltaY > 0 ? 1.25 : 0.8, timeline.time(event.offsetX));
  }, { passive: false });
}

function addKeys(timeline) {
  const keys = {
    "+": () => timeline.scale(0.5),
    "=": () => timeline.scale(0.5),
    "-": () => timeline.scale(2),
    "0": () => timeline.zoom(0, timeline.whole),
    ArrowLeft: () => timeline.move(-0.2),
    ArrowRight: () => timeline.move(0.2),
    n: () => timeline.step(1),
    p: () => timeline.step(-1),
  };
  timeline.canvas.addEventListener("keydown", (event) => {
    if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
    hideTip();
    element("timeline-job").textContent = timeline.chosen < 0 ? "" : attemptInWords(timeline.chosen);
  });
}

function attemptInWords(a) {
  const words = [jobInWords(attempts.job[a])];
  const which = attempts.number[a] > 1 || data.states[attempts.state[a]] === "retried" ? `attempt ${attempts.number[a]} ` : "";
  const where = attempts.host[a] < 0 ? "" : ` on ${data.hosts[attempts.host[a]]}`;
  words.push(`${which}${data.states[attempts.state[a]]}${where}`);
  if (attempts.started[a] >= 0) {
    const waited = attempts.queued[a] < 0 ? "" : `, waited ${span(attempts.started[a] - attempts.queued[a])}`;
    words.push(`from ${clock(attempts.started[a])}${waited}, ran ${span(end(a) - attempts.started[a])}`);
  }
  return words.join("\n");
}

function tell(timeline, x, y) {
  if (timeline.chosen < 0) {
    hideTip();
    return;
  }
  const tip = element("timeline-tip");
  tip.textContent = attemptInWords(timeline.chosen);
  tip.hidden = false;
  tip.style.left = `${Math.max(0, Math.min(x + 14, timeline.width - tip.offsetWidth - 4))}px`;
  tip.style.top = `${y + 18}px`;
}

function hideTip() {
  element("timeline-tip").hidden = true;
}

const drawnTimeline = startTimeline();
