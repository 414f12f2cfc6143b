import { bytesToBigint, Hash, toHex } from "@ostrom/base";
import { type Method, optional, parameterTypes, required } from "@ostrom/rpc";
import {
  type Controls,
  mayRaiseNonce,
  mineBlocks,
  setBalance,
  setCode,
  setNonce,
  setStorage,
} from "./controls.ts";
import {
  alias,
  amount,
  anything,
  define,
  invalidInput,
  orThrow,
  storedWord,
  whole,
  wordBytes,
} from "./method-parts.ts";

/** What hardhat_ and anvil_ methods do alike, under both names; Hardhat answers true, anvil null. */
export function stateMethods(controls: Controls): readonly Method[] {
  return [
    ...accountMethods(controls),
    ...nextBlockMethods(controls),
    ...impersonationMethods(controls),
    ...miningMethods(controls),
    ...wholeChainMethods(controls),
  ];
}

/** One method for each dialect. */
function both(method: Method, name: string): readonly Method[] {
  const { call } = method;
  const anvil: Method["call"] = async (context, given) => {
    const answer = await call(context, given);
    return answer === true ? null : answer;
  };
  return [
    { ...method, name: `hardhat_${name}` },
    { ...method, name: `anvil_${name}`, call: anvil },
  ];
}

function accountMethods(controls: Controls): readonly Method[] {
  const { address, data } = parameterTypes;
  const account = required("address", address);
  return [
    ...both(
      define({
        name: "setBalance",
        summary: "Sets an account's balance, in wei.",
        parameters: [account, required("balance", amount)],
        returns: "true",
        run: (of, balance) => setBalance(controls, of, balance).then(() => true),
      }),
      "setBalance",
    ),
    ...both(
      define({
        name: "setCode",
        summary: "Sets an account's code.",
        parameters: [account, required("code", data)],
        returns: "true",
        run: (of, code) => setCode(controls, of, code).then(() => true),
      }),
      "setCode",
    ),
    ...both(
      define({
        name: "setStorageAt",
        summary: "Sets a slot of an account's storage.",
        parameters: [account, required("slot", amount), required("value", storedWord)],
        returns: "true",
        run: (of, slot, value) => setStorage(controls, of, slot, bytesToBigint(value)).then(() => true),
      }),
      "setStorageAt",
    ),
    define({
      name: "hardhat_setNonce",
      summary: "Raises an account's nonce.",
      parameters: [account, required("nonce", amount)],
      returns: "true",
      run: async (of, nonce) => {
        orThrow(mayRaiseNonce(controls, of, nonce));
        await setNonce(controls, of, nonce);
        return true;
      },
    }),
    define({
      name: "anvil_setNonce",
      summary: "Sets an account's nonce, to a lower one too.",
      parameters: [account, required("nonce", amount)],
      returns: "null",
      run: (of, nonce) => setNonce(controls, of, nonce).then(() => null),
    }),
  ];
}

function nextBlockMethods({ chain }: Controls): readonly Method[] {
  const { address } = parameterTypes;
  return [
    ...both(
      define({
        name: "setCoinbase",
        summary: "Who gets the tips of the blocks to come.",
        parameters: [required("address", address)],
        returns: "true",
        run: (coinbase) => {
          chain.change({ coinbase });
          return true;
        },
      }),
      "setCoinbase",
    ),
    ...both(
      define({
        name: "setPrevRandao",
        summary: "PREVRANDAO of the next block.",
        parameters: [required("prevRandao", wordBytes)],
        returns: "true",
        run: (prevRandao) => {
          orThrow(chain.tell({ kind: "set-next-prev-randao", prevRandao: Hash(prevRandao) }));
          return true;
        },
      }),
      "setPrevRandao",
    ),
    ...both(
      define({
        name: "setNextBlockBaseFeePerGas",
        summary: "The base fee of the next block, in wei; those after it follow EIP-1559.",
        parameters: [required("baseFeePerGas", amount)],
        returns: "true",
        run: (baseFeePerGas) => {
          orThrow(chain.tell({ kind: "set-next-base-fee", baseFeePerGas }));
          return true;
        },
      }),
      "setNextBlockBaseFeePerGas",
    ),
    ...both(
      define({
        name: "setMinGasPrice",
        summary: "The least price that a transaction must pay, in wei.",
        parameters: [required("gasPrice", amount)],
        returns: "true",
        run: (minGasPrice) => {
          chain.change({ minGasPrice });
          return true;
        },
      }),
      "setMinGasPrice",
    ),
  ];
}

