// One namespace a validator, and one in the middle, the hub, where the relay and the client are.
//
//   validator 1: wan0 10.77.0.1 (VXLAN) -> eth0 10.99.1.2 <-- veth --> h1 10.99.1.1 in the hub: relay --> ... validator 2
//
// What a validator sends to another leaves wan0 as a UDP datagram to the hub, whose relay holds it back for the latency and
// passes it on. So the kernel's own TCP meets the latency and the loss packet by packet, as between real machines. Loss and
// cuts are nft rules where packets arrive. JSON-RPC is asked over eth0, which is neither slow nor lossy.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";

const NAMESPACES = "/run/netns";
const PREFIX = "ostrom-hosts-";
export const VXLAN_PORT = 4789;
const VXLAN_ID = 77;
const PACKET_BYTES = 1_500;
/** Outer Ethernet, IP, UDP and VXLAN headers come on top. */
const OUTER_PACKET_BYTES = 1_600;
/** numgen's range: loss is exact to a hundredth of a percent. */
const LOSS_RANGE = 10_000;

/** The namespaces of one run; all names begin with `prefix`, which holds the process id of who made them. */
export type Topology = { readonly prefix: string; readonly validators: number };

export const createTopology = (ownerPid: number, validators: number): Topology => ({
  prefix: `${PREFIX}${ownerPid}-`,
  validators,
});
export const hubNamespace = ({ prefix }: Topology): string => `${prefix}hub`;
export const validatorNamespace = ({ prefix }: Topology, index: number): string => `${prefix}v${index + 1}`;
export const namespacePath = (name: string): string => `${NAMESPACES}/${name}`;
/** Where the other validators reach it. */
export const linkAddress = (index: number): string => `10.77.0.${index + 1}`;
/** Where the client reaches it. */
export const hostAddress = (index: number): string => `10.99.${index + 1}.2`;
export const hubAddress = (index: number): string => `10.99.${index + 1}.1`;

function macAddress(index: number): string {
  return `02:00:00:00:00:${(index + 1).toString(16).padStart(2, "0")}`;
}

/** Whether this machine can do it. @returns why not. */
export async function whyImpossible(): Promise<string | undefined> {
  if (process.platform !== "linux") return "network namespaces need Linux";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  for (const [program, debianPackage] of [
    ["ip", "iproute2"],
    ["nft", "nftables"],
    ["nsenter", "util-linux"],
  ] as const) {
    const found = await attempt(program, ["--version"]);
    if (found.code === undefined) return `${program} is not installed (Debian: ${debianPackage})`;
  }
  const probe = createTopology(process.pid, 1);
  try {
    await buildTopology(probe, 1);
  } catch (error) {
    return `this machine does not permit it: ${(error as Error).message}`;
  } finally {
    await removeTopology(probe);
  }
  return undefined;
}

/** Makes the namespaces, their links and rules. @throws Error with the words of the program that failed. */
export async function buildTopology(topology: Topology, lossPercent: number): Promise<void> {
  const hub = hubNamespace(topology);
  const indices = Array.from({ length: topology.validators }, (_, index) => index);
  for (const name of [hub, ...indices.map((index) => validatorNamespace(topology, index))]) {
    await execute("ip", ["netns", "add", name]);
  }
  await execute("ip", ["-n", hub, "link", "set", "lo", "up"]);
  for (const index of indices) {
    const name = validatorNamespace(topology, index);
    const neighbours = indices.filter((other) => other !== index);
    await batch(hub, [
      `link add h${index + 1} mtu ${OUTER_PACKET_BYTES} type veth peer name eth0 mtu ${OUTER_PACKET_BYTES} netns ${name}`,
      `addr add ${hubAddress(index)}/30 dev h${index + 1}`,
      `link set h${index + 1} up`,
    ]);
    await batch(name, [
      "link set lo up",
      `addr add ${hostAddress(index)}/30 dev eth0`,
      "link set eth0 up",
      // One segment a packet: the relay would otherwise be given many as one.
      `link add wan0 address ${macAddress(index)} mtu ${PACKET_BYTES} gso_max_segs 1 type vxlan id ${VXLAN_ID} ` +
        `local ${hostAddress(index)} remote ${hubAddress(index)} dstport ${VXLAN_PORT} nolearning`,
      `addr add ${linkAddress(index)}/24 dev wan0`,
      "link set wan0 up",
      ...neighbours.map(
        (other) => `neigh add ${linkAddress(other)} lladdr ${macAddress(other)} dev wan0 nud permanent`,
      ),
    ]);
    await inNamespace(name, "nft", ["-f", "-"], arrivalRules(lossPercent));
  }
}

