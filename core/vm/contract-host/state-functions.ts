import { charge } from "../frame.ts";
import { GAS } from "../gas-schedule.ts";
import { addLog, logGas, MAX_TOPICS } from "../logs.ts";
import { loadSlot, storeSlot, storeTransient } from "../storage.ts";
import {
  answerWord,
  type Crossing,
  type HostFunctions,
  numberOperand,
  readBytes,
  readTopics,
  readWordOperand,
  trapWith,
} from "./border.ts";

/** What a program does with its storage, and what it tells the world. */
export const STATE_FUNCTIONS: HostFunctions = {
  storage_load: { gas: GAS.zero, run: loadStorage },
  storage_store: {
    gas: GAS.zero,
    run: (crossing) => withKeyAndValue(crossing, storeSlot),
  },
  transient_load: { gas: GAS.transientStorage, run: loadTransient },
  transient_store: {
    gas: GAS.transientStorage,
    run: (crossing) => withKeyAndValue(crossing, storeTransient),
  },
  log: { gas: GAS.zero, run: log },
};

function loadStorage(crossing: Crossing): 0 {
  const key = readWordOperand(crossing, 0);
  if (key === undefined) return 0;
  const value = loadSlot(crossing.machine, crossing.frame, key);
  return value === undefined ? 0 : answerWord(crossing, 1, value);
}

function loadTransient(crossing: Crossing): 0 {
  const { machine, frame } = crossing;
  const key = readWordOperand(crossing, 0);
  if (key === undefined) return 0;
  return answerWord(crossing, 1, machine.context.state.transientStorage(frame.address, key));
}

function withKeyAndValue(crossing: Crossing, store: typeof storeSlot): 0 {
  const key = readWordOperand(crossing, 0);
  const value = key === undefined ? undefined : readWordOperand(crossing, 1);
  if (key !== undefined && value !== undefined) store(crossing.machine, crossing.frame, key, value);
  return 0;
}

function log(crossing: Crossing): 0 {
  const { machine, frame } = crossing;
  const size = numberOperand(crossing, 1);
  const topicCount = numberOperand(crossing, 3);
  if (topicCount > MAX_TOPICS) return trapWith(crossing);
  if (!charge(frame, logGas(topicCount))) return 0;
  const topics = readTopics(crossing, numberOperand(crossing, 2), topicCount);
  const data = topics === undefined ? undefined : readBytes(crossing, numberOperand(crossing, 0), size);
  if (topics !== undefined && data !== undefined) addLog(machine, frame, topics, data);
  return 0;
}
