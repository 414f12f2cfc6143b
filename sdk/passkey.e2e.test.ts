import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { addressFromHex, hex, toHex } from "@ostrom/base";
import { SCHEME_WEBAUTHN_P256, verifySignature, webauthnPublicKey } from "@ostrom/crypto";
import { decodeSignedTransaction } from "@ostrom/execution";
import { type Browser, type CDPSession, chromium, type Page } from "playwright-core";
import { privateKeyToAccount } from "viem/accounts";
import { enrollmentCall } from "./key-set-changes.ts";
import { type SourceServer, serveSources } from "./testing/browser-server.ts";
import { KeyedChain } from "./testing/keyed-chain.ts";

const CHROMIUM = "/usr/bin/chromium";
const skip = existsSync(CHROMIUM) ? false : `no ${CHROMIUM}: apt-get install chromium`;
const TO = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
/** Browsers let pages of an address of digits have no passkeys. */
const RELYING_PARTY = "localhost";

/** What a page tells of a passkey; pages and tests exchange no bytes. */
type ToldPasskey = {
  readonly credentialId: string;
  readonly relyingPartyId: string;
  readonly publicKey: string;
};

describe("a passkey signs for an account (Chromium, with its virtual authenticator)", { skip }, () => {
  let sources: SourceServer;
  let browser: Browser;
  let page: Page;
  let authenticators: CDPSession;
  let authenticatorId: string;
  let passkey: ToldPasskey;

  before(async () => {
    sources = await serveSources();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
    page = await browser.newPage();
    authenticators = await page.context().newCDPSession(page);
    await authenticators.send("WebAuthn.enable");
    authenticatorId = await addAuthenticator();
    await page.goto(sources.url.replace("127.0.0.1", RELYING_PARTY));
    passkey = await createPasskey();
  });
  after(async () => {
    await browser?.close();
    await sources?.stop();
  });

  async function addAuthenticator(): Promise<string> {
    const added = await authenticators.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return added.authenticatorId;
  }

  async function createPasskey(): Promise<ToldPasskey> {
    return page.evaluate(async () => {
      const path: string = "/sdk/index.ts";
      const base: string = "@ostrom/base";
      const { createPasskey } = (await import(path)) as typeof import("./index.ts");
      const { toHex } = (await import(base)) as typeof import("@ostrom/base");
      const made = await createPasskey({ userName: "Alice" });
      if (!made.ok) throw new Error(made.error.message);
      const { credentialId, relyingPartyId, publicKey } = made.value;
      return { credentialId: toHex(credentialId), relyingPartyId, publicKey: toHex(publicKey) };
    });
  }

  /** Signs bytes, in the page. @returns the signature, or the code of the failure. */
  async function sign(told: ToldPasskey, message: string): Promise<string> {
    return page.evaluate(
      async ({ told, message }) => {
        const path: string = "/sdk/index.ts";
        const base: string = "@ostrom/base";
        const { signWithPasskey } = (await import(path)) as typeof import("./index.ts");
        const { hex, toHex } = (await import(base)) as typeof import("@ostrom/base");
        const key = { ...told, credentialId: hex(told.credentialId), publicKey: hex(told.publicKey) };
        const signed = await signWithPasskey(key, hex(message));
        return signed.ok ? toHex(signed.value) : signed.error.code;
      },
      { told, message },
    );
  }

  /** Signs a transaction by viem's account, in the page. */
  async function signTransaction(account: {
    readonly address?: `0x${string}`;
    readonly version?: number;
  }): Promise<`0x${string}`> {
    return page.evaluate(
      async ({ told, account, to }) => {
        const path: string = "/sdk/index.ts";
        const base: string = "@ostrom/base";
        const { toAgileAccount, passkeySigner } = (await import(path)) as typeof import("./index.ts");
        const { hex } = (await import(base)) as typeof import("@ostrom/base");
        const key = { ...told, credentialId: hex(told.credentialId), publicKey: hex(told.publicKey) };
        const signer = passkeySigner(key);
        const { address, version } = account;
        const agile = toAgileAccount({
          signers: [signer],
          ...(address === undefined ? {} : { address }),
          ...(version === undefined
            ? {}
            : { keySet: async () => ({ version, threshold: 1, keys: [signer] }) }),
        });
        return agile.signTransaction({
          type: "eip1559",
          chainId: 1337,
          nonce: version === undefined ? 0 : 1,
          gas: 21_000n,
          maxFeePerGas: 10n ** 12n,
          to: to as `0x${string}`,
          value: 5n,
        });
      },
      { told: passkey, account, to: TO },
    );
  }

  test("its public key is of P-256, and tied to the page's site", () => {
    const publicKey = hex(passkey.publicKey);
    assert.equal(publicKey.length, 96);
    assert.equal(passkey.publicKey, toHex(webauthnPublicKey(publicKey.subarray(0, 64), RELYING_PARTY)));
  });

  test("what the browser and its authenticator make are signatures of the scheme, low s and all", async () => {
    for (let number = 0; number < 8; number++) {
      const message = new Uint8Array(32).fill(number);
      const signature = hex(await sign(passkey, toHex(message)));
      assert.ok(
        verifySignature(SCHEME_WEBAUTHN_P256, hex(passkey.publicKey), message, signature),
        `${number}`,
      );
      assert.ok(!verifySignature(SCHEME_WEBAUTHN_P256, hex(passkey.publicKey), message.fill(99), signature));
    }
  });

  test("a transaction signed in the page moves coins of the passkey's own account", async () => {
    const raw = await signTransaction({});
    const signed = decodeSignedTransaction(hex(raw));
    assert.ok(signed.ok, signed.ok ? "" : signed.error.message);
    const chain = newChain([toHex(signed.value.sender)]);
    assert.deepEqual(outcome(chain, raw), { skipped: undefined, succeeded: true });
    assert.equal(chain.chain.state.account(addressFromHex(TO))?.balance, 5n);
  });

  test("an Ethereum account that has enrolled the passkey acts by it", async () => {
    const alice = privateKeyToAccount(`0x${"a1".repeat(32)}`);
    const chain = newChain([alice.address]);
    const publicKey = hex(passkey.publicKey);
    const enroller = {
      schemeId: SCHEME_WEBAUTHN_P256,
      publicKey,
      sign: async (message: Uint8Array) => hex(await sign(passkey, toHex(message))),
    };
    const owner = { chainId: chain.chainId, account: alice.address };
    const plan = { threshold: 1, signers: [enroller], timelockSeconds: 0 };
    assert.equal(await chain.change(alice, await enrollmentCall(owner, 1, plan)), true);
    const raw = await signTransaction({ address: alice.address, version: 1 });
    assert.deepEqual(outcome(chain, raw), { skipped: undefined, succeeded: true });
  });

  test("a page of another site, an unknown key and a user who is not verified get no signature", async () => {
    const message = toHex(new Uint8Array(32));
    assert.equal(await sign({ ...passkey, relyingPartyId: "thief.example" }, message), "passkey/refused");
    assert.equal(await sign({ ...passkey, credentialId: "0x00" }, message), "passkey/refused");
    await authenticators.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    assert.equal(await sign(passkey, message), "passkey/refused");
  });

  test("outside browsers there are no passkeys", async () => {
    const { signWithPasskey } = await import("./passkey.ts");
    const key = { ...passkey, credentialId: hex(passkey.credentialId), publicKey: hex(passkey.publicKey) };
    const signed = await signWithPasskey(key, new Uint8Array(32));
    assert.equal(signed.ok ? "signed" : signed.error.code, "passkey/unavailable");
  });
});

function newChain(accounts: readonly `0x${string}`[]): KeyedChain {
  return new KeyedChain(accounts, { timelockMinimum: 0, breakers: [], breakThreshold: 0 });
}

function outcome(
  chain: KeyedChain,
  raw: `0x${string}`,
): { readonly skipped: string | undefined; readonly succeeded: boolean | undefined } {
  const { receipt, skipped } = chain.execute(raw);
  return { skipped, succeeded: receipt?.succeeded };
}
