import { spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** A PostgreSQL server of a test's own, on a socket in a folder of its own. */
export type PostgresqlServer = { readonly url: string; readonly stop: () => Promise<void> };

const DEBIAN_FOLDER = "/usr/lib/postgresql";
const READY = /ready to accept connections/;

/** @returns undefined where this machine has no PostgreSQL (Debian's package `postgresql`). */
export async function startPostgresql(): Promise<PostgresqlServer | undefined> {
  const programs = programFolder();
  if (programs === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "ostrom-pg-"));
  // It refuses to run as root.
  const user = userInfo().uid === 0 ? postgresUser() : {};
  if (user === undefined) return undefined;
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid!);
  const data = join(folder, "data");
  const made = spawnSync(
    join(programs, "initdb"),
    ["-D", data, "-U", "ostrom", "-A", "trust", "-E", "UTF8", "--no-sync"],
    {
      ...user,
      cwd: folder,
      encoding: "utf8",
    },
  );
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const server = spawn(
    join(programs, "postgres"),
    ["-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"],
    { ...user, cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = "";
    server.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
      if (READY.test(said)) resolve();
    });
    void ended.then(() => reject(new Error(`postgres ended: ${said}`)));
  });
  process.once("exit", () => server.kill("SIGKILL"));
  return {
    url: `postgres://ostrom@/postgres?host=${folder}`,
    stop: async () => {
      server.kill("SIGINT");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function programFolder(): string | undefined {
  if (!existsSync(DEBIAN_FOLDER)) return undefined;
  const newest = readdirSync(DEBIAN_FOLDER).sort((a, b) => Number(b) - Number(a))[0];
  const folder = join(DEBIAN_FOLDER, newest ?? "", "bin");
  return existsSync(join(folder, "initdb")) ? folder : undefined;
}

function postgresUser(): { readonly uid?: number; readonly gid?: number } | undefined {
  const [uid, gid] = ["-u", "-g"].map((flag) =>
    Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout),
  );
  return uid === undefined || gid === undefined || uid === 0 || Number.isNaN(uid) ? undefined : { uid, gid };
}
