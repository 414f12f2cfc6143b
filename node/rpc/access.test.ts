import assert from "node:assert/strict";
import { test } from "node:test";
import { createAccessRules } from "./access.ts";

const rules = createAccessRules({
  host: "127.0.0.1",
  allowedHosts: ["node.example.org"],
  allowedOrigins: ["https://app.example.org"],
});

test("serves localhost, IP addresses and configured names only, with any port", () => {
  for (const host of [
    undefined,
    "localhost",
    "LOCALHOST:8545",
    "localhost.:8545",
    "app.localhost:3000",
    "127.0.0.1:8545",
    "192.168.1.7",
    "[::1]:8545",
    "[::1]",
    "node.example.org:443",
  ]) {
    assert.equal(rules.refuseHost(host), undefined, String(host));
  }
  for (const host of [
    "evil.example",
    "evil.example:8545",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "",
  ]) {
    assert.match(rules.refuseHost(host) ?? "", /not allowed here/, host);
  }
});

test("takes pages of this machine, browser extensions, configured origins, and programs without an origin", () => {
  for (const origin of [
    undefined,
    "http://localhost",
    "http://localhost:3000",
    "https://localhost:3000",
    "http://app.localhost:5173",
    "http://127.0.0.1:8080",
    "http://[::1]:8080",
    "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn",
    "moz-extension://9a1b3c3d-1111-2222-3333-444455556666",
    "https://app.example.org",
  ]) {
    assert.equal(rules.refuseOrigin(origin), undefined, String(origin));
  }
  for (const origin of [
    "https://evil.example",
    "null",
    "",
    "http://localhost.evil.example",
    "http://evil.example/localhost",
    "https://app.example.org.evil.example",
    "http://app.example.org",
    "http://localhost:3000@evil.example",
  ]) {
    assert.match(rules.refuseOrigin(origin) ?? "", /not allowed here/, origin);
  }
});

test("a star allows every host and every origin", () => {
  const open = createAccessRules({ host: "0.0.0.0", allowedHosts: ["*"], allowedOrigins: ["*"] });
  assert.equal(open.refuseHost("evil.example"), undefined);
  assert.equal(open.refuseOrigin("https://evil.example"), undefined);
});
