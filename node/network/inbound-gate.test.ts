import assert from "node:assert/strict";
import { test } from "node:test";
import { InboundGate } from "./inbound-gate.ts";
import { DEFAULT_LINK_LIMITS } from "./limits.ts";

const LIMITS = { ...DEFAULT_LINK_LIMITS, maxPending: 5, maxPendingPerAddress: 2, maxConnectionsPerMinute: 6 };

function admitted(gate: InboundGate, address: string): () => void {
  const release = gate.admit(address);
  assert.ok(typeof release === "function", `${address}: ${String(release)}`);
  return release;
}

test("gate: connections that are not authenticated are counted by address and together", () => {
  const gate = new InboundGate(LIMITS);
  const first = admitted(gate, "10.0.0.1");
  admitted(gate, "10.0.0.1");
  assert.equal(gate.admit("10.0.0.1"), "network/too-many-from-address");
  for (const address of ["10.0.0.2", "10.0.0.3", "10.0.0.4"]) admitted(gate, address);
  assert.equal(gate.admit("10.0.0.5"), "network/too-many-pending");
  first();
  first();
  assert.equal(gate.pending, 4);
  admitted(gate, "10.0.0.1");
});

test("gate: an address that comes too often waits; time brings it back", () => {
  const gate = new InboundGate(LIMITS);
  for (let count = 0; count < 12; count++) admitted(gate, "10.0.0.1")();
  assert.equal(gate.admit("10.0.0.1"), "network/too-often");
  admitted(gate, "10.0.0.2")();
  gate.tick(5_000);
  assert.equal(gate.admit("10.0.0.1"), "network/too-often");
  gate.tick(5_000);
  admitted(gate, "10.0.0.1")();
  assert.equal(gate.admit("10.0.0.1"), "network/too-often");
});

test("gate: addresses of one IPv6 network count as one", () => {
  const gate = new InboundGate(LIMITS);
  admitted(gate, "2001:db8:1:2:aaaa::1");
  admitted(gate, "2001:db8:1:2:bbbb::2");
  assert.equal(gate.admit("2001:db8:1:2:cccc::3"), "network/too-many-from-address");
  admitted(gate, "2001:db8:1:3::1");
  const other = new InboundGate(LIMITS);
  admitted(other, "2001:db8::1");
  admitted(other, "2001:db8:0:0:1::");
  assert.equal(other.admit("2001:db8::2"), "network/too-many-from-address");
  admitted(other, "::1");
});
