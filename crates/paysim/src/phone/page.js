"use strict";

/* global TEXTS, MARKS */

const POLL_MS = 1000;
const PICTURE_PIXELS_MAX = 2000;

const by = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search).get("lang");
let english = asked === "en";
let shown = null;
let code = null;
let camera = null;

function text(key, params = {}) {
  const found = TEXTS[key];
  const line = found ? found[english ? 1 : 0] : key;
  return line.replace(/\{(\w+)\}/g, (_, name) => params[name]);
}

function money(fen) {
  const whole = Math.trunc(fen / 100).toLocaleString("en-US");
  return `¥${whole}.${String(fen % 100).padStart(2, "0")}`;
}

class Problem extends Error {}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Problem("other");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(body.code ?? "other");
  return body;
}

const json = (method, body) => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** Runs an action of the customer and says what went wrong, if anything. */
async function attempt(work) {
  by("message").textContent = "";
  try {
    await work();
  } catch (problem) {
    const known = problem instanceof Problem && `problem_${problem.message}` in TEXTS;
    by("message").textContent = text(known ? `problem_${problem.message}` : "problem_other");
  }
}

// --- the payment on the phone ---

function isOpen(payment) {
  return payment.state === "waiting" || payment.state === "confirming";
}

function show(payment) {
  const isNew = shown === null || shown.token !== payment.token;
  shown = payment;
  by("payment").hidden = false;
  by("scan").hidden = true;
  mark(by("wallet-mark"), payment.wallet);
  by("wallet").textContent = text(`wallet_${payment.wallet}`);
  by("shop").textContent = payment.merchant;
  by("amount").textContent = money(payment.amount_fen);
  by("subject").textContent = `${payment.subject} · ${payment.attempt_no}`;
  const parts = [text(`state_${payment.state}`)];
  if (payment.decline) parts.push(text(`cause_${payment.decline}`));
  if (payment.received_fen > 0) parts.push(text("received", { n: money(payment.received_fen) }));
  const state = parts.join(" · ");
  if (by("state").textContent !== state) by("state").textContent = state;
  by("state").className = `state ${{ paid: "good", confirming: "warn", waiting: "warn" }[payment.state] ?? "bad"}`;
  by("actions").hidden = !isOpen(payment);
  for (const button of document.querySelectorAll("[data-act]")) {
    const act = button.dataset.act;
    button.disabled = !isOpen(payment) && act !== "forge_notice" &&
      !(act === "pay_late" && payment.state === "closed") &&
      !(act === "pay_twice" && payment.state === "paid");
  }
  count(by("countdown"), isOpen(payment) ? payment.expires_at_ms : null);
  if (isNew) {
    stopCamera();
    by("payment").scrollIntoView({ block: "start" });
    by("pay").focus();
  }
}

function act(action) {
  return attempt(async () => {
    const token = shown.token;
    show(await ask(`/phone/pay/${token}`, json("POST", action)));
    await showRecent();
  });
}

function leave() {
  shown = null;
  by("payment").hidden = true;
  by("scan").hidden = false;
  by("file").focus();
}

