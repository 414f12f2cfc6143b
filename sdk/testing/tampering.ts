import type { Random } from "@ostrom/base";
import type { LightResult } from "../failure.ts";
import type { LightServer, RpcCall } from "../server.ts";

/** What a server said, changed by somebody in between. */
export type Tamper = (call: RpcCall, answer: unknown) => unknown;

export const HONEST: Tamper = (_call, answer) => answer;

/** A server whose answers are asked for once and then come from memory, through hands that may change them. */
export function tamperedServer(
  server: LightServer,
  known: Map<string, LightResult<unknown>> = new Map(),
): LightServer & { tamper: Tamper } {
  const self = {
    name: server.name,
    tamper: HONEST,
    ask: async (calls: readonly RpcCall[]): Promise<readonly LightResult<unknown>[]> => {
      const missing = calls.filter((call) => !known.has(JSON.stringify(call)));
      const answers = missing.length === 0 ? [] : await server.ask(missing);
      for (const [index, call] of missing.entries()) known.set(JSON.stringify(call), answers[index]!);
      return calls.map((call) => {
        const answer = known.get(JSON.stringify(call))!;
        return answer.ok ? { ok: true, value: self.tamper(call, structuredClone(answer.value)) } : answer;
      });
    },
  };
  return self;
}

/** What servers answer, as far as lies change it. */
export type AccountAnswer = {
  readonly address: string;
  readonly accountProof: readonly string[];
  readonly storageProof: readonly SlotAnswer[];
};
export type SlotAnswer = { readonly key: string; readonly value: string; readonly proof: readonly string[] };
export type PlaceAnswer = {
  readonly blockNumber: string;
  readonly transactionIndex: string;
  readonly proof: readonly string[];
  readonly receiptProof: readonly string[];
  readonly previousReceiptProof: readonly string[];
};
export type BodyAnswer = { readonly transactions: readonly string[]; readonly receipts: readonly string[] };
export type ValidatorAnswer = Readonly<Record<string, string>>;

/** Changes the answers to one method. */
export function onMethod<Answer = Readonly<Record<string, string>>>(
  method: string,
  change: (answer: Answer, call: RpcCall) => unknown,
): Tamper {
  return (call, answer) => (call.method === method ? change(answer as Answer, call) : answer);
}

/** Changes one field of the answers to one method. */
export function onField(method: string, field: string, bend: (value: string) => string): Tamper {
  return onMethod(method, (answer) => ({ ...answer, [field]: bend(answer[field] ?? "") }));
}

const BIT_VALUES = [1, 2, 4, 8];

/** Hex data with one bit turned. */
export function flipBit(random: Random, data: string): string {
  const position = 2 + random.below(data.length - 2);
  const turned = Number.parseInt(data[position]!, 16) ^ BIT_VALUES[random.below(4)]!;
  return data.slice(0, position) + turned.toString(16) + data.slice(position + 1);
}

/** Hex data without its last bytes. */
export function truncate(random: Random, data: string): string {
  const bytes = (data.length - 2) / 2;
  return data.slice(0, 2 + 2 * random.below(bytes));
}

/** Hex data with bytes that do not belong to it. */
export function extend(random: Random, data: string): string {
  const extra = [...random.bytes(1 + random.below(8))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  return random.chance(1, 2) ? data + extra : `0x${extra}${data.slice(2)}`;
}

/** A list of hex data with one entry gone, doubled, exchanged with another, or changed. */
export function bendList(random: Random, list: readonly string[]): readonly string[] {
  const at = random.below(list.length);
  const entry = list[at]!;
  const others = list.filter((_, index) => index !== at);
  switch (random.below(6)) {
    case 0:
      return others;
    case 1:
      return [...list.slice(0, at), entry, ...list.slice(at)];
    case 2:
      return list.length < 2 ? [] : [...list].reverse();
    case 3:
      return list.map((one, index) => (index === at ? truncate(random, one) : one));
    case 4:
      return list.map((one, index) => (index === at ? extend(random, one) : one));
    default:
      return list.map((one, index) => (index === at ? flipBit(random, one) : one));
  }
}
