import { type Hash, toHexDigits } from "@ostrom/base";
import type { ValidatorSet } from "@ostrom/consensus";
import type { Genesis } from "@ostrom/execution";
import { createLinks, type Links, type NetworkHandlers, type PeerAddress } from "@ostrom/network";
import type { NodeConfiguration } from "./configuration.ts";
import { machineClock, machineEntropy } from "./machine.ts";
import type { Log } from "./ports.ts";
import type { NodeSecrets } from "./provision.ts";

/** The links of a validator: identities are pinned to the current set, addresses come from genesis unless node.json knows better.
 * @returns `attach` gives them their consumer, which needs the links to be made first. */
export function createNodeLinks(options: {
  readonly settings: NodeConfiguration;
  readonly genesis: Genesis;
  readonly genesisHash: Hash;
  readonly validators: ValidatorSet;
  readonly secrets: NodeSecrets;
  readonly log: Log;
}): { readonly links: Links; readonly attach: (handlers: NetworkHandlers) => void } {
  const { settings, genesis, validators, secrets, log } = options;
  const allowed = new Set(validators.validators.map((validator) => toHexDigits(validator.transportKey)));
  const addresses: readonly PeerAddress[] = genesis.validatorSet.validators.map((validator) => ({
    peerId: toHexDigits(validator.transportKey),
    ...addressOf(settings.peerAddresses[validator.name], validator),
  }));
  let handlers: NetworkHandlers | undefined;
  const links = createLinks({
    identity: secrets.identity,
    networkId: toHexDigits(options.genesisHash),
    listen: settings.link,
    peers: () => addresses,
    isAllowed: (peerId) => allowed.has(peerId),
    handlers: {
      onFrame: (peerId, channel, payload) => handlers?.onFrame(peerId, channel, payload),
      onUp: (peerId) => handlers?.onUp(peerId),
      onDown: (peerId, reason) => handlers?.onDown(peerId, reason),
    },
    log,
    clock: machineClock,
    entropy: machineEntropy,
  });
  return {
    links,
    attach: (consumer) => {
      handlers = consumer;
    },
  };
}

function addressOf(
  override: string | undefined,
  inGenesis: { readonly host: string; readonly port: number },
): { readonly host: string; readonly port: number } {
  const match = override === undefined ? null : /^(.*):(\d+)$/.exec(override);
  return match === null
    ? { host: inGenesis.host, port: inGenesis.port }
    : { host: match[1]!.replace(/^\[(.*)\]$/, "$1"), port: Number(match[2]) };
}
