import { type Method, optional, parameterTypes, quantity, required } from "@ostrom/rpc";
import { type Controls, mineBlocks } from "./controls.ts";
import { alias, amount, define, invalidInput, orThrow, seconds, whole } from "./method-parts.ts";
import { type MineRequest, mineRequest, miningInterval } from "./mine-request.ts";

const NOTHING_ASKED: MineRequest = {};

/** The methods that all development chains have, as Hardhat's node answers them. */
export function evmMethods(controls: Controls): readonly Method[] {
  return [...snapshotMethods(controls), ...timeMethods(controls), ...miningMethods(controls)];
}

function snapshotMethods({ chain }: Controls): readonly Method[] {
  const snapshot = define({
    name: "evm_snapshot",
    summary: "Remembers the chain as it is: state, blocks, time, what waits.",
    parameters: [],
    returns: "quantity: the snapshot's id",
    run: async () => quantity(await chain.snapshot()),
  });
  const revert = define({
    name: "evm_revert",
    summary: "Puts the chain back to a snapshot, which is gone then, as are all after it.",
    parameters: [required("id", whole)],
    returns: "whether there was such a snapshot",
    run: (id) => chain.revert(id),
  });
  return [snapshot, revert, ...alias(snapshot, "anvil_snapshot"), ...alias(revert, "anvil_revert")];
}

function timeMethods({ chain }: Controls): readonly Method[] {
  const increase = define({
    name: "evm_increaseTime",
    summary: "Moves the time of the blocks to come forward.",
    parameters: [required("seconds", seconds)],
    returns: "decimal text: seconds by which time is ahead of the clock",
    run: (by) => {
      if (by < 0) throw invalidInput("time only goes forward: the seconds are negative");
      orThrow(chain.tell({ kind: "increase-time", seconds: by }));
      return String(chain.engine.offset);
    },
  });
  const setNext = define({
    name: "evm_setNextBlockTimestamp",
    summary: "Says which time the next block has; time goes on from there.",
    parameters: [required("timestamp", whole)],
    returns: "decimal text: the time",
    run: (timestamp) => {
      const parentTimestamp = chain.maker.head.header.timestamp;
      orThrow(chain.tell({ kind: "set-next-timestamp", timestamp, parentTimestamp }));
      return String(timestamp);
    },
  });
  const setTime = define({
    name: "evm_setTime",
    summary: "Says what time it is; time goes on from there.",
    parameters: [required("timestamp", whole)],
    returns: "number: seconds by which time has moved",
    run: (timestamp) => {
      const now = chain.now();
      const before = now + chain.engine.offset;
      orThrow(chain.tell({ kind: "set-time", timestamp, now }));
      return timestamp - before;
    },
  });
  return [
    increase,
    setNext,
    setTime,
    ...alias(increase, "anvil_increaseTime"),
    ...alias(setNext, "anvil_setNextBlockTimestamp"),
    ...alias(setTime, "anvil_setTime"),
  ];
}

function miningMethods(controls: Controls): readonly Method[] {
  const { chain } = controls;
  return [
    define({
      name: "evm_mine",
      summary: "Makes a block. @param options a time, or anvil's {timestamp, blocks}.",
      parameters: [optional("options", mineRequest, NOTHING_ASKED)],
      returns: '"0"',
      run: async ({ timestamp, blocks = 1 }) => {
        await mineBlocks(controls, blocks, undefined, timestamp);
        return "0";
      },
    }),
    ...alias(
      define({
        name: "evm_setAutomine",
        summary: "Whether each transaction makes a block.",
        parameters: [required("enabled", parameterTypes.flag)],
        returns: "true",
        run: async (isOn) => {
          await chain.exclusive(() => orThrow(chain.tell({ kind: "set-automining", isOn })));
          return true;
        },
      }),
      "evm_setAutomine",
      "anvil_setAutomine",
    ),
    define({
      name: "evm_setIntervalMining",
      summary:
        "Makes a block after each such time: milliseconds, or the two bounds that it is chosen from; 0: never.",
      parameters: [required("interval", miningInterval)],
      returns: "true",
      run: (interval) => {
        orThrow(chain.tell({ kind: "set-interval", interval, chance: chain.random() }));
        return true;
      },
    }),
    ...alias(
      define({
        name: "evm_setBlockGasLimit",
        summary: "The gas limit of the blocks to come.",
        parameters: [required("gasLimit", amount)],
        returns: "true",
        run: (blockGasLimit) => {
          if (blockGasLimit === 0n) throw invalidInput("Block gas limit must be greater than 0");
          chain.change({ blockGasLimit });
          return true;
        },
      }),
      "evm_setBlockGasLimit",
      "anvil_setBlockGasLimit",
    ),
  ];
}
