import { toHex } from "@ostrom/base";
import { forkAt } from "@ostrom/execution";
import { type Method, optional, parameterTypes, quantity, required } from "@ostrom/rpc";
import { type Controls, setBalance } from "./controls.ts";
import { amount, anything, define, invalidInput, orThrow, whole } from "./method-parts.ts";

const MS_PER_SECOND = 1_000;

/** What anvil alone has, as Foundry's tools and viem ask for it. */
export function anvilMethods(controls: Controls): readonly Method[] {
  return [
    ...timeMethods(controls),
    ...poolMethods(controls),
    ...reportMethods(controls),
    ...stateMethods(controls),
    ...refusedMethods(),
  ];
}

function timeMethods({ chain }: Controls): readonly Method[] {
  return [
    define({
      name: "anvil_setBlockTimestampInterval",
      summary: "Each block's time is so many seconds after the one before it.",
      parameters: [required("seconds", whole)],
      returns: "null",
      run: (seconds) => {
        orThrow(chain.tell({ kind: "set-timestamp-interval", seconds }));
        return null;
      },
    }),
    define({
      name: "anvil_removeBlockTimestampInterval",
      summary: "Ends what anvil_setBlockTimestampInterval began.",
      parameters: [],
      returns: "whether there was one",
      run: () => {
        const had = chain.engine.timestampInterval !== undefined;
        orThrow(chain.tell({ kind: "set-timestamp-interval", seconds: undefined }));
        return had;
      },
    }),
    define({
      name: "anvil_setIntervalMining",
      summary: "Makes a block each so many seconds; 0: never.",
      parameters: [required("seconds", whole)],
      returns: "null",
      run: (seconds) => {
        const ms = seconds * MS_PER_SECOND;
        const interval = seconds === 0 ? undefined : { minMs: ms, maxMs: ms };
        orThrow(chain.tell({ kind: "set-interval", interval, chance: chain.random() }));
        return null;
      },
    }),
    define({
      name: "anvil_getIntervalMining",
      summary: "Seconds between blocks that a timer makes.",
      parameters: [],
      returns: "number, or null",
      run: () => {
        const { interval } = chain.engine;
        return interval === undefined ? null : interval.minMs / MS_PER_SECOND;
      },
    }),
  ];
}

function poolMethods({ chain }: Controls): readonly Method[] {
  return [
    define({
      name: "anvil_dropAllTransactions",
      summary: "Takes all transactions out of the pool.",
      parameters: [],
      returns: "null",
      run: () =>
        chain.exclusive(() => {
          chain.pool.clear();
          return null;
        }),
    }),
    define({
      name: "anvil_removePoolTransactions",
      summary: "Takes an account's transactions out of the pool.",
      parameters: [required("address", parameterTypes.address)],
      returns: "null",
      run: (address) =>
        chain.exclusive(() => {
          const { pending, queued } = chain.pool.content((of) => chain.nonceOf(of), address);
          for (const { hash } of [...pending, ...queued]) chain.pool.remove(hash);
          return null;
        }),
    }),
  ];
}

function reportMethods({ chain, clientVersion, instanceId }: Controls): readonly Method[] {
  const { rules } = chain.genesis;
  return [
    define({
      name: "anvil_nodeInfo",
      summary: "How this chain is configured.",
      parameters: [],
      returns: "{currentBlockNumber, currentBlockTimestamp, currentBlockHash, hardFork, environment, ...}",
      run: () => {
        const { header, hash } = chain.maker.head;
        const { timestamp, baseFeePerGas } = chain.nextBlock();
        return {
          currentBlockNumber: quantity(header.number),
          currentBlockTimestamp: header.timestamp,
          currentBlockHash: toHex(hash),
          hardFork: forkAt(rules, timestamp),
          transactionOrder: chain.order,
          environment: {
            baseFee: quantity(baseFeePerGas),
            chainId: Number(rules.chainId),
            gasLimit: quantity(chain.settings.blockGasLimit),
            gasPrice: quantity(baseFeePerGas),
          },
          forkConfig: { forkUrl: null, forkBlockNumber: null, forkRetryBackoff: null },
        };
      },
    }),
    define({
      name: "anvil_metadata",
      summary: "What this chain is and how far it is.",
      parameters: [],
      returns: "{clientVersion, chainId, instanceId, latestBlockNumber, latestBlockHash, snapshots}",
      run: () => ({
        clientVersion,
        clientSemver: null,
        clientCommitSha: null,
        chainId: Number(rules.chainId),
        instanceId,
        latestBlockNumber: chain.maker.head.header.number,
        latestBlockHash: toHex(chain.maker.head.hash),
        forkedNetwork: null,
        snapshots: Object.fromEntries(
          [...chain.snapshots].map(([id, { number, hash }]) => [quantity(id), [number, toHex(hash)]]),
        ),
      }),
    }),
  ];
}

function stateMethods(controls: Controls): readonly Method[] {
  const { accounts, chain } = controls;
  const account = required("address", parameterTypes.address);
  const impersonateAll = define({
    name: "anvil_autoImpersonateAccount",
    summary: "eth_sendTransaction may send from any account.",
    parameters: [required("enabled", parameterTypes.flag)],
    returns: "null",
    run: (isOn) => {
      accounts.impersonatesAll = isOn;
      return null;
    },
  });
  const give = define({
    name: "anvil_deal",
    summary: "Sets an account's balance, in wei.",
    parameters: [account, required("balance", amount)],
    returns: "null",
    run: (address, balance) => setBalance(controls, address, balance).then(() => null),
  });
  return [
    impersonateAll,
    give,
    define({
      name: "anvil_addBalance",
      summary: "Adds to an account's balance, in wei.",
      parameters: [account, required("amount", amount)],
      returns: "null",
      run: (address, more) =>
        chain.edit((state) => state.setBalance(address, state.balance(address) + more)).then(() => null),
    }),
    define({
      name: "anvil_dumpState",
      summary: "The whole chain: all blocks, receipts, states, what waits, and the time.",
      parameters: [optional("preserveHistoricalStates", anything, undefined)],
      returns: "data, for anvil_loadState",
      run: async () => toHex(await controls.dump()),
    }),
    define({
      name: "anvil_loadState",
      summary: "Puts a dump in place of this chain.",
      parameters: [required("state", parameterTypes.data)],
      returns: "true",
      run: async (dump) => {
        await controls.load(dump);
        return true;
      },
    }),
    define({
      name: "anvil_impersonatedAccounts",
      summary: "Accounts that may be sent from without their keys.",
      parameters: [],
      returns: "addresses",
      run: () => accounts.impersonated().map((address) => toHex(address)),
    }),
  ];
}

/** What needs another chain behind this one, or another genesis. */
function refusedMethods(): readonly Method[] {
  const refuse = (name: string, why: string): Method =>
    define({
      name,
      summary: `Refused: ${why}.`,
      parameters: [optional("value", anything, undefined)],
      returns: "an error",
      run: () => {
        throw invalidInput(`${name}: ${why}`);
      },
    });
  return [
    refuse("anvil_setRpcUrl", "this chain is no fork of another, so there is no other node to ask"),
    refuse("anvil_setChainId", "a chain keeps its id: start another with --chain-id"),
  ];
}
