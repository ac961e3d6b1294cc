"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const jobs = data.jobs;
const positions = new Map(jobs.index.map((index, position) => [index, position]));

function element(id) {
  return document.getElementById(id);
}

/** A new element with text and attributes; text never becomes markup. */
function made(name, text = "", attributes = {}) {
  const node = document.createElement(name);
  node.textContent = text;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function counted(number) {
  return number.toLocaleString("en");
}

function many(number, what) {
  return `${counted(number)} ${what}${number === 1 ? "" : "s"}`;
}

const UNITS = [[86400, "d"], [3600, "h"], [60, "m"]];

/** Milliseconds as in '12ms', '4.6s', '3h25m': the two largest units. */
function span(milliseconds) {
  if (milliseconds < 0) return "";
  const seconds = milliseconds / 1000;
  if (seconds < 1) return milliseconds ? `${Math.round(milliseconds)}ms` : "0s";
  if (seconds < 60) return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))}s`;
  const smallest = seconds < 3600 ? 1 : seconds < 86400 ? 60 : 3600;
  let rest = Math.round(seconds / smallest) * smallest;
  let text = "";
  for (const [size, unit] of UNITS) {
    if (rest >= size) text += `${Math.floor(rest / size)}${unit}`;
    rest %= size;
  }
  return text + (rest || !text ? `${rest}s` : "");
}

/** Bytes as in '1.5 GiB'. */
function memory(bytes) {
  if (bytes < 0) return "";
  let amount = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (amount < 1024) return `${Number(amount.toFixed(1))} ${unit}`;
    amount /= 1024;
  }
  return `${Number(amount.toFixed(1))} TiB`;
}

/** A moment of the run as the clock here showed it. */
function clock(milliseconds) {
  return new Date(data.begun + milliseconds).toLocaleString("en-GB", { hour12: false });
}

/** What there is to say of a job in a line, for those that the page knows. */
function jobInWords(index) {
  const position = positions.get(index);
  if (position === undefined) return `job ${index}`;
  const name = jobs.name[position] ? ` (${jobs.name[position]})` : "";
  return `job ${index}${name}: ${jobs.cmd[position]}`;
}
