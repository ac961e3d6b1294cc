const attempts = data.attempts;
const QUEUE = "waiting";
const DRAWN = ["finished", "running", "retried", "interrupted", "killed", "failed"]; // the last on top
const ROW = 20, HIGHEST = 560, AXIS = 24, GAP = 6, CLOSE = 4, LEGIBLE = 4;
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5,
  36e5, 72e5, 144e5, 216e5, 432e5, 864e5, 1728e5, 6048e5];

/** The attempts by where they are drawn, and the stretch of time that is shown. */
class Timeline {
  constructor(canvas) {
    this.canvas = canvas;
    this.still = document.createElement("canvas");
    this.whole = Math.max(data.took, 1);
    this.from = 0;
    this.to = this.whole;
    this.byJob = false;
    this.host = -1;
    this.hidden = new Set();
    this.chosen = -1;
    this.order = attempts.job.map((_, a) => a).sort((a, b) => attempts.started[a] - attempts.started[b]);
    this.freeSince = previousEnds(this.order);
  }

  /** Which attempts are drawn in which row, top down; each row with its y and height. */
  layOut() {
    this.rows = this.byJob ? this.rowsOfJobs() : this.rowsOfSlots();
    const gaps = this.rows.filter((row) => row.begins).length * GAP;
    const height = Math.min(ROW, (HIGHEST - gaps) / Math.max(this.rows.length, 1));
    let y = 0;
    for (const row of this.rows) {
      if (row.begins && y) y += GAP;
      row.y = y;
      row.height = height;
      y += height;
    }
    this.height = Math.max(y, ROW);
  }

  rowsOfSlots() {
    const rows = [], at = new Map();
    data.lanes.forEach((lanes, host) => {
      if (this.host >= 0 && this.host !== host) return;
      for (let lane = 0; lane < lanes; lane++) {
        const row = { label: lane ? "" : data.hosts[host], begins: lane === 0, attempts: [] };
        at.set(`${host}/${lane}`, rows.push(row) - 1);
      }
    });
    for (const a of this.order) {
      const row = at.get(`${attempts.host[a]}/${attempts.lane[a]}`);
      if (row !== undefined) rows[row].attempts.push(a);
    }
    return rows;
  }

  /** A row for each job that runs in the stretch that is shown, and in the whole for those that never did. */
  rowsOfJobs() {
    const rows = [], whole = this.to - this.from === this.whole;
    let last = null;
    attempts.job.forEach((job, a) => {
      if (this.host >= 0 && this.host !== attempts.host[a]) return;
      const there = attempts.started[a] < 0 ? whole : this.isIn(attempts.started[a], end(a));
      if (!there) return;
      if (!last || last.job !== job) rows.push((last = { job, label: `${job}`, begins: false, attempts: [] }));
      last.attempts.push(a);
    });
    return rows;
  }

  isIn(start, stop) {
    return stop >= this.from && start <= this.to;
  }

  x(time) {
    return this.margin + ((time - this.from) / (this.to - this.from)) * (this.width - this.margin);
  }

  time(x) {
    return this.from + ((x - this.margin) / (this.width - this.margin)) * (this.to - this.from);
  }

