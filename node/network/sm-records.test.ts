import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, createRandom, equalBytes, must, toHexDigits, utf8 } from "@ostrom/base";
import { nextSmSecret, smKeysOf } from "./sm-key-schedule.ts";
import {
  DEFAULT_SM_SEAL_LIMITS,
  MAX_SM_PLAIN_BYTES,
  plainSmRecord,
  SM_RECORD_TYPES,
  SM4_GCM_TAG_BYTES,
  SmRecordCipher,
  SmRecordReader,
  type SmSealLimits,
} from "./sm-records.ts";
import { followingSmSecret, openSmRecord } from "./testing/sm-reference.ts";

const random = createRandom(8);
const SECRET = random.bytes(32);
const DATA = SM_RECORD_TYPES.data;

function pair(limits?: SmSealLimits): {
  readonly seal: (text: string) => Bytes;
  readonly open: (record: Bytes) => string;
} {
  const [sealer, opener] = [new SmRecordCipher(SECRET, limits), new SmRecordCipher(SECRET, limits)];
  return {
    seal: (text) => must(sealer.seal(DATA, utf8(text)), "a key is left"),
    open: (record) => {
      const plain = opener.open(record.subarray(0, 3), record.subarray(3));
      return plain === undefined ? "refused" : new TextDecoder().decode(plain);
    },
  };
}

test("SM records: what was sealed opens once, in order, and is no longer than it has to be", () => {
  const { seal, open } = pair();
  for (const text of ["a", "", "vote ".repeat(3_000)]) {
    const record = seal(text);
    assert.equal(record.length, 3 + text.length + SM4_GCM_TAG_BYTES);
    assert.equal(open(record), text);
  }
});

test("SM records: several parts seal as their whole", () => {
  const [one, parts] = [new SmRecordCipher(SECRET), new SmRecordCipher(SECRET)];
  const whole = random.bytes(1_000);
  assert.deepEqual(
    parts.seal(DATA, whole.subarray(0, 7), whole.subarray(7, 7), whole.subarray(7)),
    one.seal(DATA, whole),
  );
});

test("SM records: one that is doubled, left out, or before its time does not open", () => {
  const records = (["first", "second", "third"] as const).map(pair().seal);
  const [first, second, third] = records as [Bytes, Bytes, Bytes];
  for (const wrong of [[first, first], [second], [first, third], [first, second, second]]) {
    const { open } = pair();
    const opened = wrong.map(open);
    assert.equal(opened.at(-1), "refused");
    assert.equal(opened.slice(0, -1).includes("refused"), false);
  }
});

