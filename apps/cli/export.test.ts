import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { ask } from "./rpc-client.ts";
import { runCli } from "./testing/cli-process.ts";
import { Sender } from "./testing/sender.ts";
import { createTestNetwork, type TestNetwork } from "./testing/test-network.ts";

type Block = {
  readonly hash: string;
  readonly gasUsed: string;
  readonly transactions: readonly { readonly value: string; readonly from: string }[];
};

const TRANSFERS = 40;
const TOKEN = join(import.meta.dirname, "../../languages/rust/erc20/erc20.wasm");
let network: TestNetwork;
let out: string;
let url: string;

before(async () => {
  network = await createTestNetwork({ validators: 1 });
  await network.startAll();
  url = network.urls[0]!;
  out = join(network.directory, "parquet");
});
after(() => network.dispose());

async function exported(...more: readonly string[]): Promise<Record<string, number | string>> {
  const { code, stdout, stderr } = await runCli([
    "export",
    "--parquet",
    out,
    "--rpc",
    url,
    "--json",
    ...more,
  ]);
  assert.deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout) as Record<string, number | string>;
}

async function query(sql: string): Promise<readonly Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql.replaceAll("DIR", out))).getRowObjects();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

test("DuckDB's sums over the files are the chain's", async () => {
  await new Sender(3).finalize([url], TRANSFERS);
  const argument = `0x${(1_000_000).toString(16).padStart(64, "0")}`;
  const deployed = await runCli(["deploy", TOKEN, "--constructor", argument, "--rpc", url]);
  assert.equal(deployed.code, 0, deployed.stderr);
  await new Sender(4).finalize([url]);
  const told = await exported();
  const to = Number(told["to"]);
  const blocks = await Promise.all(
    Array.from({ length: to + 1 }, (_, height) =>
      ask<Block>(url, "eth_getBlockByNumber", [`0x${height.toString(16)}`, true]),
    ),
  );
  const transactions = blocks.flatMap((block) => block.transactions);
  assert.deepEqual([told["blocks"], told["transactions"]], [to + 1, transactions.length]);
  const [sums] = await query(
    `SELECT count(*) AS n, sum(value::HUGEINT) AS moved, sum(gas_used) AS gas, count(DISTINCT hash) AS hashes
     FROM 'DIR/transactions/*.parquet'`,
  );
  assert.equal(sums!["n"], BigInt(transactions.length));
  assert.equal(sums!["hashes"], BigInt(transactions.length));
  assert.equal(
    sums!["moved"],
    transactions.reduce((sum, { value }) => sum + BigInt(value), 0n),
  );
  const gas = blocks.reduce((sum, { gasUsed }) => sum + BigInt(gasUsed), 0n);
  assert.equal(sums!["gas"], gas);
  const [inBlocks] = await query(
    "SELECT sum(gas_used) AS gas, sum(transactions) AS n, max(number) AS last FROM 'DIR/blocks/*.parquet'",
  );
  assert.deepEqual(
    [inBlocks!["gas"], inBlocks!["n"], inBlocks!["last"]],
    [gas, BigInt(transactions.length), BigInt(to)],
  );
  const [sender] = deriveAccounts(DEVELOPMENT_MNEMONIC, 4).slice(3);
  const [own] = await query(
    `SELECT count(*) AS n, typeof(any_value(block_timestamp)) AS kind FROM 'DIR/transactions/*.parquet'
     WHERE sender = '${sender!.address.toLowerCase()}'`,
  );
  assert.equal(own!["n"], BigInt(TRANSFERS));
  assert.match(String(own!["kind"]), /^TIMESTAMP/);
});

test("logs are there, with their topics", async () => {
  const rows = await query("SELECT topic0, topic3, address FROM 'DIR/logs/*.parquet'");
  assert.equal(rows.length, 1);
  assert.equal(rows[0]!["topic0"], "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
  assert.equal(rows[0]!["topic3"], null);
});

test("the same command adds what is new, and nothing twice", async () => {
  const before = JSON.parse(readFileSync(join(out, "export.json"), "utf8")) as { parts: { to: number }[] };
  await new Sender(5).finalize([url], 3);
  const told = await exported();
  assert.equal(told["from"], before.parts.at(-1)!.to + 1);
  assert.equal(told["transactions"], 3);
  const [rows] = await query("SELECT count(*) AS n, count(DISTINCT number) AS d FROM 'DIR/blocks/*.parquet'");
  assert.deepEqual(
    [rows!["n"], rows!["d"]],
    [BigInt(Number(told["to"]) + 1), BigInt(Number(told["to"]) + 1)],
  );
});

test("blocks that are not final, and folders of another chain, are refused", async () => {
  const far = await runCli(["export", "--parquet", out, "--rpc", url, "--to", "100000000", "--json"]);
  assert.equal(far.code, 1);
  assert.equal((JSON.parse(far.stdout) as { error: { code: string } }).error.code, "export/not-final");
});