/** Packets are dropped where they arrive: one that is dropped where it is sent is no lost packet to TCP there. */
function arrivalRules(lossPercent: number): string {
  return `table inet ostrom {
    set cut { type ipv4_addr; }
    counter arrived { }
    counter cut_off { }
    counter lost { }
    chain arrive {
      type filter hook input priority 0; policy accept;
      iifname != "wan0" accept
      ip saddr @cut counter name cut_off drop
      numgen random mod ${LOSS_RANGE} < ${Math.round((lossPercent * LOSS_RANGE) / 100)} counter name lost drop
      counter name arrived
    }
  }`;
}

/** From now on this validator hears nothing from those. */
export async function cutOff(
  topology: Topology,
  listener: number,
  speakers: readonly number[],
): Promise<void> {
  const elements = speakers.map(linkAddress).join(", ");
  const name = validatorNamespace(topology, listener);
  await inNamespace(name, "nft", [`add element inet ostrom cut { ${elements} }`]);
}

/** All hear all again. */
export async function healAll(topology: Topology): Promise<void> {
  const indices = Array.from({ length: topology.validators }, (_, index) => index);
  await Promise.all(
    indices.map((index) =>
      inNamespace(validatorNamespace(topology, index), "nft", ["flush set inet ostrom cut"]),
    ),
  );
}

export type PacketCounts = { readonly arrived: number; readonly lost: number; readonly cutOff: number };

/** What the rules of all validators counted so far. */
export async function packetCounts(topology: Topology): Promise<PacketCounts> {
  const sum: Record<string, number> = {};
  for (let index = 0; index < topology.validators; index++) {
    const text = await inNamespace(validatorNamespace(topology, index), "nft", ["-j", "list", "counters"]);
    const { nftables } = JSON.parse(text) as {
      readonly nftables: readonly {
        readonly counter?: { readonly name: string; readonly packets: number };
      }[];
    };
    for (const { counter } of nftables) {
      if (counter !== undefined) sum[counter.name] = (sum[counter.name] ?? 0) + counter.packets;
    }
  }
  return { arrived: sum["arrived"] ?? 0, lost: sum["lost"] ?? 0, cutOff: sum["cut_off"] ?? 0 };
}

/** Ends what still runs in these namespaces, this process excepted, and removes them with their links and rules. */
export async function removeTopology({ prefix }: Pick<Topology, "prefix">): Promise<void> {
  for (const name of namespaceNames().filter((one) => one.startsWith(prefix))) {
    const { stdout } = await attempt("ip", ["netns", "pids", name]);
    for (const pid of stdout.split("\n").map(Number)) if (pid > 0 && pid !== process.pid) kill(pid);
    await attempt("ip", ["netns", "del", name]);
  }
}

/** Removes what runs left behind that were killed themselves: namespaces that name a process that is gone. */
export async function removeLeftovers(): Promise<void> {
  for (const name of namespaceNames()) {
    const [prefix, pid] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? [];
    if (prefix !== undefined && !exists(Number(pid))) await removeTopology({ prefix });
  }
}

function namespaceNames(): readonly string[] {
  try {
    return readdirSync(NAMESPACES);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function batch(namespace: string, lines: readonly string[]): Promise<void> {
  await execute("ip", ["-n", namespace, "-batch", "-"], `${lines.join("\n")}\n`);
}

function inNamespace(
  namespace: string,
  program: string,
  args: readonly string[],
  input = "",
): Promise<string> {
  return execute("nsenter", [`--net=${namespacePath(namespace)}`, program, ...args], input);
}

async function execute(program: string, args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, input);
  if (code === 0) return stdout;
  throw new Error(
    `${program} ${args.join(" ")}: ${stderr.trim().replace(/\s+/g, " ") || `exit code ${code}`}`,
  );
}

type Attempt = { readonly code: number | undefined; readonly stdout: string; readonly stderr: string };

/** @returns no code if the program could not be started. */
function attempt(program: string, args: readonly string[], input = ""): Promise<Attempt> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("utf8");
    });
    child.once("error", (error) => resolve({ code: undefined, stdout, stderr: error.message }));
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    // A program that ends without reading says so by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
