import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES, hex } from "@ostrom/base";
import { MEMBERSHIP_ADDRESS } from "@ostrom/execution";
import { readOrganisations, readRules } from "./organisations.ts";
import { encodeSettings } from "./settings.ts";
import { admin, testAlliance } from "./testing/alliance.ts";
import { buildMembership } from "./testing/build-contract.ts";
import { decided, MembershipLedger } from "./testing/membership-ledger.ts";

test("a later version is activated once more, over the state that is there; the same version is not", () => {
  const ledger = new MembershipLedger(testAlliance(3));
  const before = readOrganisations(ledger.state);
  assert.equal(ledger.activate(encodeSettings(testAlliance(1))), "AlreadyActivated");
  const later = buildMembership((source) =>
    source
      .replace("constant VERSION = 1;", "constant VERSION = 2;")
      .replace("version = VERSION;", "if (version != 0) { version = VERSION; return; } version = VERSION;"),
  );
  ledger.place(MEMBERSHIP_ADDRESS, hex(later.code));
  assert.equal(ledger.activate(EMPTY_BYTES), "done");
  assert.equal(ledger.activate(EMPTY_BYTES), "AlreadyActivated");
  assert.equal(readRules(ledger.state).version, 2);
  assert.deepEqual(readOrganisations(ledger.state), before);
  assert.equal(ledger.decide([1, 2].map(admin), decided("suspend", 3)), "done");
});
