import { installNativeCrypto } from "./native-crypto.ts";
import { EpochNetwork } from "./testing/epoch-network.ts";
import { ViewRecorder } from "./view-recorder.ts";

/** What writing views down costs the main thread, in processor time a view: what one node of a simulated network tells its recorder is taped, and
 * told to fresh recorders again and again. Run: node node/runtime/view-recorder.bench.ts */
const SIZES = [4, 16];
const VIEWS = 60;
const ROUNDS = 60;
const PORTS = { nowMs: Date.now, elapsedMs: () => performance.now(), moved: () => undefined };

/** A recorder that remembers what it was told. */
class Tape extends ViewRecorder {
  readonly told: ((recorder: ViewRecorder) => void)[] = [];

  override begin(...given: Parameters<ViewRecorder["begin"]>): void {
    this.told.push((recorder) => recorder.begin(...given));
    super.begin(...given);
  }

  override stepped(...given: Parameters<ViewRecorder["stepped"]>): void {
    this.told.push((recorder) => recorder.stepped(...given));
    super.stepped(...given);
  }

  override executedBy(...given: Parameters<ViewRecorder["executedBy"]>): void {
    this.told.push((recorder) => recorder.executedBy(...given));
    super.executedBy(...given);
  }
}

async function measure(validators: number): Promise<string> {
  const nodes = Array.from({ length: validators }, (_, node) => node);
  const members = nodes.map((node) => ({ node }));
  const network = new EpochNetwork({
    nodes: validators,
    epochLength: 10_000,
    epochLead: 8,
    setOf: () => members,
  });
  const tape = new Tape(validators, PORTS);
  network.nodes[0]!.views = tape;
  await network.start(...nodes);
  await network.until(() => network.certified(0) >= VIEWS, 600_000);
  const before = process.threadCpuUsage();
  for (let round = 0; round < ROUNDS; round++) {
    const recorder = new ViewRecorder(validators, PORTS);
    for (const tell of tape.told) tell(recorder);
  }
  const { user, system } = process.threadCpuUsage(before);
  const perView = (user + system) / ROUNDS / VIEWS;
  return `${validators} validators: ${perView.toFixed(1)} us of processor time a view, ${Math.round(tape.told.length / VIEWS)} calls`;
}

installNativeCrypto();
for (const validators of SIZES) console.log(await measure(validators));
