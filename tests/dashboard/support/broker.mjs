// The real binary, on a free port, in a directory of its own.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { eventually } from "./eventually.mjs";

const STARTING_MS = 180_000;

/**
 * Starts a broker: `config` is a redeliver.toml, `args` come behind `serve`, `port` is a free one unless
 * said; or another command that listens, `mock` and what comes behind it.
 */
export async function start({ config = "", args = [], mock, token, env = {}, dir, port = 0 } = {}) {
  const home = dir ?? mkdtempSync(join(tmpdir(), "redeliver-dashboard-"));
  writeFileSync(join(home, "redeliver.toml"), config);
  const command = mock ? ["mock", ...mock] : ["serve", "--data", "data"];
  const child = spawn(process.env.REDELIVER, [...command, "--listen", `127.0.0.1:${port}`, ...args], {
    cwd: home,
    env: { ...(token && { REDELIVER_TOKEN: token }), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  let log = "";
  child.stderr.on("data", (some) => (log += some));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const address = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no broker: ${log}`)), STARTING_MS);
    createInterface(child.stdout).once("line", (line) => {
      clearTimeout(late);
      resolve(line.match(/http:\S+/)[0]);
    });
    ended.then(() => reject(new Error(`the broker ended: ${log}`)));
  });
  return new Broker({ home, child, ended, address, token, log: () => log });
}

class Broker {
  constructor(parts) {
    Object.assign(this, parts);
  }

  async call(method, path, body) {
    const response = await fetch(`${this.address}${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        ...(this.token && { authorization: `Bearer ${this.token}` }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text && JSON.parse(text);
  }

  get = (path) => this.call("GET", path);
  post = (path, body = {}) => this.call("POST", path, body);

  endpoint = (name, url, more = {}) => this.post("/v1/endpoints", { name, url, policy: "standard", ...more });
  event = (type, data = {}, more = {}) => this.post("/v1/events", { type, data, ...more });
  advance = (by) => this.post("/v1/clock/advance", { by, patience: "60s" });

  /** The only delivery of an event, once it has this status. */
  async delivery(event, status) {
    return eventually(`${event.id} is ${status}`, async () => {
      const { data } = await this.get(`/v1/events/${event.id}/deliveries`);
      return data.find((delivery) => delivery.status === status);
    });
  }

  /** Ends it; with `keep`, its directory stays for the next start. */
  async stop({ keep = false } = {}) {
    if (this.child.exitCode === null) this.child.kill("SIGKILL");
    await this.ended;
    if (!keep) rmSync(this.home, { recursive: true, force: true });
  }
}
