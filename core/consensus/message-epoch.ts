import type { Epoch } from "@ostrom/base";
import type { Message } from "./types.ts";

/** The epoch that a message is about; undefined for a question that is about none. Unverified, like all that a message says. */
export function epochOfMessage(message: Message): Epoch | undefined {
  switch (message.kind) {
    case "proposal":
    case "block":
      return message.block.epoch;
    case "vote":
      return message.vote.vote.epoch;
    case "certificate":
      return message.certificate.epoch;
    case "certificate-request":
    case "block-request":
    case "view-request":
    case "view-report":
      return message.epoch;
    case "executed":
      return message.executed.executed.epoch;
    case "state-certificate":
      return message.certificate.executed.epoch;
    case "block-range":
      return message.finalization.epoch;
    case "block-range-request":
    case "state-certificate-request":
    // Of checkpoints no epoch's engine hears.
    case "checkpoint-votes":
    case "checkpoint-request":
      return undefined;
    default:
      return message satisfies never;
  }
}