test("SM records: no bit can be turned, in header, body or tag", () => {
  const record = pair().seal("a vote of 20 bytes..");
  for (let bit = 0; bit < record.length * 8; bit++) {
    const bent = Uint8Array.from(record);
    bent[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(pair().open(bent), "refused", `bit ${bit}`);
  }
});

test("SM records: none can be cut or go on, and none is of the other direction", () => {
  const record = pair().seal("vote");
  for (let length = 3; length < record.length; length++)
    assert.equal(pair().open(record.subarray(0, length)), "refused");
  assert.equal(pair().open(concatBytes(record, Uint8Array.of(0))), "refused");
  const other = new SmRecordCipher(random.bytes(32));
  assert.equal(other.open(record.subarray(0, 3), record.subarray(3)), undefined);
});

test("SM records: keys change after so many records, on both sides alike, as the specification has it", () => {
  const limits = { recordsPerKey: 3, maxKeys: 5 };
  const { seal, open } = pair(limits);
  const secrets = [SECRET];
  for (let key = 1; key < limits.maxKeys; key++) secrets.push(followingSmSecret(secrets.at(-1)!));
  for (let number = 0; number < limits.recordsPerKey * limits.maxKeys; number++) {
    const record = seal(`vote ${number}`);
    const secret = secrets[Math.floor(number / limits.recordsPerKey)]!;
    assert.deepEqual(openSmRecord(secret, number % limits.recordsPerKey, record), utf8(`vote ${number}`));
    assert.equal(open(record), `vote ${number}`);
  }
});

test("SM records: when the last key has sealed its last, nothing is sealed and nothing opens", () => {
  const limits = { recordsPerKey: 2, maxKeys: 2 };
  const [sealer, opener] = [new SmRecordCipher(SECRET, limits), new SmRecordCipher(SECRET, limits)];
  for (let count = 0; count < 4; count++) {
    const record = must(sealer.seal(DATA, utf8("vote")), "a key is left");
    assert.ok(opener.open(record.subarray(0, 3), record.subarray(3)) !== undefined);
  }
  assert.equal(sealer.seal(DATA, utf8("vote")), undefined);
  assert.equal(sealer.seal(DATA, utf8("vote")), undefined);
  // A peer that does not stop there is not followed.
  const going = new SmRecordCipher(SECRET, { recordsPerKey: 2, maxKeys: 3 });
  const records = Array.from({ length: 5 }, () => must(going.seal(DATA, utf8("vote")), "a key is left"));
  const last = records.at(-1)!;
  assert.equal(opener.open(last.subarray(0, 3), last.subarray(3)), undefined);
});

test("SM records: no key is used beyond what was set, and none comes twice", () => {
  const seen = new Set<string>();
  let secret = SECRET;
  for (let count = 0; count < 1_000; count++) {
    const { key, nonce } = smKeysOf(secret);
    assert.equal(nonce.length, 12);
    seen.add(toHexDigits(key));
    secret = nextSmSecret(secret);
  }
  assert.equal(seen.size, 1_000);
  // Even where every record is full, a key seals 1 GiB.
  assert.equal(DEFAULT_SM_SEAL_LIMITS.recordsPerKey * MAX_SM_PLAIN_BYTES, 2 ** 30);
});

test("SM records: under one key no two have the same key stream", () => {
  const sealer = new SmRecordCipher(SECRET);
  const streams = new Set<string>();
  for (let count = 0; count < 300; count++) {
    const record = must(sealer.seal(DATA, new Uint8Array(16)), "a key is left");
    streams.add(toHexDigits(record.subarray(3, 19)));
  }
  assert.equal(streams.size, 300);
});

test("SM records: a stream is cut into the same records, however it comes in pieces", () => {
  const bodies = [random.bytes(5), new Uint8Array(0), random.bytes(300), random.bytes(1)];
  const wire = concatBytes(...bodies.map((body) => plainSmRecord(DATA, body)));
  for (let round = 0; round < 50; round++) {
    const reader = new SmRecordReader();
    const found: Bytes[] = [];
    for (let offset = 0; offset < wire.length; ) {
      const size = 1 + random.below(round < 10 ? 1 : 60);
      reader.push(wire.subarray(offset, offset + size));
      offset += size;
      for (;;) {
        const record = reader.next(DATA, 300);
        if (record === undefined) break;
        assert.ok(!("code" in record));
        found.push(record.body);
      }
    }
    assert.equal(found.length, bodies.length);
    assert.ok(found.every((body, index) => equalBytes(body, bodies[index]!)));
    assert.equal(reader.heldBytes, 0);
  }
});

test("SM records: one of another type, or too long, is refused before its body is there", () => {
  const next = (...bytes: number[]) => {
    const reader = new SmRecordReader();
    reader.push(Uint8Array.from(bytes));
    return reader.next(DATA, MAX_SM_PLAIN_BYTES + SM4_GCM_TAG_BYTES);
  };
  const codeOf = (found: ReturnType<typeof next>): string | undefined =>
    found !== undefined && "code" in found ? found.code : undefined;
  assert.equal(codeOf(next(3)), "network/unexpected-record");
  assert.equal(codeOf(next(0, 0, 0)), "network/unexpected-record");
  assert.equal(codeOf(next(DATA, 0x40, 0x11)), "network/record-too-long");
  assert.equal(codeOf(next(DATA, 0xff, 0xff)), "network/record-too-long");
  assert.equal(next(DATA, 0x40, 0x10), undefined);
  assert.equal(next(DATA, 0x40), undefined);
});