function impersonationMethods({ accounts }: Controls): readonly Method[] {
  const account = required("address", parameterTypes.address);
  return [
    ...both(
      define({
        name: "impersonateAccount",
        summary: "eth_sendTransaction may send from this account, without its key.",
        parameters: [account],
        returns: "true",
        run: (address) => {
          accounts.impersonate(address);
          return true;
        },
      }),
      "impersonateAccount",
    ),
    define({
      name: "hardhat_stopImpersonatingAccount",
      summary: "Ends what hardhat_impersonateAccount began.",
      parameters: [account],
      returns: "whether it was impersonated",
      run: (address) => accounts.stopImpersonating(address),
    }),
    define({
      name: "anvil_stopImpersonatingAccount",
      summary: "Ends what anvil_impersonateAccount began.",
      parameters: [account],
      returns: "null",
      run: (address) => {
        accounts.stopImpersonating(address);
        return null;
      },
    }),
  ];
}

function miningMethods(controls: Controls): readonly Method[] {
  const { chain } = controls;
  const { hash } = parameterTypes;
  const getAutomine = define({
    name: "hardhat_getAutomine",
    summary: "Whether each transaction makes a block.",
    parameters: [],
    returns: "boolean",
    run: () => chain.engine.isAutomining,
  });
  return [
    ...both(
      define({
        name: "mine",
        summary: "Makes blocks at once; the interval is between their times, in seconds.",
        parameters: [optional("count", whole, 1), optional("interval", whole, undefined)],
        returns: "true",
        run: (count, interval) => mineBlocks(controls, count, interval).then(() => true),
      }),
      "mine",
    ),
    define({
      name: "hardhat_dropTransaction",
      summary: "Takes a transaction that waits out of the pool.",
      parameters: [required("hash", hash)],
      returns: "whether it waited",
      run: (of) =>
        chain.exclusive(() => {
          if (chain.pool.remove(of)) return true;
          const isMined = controls.isMined(of);
          if (isMined)
            throw invalidInput(`Transaction ${toHex(of)} cannot be dropped because it's already mined`);
          return false;
        }),
    }),
    define({
      name: "anvil_dropTransaction",
      summary: "Takes a transaction that waits out of the pool.",
      parameters: [required("hash", hash)],
      returns: "hash, or null if it did not wait",
      run: (of) => chain.exclusive(() => (chain.pool.remove(of) ? toHex(of) : null)),
    }),
    getAutomine,
    ...alias(getAutomine, "anvil_getAutomine"),
  ];
}

function wholeChainMethods(controls: Controls): readonly Method[] {
  const { observer } = controls.chain;
  return [
    ...both(
      define({
        name: "setLoggingEnabled",
        summary: "Whether requests and blocks are printed.",
        parameters: [required("enabled", parameterTypes.flag)],
        returns: "true",
        run: (isOn) => {
          observer.setLogging?.(isOn);
          return true;
        },
      }),
      "setLoggingEnabled",
    ),
    ...both(
      define({
        name: "reset",
        summary: "Begins anew with block 0. There are no forks of other chains here.",
        parameters: [optional("options", anything, undefined)],
        returns: "true",
        run: async (options) => {
          if (asksForFork(options)) throw invalidInput("this chain cannot fork another: leave forking out");
          await controls.reset();
          return true;
        },
      }),
      "reset",
    ),
  ];
}

/** Clients leave empty what they do not ask for. */
function asksForFork(options: unknown): boolean {
  if (typeof options !== "object" || options === null || !("forking" in options)) return false;
  const { forking } = options;
  return (
    typeof forking === "object" && forking !== null && "jsonRpcUrl" in forking && Boolean(forking.jsonRpcUrl)
  );
}
