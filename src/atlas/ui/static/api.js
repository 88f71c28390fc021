// The HTTP API, as this page calls it. The session cookie stands for the key; the header shows that we are the caller.
import { session } from "./session.js";

const HEADERS = { "X-Atlas-UI": "1" };

/** What the server refused. `message` is for people; `details` may say more; `status` 0 means that it was not reached. */
export class ApiError extends Error {
  constructor(status, message, details = null, requestId = null) {
    super(message);
    this.status = status;
    this.details = details;
    this.requestId = requestId;
  }

  /** Everything in one line. */
  get text() {
    return this.details ? `${this.message}: ${this.details}` : this.message;
  }
}

/** A path with query parameters; those that are null, undefined or "" are left out, arrays repeat. */
export function url(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") query.append(name, one);
    }
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

function failure(status, text, requestId) {
  /** @type {any} */
  let body = {};
  try { body = JSON.parse(text); } catch { /* not ours, such as a proxy's page */ }
  if (status === 401) session.end();
  if (body.detail) return new ApiError(status, body.detail, null, requestId);
  return new ApiError(status, body.error || `The server answered ${status}`, body.details, requestId);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{params?: object, body?: any, headers?: object, signal?: AbortSignal}} options
 * @returns {Promise<Response>}
 */
async function send(method, path, { params, body, headers, signal } = {}) {
  /** @type {{method: string, headers: any, signal: AbortSignal, credentials: "same-origin", body?: any}} */
  const init = { method, headers: { ...HEADERS, ...headers }, signal, credentials: "same-origin" };
  if (body instanceof FormData || body instanceof Blob || typeof body === "string") init.body = body;
  else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(url(path, params), init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached", "Check that it runs and that you are connected");
  }
  if (!response.ok) throw failure(response.status, await response.text(), response.headers.get("x-request-id"));
  return response;
}

async function json(method, path, options) {
  const response = await send(method, path, options);
  return response.status === 204 ? null : response.json();
}

export const api = {
  get: (path, params, options) => json("GET", path, { params, ...options }),
  post: (path, body, options) => json("POST", path, { body, ...options }),
  put: (path, body, options) => json("PUT", path, { body, ...options }),
  patch: (path, body, options) => json("PATCH", path, { body, ...options }),
  del: (path, params, options) => json("DELETE", path, { params, ...options }),
  response: send,
};

/**
 * Sends a form or a file and tells how far it is. `onProgress(sent, total)` in bytes.
 * Gives the answer's JSON; raises ApiError. Fetch cannot report progress, so this is an XMLHttpRequest.
 * @param {string} path
 * @param {any} body
 * @param {{params?: object, headers?: object, onProgress?: (sent: number, total: number) => void, signal?: AbortSignal}} options
 * @returns {Promise<any>}
 */
export function upload(path, body, { params, headers, onProgress, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url(path, params));
    for (const [name, value] of Object.entries({ ...HEADERS, ...headers })) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress?.(event.loaded, event.total);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText || "null"));
      else reject(failure(request.status, request.responseText, request.getResponseHeader("x-request-id")));
    };
    request.onerror = () => reject(new ApiError(0, "The upload was cut off", "Check your connection and try again"));
    request.onabort = () => reject(new DOMException("Aborted", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/** Server-Sent Events. `handlers` maps event names to functions of the parsed data; gives a function that ends it. */
export function events(path, params, handlers) {
  const source = new EventSource(url(path, params));
  for (const [name, handle] of Object.entries(handlers)) {
    if (name === "lost") source.onerror = () => handle(source.readyState === EventSource.CLOSED);
    else source.addEventListener(name, (event) => event.data !== undefined && handle(JSON.parse(event.data), event));
  }
  return () => source.close();
}

/** Lets the browser save what a path answers. */
export function download(path, params, name = "") {
  const link = document.createElement("a");
  link.href = url(path, params);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

/** Lets the browser save a text that is here already. */
export function saveText(text, name, type = "text/csv") {
  saveBlob(new Blob([text], { type: `${type};charset=utf-8` }), name);
}

function saveBlob(blob, name) {
  const address = URL.createObjectURL(blob);
  download(address, {}, name);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Lets the browser save a file that a request with a body makes. */
export async function saveAnswer(path, body, name) {
  saveBlob(await (await send("POST", path, { body })).blob(), name);
}
