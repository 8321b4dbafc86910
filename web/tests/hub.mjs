// Starts a hub with synthetic Korea in it for the browser tests: the `ieum` binary named by IEUM_BIN, on a free port of
// loopback, in a data directory of its own.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The binary under test. */
export const binary = process.env.IEUM_BIN ?? path.resolve(import.meta.dirname, "../../target/release/ieum");

/** A data directory with this many synthetic patients of seed 42; `remove()` takes it away. */
export async function data(patients = 60) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "ieum-portal-"));
  const [bundles, records] = [path.join(folder, "bundles"), path.join(folder, "data")];
  await run(binary, ["synth", "--patients", String(patients), "--seed", "42", "--out", bundles]);
  await run(binary, ["import", "--data", records, bundles], { maxBuffer: 64 << 20 });
  return { folder: records, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** An account's secret. */
export async function account(folder, role, name, patient) {
  const who = patient ? ["--patient", patient] : [];
  const { stdout } = await run(binary, ["account", "add", "--data", folder, "--role", role, "--name", name, ...who]);
  return stdout.trim();
}

/** An invitation: the end of its link. */
export async function invite(folder, role, name, ...more) {
  const { stdout } = await run(binary, ["account", "invite", "--data", folder, "--role", role, "--name", name, ...more]);
  return stdout.trim();
}

/** A running hub; `stop()` ends it and waits until it has ended. */
export async function hub(folder, ...flags) {
  const child = spawn(binary, ["serve", "--data", folder, "--listen", "127.0.0.1:0", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  const log = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const ended = new Promise((done) => child.once("exit", done));
  const origin = await new Promise((found, failed) => {
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      log.push(line);
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
      if (address) found(address[0]);
    });
    ended.then(() => failed(new Error(`the hub ended:\n${log.join("\n")}`)));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return { origin, log, stop };
}