  /** Draw everything anew. */
  draw() {
    this.layOut();
    this.width = this.canvas.parentElement.clientWidth || 800;
    this.margin = this.width < 500 ? 58 : 104;
    const scale = window.devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.still]) {
      canvas.width = Math.round(this.width * scale);
      canvas.height = Math.round((this.height + AXIS) * scale);
    }
    this.canvas.style.height = `${this.height + AXIS}px`;
    this.pen = this.still.getContext("2d");
    this.pen.scale(scale, scale);
    this.colours = colours();
    this.patterns = patterns(this.pen, this.colours);
    this.drawAxis();
    this.drawRows();
    this.show();
  }

  drawRows() {
    this.pen.save();
    this.rows.forEach((row, number) => this.drawLabel(row, number));
    this.pen.beginPath();
    this.pen.rect(this.margin, 0, this.width, this.height);
    this.pen.clip();
    this.pen.fillStyle = this.colours.trough;
    if (!this.byJob) for (const row of this.rows) this.drawTrough(row);
    if (!this.hidden.has(QUEUE)) for (const row of this.rows) this.drawWaiting(row);
    for (const state of DRAWN) if (!this.hidden.has(state)) this.drawState(state);
    this.pen.restore();
  }

  drawTrough(row) {
    const [y, height] = bar(row);
    this.pen.fillRect(this.margin, y, this.width, height);
  }

  drawLabel(row, number) {
    const often = Math.ceil(14 / row.height);
    if (!row.label || (this.byJob && number % often)) return;
    this.pen.fillStyle = this.colours.soft;
    this.pen.font = this.font();
    this.pen.textBaseline = "middle";
    this.pen.fillText(shortened(this.pen, row.label, this.margin - 10), 0, row.y + Math.max(row.height / 2, 6));
  }

  font() {
    return `12px ${getComputedStyle(document.body).fontFamily}`;
  }

  drawWaiting(row) {
    const height = this.byJob ? row.height * 0.5 : Math.max(row.height * 0.16, 1);
    this.pen.fillStyle = this.colours.waiting;
    for (const a of row.attempts) {
      const start = this.byJob ? begin(a) : Math.max(begin(a), this.freeSince[a]);
      const stop = attempts.started[a] < 0 ? this.whole : attempts.started[a];
      if (stop <= start || !this.isIn(start, stop)) continue;
      this.pen.fillRect(this.x(start), row.y + (row.height - height) / 2, this.x(stop) - this.x(start), height);
    }
  }

  drawState(state) {
    const number = data.states.indexOf(state), pattern = this.patterns[state];
    const least = state === "finished" ? 0.75 : 2;
    for (const row of this.rows) {
      const [y, height] = bar(row);
      for (const a of row.attempts) {
        if (attempts.state[a] !== number || attempts.started[a] < 0 || !this.isIn(attempts.started[a], end(a))) continue;
        const x = this.x(attempts.started[a]);
        const width = Math.max(this.x(end(a)) - x, least);
        const gap = width > 5 && height > 4 ? 0.75 : 0;
        this.pen.fillStyle = this.colours[state];
        this.pen.fillRect(x, y, width - gap, height);
        if (pattern && width > 3 && height >= LEGIBLE) {
          this.pen.fillStyle = pattern;
          this.pen.fillRect(x, y, width - gap, height);
        }
      }
    }
  }

  drawAxis() {
    const pen = this.pen, stretch = this.to - this.from;
    const most = Math.max(2, (this.width - this.margin) / 90);
    const step = STEPS.find((step) => stretch / step <= most) || stretch;
    pen.font = this.font();
    pen.textBaseline = "top";
    pen.textAlign = "center";
    for (let tick = Math.ceil(this.from / step) * step; tick <= this.to; tick += step) {
      const x = this.x(tick), text = span(tick);
      const half = pen.measureText(text).width / 2;
      pen.fillStyle = this.colours.line;
      pen.fillRect(x, 0, 1, this.height + 4);
      pen.fillStyle = this.colours.soft;
      pen.fillText(text, Math.min(Math.max(x, this.margin + half), this.width - half), this.height + 7);
    }
    pen.textAlign = "start";
  }

  /** Copy what was drawn, with the chosen attempt or a stretch that is being dragged over. */
  show(stretch = null) {
    const pen = this.canvas.getContext("2d"), scale = this.canvas.width / this.width;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.still.height) pen.drawImage(this.still, 0, 0);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    if (stretch) {
      pen.fillStyle = this.colours.select;
      pen.fillRect(Math.min(...stretch), 0, Math.abs(stretch[1] - stretch[0]), this.height);
    }
    const row = this.chosen >= 0 && this.rows.find((row) => row.attempts.includes(this.chosen));
    if (!row) return;
    const [y, height] = bar(row), x = this.x(Math.max(attempts.started[this.chosen], begin(this.chosen)));
    pen.strokeStyle = this.colours.text;
    pen.lineWidth = 2;
    pen.strokeRect(x - 1, y - 1, Math.max(this.x(end(this.chosen)) - x, 1) + 2, height + 2);
  }

  /** The attempt that is drawn there, -1 for none. */
  at(x, y) {
    const row = this.rows.find((row) => y >= row.y && y < row.y + row.height);
    if (!row || x < this.margin) return -1;
    const near = ((this.to - this.from) / this.width) * CLOSE, time = this.time(x);
    const there = row.attempts.filter((a) => begin(a, !this.byJob) - near <= time && end(a) + near >= time);
    const distance = (a) => Math.max(begin(a, !this.byJob) - time, time - end(a), 0);
    return there.length ? there.reduce((a, b) => (distance(b) < distance(a) ? b : a)) : -1;
  }

  /** Show another stretch, within the whole. */
  zoom(from, to) {
    const least = Math.max(this.whole / 1e5, 1);
    const stretch = Math.min(Math.max(to - from, least), this.whole);
    this.from = Math.min(Math.max(from, 0), this.whole - stretch);
    this.to = this.from + stretch;
    this.draw();
  }

  scale(factor, middle = (this.from + this.to) / 2) {
    this.zoom(middle - (middle - this.from) * factor, middle + (this.to - middle) * factor);
  }

  move(share) {
    const by = (this.to - this.from) * share;
    this.zoom(this.from + by, this.to + by);
  }

  /** Go to the next attempt in the order of their starts. */
  step(by) {
    const shown = this.order.filter((a) => attempts.started[a] >= 0 && !this.hidden.has(data.states[attempts.state[a]])
      && (this.host < 0 || this.host === attempts.host[a]));
    if (!shown.length) return;
    const now = shown.indexOf(this.chosen);
    this.chosen = shown[now < 0 ? 0 : (now + by + shown.length) % shown.length];
    if (!this.isIn(attempts.started[this.chosen], end(this.chosen))) {
      const half = (this.to - this.from) / 2;
      this.zoom(attempts.started[this.chosen] - half, attempts.started[this.chosen] + half);
    }
    this.show();
  }
}

function begin(a, started = false) {
  const queued = attempts.queued[a], start = attempts.started[a];
  return queued < 0 || (started && start >= 0) ? start : queued;
}

function end(a) {
  return attempts.ended[a] < 0 ? data.took : attempts.ended[a];
}

/** For each attempt when the one before it in its lane ended. */
function previousEnds(order) {
  const ends = new Map(), since = new Array(order.length).fill(0);
  for (const a of order) {
    const lane = `${attempts.host[a]}/${attempts.lane[a]}`;
    since[a] = ends.get(lane) || 0;
    ends.set(lane, end(a));
  }
  return since;
}

function bar(row) {
  const space = row.height > 5 ? Math.min(row.height * 0.12, 2) : 0;
  return [row.y + space, Math.max(row.height - 2 * space, 0.5)];
}
