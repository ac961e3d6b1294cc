function shortened(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let kept = text;
  while (kept && pen.measureText(`${kept}...`).width > width) kept = kept.slice(0, -1);
  return `${kept}...`;
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = [...data.states, "text", "soft", "line", "trough", "card", "accent"];
  const found = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  found.select = `color-mix(in srgb, ${found.accent} 25%, transparent)`;
  return found;
}

/** Strokes over a bar, so that states differ not by their colours alone. */
function patterns(pen, palette) {
  const strokes = {
    failed: [[0, 8, 8, 0], [-2, 2, 2, -2], [6, 10, 10, 6]],
    retried: [[0, 0, 8, 8], [-2, 6, 2, 10], [6, -2, 10, 2]],
    killed: [[0, 0, 8, 8], [0, 8, 8, 0]],
    interrupted: [[4, 0, 4, 8]],
    running: [[0, 4, 8, 4]],
  };
  return Object.fromEntries(Object.entries(strokes).map(([state, lines]) => [state, pattern(pen, lines, palette.card)]));
}

function pattern(pen, lines, colour) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const brush = tile.getContext("2d");
  brush.strokeStyle = colour;
  brush.globalAlpha = 0.65;
  brush.lineWidth = 1.5;
  for (const [x1, y1, x2, y2] of lines) {
    brush.moveTo(x1, y1);
    brush.lineTo(x2, y2);
  }
  brush.stroke();
  return pen.createPattern(tile, "repeat");
}