function mark(place, wallet) {
  const names = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(names, "svg");
  const path = document.createElementNS(names, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  path.setAttribute("d", MARKS[wallet]);
  svg.append(path);
  place.replaceChildren(svg);
}

function count(place, endMs) {
  const left = endMs === null ? 0 : Math.max(0, Math.ceil((endMs - Date.now()) / 1000));
  place.textContent = left > 0 ? text("seconds_left", { n: left }) : "";
}

// --- scanning ---

/** The gateway reads PNG; anything else the browser can show becomes PNG here. */
async function toPng(picture) {
  if (picture.type === "image/png" && picture.size < 4_000_000) return picture;
  const bitmap = await createImageBitmap(picture).catch(() => {
    throw new Problem("not_a_picture");
  });
  return drawn(bitmap, bitmap.width, bitmap.height);
}

function drawn(source, width, height) {
  const scale = Math.min(1, PICTURE_PIXELS_MAX / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function sendPicture(png) {
  return ask("/phone/scan", { method: "POST", headers: { "content-type": "image/png" }, body: png });
}

function scanPicture(picture) {
  if (!picture) return undefined;
  return attempt(async () => show(await sendPicture(await toPng(picture))));
}

function pictureIn(transfer) {
  return [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));
}

async function startCamera() {
  if (camera) return stopCamera();
  await attempt(async () => {
    camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    by("video").srcObject = camera;
    by("video").hidden = false;
    by("camera").textContent = text("camera_stop");
    await by("video").play();
    lookThroughCamera();
  });
  return undefined;
}

async function lookThroughCamera() {
  const video = by("video");
  while (camera) {
    if (video.videoWidth > 0) {
      const png = await drawn(video, video.videoWidth, video.videoHeight);
      try {
        show(await sendPicture(png));
      } catch (problem) {
        const isPatient = problem.message === "no_code" || problem.message === "busy";
        if (!isPatient) {
          await attempt(() => Promise.reject(problem));
          stopCamera();
        }
      }
    }
    await new Promise((done) => setTimeout(done, 500));
  }
}

function stopCamera() {
  for (const track of camera?.getTracks() ?? []) track.stop();
  camera = null;
  by("video").hidden = true;
  by("camera").textContent = text("camera");
}

// --- the payment code ---

function showCode() {
  return attempt(async () => {
    const declines = by("code-declines").value;
    const wish = {
      wallet: by("code-wallet").value,
      asks_password: by("code-password").checked,
      declines: declines === "none" ? null : declines,
    };
    code = await ask("/phone/codes", json("POST", wish));
    const picture = by("code-picture");
    URL.revokeObjectURL(picture.src);
    picture.src = URL.createObjectURL(new Blob([code.svg], { type: "image/svg+xml" }));
    picture.alt = text("code_alt");
    by("code-digits").textContent = code.digits.replace(/(\d{4})(?=\d)/g, "$1 ");
    by("code-shown").hidden = false;
  });
}

async function watchCode() {
  const watched = code;
  const left = watched.expires_at_ms - Date.now();
  count(by("code-left"), watched.expires_at_ms);
  let payment = null;
  try {
    payment = await ask(`/phone/pay/${watched.token}`);
  } catch (problem) {
    if (problem.message !== "no_such_payment") throw problem;
  }
  if (code !== watched) return;
  if (payment) {
    code = null;
    by("code-shown").hidden = true;
    show(payment);
  } else if (left <= 0) {
    code = null;
    by("code-shown").hidden = true;
    by("message").textContent = text("code_over");
  }
}

// --- faults and the list ---

function setFaults() {
  return attempt(async () => {
    const times = by("times").value === "" ? null : Number(by("times").value);
    const delay_ms = Number(by("delay").value);
    const answer = by("answer-fault").value;
    const notice = by("notice-fault").value;
    const operation = by("answer-operation").value;
    const faults = { answers: [], notices: [] };
    if (answer !== "none") {
      const [kind, cause] = answer.split(".");
      const more = { delay: { delay_ms }, set_up_refused: { cause } }[kind] ?? {};
      const fault = { kind, ...more };
      faults.answers.push({ fault, times, operation: operation === "any" ? null : operation });
    }
    if (notice !== "none") {
      const more = { lose: { tries: 1 }, late: { delay_ms } }[notice] ?? {};
      faults.notices.push({ fault: { kind: notice, ...more }, times });
    }
    showFaults(await ask("/phone/faults", json("PUT", faults)));
  });
}

function showFaults(faults) {
  const names = [
    ...faults.answers.map((rule) => text(`fault_${[rule.fault.kind, rule.fault.cause].filter(Boolean).join(".")}`)),
    ...faults.notices.map((rule) => text(`notice_${rule.fault.kind}`)),
  ];
  const now = names.length === 0 ? text("faults_none") : text("faults_some") + names.join(", ");
  if (by("faults-now").textContent !== now) by("faults-now").textContent = now;
}

async function showRecent() {
  const payments = await ask("/phone/payments");
  const rows = payments.map((payment) => {
    const row = document.createElement("li");
    const state = payment.decline ? `cause_${payment.decline}` : `state_${payment.state}`;
    for (const [kind, words] of [
      ["what", `${text(`wallet_${payment.wallet}`)} · ${text(state)}`],
      ["sum", money(payment.amount_fen)],
      ["number", payment.attempt_no],
    ]) {
      const part = document.createElement("span");
      part.className = kind;
      part.textContent = words;
      row.append(part);
    }
    return row;
  });
  if (rows.length === 0) {
    const none = document.createElement("li");
    none.textContent = text("recent_none");
    rows.push(none);
  }
  by("recent").replaceChildren(...rows);
}

// --- start ---

function choices(id, prefix, values) {
  const select = by(id);
  const chosen = select.value;
  select.replaceChildren(...values.map((value) => new Option(text(prefix + value), value)));
  if (chosen) select.value = chosen;
}

function namesOf(prefix) {
  return Object.keys(TEXTS).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
}

function translate() {
  const chosenDecline = by("code-declines").value;
  document.documentElement.lang = english ? "en" : "zh-CN";
  for (const place of document.querySelectorAll("[data-t]")) place.textContent = text(place.dataset.t);
  by("language").textContent = english ? "中文" : "English";
  by("language").lang = english ? "zh-CN" : "en";
  document.title = text("title");
  choices("cause", "cause_", namesOf("cause_"));
  choices("code-wallet", "wallet_", namesOf("wallet_"));
  choices("code-declines", "cause_", namesOf("cause_"));
  by("code-declines").prepend(new Option(text("declines_none"), "none"));
  by("code-declines").value = chosenDecline || "none";
  choices("answer-fault", "fault_", namesOf("fault_"));
  choices("notice-fault", "notice_", namesOf("notice_"));
  choices("answer-operation", "operation_", namesOf("operation_"));
  if (shown) show(shown);
}

async function refresh() {
  const watched = shown;
  if (watched) {
    const payment = await ask(`/phone/pay/${watched.token}`);
    if (shown === watched) show(payment);
  }
  if (code) await watchCode();
  await showRecent();
  showFaults(await ask("/phone/faults"));
}

async function keepFresh() {
  let isLost = false;
  for (;;) {
    try {
      await refresh();
      if (isLost) by("message").textContent = "";
      isLost = false;
    } catch {
      isLost = true;
      by("message").textContent = text("problem_other");
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

function start() {
  by("language").addEventListener("click", () => {
    english = !english;
    translate();
  });
  by("pay").addEventListener("click", () => act({ action: "pay" }));
  by("decline").addEventListener("click", () => act({ action: "decline", cause: by("cause").value }));
  for (const button of document.querySelectorAll("[data-act]")) {
    button.addEventListener("click", () => act({ action: button.dataset.act }));
  }
  by("done").addEventListener("click", leave);
  by("file").addEventListener("change", async () => {
    await scanPicture(by("file").files[0]);
    by("file").value = "";
  });
  by("typed").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      show(await ask("/phone/open", json("POST", { payload: by("payload").value })));
      by("payload").value = "";
    });
  });
  by("show-code").addEventListener("click", showCode);
  by("faults").addEventListener("submit", (event) => {
    event.preventDefault();
    setFaults();
  });
  document.addEventListener("paste", (event) => scanPicture(pictureIn(event.clipboardData)));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    by("scan").classList.add("over");
  });
  document.addEventListener("dragleave", () => by("scan").classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    by("scan").classList.remove("over");
    scanPicture(pictureIn(event.dataTransfer));
  });
  if (navigator.mediaDevices?.getUserMedia) {
    by("camera").hidden = false;
    by("camera").addEventListener("click", startCamera);
  }
  translate();
  keepFresh();
}

start();
